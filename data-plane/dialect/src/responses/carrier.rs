//! How a signature of another format travels through a caller of this one. The one thing that every such caller keeps byte
//! for byte and in its place is a reasoning item with its `encrypted_content`, so signatures hide there, behind the name
//! of the format that signed: `messages.`, then the signature.
//!
//! Three more things need a mark of their own. No signature begins so, because all are base64:
//! `redacted.`: thinking that nobody sees. `next.` and `previous.`: the signature belongs to the call that follows or the
//! text that went before (Gemini signs those; a function call item has no member that a strict caller would keep).

use crate::Format;

const REDACTED: &str = "redacted.";
const NEXT: &str = "next.";
const PREVIOUS: &str = "previous.";

/// What an `encrypted_content` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    /// A signature of thinking; none if the thinking has none, but belongs to a format all the same.
    Thinking(Option<String>, Format),
    /// Thinking that nobody sees.
    Redacted(String, Format),
    /// The signature of the call after it.
    Next(String),
    /// The signature of the text or the call before it.
    Previous(String),
}

/// Reads an `encrypted_content`.
pub(super) fn read(content: &str) -> Carried {
    let foreign = content.split_once('.').and_then(|(word, rest)| {
        let format = Format::ALL.into_iter().find(|format| format.as_str() == word)?;
        Some((format, rest))
    });
    let Some((format, rest)) = foreign else {
        return Carried::Thinking(Some(content.to_owned()), Format::Responses);
    };
    if let Some(data) = rest.strip_prefix(REDACTED) {
        Carried::Redacted(data.to_owned(), format)
    } else if let Some(signature) = rest.strip_prefix(NEXT) {
        Carried::Next(signature.to_owned())
    } else if let Some(signature) = rest.strip_prefix(PREVIOUS) {
        Carried::Previous(signature.to_owned())
    } else {
        Carried::Thinking(Some(rest.to_owned()).filter(|rest| !rest.is_empty()), format)
    }
}

/// Writes the `encrypted_content` of thinking; none if nobody signed.
pub(super) fn thinking(signature: Option<&str>, signed_by: Option<Format>) -> Option<String> {
    let format = signed_by?;
    if format == Format::Responses {
        return signature.map(str::to_owned);
    }
    Some(format!("{}.{}", format.as_str(), signature.unwrap_or_default()))
}

/// Writes the `encrypted_content` of thinking that nobody sees.
pub(super) fn redacted(data: &str, signed_by: Option<Format>) -> Option<String> {
    signed_by.map(|format| format!("{}.{REDACTED}{data}", format.as_str()))
}

/// Writes the `encrypted_content` of an item that stands before the call that it signs.
pub(super) fn next(signature: &str) -> String {
    format!("{}.{NEXT}{signature}", Format::Gemini.as_str())
}

/// Writes the `encrypted_content` of an item that stands behind the text that it signs.
pub(super) fn previous(signature: &str) -> String {
    format!("{}.{PREVIOUS}{signature}", Format::Gemini.as_str())
}
