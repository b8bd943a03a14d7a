//! How a caller of this format carries thinking back to the provider that sealed it: entries of `reasoning_details`, in
//! OpenRouter's shape. `format` is the word of the format whose provider sealed, `index` the block's place in the answer,
//! so that thinking between other blocks finds its place again. Each entry is sent once and whole: the official SDK joins
//! what has the same index text by text. In a stream an entry with nothing but these two members says at the beginning of
//! a block that one will come at its end, so that a gateway behind this one knows.

use super::sealed::Sealed;
use crate::Format;
use crate::ir::Block;
use crate::json::{Place, quote};

/// The members of the entry that says that one with a seal will come.
pub(super) const ANNOUNCED: [&str; 2] = ["type", "index"];

/// Writes that entry.
pub(super) fn announce(index: u32) -> String {
    format!(r#"{{"type":"reasoning.text","index":{index}}}"#)
}

/// Writes the entries of a thinking block; none if it has no seal.
pub(super) fn write(block: &Block, index: u32) -> Option<String> {
    match block {
        Block::Thinking { text, signature: Some(signature), signed_by, id } => {
            if *signed_by == Some(Format::Chat)
                && let Some(sealed) = Sealed::parse(signature)
            {
                return Some(vendors(&sealed, text, index));
            }
            let (text, signature) = (quote(text), quote(signature));
            let format = word(*signed_by);
            let id = named(id);
            Some(format!(
                r#"{{"type":"reasoning.text","text":{text},"signature":{signature},"format":"{format}","index":{index}{id}}}"#
            ))
        }
        Block::RedactedThinking { data, signed_by } => {
            let (data, format) = (quote(data), word(*signed_by));
            Some(format!(
                r#"{{"type":"reasoning.encrypted","data":{data},"format":"{format}","index":{index}}}"#
            ))
        }
        Block::Text { .. }
        | Block::Thinking { signature: None, .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Media { .. }
        | Block::Refusal { .. }
        | Block::Foreign { .. } => None,
    }
}

fn word(signed_by: Option<Format>) -> &'static str {
    signed_by.map_or("unknown", Format::as_str)
}

fn named(id: &str) -> String {
    if id.is_empty() { String::new() } else { format!(r#","id":{}"#, quote(id)) }
}

/// Writes a vendor's seal as the vendor wrote it.
pub(super) fn vendors(sealed: &Sealed<'_>, text: &str, index: u32) -> String {
    let (data, format, id) = (quote(sealed.data), quote(&sealed.format), named(&sealed.id));
    let rest = format!(r#""format":{format},"index":{index}"#);
    if !sealed.encrypted {
        let text = quote(text);
        return format!(r#"{{"type":"reasoning.text","text":{text},"signature":{data},{rest}{id}}}"#);
    }
    let seal = format!(r#"{{"type":"reasoning.encrypted","data":{data},{rest}{id}}}"#);
    if text.is_empty() {
        return seal;
    }
    format!(r#"{{"type":"reasoning.summary","summary":{},{rest}}},{seal}"#, quote(text))
}

/// Returns the format of an entry that `write` wrote.
pub(super) fn signer(detail: Place<'_>) -> Option<Format> {
    let word = detail.get("format")?.as_str()?;
    Format::ALL.into_iter().find(|format| *format != Format::Chat && format.as_str() == word)
}
