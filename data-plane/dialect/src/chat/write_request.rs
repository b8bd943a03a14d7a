//! A request for a provider.

use super::object::Object;
use super::{write_messages, write_tools};
use crate::codec::{Target, Written};
use crate::ir::{
    Dropped, Effort, Reasoning, Refused, Request, ResponseFormat, ToolIdShape, digest_id, is_harmless,
};
use crate::json::quote;
use crate::quirks::{MaxTokens, Quirks, ReasoningField};

/// Members that this form does not say and this format does: they mean the same whoever says them.
const OURS: &[&str] = &[
    "audio",
    "logit_bias",
    "modalities",
    "moderation",
    "prediction",
    "prompt_cache_options",
    "prompt_cache_retention",
    "store",
    "web_search_options",
];

/// Names of users and caches longer than this are refused by OpenAI.
const NAME_CHARS_MAX: usize = 64;

/// Writes one, as this vendor wants it.
pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    let mut writer = Writer { quirks: target.quirks, body: Object::default(), dropped: Vec::new() };
    writer.body.text("model", &target.model);
    let messages = write_messages::write(request, target.quirks, &mut writer.dropped)?;
    writer.body.list("messages", &messages);
    write_tools::write(request, target.quirks, &mut writer.body)?;
    writer.sampling(request)?;
    writer.form(request)?;
    if let Some(reasoning) = &request.reasoning {
        writer.reasoning(reasoning);
    }
    writer.harmless(request);
    writer.rest(request)?;
    if request.stream {
        writer.body.raw("stream", "true");
        if target.quirks.stream_options {
            writer.body.raw("stream_options", r#"{"include_usage":true}"#);
        }
    }
    let Writer { body, mut dropped, .. } = writer;
    dropped.dedup();
    Ok(Written { body: body.finish(), dropped })
}

#[derive(Debug)]
struct Writer {
    quirks: &'static Quirks,
    body: Object,
    dropped: Vec<Dropped>,
}

impl Writer {
    fn sampling(&mut self, request: &Request) -> Result<(), Refused> {
        let quirks = self.quirks;
        let bound = match quirks.max_tokens {
            MaxTokens::Completion => "max_completion_tokens",
            MaxTokens::Old | MaxTokens::Either => "max_tokens",
        };
        self.body.maybe(bound, request.max_tokens);
        self.body.maybe("temperature", request.temperature.as_ref());
        self.body.maybe("top_p", request.top_p.as_ref());
        match request.top_k {
            Some(top_k) if quirks.top_k => self.body.raw("top_k", &top_k.to_string()),
            Some(_) => self.dropped.push("top_k".to_owned()),
            None => {}
        }
        self.body.maybe("frequency_penalty", request.frequency_penalty.as_ref());
        self.body.maybe("presence_penalty", request.presence_penalty.as_ref());
        match request.seed {
            Some(seed) if !quirks.seed.is_empty() => self.body.raw(quirks.seed, &seed.to_string()),
            Some(_) => self.dropped.push("seed".to_owned()),
            None => {}
        }
        if request.stop.len() > quirks.stops_max {
            return Err(Refused::no_equivalent("stop"));
        }
        let stops: Vec<String> = request.stop.iter().map(|stop| quote(stop)).collect();
        self.body.list("stop", &stops);
        match request.choices {
            Some(choices) if choices > 1 && !quirks.many_choices => return Err(Refused::no_equivalent("n")),
            Some(choices) if choices > 1 => self.body.raw("n", &choices.to_string()),
            Some(_) | None => {}
        }
        if let Some(beside) = request.logprobs {
            if !quirks.logprobs {
                return Err(Refused::no_equivalent("logprobs"));
            }
            self.body.raw("logprobs", "true");
            if beside > 0 {
                self.body.raw("top_logprobs", &beside.to_string());
            }
        }
        Ok(())
    }

