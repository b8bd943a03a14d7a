//! Tokens. Vendors add them up differently, and the numbers themselves say how (llm-api.md, 1.7).

use crate::ir::Usage;
use crate::json::Place;

/// Reads a vendor's `usage`.
pub(super) fn read(usage: Place<'_>) -> Option<Usage> {
    if !usage.is_object() {
        return None;
    }
    let mut said = Said::default();
    for member in usage.members() {
        let (count, object) = (count(member.value), member.value);
        match &*member.key {
            "prompt_tokens" => said.prompt = count,
            "completion_tokens" => said.completion = count,
            "total_tokens" => said.total = count,
            "prompt_tokens_details" => said.prompt_details(object),
            "completion_tokens_details" => said.completion_details(object),
            // DeepSeek; Together and Moonshot; Mistral; Databricks. Each is the same as `cached_tokens` where both are said.
            "prompt_cache_hit_tokens" | "cached_tokens" | "num_cached_tokens" | "cache_read_input_tokens" => {
                said.cached = said.cached.max(count);
            }
            "cache_creation_input_tokens" => said.written = said.written.max(count),
            "reasoning_tokens" => said.reasoning = said.reasoning.max(count),
            _ => {}
        }
    }
    Some(said.sorted())
}

fn count(place: Place<'_>) -> u64 {
    place.source().parse().unwrap_or_default()
}

/// What a vendor says.
#[derive(Debug, Default)]
struct Said {
    prompt: u64,
    completion: u64,
    total: u64,
    cached: u64,
    written: u64,
    reasoning: u64,
    audio_in: u64,
    audio_out: u64,
}

impl Said {
    fn prompt_details(&mut self, details: Place<'_>) {
        for member in details.members() {
            match &*member.key {
                "cached_tokens" => self.cached = self.cached.max(count(member.value)),
                "cache_write_tokens" | "cache_creation_tokens" => {
                    self.written = self.written.max(count(member.value));
                }
                "audio_tokens" => self.audio_in = count(member.value),
                _ => {}
            }
        }
    }

    fn completion_details(&mut self, details: Place<'_>) {
        for member in details.members() {
            match &*member.key {
                "reasoning_tokens" => self.reasoning = self.reasoning.max(count(member.value)),
                "audio_tokens" => self.audio_out = count(member.value),
                _ => {}
            }
        }
    }

    fn sorted(self) -> Usage {
        let mut usage = Usage {
            cache_read: self.cached,
            cache_write: self.written,
            output: self.completion,
            reasoning: self.reasoning,
            input_audio: self.audio_in,
            output_audio: self.audio_out,
            ..Usage::default()
        };
        let from_cache = self.cached.saturating_add(self.written);
        usage.input = if self.cached > self.prompt {
            // A cache cannot give more of a prompt than there is: this vendor (Azure's Grok, Magistral) counts it apart.
            self.prompt
        } else if from_cache > self.prompt {
            // Written and read in the same call (Gemini behind OpenRouter): what was read was written just before.
            usage.cache_write = 0;
            self.prompt - self.cached
        } else {
            self.prompt - from_cache
        };
        let beyond = self.total.saturating_sub(self.prompt.saturating_add(self.completion));
        if beyond > 0 {
            if self.audio_in > 0 && beyond == self.audio_in {
                // Mistral's audio models count sound apart from the prompt.
                usage.input = usage.input.saturating_add(beyond);
            } else if beyond == self.reasoning || self.reasoning == 0 && beyond != from_cache {
                // xAI counts reasoning apart from the completion, Gemini's compatible way does and does not say so.
                usage.output = usage.output.saturating_add(beyond);
                usage.reasoning = beyond;
            }
        }
        usage.reasoning = usage.reasoning.min(usage.output);
        usage
    }
}

