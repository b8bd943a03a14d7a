//! How a caller of this format carries thinking back to the provider that sealed it: entries of `reasoning_details`, in
//! OpenRouter's shape. `format` tells without a name whose provider sealed ([`signer_word`]), `index` the block's place in the answer,
//! so that thinking between other blocks finds its place again. In a stream the pieces of one entry come with its `type` and
//! `index` alone, and the last brings what is said once: the official SDK joins what has the same index text by text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::sealed::Sealed;
use crate::Format;
use crate::ir::{Block, Seal, Sealing, signer_of, signer_word};
use crate::json::{Edits, Place, quote};

/// The member of `extra_content` that is this gateway's.
const OURS: &str = "breakwater";

/// Writes the entries of a thinking block; none if it has no seal.
pub(super) fn write(block: &Block, index: u32) -> Option<String> {
    match block {
        Block::Thinking { text, signature: Some(signature), signed_by, id } => {
            if *signed_by == Some(Format::Chat)
                && let Some(sealed) = Sealed::parse(signature)
            {
                return Some(vendors(&sealed, text, index));
            }
            // The text of a stream went before.
            let text = if text.is_empty() { String::new() } else { format!(r#""text":{},"#, quote(text)) };
            let (signature, format) = (quote(signature), word(*signed_by));
            // The provider's name of the thought would tell who it is.
            let id = named(&BASE64.encode(id));
            Some(format!(
                r#"{{"type":"reasoning.text",{text}"signature":{signature},"format":"{format}","index":{index}{id}}}"#
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

fn word(signed_by: Option<Format>) -> String {
    signed_by.map_or_else(|| "unknown".to_owned(), signer_word)
}

/// Writes Gemini's signature of a text or a call, in the place where Gemini has one in this format.
pub(super) fn extra(signature: &str) -> String {
    let seal = Seal::new(Format::Gemini, Sealing::This, signature).to_text();
    format!(r#""extra_content":{{"{OURS}":{{"signature":{}}}}}"#, quote(&seal))
}

/// Reads what `extra` wrote from an `extra_content`.
pub(super) fn read_extra(extra: Place<'_>) -> Option<String> {
    let text = extra.get(OURS)?.get("signature")?.as_str()?;
    Seal::parse(&text).filter(|seal| seal.by == Format::Gemini).map(|seal| seal.data.to_owned())
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
    signer_of(&detail.get("format")?.as_str()?)
}

/// Puts the thinking that `write` wrote back among the blocks of its message. Its pieces may come as they were sent.
pub(super) fn read(details: Option<Place<'_>>, blocks: &mut Vec<Block>) {
    let mut piece = (None, String::new());
    for detail in details.iter().flat_map(Place::elements) {
        let said = |key: &str| Some(detail.get(key)?.as_str()?.into_owned());
        let index = detail.get("index").and_then(|index| usize::try_from(index.as_u32()?).ok());
        if piece.0 != index {
            piece = (index, String::new());
        }
        piece.1.push_str(&said("text").unwrap_or_default());
        let Some(format) = signer(detail) else { continue };
        let block = if let Some(data) = said("data") {
            Block::RedactedThinking { data, signed_by: Some(format) }
        } else {
            Block::Thinking {
                text: std::mem::take(&mut piece.1),
                signature: said("signature").filter(|signature| !signature.is_empty()),
                signed_by: Some(format),
                id: said("id").and_then(|id| plain(&id)).unwrap_or_default(),
            }
        };
        blocks.insert(index.unwrap_or_default().min(blocks.len()), block);
    }
}

fn plain(id: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(id).ok()?).ok()
}

/// Returns the edits that take other formats' thinking out of a request that goes to a provider of this one. The entries of
/// a message come from one answer: if one is sealed, all are pieces of what was.
pub(crate) fn strangers(root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    let messages = root.get("messages").filter(Place::is_array);
    for message in messages.iter().flat_map(Place::elements) {
        let calls = message.get("tool_calls").filter(Place::is_array);
        for holder in calls.iter().flat_map(Place::elements).chain([message]) {
            edits.remove_members(&holder, |member| match &*member.key {
                "extra_content" => member.value.get(OURS).is_some(),
                "reasoning_details" => {
                    member.value.is_array() && member.value.elements().any(|detail| signer(detail).is_some())
                }
                _ => false,
            });
        }
    }
    edits
}
