//! Where a signature of another format stands in the hands of a caller of this one: sealed ([`Seal`]) in the `signature` of
//! a thinking block or the `data` of a redacted one, which every such caller sends back byte for byte.
//!
//! Gemini signs tool calls too. A `tool_use` block has no member that callers keep, so such a signature stands in an empty
//! thinking block before the call. Gemini's signatures of text are left out: Google only recommends them, and a thinking
//! block after the last text would hide that text from callers who look at the last block only.

use crate::Format;
use crate::ir::{Seal, Sealing, carry};
use crate::json::{Edits, Place};
use crate::pass::strangers::{Fate, of_turns, unseal};

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
    match Seal::parse(signature) {
        Some(Seal { of: Sealing::Next, data, .. }) => Carried::Next(data.to_owned()),
        Some(Seal { by, data, .. }) => Carried::Thinking(some(data), Some(by)),
        None if signature.is_empty() => Carried::Thinking(None, None),
        None => Carried::Thinking(some(signature), Some(Format::Messages)),
    }
}

/// Reads the `data` of a redacted thinking block: it, and who signed.
pub(super) fn read_redacted(data: &str) -> (String, Format) {
    Seal::parse(data)
        .map_or_else(|| (data.to_owned(), Format::Messages), |seal| (seal.data.to_owned(), seal.by))
}

/// Writes a `signature` or the `data` of redacted thinking; empty if there is none.
pub(super) fn mark(signature: Option<&str>, signed_by: Option<Format>) -> String {
    carry(signature.unwrap_or_default(), signed_by, Format::Messages, Sealing::This)
}

/// Writes the `signature` of the empty thinking block before a tool call that Gemini signed.
pub(super) fn next(signature: &str) -> String {
    Seal::new(Format::Gemini, Sealing::Next, signature).to_text()
}

/// Returns the edits that take other formats' thinking out of a request that goes to a provider of this one.
pub(crate) fn strangers(root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    of_turns(root.get("messages"), "content", &mut edits, |block, edits| {
        let Some(place) = ["signature", "data"].iter().find_map(|key| block.get(key)) else {
            return Fate::Stays;
        };
        match Seal::parse(&place.as_str().unwrap_or_default()) {
            Some(Seal { by: Format::Messages, data, .. }) => unseal(place, data, edits),
            Some(_) => Fate::Goes,
            None => Fate::Stays,
        }
    });
    edits
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
            for signature in ["EqEkCkYIBxgC+/=", "a.b", "gemini.x", "bwseal.z3..x"] {
                let marked = mark(Some(signature), Some(format));
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
