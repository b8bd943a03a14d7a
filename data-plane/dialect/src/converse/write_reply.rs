//! A whole answer, written for a caller who speaks Converse.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::codec::Caller;
use crate::ir::{Block, Media, Reply, Source, Stop, ToolIdShape, digest_id, text_argument};
use crate::{Format, json};

use super::signature::{carry, carry_of_call, carry_redacted};
use super::wire::{Bytes, Piece, Thought};
use super::words::{format_of, stop_word, write_usage};

/// Writes an answer. Converse knows one choice; a caller of it cannot ask for more.
pub(crate) fn write_reply(reply: &Reply, _caller: &Caller) -> String {
    let choice = reply.choices.first();
    let mut pieces = Vec::new();
    for block in choice.map(|choice| choice.blocks.as_slice()).unwrap_or_default() {
        piece(block, &mut pieces);
    }
    let content = serde_json::to_string(&pieces).unwrap_or_else(|_| "[]".to_owned());
    let stop = choice.map(|choice| choice.stop.clone()).unwrap_or_default();
    let (sequence, stop) = (stop_fields(&stop), stop_word(&stop));
    let usage = write_usage(reply.usage);
    // How long the provider took is not known here, and clients demand a number.
    format!(
        r#"{{{sequence}"metrics":{{"latencyMs":0}},"output":{{"message":{{"content":{content},"role":"assistant"}}}},"stopReason":"{stop}","usage":{usage}}}"#
    )
}

/// Writes the text that ended an answer, where Bedrock says it, with a comma behind; nothing if there is none.
pub(super) fn stop_fields(stop: &Stop) -> String {
    let sequence = stop.sequence.as_deref().map(json::quote);
    sequence
        .map(|sequence| format!(r#""additionalModelResponseFields":{{"stop_sequence":{sequence}}},"#))
        .unwrap_or_default()
}

/// Returns the id of a call that a caller sees: it does not tell which provider made the first.
pub(super) fn call_id(id: &str) -> String {
    digest_id(id, ToolIdShape::Word, "tooluse_")
}

fn piece<'a>(block: &'a Block, pieces: &mut Vec<Piece<'a>>) {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } if text.is_empty() => {}
        Block::Text { text, .. } | Block::Refusal { text } => pieces.push(Piece::Text(text.into())),
        Block::Thinking { text, signature, signed_by, .. } => {
            let signature = signature.as_deref().map(|signature| Cow::Owned(carry(signature, *signed_by)));
            if !text.is_empty() || signature.is_some() {
                pieces.push(Piece::ReasoningContent(Thought::ReasoningText { text, signature }));
            }
        }
        Block::RedactedThinking { data, signed_by } => {
            let data = carry_redacted(data, *signed_by).into();
            pieces.push(Piece::ReasoningContent(Thought::RedactedContent(data)));
        }
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            if let Some(signature) = signature {
                let signature = Some(carry_of_call(signature).into());
                pieces.push(Piece::ReasoningContent(Thought::ReasoningText { text: "", signature }));
            }
            let input = if *custom { of_text(input) } else { Cow::Borrowed(input_of(input)) };
            pieces.push(Piece::ToolUse { tool_use_id: call_id(id), name, input });
        }
        Block::Media { media: Media::Image, source: Source::Base64 { media_type, data }, .. } => {
            if let Some(format) = format_of(Media::Image, media_type) {
                pieces.push(Piece::Image { format, source: Bytes::Bytes(data.into()) });
            }
        }
        Block::Foreign { format: Format::Converse, json, .. } => pieces.push(Piece::Raw(json)),
        // What another provider did by itself has no place here; what it said of it is text.
        Block::Foreign { .. } | Block::Media { .. } | Block::ToolResult { .. } => {}
    }
}

/// Returns the argument of a tool that takes text: here all arguments are objects.
pub(super) fn of_text<'a>(text: &str) -> Cow<'a, RawValue> {
    Cow::Owned(RawValue::from_string(text_argument(text)).unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

/// Returns a call's arguments. What is no JSON, because the answer was cut within it, is an empty object: the stop reason
/// says that it was cut.
fn input_of(input: &str) -> &RawValue {
    let parsed = serde_json::from_str::<&RawValue>(input).ok();
    parsed.or_else(|| serde_json::from_str("{}").ok()).unwrap_or(RawValue::NULL)
}
