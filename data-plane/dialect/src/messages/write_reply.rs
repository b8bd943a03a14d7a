//! Writes a whole answer for a caller.

use std::borrow::Cow;

use serde::Serialize;

use super::carrier;
use super::stop;
use super::usage::Out as OutUsage;
use super::wire::{Out, arguments};
use crate::Format;
use crate::codec::Caller;
use crate::ir::{Block, Choice, Reply, ToolIdShape, digest_id, text_argument};

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    r#type: &'static str,
    role: &'static str,
    model: &'a str,
    content: Vec<Out<'a>>,
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    stop_details: Option<StopDetails<'a>>,
    usage: OutUsage,
}

/// Why the model refuses.
#[derive(Debug, Serialize)]
pub(super) struct StopDetails<'a> {
    r#type: &'static str,
    category: Option<&'static str>,
    explanation: Option<&'a str>,
}

impl<'a> StopDetails<'a> {
    /// Only a refusal has any.
    pub(super) fn of(reason: &str, explanation: &'a str) -> Option<Self> {
        let explanation = Some(explanation).filter(|explanation| !explanation.is_empty());
        (reason == "refusal").then_some(Self { r#type: "refusal", category: None, explanation })
    }
}

/// Returns the answer's id.
pub(super) fn message_id(caller: &Caller) -> String {
    format!("msg_{}", caller.id)
}

/// Returns the id of a tool call as callers get it.
pub(super) fn call_id(id: &str) -> String {
    digest_id(id, ToolIdShape::Word, "toolu_")
}

/// Writes the body of an answer. The format knows one choice.
pub(crate) fn write_reply(reply: &Reply, caller: &Caller) -> String {
    let nothing = Choice::default();
    let choice = reply.choices.first().unwrap_or(&nothing);
    let mut content = Vec::new();
    let mut refusal = String::new();
    let mut calls_tools = false;
    for block in &choice.blocks {
        match block {
            Block::ToolUse { .. } => calls_tools = true,
            Block::Refusal { text } => refusal.push_str(text),
            Block::Text { .. }
            | Block::Thinking { .. }
            | Block::RedactedThinking { .. }
            | Block::ToolResult { .. }
            | Block::Media { .. }
            | Block::Foreign { .. } => {}
        }
        write_block(block, &mut content);
    }
    let (stop_reason, stop_sequence) = stop::write(&choice.stop, calls_tools, !refusal.is_empty());
    let body = Body {
        id: message_id(caller),
        r#type: "message",
        role: "assistant",
        model: &caller.alias,
        content,
        stop_reason,
        stop_sequence,
        stop_details: StopDetails::of(stop_reason, &refusal),
        usage: OutUsage::new(reply.usage.unwrap_or_default(), true),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// Writes a block. Empty texts are left out: the provider itself would refuse them when they come back. So are pieces of
/// which the format knows only the caller's: pictures and sounds.
fn write_block<'a>(block: &'a Block, content: &mut Vec<Out<'a>>) {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } => {
            if !text.is_empty() {
                content.push(Out::Text { text: Cow::from(text), cache_control: None });
            }
        }
        Block::Thinking { text, signature, signed_by, .. } => {
            let signature = carrier::mark(signature.as_deref(), *signed_by);
            if !text.is_empty() || !signature.is_empty() {
                content.push(Out::Thinking { thinking: Cow::from(text), signature });
            }
        }
        Block::RedactedThinking { data, signed_by } => {
            content.push(Out::RedactedThinking { data: carrier::mark(Some(data), *signed_by) });
        }
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            if let Some(signature) = signature {
                let signature = carrier::next(signature);
                content.push(Out::Thinking { thinking: Cow::from(""), signature });
            }
            let input = if *custom { arguments(&text_argument(input)) } else { arguments(input) };
            let id = call_id(id);
            content.push(Out::ToolUse { id, name, input, cache_control: None });
        }
        Block::Foreign { format: Format::Messages, json, .. } => content.push(Out::Foreign(json)),
        Block::Foreign { .. } | Block::Media { .. } | Block::ToolResult { .. } => {}
    }
}
