//! The response object and its items, as a caller gets them. Strict callers want every member that the vendor's own answers
//! have, so what was asked is repeated in full (litellm #28899).

use super::build::{Object, list};
use super::write_tools;
use crate::codec::Caller;
use crate::ir::{Stop, StopReason, Usage};

/// How far an answer is, and what it is made of.
#[derive(Debug, Default)]
pub(super) struct State<'a> {
    pub(super) status: &'static str,
    /// Items in source.
    pub(super) output: &'a [String],
    pub(super) usage: Option<Usage>,
    /// Why it is not complete.
    pub(super) incomplete: Option<&'static str>,
    /// Code and message.
    pub(super) error: Option<(&'static str, &'static str)>,
}

/// What is said of an answer that failed.
pub(super) const FAILED: (&str, &str) = ("server_error", "the answer failed before its end; ask again");

impl<'a> State<'a> {
    /// Makes the state of an answer that ended. A model that refuses says so in its text and is done.
    pub(super) fn ended(stop: &Stop, refused: bool, output: &'a [String], usage: Option<Usage>) -> Self {
        // Strict callers want the counts of every answer that ended, whether the provider said any or not.
        let usage = Some(usage.unwrap_or_default());
        let state = Self { status: "completed", output, usage, ..Self::default() };
        match stop.reason {
            StopReason::End | StopReason::Sequence | StopReason::ToolUse | StopReason::Paused => state,
            StopReason::Length | StopReason::ContextWindow => {
                Self { status: "incomplete", incomplete: Some("max_output_tokens"), ..state }
            }
            StopReason::Filtered if refused => state,
            StopReason::Filtered => {
                Self { status: "incomplete", incomplete: Some("content_filter"), ..state }
            }
            StopReason::Failed => Self { status: "failed", error: Some(FAILED), ..state },
        }
    }
}

/// Writes the response object.
pub(super) fn response(caller: &Caller, state: &State<'_>) -> String {
    let request = &caller.request;
    let number = |number: Option<&serde_json::Number>, default: &str| {
        number.map_or_else(|| default.to_owned(), ToString::to_string)
    };
    // Nobody else's format tells a caller's `instructions` from its first developer message.
    let instructions = request.system.first().and_then(super::write_request::text);
    let namespaces = &request.namespaces;
    let alone = request.tools.iter().filter(|tool| !namespaces.members.contains_key(&tool.name));
    let tools = alone.filter_map(|tool| write_tools::tool(tool, "", None).ok());
    let tools = tools.chain(namespaces.sources.iter().map(|source| source.get().to_owned()));
    let choice = request.tool_choice.as_ref();
    let choice = choice.map_or("\"auto\"".to_owned(), |choice| write_tools::choice(choice, request));
    let metadata = request.metadata.iter().fold(Object::new(), |object, (key, value)| {
        let key = super::build::quote(key);
        object.text(key.get(1..key.len().saturating_sub(1)).unwrap_or_default(), value)
    });
    let error =
        state.error.map(|(code, message)| Object::new().text("code", code).text("message", message).end());
    let incomplete = state.incomplete.map(|reason| Object::new().text("reason", reason).end());
    let or_null = |source: Option<String>| source.unwrap_or_else(|| "null".to_owned());
    Object::new()
        .text("id", &format!("resp_{}", caller.id))
        .text("object", "response")
        .count("created_at", caller.created)
        .text("status", state.status)
        .flag("background", false)
        .raw("error", &or_null(error))
        .raw("incomplete_details", &or_null(incomplete))
        .text_or_null("instructions", instructions)
        .raw("max_output_tokens", &or_null(request.max_tokens.map(|max| max.to_string())))
        .raw("max_tool_calls", "null")
        .text("model", &caller.alias)
        .raw("output", &list(state.output))
        .flag("parallel_tool_calls", request.parallel_tools.unwrap_or(true))
        .raw("previous_response_id", "null")
        .text_or_null("prompt_cache_key", request.prompt_cache_key.as_deref())
        .raw("reasoning", &reasoning(caller))
        .text_or_null("safety_identifier", request.user.as_deref())
        .text("service_tier", "default")
        .flag("store", false)
        .raw("temperature", &number(request.temperature.as_ref(), "1.0"))
        .raw("text", &text(caller))
        .raw("tool_choice", &choice)
        .raw("tools", &list(tools))
        .count("top_logprobs", request.logprobs.unwrap_or_default().into())
        .raw("top_p", &number(request.top_p.as_ref(), "1.0"))
        .text("truncation", "disabled")
        .raw("usage", &or_null(state.usage.map(usage)))
        .raw("user", "null")
        .raw("metadata", &metadata.end())
        .end()
}

