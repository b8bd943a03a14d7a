//! A conversation for a provider.

use super::alternate;
use super::carry;
use super::object::Object;
use super::sealed::{MISTRAL, Sealed};
use super::write_parts::{self, joined};
use crate::Format;
use crate::ir::{Block, Dropped, Refused, Request, Role, Turn, tool_id};
use crate::json::quote;
use crate::quirks::{Quirks, ThinkingBack};

/// Claude Code's first system block. It changes with every call and would spoil a prompt cache that is not Anthropic's.
const BILLING_LINE: &str = "x-anthropic-billing-header";

/// What Google's compatible way takes in the place of a signature that another model's call never had.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Writes the messages, each in source.
pub(super) fn write(
    request: &Request,
    quirks: &Quirks,
    dropped: &mut Vec<Dropped>,
) -> Result<Vec<String>, Refused> {
    let mut messages = Vec::with_capacity(request.turns.len() + 1);
    let volatile =
        |block: &&Block| !matches!(block, Block::Text { text, .. } if text.starts_with(BILLING_LINE));
    let system: Vec<&Block> = request.system.iter().filter(volatile).collect();
    if !system.is_empty() {
        messages.push(instructions(&system, "system", quirks)?);
    }
    for (index, turn) in alternate::turns(request, quirks)?.iter().enumerate() {
        let path = format!("messages[{index}]");
        match turn.role {
            Role::System => {
                let blocks: Vec<&Block> = turn.blocks.iter().collect();
                messages.push(instructions(&blocks, &path, quirks)?);
            }
            Role::User => user(turn, &path, quirks, dropped, &mut messages)?,
            Role::Assistant => messages.extend(assistant(turn, &path, quirks)?),
        }
    }
    Ok(messages)
}

fn instructions(blocks: &[&Block], path: &str, quirks: &Quirks) -> Result<String, Refused> {
    let mut message = Object::default();
    message.text("role", "system");
    message.raw("content", &write_parts::content(blocks, path, quirks)?);
    Ok(message.finish())
}

/// Writes a user's turn: results of tools first, each a message, then what the user says. What a tool showed and a tool's
/// message cannot hold follows as the user's.
fn user(
    turn: &Turn,
    path: &str,
    quirks: &Quirks,
    dropped: &mut Vec<Dropped>,
    messages: &mut Vec<String>,
) -> Result<(), Refused> {
    let mut shown = Vec::new();
    let mut spoken = Vec::new();
    for block in &turn.blocks {
        let Block::ToolResult { id, content, is_error, .. } = block else {
            spoken.push(block);
            continue;
        };
        let texts: Vec<&Block> = content
            .iter()
            .filter(|block| matches!(block, Block::Text { .. } | Block::Refusal { .. }))
            .collect();
        let media =
            content.iter().filter(|block| !matches!(block, Block::Text { .. } | Block::Refusal { .. }));
        shown.extend(media);
        if *is_error {
            dropped.push("tool_result.is_error".to_owned());
        }
        let mut message = Object::default();
        message.text("role", "tool");
        message.text("tool_call_id", &tool_id(id, quirks.tool_ids, "call_"));
        message.text("content", &joined(&texts, "\n"));
        messages.push(message.finish());
    }
    shown.extend(spoken);
    if !shown.is_empty() {
        let mut message = Object::default();
        message.text("role", "user");
        message.raw("content", &write_parts::content(&shown, path, quirks)?);
        messages.push(message.finish());
    }
    Ok(())
}

/// A turn of the model, taken apart.
#[derive(Debug, Default)]
struct Parts<'a> {
    texts: Vec<&'a Block>,
    refusal: String,
    /// Thinking without a seal.
    thoughts: Vec<&'a str>,
    /// Sealed by a vendor of this format, with its text and its place.
    sealed: Vec<(Sealed<'a>, &'a str, u32)>,
    calls: Vec<String>,
    signature: Option<&'a str>,
    audio: Option<&'a str>,
}

/// Writes a turn of the model; none if nothing of it can be said to this vendor.
fn assistant(turn: &Turn, path: &str, quirks: &Quirks) -> Result<Option<String>, Refused> {
    let mut parts = Parts::default();
    for (index, block) in (0_u32..).zip(&turn.blocks) {
        take(block, index, path, quirks, &mut parts)?;
    }
    let text = joined(&parts.texts, "");
    let mut message = Object::default();
    message.text("role", "assistant");
    let thoughts = mistral(&parts, &text, quirks);
    if let Some(content) = &thoughts {
        message.raw("content", content);
    } else if !text.is_empty() {
        message.text("content", &text);
    } else if !parts.calls.is_empty() || !parts.refusal.is_empty() || parts.audio.is_some() {
        message.raw("content", "null");
    } else if parts.texts.is_empty() {
        // Only thinking of others.
        return Ok(None);
    } else {
        message.text("content", "");
    }
    if !parts.refusal.is_empty() {
        message.text("refusal", &parts.refusal);
    }
    thinking(&parts, quirks, &mut message);
    message.list("tool_calls", &parts.calls);
    message.maybe("audio", parts.audio);
    if let Some(signature) = parts.signature.filter(|_| quirks.google) {
        message.raw("extra_content", &google(signature));
    }
    Ok(Some(message.finish()))
}

