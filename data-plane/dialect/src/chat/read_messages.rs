//! A caller's conversation.

use super::message::{self, From};
use super::read_parts;
use super::read_request::{json, wrong};
use super::weave::Weave;
use super::{carry, read_reply, wire};
use crate::ir::{Accumulator, Block, Refused, Request, Role, Turn};
use crate::json::Place;

/// Reads the messages.
pub(super) fn read(messages: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    if !messages.is_array() {
        return Err(wrong("messages", "must be a list"));
    }
    // Results of one turn's calls belong together, however many messages they are.
    let mut results = false;
    for (index, message) in messages.elements().enumerate() {
        let path = format!("messages[{index}]");
        if !message.is_object() {
            return Err(wrong(path, "must be an object"));
        }
        let role = message.get("role").and_then(|role| role.as_str());
        let role = role.ok_or_else(|| wrong(format!("{path}.role"), "must be a text"))?;
        let content = message.get("content").filter(|content| !content.is_null());
        let is_result = matches!(&*role, "tool" | "function");
        if !is_result {
            speaker(message, request);
        }
        match &*role {
            "system" | "developer" => {
                let blocks = read_parts::blocks(content, &format!("{path}.content"))?;
                if request.turns.is_empty() {
                    request.system.extend(blocks);
                } else {
                    request.turns.push(Turn { role: Role::System, blocks });
                }
            }
            "user" => {
                let blocks = read_parts::blocks(content, &format!("{path}.content"))?;
                request.turns.push(Turn { role: Role::User, blocks });
            }
            "assistant" => {
                let blocks = assistant(message, &path)?;
                if !blocks.is_empty() {
                    request.turns.push(Turn { role: Role::Assistant, blocks });
                }
            }
            "tool" | "function" => {
                let block = result(message, content, &path, &request.turns)?;
                match request.turns.last_mut().filter(|_| results) {
                    Some(turn) => turn.blocks.push(block),
                    None => request.turns.push(Turn { role: Role::User, blocks: vec![block] }),
                }
            }
            _ => return Err(wrong(format!("{path}.role"), "is not a known role")),
        }
        results = is_result;
    }
    Ok(())
}

/// Notes that a speaker is named: other formats have no place for it.
fn speaker(message: Place<'_>, request: &mut Request) {
    const MEMBER: &str = "messages.name";
    let named = message.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty()));
    if let Some(name) = named.filter(|_| request.rest.iter().all(|(member, _)| member != MEMBER)) {
        request.rest.push((MEMBER.to_owned(), json(name)));
    }
}

/// Reads what the model said before, the way a provider's answer is read: it is one that comes back.
fn assistant(message: Place<'_>, path: &str) -> Result<Vec<Block>, Refused> {
    let source = message.source();
    let once;
    let parsed = match serde_json::from_str::<wire::Message<'_>>(source) {
        Ok(parsed) => Some(parsed),
        Err(_) => {
            once = wire::with_keys_once(source);
            once.as_deref().and_then(|once| serde_json::from_str(once).ok())
        }
    };
    let parsed = parsed.ok_or_else(|| wrong(path, "is not a message of this format"))?;
    let mut events = Vec::new();
    let mut weave = Weave::new(0);
    message::take(&parsed, From::Caller, path, &mut weave, &mut events);
    weave.close(path, &mut events);
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    let mut blocks = whole.into_reply().choices.into_iter().next().unwrap_or_default().blocks;
    for block in &mut blocks {
        if let Block::ToolUse { input, custom: false, .. } = block {
            read_reply::arguments(input);
        }
    }
    carry::read(message.get("reasoning_details"), &mut blocks);
    Ok(blocks)
}

fn result(
    message: Place<'_>,
    content: Option<Place<'_>>,
    path: &str,
    turns: &[Turn],
) -> Result<Block, Refused> {
    let said = |key: &str| message.get(key).and_then(|text| text.as_str());
    let name = said("name").unwrap_or_default().into_owned();
    let id = match said("tool_call_id") {
        Some(id) => id.into_owned(),
        // The old shape ties a result to its call by the function's name.
        None => last_call(turns, &name)
            .ok_or_else(|| wrong(format!("{path}.tool_call_id"), "must be a text"))?
            .to_owned(),
    };
    let content = read_parts::blocks(content, &format!("{path}.content"))?;
    Ok(Block::ToolResult { id, name, content, is_error: false, cache: None })
}

fn last_call<'a>(turns: &'a [Turn], wanted: &str) -> Option<&'a str> {
    let mut blocks = turns.iter().rev().flat_map(|turn| turn.blocks.iter().rev());
    blocks.find_map(|block| match block {
        Block::ToolUse { id, name, .. } if name == wanted => Some(id.as_str()),
        Block::Text { .. }
        | Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Media { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => None,
    })
}
