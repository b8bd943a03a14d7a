//! The conversation as Anthropic takes it: the roles take turns, results of tools stand first in theirs, nothing is blank.

use serde::Serialize;

use super::field::wrong;
use super::wire::Out;
use super::write_blocks::{Blocks, CACHE_MARKS_MAX};
use crate::ir::{Block, Refused, Request, Role};

/// What stands before the conversation, and the conversation.
#[derive(Debug)]
pub(super) struct Said<'a> {
    pub(super) system: Vec<Out<'a>>,
    pub(super) turns: Vec<OutTurn<'a>>,
    /// Writes the marks of cache that tools have.
    pub(super) blocks: Blocks,
}

/// One message.
#[derive(Debug, Serialize)]
pub(super) struct OutTurn<'a> {
    role: &'static str,
    content: Vec<Out<'a>>,
}

/// Writes system and turns.
pub(super) fn write(request: &Request) -> Result<Said<'_>, Refused> {
    let mut blocks = Blocks { surplus: cache_marks(request).saturating_sub(CACHE_MARKS_MAX) };
    let mut turns: Vec<OutTurn<'_>> = Vec::new();
    for (index, turn) in request.turns.iter().enumerate() {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::System => continue,
        };
        let mut content = Vec::new();
        for (at, block) in turn.blocks.iter().enumerate() {
            content.extend(blocks.block(block, turn.role, &format!("messages[{index}].content[{at}]"))?);
        }
        match turns.last_mut() {
            _ if content.is_empty() => {}
            Some(last) if last.role == role => last.content.extend(content),
            _ => turns.push(OutTurn { role, content }),
        }
    }
    // Most models take instructions only before the conversation, so later ones move there. Their order stays.
    let mut system = Vec::new();
    for block in &request.system {
        system.extend(instruction(&mut blocks, block, "system")?);
    }
    for (index, turn) in request.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::System) {
        for (at, block) in turn.blocks.iter().enumerate() {
            system.extend(instruction(&mut blocks, block, &format!("messages[{index}].content[{at}]"))?);
        }
    }
    for turn in turns.iter_mut().filter(|turn| turn.role == "user") {
        // A stable sort: results first, all else in its order.
        turn.content.sort_by_key(|block| !matches!(block, Out::ToolResult { .. }));
    }
    trim_prefill(&mut turns);
    if turns.is_empty() {
        // The format wants a conversation. Who gave instructions only, gave them to be answered.
        turns.push(OutTurn { role: "user", content: std::mem::take(&mut system) });
    }
    if turns.iter().all(|turn| turn.content.is_empty()) {
        return Err(wrong("messages", "must not be empty"));
    }
    Ok(Said { system, turns, blocks })
}

/// Writes a piece of an instruction: text and nothing else.
fn instruction<'a>(blocks: &mut Blocks, block: &'a Block, param: &str) -> Result<Option<Out<'a>>, Refused> {
    if !matches!(block, Block::Text { .. }) {
        return Err(Refused::no_equivalent(param));
    }
    blocks.block(block, Role::System, param)
}

/// The answer goes on where the last turn ends if it is the model's own, and must not begin after a space.
fn trim_prefill(turns: &mut Vec<OutTurn<'_>>) {
    let Some(last) = turns.last_mut().filter(|last| last.role == "assistant") else { return };
    let Some(Out::Text { text, .. }) = last.content.last_mut() else { return };
    let trimmed = text.trim_end().len();
    if trimmed < text.len() {
        text.to_mut().truncate(trimmed);
    }
}

fn cache_marks(request: &Request) -> usize {
    let blocks = request.system.iter().chain(request.turns.iter().flat_map(|turn| &turn.blocks));
    let tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
    blocks.map(block_marks).sum::<usize>() + tools
}

fn block_marks(block: &Block) -> usize {
    match block {
        // A blank text is left out with its mark.
        Block::Text { text, cache, .. } => usize::from(cache.is_some() && !text.trim().is_empty()),
        Block::ToolUse { cache, .. } | Block::Media { cache, .. } => usize::from(cache.is_some()),
        Block::ToolResult { cache, content, .. } => {
            usize::from(cache.is_some()) + content.iter().map(block_marks).sum::<usize>()
        }
        Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => 0,
    }
}