    fn form(&mut self, request: &Request) -> Result<(), Refused> {
        let form = match &request.response_format {
            None | Some(ResponseFormat::Text) => return Ok(()),
            Some(ResponseFormat::JsonObject) => r#"{"type":"json_object"}"#.to_owned(),
            Some(ResponseFormat::JsonSchema { .. }) if !self.quirks.json_schema => {
                return Err(Refused::no_equivalent("response_format"));
            }
            Some(ResponseFormat::JsonSchema { name, description, schema, strict }) => {
                let mut inner = Object::default();
                inner.text("name", if name.is_empty() { "response" } else { name });
                inner.maybe("description", description.as_deref().map(quote));
                inner.raw("schema", schema.get());
                inner.maybe("strict", *strict);
                format!(r#"{{"type":"json_schema","json_schema":{}}}"#, inner.finish())
            }
        };
        self.body.raw("response_format", &form);
        Ok(())
    }

    fn reasoning(&mut self, reasoning: &Reasoning) {
        let off = reasoning.enabled == Some(false) || reasoning.effort == Some(Effort::None);
        let effort = effort(reasoning).and_then(|effort| nearest(effort, self.quirks.efforts));
        match self.quirks.reasoning {
            // That thinking is off in the caller's format is not said here: the words for it differ from model to model.
            ReasoningField::Effort => {
                self.body.maybe("reasoning_effort", effort.map(|effort| quote(effort.as_str())));
            }
            ReasoningField::Object => {
                let mut inner = Object::default();
                if off {
                    inner.raw("enabled", "false");
                } else if let Some(budget) = reasoning.budget_tokens {
                    inner.raw("max_tokens", &budget.to_string());
                } else if let Some(effort) = effort {
                    inner.text("effort", effort.as_str());
                } else if reasoning.enabled == Some(true) || reasoning.adaptive {
                    inner.raw("enabled", "true");
                }
                if reasoning.show == Some(false) {
                    inner.raw("exclude", "true");
                }
                let inner = inner.finish();
                if inner != "{}" {
                    self.body.raw("reasoning", &inner);
                }
            }
            ReasoningField::Thinking => {
                let on = reasoning.enabled == Some(true) || reasoning.adaptive || effort.is_some();
                if off || on {
                    let word = if off { "disabled" } else { "enabled" };
                    self.body.raw("thinking", &format!(r#"{{"type":"{word}"}}"#));
                }
            }
            ReasoningField::None => self.dropped.push("reasoning_effort".to_owned()),
        }
    }

    /// What changes nothing of the answer.
    fn harmless(&mut self, request: &Request) {
        /// OpenAI's words; another format's words for the same are not sent.
        const TIERS: [&str; 6] = ["auto", "default", "flex", "scale", "priority", "fast"];
        let user = request.user.as_deref().map(|user| short(user, "user_"));
        let key = request.prompt_cache_key.as_deref().map(|key| short(key, "cache_"));
        let tier = request.service_tier.clone();
        let known_tier = tier.as_deref().is_none_or(|tier| TIERS.contains(&tier));
        for (name, value, fits) in [
            ("user", user, true),
            ("prompt_cache_key", key, true),
            ("service_tier", tier, known_tier),
            ("verbosity", request.verbosity.clone(), true),
        ] {
            match value {
                Some(value) if fits && !self.quirks.drops.contains(&name) => self.body.text(name, &value),
                Some(_) => self.dropped.push(name.to_owned()),
                None => {}
            }
        }
        // OpenAI takes them only with what it is to store.
        if !request.metadata.is_empty() {
            self.dropped.push("metadata".to_owned());
        }
    }

    fn rest(&mut self, request: &Request) -> Result<(), Refused> {
        for (name, value) in &request.rest {
            if OURS.contains(&name.as_str()) && !self.quirks.drops.contains(&name.as_str()) {
                self.body.raw(name, value.get());
            } else if is_harmless(name) || self.quirks.drops.contains(&name.as_str()) {
                self.dropped.push(name.clone());
            } else {
                return Err(Refused::no_equivalent(name.as_str()));
            }
        }
        Ok(())
    }
}

/// A name that is not too long; the same from the same.
fn short(name: &str, prefix: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        name.to_owned()
    } else {
        digest_id(name, ToolIdShape::OpenAi, prefix)
    }
}

/// The effort that was asked for, in a word or in tokens.
fn effort(reasoning: &Reasoning) -> Option<Effort> {
    /// Bounds of tokens: half of what models of 2026 think at that effort.
    const BUDGETS: [(u64, Effort); 3] =
        [(2048, Effort::Low), (8192, Effort::Medium), (u64::MAX, Effort::High)];
    if reasoning.enabled == Some(false) {
        return None;
    }
    let by_budget =
        |budget: u64| BUDGETS.iter().find(|(bound, _)| budget <= *bound).map(|(_, effort)| *effort);
    reasoning.effort.or_else(|| reasoning.budget_tokens.and_then(by_budget))
}

/// The nearest effort that a vendor knows: the weaker one of two. That nothing is to be thought is not made little.
fn nearest(effort: Effort, known: &[Effort]) -> Option<Effort> {
    if known.contains(&effort) || effort == Effort::None {
        return known.contains(&effort).then_some(effort);
    }
    let mut usable = known.iter().copied().filter(|known| *known != Effort::None);
    let below = usable.clone().filter(|known| *known < effort).max();
    below.or_else(|| usable.find(|known| *known > effort))
}

#[cfg(test)]
mod tests;