/// Writes `usage`: every member that strict clients read.
pub(super) fn write(usage: &Usage) -> String {
    let written = if usage.cache_write > 0 {
        format!(r#","cache_write_tokens":{}"#, usage.cache_write)
    } else {
        String::new()
    };
    format!(
        concat!(
            r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"#,
            r#""prompt_tokens_details":{{"cached_tokens":{},"audio_tokens":{}{}}},"#,
            r#""completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":{},"#,
            r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}}"#
        ),
        usage.prompt(),
        usage.output,
        usage.total(),
        usage.cache_read,
        usage.input_audio,
        written,
        usage.reasoning,
        usage.output_audio,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Usage {
        read(Place::root(source)).expect("an object")
    }

    #[test]
    fn bug_17_the_numbers_say_what_is_inside_what() {
        // OpenAI: cached inside the prompt, reasoning inside the completion.
        let openai = of(r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
            "prompt_tokens_details":{"cached_tokens":30,"cache_write_tokens":20},
            "completion_tokens_details":{"reasoning_tokens":40}}"#);
        assert_eq!((openai.input, openai.cache_read, openai.cache_write), (50, 30, 20));
        assert_eq!((openai.output, openai.reasoning, openai.total()), (50, 40, 150));
        // xAI: reasoning apart.
        let xai = of(r#"{"prompt_tokens":49,"completion_tokens":32,"total_tokens":264,
            "prompt_tokens_details":{"cached_tokens":7},"completion_tokens_details":{"reasoning_tokens":183}}"#);
        assert_eq!((xai.input, xai.cache_read, xai.output, xai.reasoning), (42, 7, 215, 183));
        assert_eq!(xai.total(), 264);
        // Azure's Grok: cached apart.
        let grok = of(r#"{"prompt_tokens":10,"completion_tokens":213,"total_tokens":223,
            "prompt_tokens_details":{"cached_tokens":161,"text_tokens":10}}"#);
        assert_eq!((grok.input, grok.cache_read, grok.output), (10, 161, 213));
        let both = of(r#"{"prompt_tokens":2168,"completion_tokens":100,"total_tokens":2268,
            "prompt_tokens_details":{"cache_write_tokens":2161,"cached_tokens":2161}}"#);
        assert_eq!((both.input, both.cache_read, both.prompt(), both.total()), (7, 2161, 2168, 2268));
        // Gemini's compatible way: thoughts are in the total alone.
        let gemini = of(r#"{"completion_tokens":12,"prompt_tokens":35,"total_tokens":109}"#);
        assert_eq!((gemini.output, gemini.reasoning, gemini.total()), (74, 62, 109));
        // Mistral's audio.
        let voxtral = of(r#"{"prompt_tokens":9,"total_tokens":585,"completion_tokens":201,
            "prompt_tokens_details":{"cached_tokens":0,"audio_tokens":375}}"#);
        assert_eq!((voxtral.input, voxtral.output, voxtral.reasoning), (384, 201, 0));
        // OpenRouter and Vercel: more reasoning than was written.
        let unreliable = of(r#"{"prompt_tokens":43,"completion_tokens":10,"total_tokens":53,
            "completion_tokens_details":{"reasoning_tokens":11}}"#);
        assert_eq!((unreliable.output, unreliable.reasoning), (10, 10));
        // DeepSeek, and Databricks before the end.
        assert_eq!(
            of(r#"{"prompt_tokens":348,"completion_tokens":1,"prompt_cache_hit_tokens":320}"#).input,
            28
        );
        assert_eq!(of(r#"{"prompt_tokens":5,"completion_tokens":null,"total_tokens":null}"#).prompt(), 5);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let usage = Usage {
            input: 5,
            cache_read: 7,
            cache_write: 11,
            output: 13,
            reasoning: 3,
            input_audio: 2,
            output_audio: 1,
            ..Usage::default()
        };
        assert_eq!(of(&write(&usage)), usage);
        assert_eq!(of(&write(&Usage::default())), Usage::default());
    }
}