fn reasoning(caller: &Caller) -> String {
    let asked = caller.request.reasoning.as_ref();
    let effort = asked.and_then(|asked| asked.effort).map(crate::ir::Effort::as_str);
    let summary = asked.and_then(|asked| asked.show).filter(|show| *show).map(|_| "auto");
    Object::new().text_or_null("effort", effort).text_or_null("summary", summary).end()
}

fn text(caller: &Caller) -> String {
    let format = caller.request.response_format.as_ref();
    let format = format.map_or_else(|| Object::of("text").end(), write_tools::format);
    let verbosity = caller.request.verbosity.as_deref().unwrap_or("medium");
    Object::new().raw("format", &format).text("verbosity", verbosity).end()
}

/// Writes the counts: tokens from a cache stand inside those read, those of reasoning inside those written.
fn usage(usage: Usage) -> String {
    let read = Object::new()
        .count("cached_tokens", usage.cache_read)
        .count("cache_write_tokens", usage.cache_write)
        .end();
    let written = Object::new().count("reasoning_tokens", usage.reasoning).end();
    Object::new()
        .count("input_tokens", usage.prompt())
        .raw("input_tokens_details", &read)
        .count("output_tokens", usage.output)
        .raw("output_tokens_details", &written)
        .count("total_tokens", usage.total())
        .end()
}

/// Writes a message; `parts` in source.
pub(super) fn message(id: &str, status: &str, parts: &[String]) -> String {
    Object::new()
        .text("id", id)
        .text("type", "message")
        .text("status", status)
        .raw("content", &list(parts))
        .text("role", "assistant")
        .end()
}

/// Writes a text of a message.
pub(super) fn output_text(text: &str, logprobs: &str, annotations: &[String]) -> String {
    let object = Object::of("output_text").raw("annotations", &list(annotations));
    object.raw("logprobs", logprobs).text("text", text).end()
}

/// Writes a refusal of a message.
pub(super) fn refusal(text: &str) -> String {
    Object::of("refusal").text("refusal", text).end()
}

/// Writes a text of a summary.
pub(super) fn summary_text(text: &str) -> String {
    Object::of("summary_text").text("text", text).end()
}

/// Writes reasoning.
pub(super) fn reasoning_item(id: &str, text: &str, encrypted: Option<&str>) -> String {
    let summary = if text.is_empty() { "[]".to_owned() } else { list([summary_text(text)]) };
    Object::new()
        .text("id", id)
        .text("type", "reasoning")
        .raw("summary", &summary)
        .maybe(encrypted, |object, encrypted| object.text("encrypted_content", encrypted))
        .end()
}

/// A call as its item says it.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) custom: bool,
}

impl Call {
    /// Writes its item.
    pub(super) fn item(&self, status: &str, input: &str) -> String {
        let (kind, key) =
            if self.custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
        Object::new()
            .text("id", &self.id)
            .text("type", kind)
            .text("status", status)
            .text(key, input)
            .text("call_id", &self.call_id)
            .text("name", &self.name)
            .maybe(self.namespace.as_deref(), |object, namespace| object.text("namespace", namespace))
            .end()
    }
}
