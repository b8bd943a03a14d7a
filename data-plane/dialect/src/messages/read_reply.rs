//! Reads a provider's whole answer.

use super::field::member;
use super::read_blocks::{From, content};
use super::{stop, usage};
use crate::codec::Garbage;
use crate::ir::{Block, Choice, Reply, Usage};
use crate::json::Place;

/// Reads the body of an answer of `POST /v1/messages`.
pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    let root = Place::root(body);
    let blocks = member(root, "content").filter(Place::is_array).ok_or(Garbage)?;
    let blocks = content(blocks, "content", From::Provider).map_err(|_| Garbage)?;
    let reason = member(root, "stop_reason").and_then(|reason| reason.as_str()).unwrap_or_default();
    let sequence = member(root, "stop_sequence").and_then(|it| it.as_str()).map(std::borrow::Cow::into_owned);
    let calls_tools = blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let usage = member(root, "usage").filter(Place::is_object).map(|said| {
        let mut counts = Usage::default();
        usage::read(said, &mut counts);
        counts
    });
    let stop = stop::read(&reason, sequence, calls_tools);
    Ok(Reply { choices: vec![Choice { blocks, stop, logprobs: None }], usage })
}
