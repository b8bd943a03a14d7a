//! A whole answer, and what it shares with a stream.

use crate::codec::Caller;
use crate::ir::{Block, Choice, Reply, Stop, StopReason, Usage};
use crate::json::quote;

/// Writes an answer: the text of each choice. Thinking has no place in a completion.
pub(crate) fn write_reply(reply: &Reply, caller: &Caller) -> String {
    let choices: Vec<String> = reply
        .choices
        .iter()
        .enumerate()
        .map(|(index, choice)| {
            let reason = word(&choice.stop);
            format!(
                r#"{{"text":{},"index":{index},"logprobs":null,"finish_reason":"{reason}"}}"#,
                quote(&text(choice))
            )
        })
        .collect();
    let usage = reply.usage.map(|usage| format!(",\"usage\":{}", counts(&usage))).unwrap_or_default();
    format!("{{{},\"choices\":[{}]{usage}}}", head(caller), choices.join(","))
}

/// Writes the members that every answer and every chunk begins with.
pub(super) fn head(caller: &Caller) -> String {
    format!(
        r#""id":{},"object":"text_completion","created":{},"model":{}"#,
        quote(&format!("cmpl-{}", caller.id)),
        caller.created,
        quote(&caller.alias)
    )
}

fn text(choice: &Choice) -> String {
    let texts = choice.blocks.iter().filter_map(|block| match block {
        Block::Text { text, .. } | Block::Refusal { text } => Some(text.as_str()),
        Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Media { .. }
        | Block::Foreign { .. } => None,
    });
    texts.collect()
}

/// Returns the format's word: it has three. For an answer that failed in its middle, `length` at least says that it is not
/// whole.
pub(super) fn word(stop: &Stop) -> &'static str {
    match stop.reason {
        StopReason::End | StopReason::Sequence | StopReason::ToolUse | StopReason::Paused => "stop",
        StopReason::Length | StopReason::ContextWindow | StopReason::Failed => "length",
        StopReason::Filtered => "content_filter",
    }
}

/// Writes the counts; those that OpenAI's old models do not have only where there are any.
pub(super) fn counts(usage: &Usage) -> String {
    let mut details = String::new();
    if usage.cache_read > 0 {
        details.push_str(&format!(r#","prompt_tokens_details":{{"cached_tokens":{}}}"#, usage.cache_read));
    }
    if usage.reasoning > 0 {
        details
            .push_str(&format!(r#","completion_tokens_details":{{"reasoning_tokens":{}}}"#, usage.reasoning));
    }
    format!(
        r#"{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{}{details}}}"#,
        usage.prompt(),
        usage.output,
        usage.total()
    )
}
