//! Where a signature of another format stands in the hands of a caller of this one. The one thing that every such caller
//! keeps byte for byte and in its place is a reasoning item with its `encrypted_content`, so signatures are sealed
//! ([`Seal`]) in one, also those of the call that follows or the text that went before: Gemini signs those, and a function
//! call item has no member that a strict caller would keep.

use crate::Format;
use crate::ir::{Seal, Sealing, carry};
use crate::json::{Edits, Place};
use crate::pass::strangers::{Fate, of_list, unseal};

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
    let Some(Seal { by, of, data, .. }) = Seal::parse(content) else {
        return Carried::Thinking(Some(content.to_owned()), Format::Responses);
    };
    let data = data.to_owned();
    match of {
        Sealing::This => Carried::Thinking(Some(data).filter(|data| !data.is_empty()), by),
        Sealing::Hidden => Carried::Redacted(data, by),
        Sealing::Next => Carried::Next(data),
        Sealing::Previous => Carried::Previous(data),
    }
}

/// Writes the `encrypted_content` of thinking; none if nobody signed.
pub(super) fn thinking(signature: Option<&str>, signed_by: Option<Format>) -> Option<String> {
    let by = signed_by?;
    if signature.is_none() && by == Format::Responses {
        return None;
    }
    Some(carry(signature.unwrap_or_default(), Some(by), Format::Responses, Sealing::This))
}

/// Writes the `encrypted_content` of thinking that nobody sees.
pub(super) fn redacted(data: &str, signed_by: Option<Format>) -> Option<String> {
    signed_by.map(|by| Seal::new(by, Sealing::Hidden, data).to_text())
}

/// Writes the `encrypted_content` of an item that stands before the call that it signs.
pub(super) fn next(signature: &str) -> String {
    Seal::new(Format::Gemini, Sealing::Next, signature).to_text()
}

/// Writes the `encrypted_content` of an item that stands behind the text that it signs.
pub(super) fn previous(signature: &str) -> String {
    Seal::new(Format::Gemini, Sealing::Previous, signature).to_text()
}

/// Returns the edits that take other formats' thinking out of a request that goes to a provider of this one.
pub(crate) fn strangers(root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    let Some(input) = root.get("input").filter(Place::is_array) else { return edits };
    let _left = of_list(input, &mut edits, |item, edits| {
        let Some(place) = item.get("encrypted_content") else { return Fate::Stays };
        match Seal::parse(&place.as_str().unwrap_or_default()) {
            Some(Seal { by: Format::Responses, data, .. }) => unseal(place, data, edits),
            Some(_) => Fate::Goes,
            None => Fate::Stays,
        }
    });
    edits
}
