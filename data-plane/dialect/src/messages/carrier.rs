//! How a signature of another format travels through a caller of this one: in the `signature` of a thinking block, which
//! every such caller sends back byte for byte, behind the name of the format that signed (`gemini.`, `responses.`).
//! Anthropic's own signatures are base64 and hold no dot, so nothing else begins so.
//!
//! Gemini signs tool calls too. A `tool_use` block has no member that callers keep, so such a signature stands in an empty
//! thinking block before the call, marked `next.`. Gemini's signatures of text are left out: Google only recommends them,
//! and a thinking block after the last text would hide that text from callers who look at the last block only.

use crate::Format;

const NEXT: &str = "next.";

/// What the `signature` of a thinking block is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    /// A signature of this thinking, and who signed.
    Thinking(Option<String>, Option<Format>),
    /// The signature of the tool call that follows.
    Next(String),
}

/// Reads a `signature`.
pub(super) fn read(signature: &str) -> Carried {
    let (format, rest) = unmark(signature);
    match rest.strip_prefix(NEXT) {
        Some(signature) if format != Format::Messages => Carried::Next(signature.to_owned()),
        Some(_) | None if signature.is_empty() => Carried::Thinking(None, None),
        Some(_) | None => Carried::Thinking(some(rest), Some(format)),
    }
}

/// Reads the `data` of a redacted thinking block: it, and who signed.
pub(super) fn read_redacted(data: &str) -> (String, Format) {
    let (format, rest) = unmark(data);
    (rest.to_owned(), format)
}

/// Writes a `signature` or the `data` of redacted thinking; empty if there is none.
pub(super) fn mark(signature: Option<&str>, signed_by: Option<Format>) -> String {
    let signature = signature.unwrap_or_default();
    match signed_by {
        None | Some(Format::Messages) => signature.to_owned(),
        Some(format) => format!("{}.{signature}", format.as_str()),
    }
}

/// Writes the `signature` of the empty thinking block before a tool call that Gemini signed.
pub(super) fn next(signature: &str) -> String {
    format!("{}.{NEXT}{signature}", Format::Gemini.as_str())
}

fn unmark(signature: &str) -> (Format, &str) {
    signature
        .split_once('.')
        .and_then(|(word, rest)| {
            Format::ALL.into_iter().find(|format| format.as_str() == word).map(|format| (format, rest))
        })
        .unwrap_or((Format::Messages, signature))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_4_and_5_signatures_come_back_as_they_went() {
        for format in [Format::Chat, Format::Responses, Format::Messages, Format::Gemini, Format::Converse] {
            for signature in ["EqEkCkYIBxgC+/=", "a.b", "next.x"] {
                if format == Format::Messages && signature.contains('.') {
                    continue;
                }
                let marked = mark(Some(signature), Some(format));
                if signature.starts_with("next.") {
                    continue;
                }
                assert_eq!(
                    read(&marked),
                    Carried::Thinking(Some(signature.to_owned()), Some(format)),
                    "{marked}"
                );
                assert_eq!(read_redacted(&marked), (signature.to_owned(), format));
            }
            let expected = if format == Format::Messages { None } else { Some(format) };
            assert_eq!(read(&mark(None, Some(format))), Carried::Thinking(None, expected));
        }
        assert_eq!(read(&next("sig==")), Carried::Next("sig==".to_owned()));
        assert_eq!(read(""), Carried::Thinking(None, None));
    }
}