fn google(signature: &str) -> String {
    format!(r#"{{"google":{{"thought_signature":{}}}}}"#, quote(signature))
}

fn take<'a>(
    block: &'a Block,
    index: u32,
    path: &str,
    quirks: &Quirks,
    parts: &mut Parts<'a>,
) -> Result<(), Refused> {
    match block {
        Block::Text { signature, .. } => {
            parts.texts.push(block);
            parts.signature = signature.as_deref().or(parts.signature);
        }
        Block::Refusal { text } => parts.refusal.push_str(text),
        Block::Thinking { text, signature, signed_by: None | Some(Format::Chat), .. } => {
            match signature.as_deref().map(Sealed::parse) {
                Some(Some(sealed)) => parts.sealed.push((sealed, text, index)),
                Some(None) => {}
                None => parts.thoughts.push(text),
            }
        }
        Block::RedactedThinking { .. } | Block::Thinking { .. } => {}
        Block::ToolUse { id, name, input, signature, custom, .. } => {
            let mut call = Object::default();
            call.text("id", &tool_id(id, quirks.tool_ids, "call_"));
            let (kind, key) = if *custom { ("custom", "input") } else { ("function", "arguments") };
            let input = if input.trim().is_empty() && !custom { "{}" } else { input };
            call.text("type", kind);
            call.raw(kind, &format!(r#"{{"name":{},"{key}":{}}}"#, quote(name), quote(input)));
            if quirks.google {
                let signature = signature.as_deref().or(parts.calls.is_empty().then_some(NO_SIGNATURE));
                call.maybe("extra_content", signature.map(google));
            }
            parts.calls.push(call.finish());
        }
        Block::Foreign { format: Format::Chat, kind, json } if kind == "audio" => {
            parts.audio = Some(json.get());
        }
        // A picture that the model made: this format has no place for it in what the model said.
        Block::Foreign { .. } | Block::Media { .. } | Block::ToolResult { .. } => {
            return Err(Refused::no_equivalent(format!("{path}.content[{index}]")));
        }
    }
    Ok(())
}

/// Mistral's content with thinking in it; none if there is none.
fn mistral(parts: &Parts<'_>, text: &str, quirks: &Quirks) -> Option<String> {
    let own = parts.sealed.iter().filter(|(sealed, _, _)| sealed.format == MISTRAL);
    if quirks.thinking_back != ThinkingBack::Parts {
        return None;
    }
    let unsealed = parts.thoughts.iter().map(|thought| (*thought, None));
    let sealed = own.map(|(sealed, thought, _)| (*thought, Some(sealed.data)));
    let mut list: Vec<String> = unsealed
        .chain(sealed)
        .map(|(thought, signature)| {
            let mut part = Object::default();
            part.text("type", "thinking");
            part.raw("thinking", &format!(r#"[{{"type":"text","text":{}}}]"#, quote(thought)));
            part.maybe("signature", signature.map(quote));
            part.finish()
        })
        .collect();
    if list.is_empty() {
        return None;
    }
    if !text.is_empty() {
        list.push(format!(r#"{{"type":"text","text":{}}}"#, quote(text)));
    }
    Some(format!("[{}]", list.join(",")))
}

/// Thinking in a member of its own.
fn thinking(parts: &Parts<'_>, quirks: &Quirks, message: &mut Object) {
    match quirks.thinking_back {
        // DeepSeek wants it for the rest of a turn with calls, and not after it.
        ThinkingBack::Content if !parts.calls.is_empty() && !parts.thoughts.is_empty() => {
            message.text("reasoning_content", &parts.thoughts.concat());
        }
        ThinkingBack::Details => {
            if !parts.thoughts.is_empty() {
                message.text("reasoning", &parts.thoughts.concat());
            }
            let details: Vec<String> = parts
                .sealed
                .iter()
                .map(|(sealed, text, index)| carry::vendors(sealed, text, *index))
                .collect();
            message.list("reasoning_details", &details);
        }
        ThinkingBack::Content | ThinkingBack::Parts | ThinkingBack::None => {}
    }
}
