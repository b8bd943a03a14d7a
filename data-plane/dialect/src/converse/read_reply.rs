//! Bedrock's whole answer, read.

use crate::codec::Garbage;
use crate::ir::{Block, Choice, Refused, Reply};

use super::field::Field;
use super::read_blocks::{From, blocks};
use super::words::{read_usage, stop};

/// Reads an answer.
pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    read(&Field::root(body)).map_err(|_: Refused| Garbage)
}

fn read(body: &Field<'_>) -> Result<Reply, Refused> {
    let message = body.need("output")?.need("message")?;
    let blocks = match message.get("content") {
        Some(content) => blocks(&content, From::Bedrock)?,
        None => Vec::new(),
    };
    let called = blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let word = body.text_of("stopReason")?.unwrap_or_default();
    let fields = body.get("additionalModelResponseFields");
    let stop = stop(&word, called, fields.as_ref().and_then(stop_sequence));
    let usage = body.get("usage").map(|usage| read_usage(&usage));
    Ok(Reply { choices: vec![Choice { blocks, stop, ..Choice::default() }], usage })
}

/// Returns the text that ended an answer, which Claude says if it is asked (`additionalModelResponseFieldPaths`).
pub(super) fn stop_sequence(fields: &Field<'_>) -> Option<String> {
    fields.get("stop_sequence")?.text().ok()
}
