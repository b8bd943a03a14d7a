//! Tokens as the recordings say them, by the identities of llm-api.md 1.7, which are told by the vendor.

use breakwater_dialect::Format;
use breakwater_dialect::ir::Usage;
use serde_json::Value;

use crate::kit;

/// Prompt, output, of the prompt from a cache, of the output reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens(u64, u64, u64, u64);

impl Tokens {
    pub fn of(usage: &Usage) -> Self {
        Self(usage.prompt(), usage.output, usage.cache_read, usage.reasoning)
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn first(values: &[&Value]) -> u64 {
    values.iter().map(|value| count(value)).find(|count| *count > 0).unwrap_or_default()
}

/// What a whole answer says; none if it says nothing.
pub fn whole(format: Format, provider: &str, answer: &Value) -> Option<Tokens> {
    match format {
        Format::Chat | Format::Completions => answer["usage"].is_object().then(|| chat(provider, answer)),
        Format::Embeddings | Format::Moderations => {
            answer["usage"].is_object().then(|| Tokens(count(&answer["usage"]["prompt_tokens"]), 0, 0, 0))
        }
        Format::CountTokens => None,
        Format::Gemini => answer["usageMetadata"].is_object().then(|| kit_tokens(kit::whole(format, answer))),
        _ => answer["usage"].is_object().then(|| kit_tokens(kit::whole(format, answer))),
    }
}

/// What a stream says.
pub fn streamed(format: Format, provider: &str, events: &[Value]) -> Option<Tokens> {
    match format {
        Format::Chat | Format::Completions => {
            // What an error says beside itself is not read.
            let answers = events.iter().filter(|event| event.get("error").is_none_or(Value::is_null));
            let said = answers.rev().find_map(|event| {
                [&event["usage"], &event["x_groq"]["usage"]].into_iter().find(|usage| usage.is_object())
            })?;
            Some(chat(provider, &serde_json::json!({ "usage": said })))
        }
        _ => {
            let says = |event: &Value| {
                ["/usage", "/message/usage", "/response/usage", "/usageMetadata", "/metadata/usage"]
                    .iter()
                    .any(|path| event.pointer(path).is_some_and(Value::is_object))
            };
            events.iter().any(says).then(|| kit_tokens(kit::streamed(format, events)))
        }
    }
}

fn kit_tokens(answer: kit::semantics::Answer) -> Tokens {
    let kit::semantics::Tokens { prompt, output, cached, reasoning } = answer.usage;
    Tokens(prompt, output, cached, reasoning)
}

fn chat(provider: &str, answer: &Value) -> Tokens {
    let usage = &answer["usage"];
    let (prompt_details, details) = (&usage["prompt_tokens_details"], &usage["completion_tokens_details"]);
    let cached = first(&[
        &prompt_details["cached_tokens"],
        &usage["prompt_cache_hit_tokens"],
        &usage["cached_tokens"],
        &usage["num_cached_tokens"],
        &usage["cache_read_input_tokens"],
    ]);
    let reasoning = first(&[&details["reasoning_tokens"], &usage["reasoning_tokens"]]);
    let (prompt, output, total) =
        (count(&usage["prompt_tokens"]), count(&usage["completion_tokens"]), count(&usage["total_tokens"]));
    match provider {
        // Reasoning is outside of the completion, if the total says so.
        "xai" | "openai" if total == prompt + output + reasoning => {
            Tokens(prompt, output + reasoning, cached, reasoning)
        }
        // Azure's Grok, and one of Mistral's written by hand: what came from the cache is outside of the prompt.
        "azure" | "mistral" if cached > prompt => Tokens(prompt + cached, output, cached, reasoning),
        // The compatible way of Google: thoughts are in the total alone.
        "gemini" => Tokens(prompt, total - prompt, cached, total - prompt - output),
        // Sound is outside of the prompt.
        "mistral" if total > prompt + output => Tokens(total - output, output, cached, reasoning),
        _ => Tokens(prompt, output, cached, reasoning.min(output)),
    }
}
