//! Signatures of thinking in the hands of a caller who speaks Converse. What another format's provider signed is sealed
//! ([`Seal`]), so that it comes back to whom it belongs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Format;
use crate::ir::{self, Seal, Sealing};
use crate::json::{Edits, Place};
use crate::pass::strangers::{Fate, of_turns, unseal};

/// What a signature in a caller's request is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// The block's own, by this format's provider.
    Own(Format, String),
    /// That of the call that follows: Gemini signs calls, and Converse has no place for that on a call.
    OfNextCall(String),
}

/// Writes a signature for a caller.
pub(super) fn carry(signature: &str, signed_by: Option<Format>) -> String {
    ir::carry(signature, signed_by, Format::Converse, Sealing::This)
}

/// Writes the signature of a call for a caller, as a block of thinking before it.
pub(super) fn carry_of_call(signature: &str) -> String {
    Seal::new(Format::Gemini, Sealing::Next, signature).to_text()
}

/// Reads a signature in a caller's request.
pub(super) fn carried(signature: &str) -> Carried {
    match Seal::parse(signature) {
        Some(Seal { of: Sealing::Next, data, .. }) => Carried::OfNextCall(data.to_owned()),
        Some(Seal { by, data, .. }) => Carried::Own(by, data.to_owned()),
        None => Carried::Own(Format::Converse, signature.to_owned()),
    }
}

/// Writes redacted thinking for a caller: base64 on the wire, of bytes that the client sees.
pub(super) fn carry_redacted(data: &str, signed_by: Option<Format>) -> String {
    match signed_by {
        Some(Format::Converse) | None => data.to_owned(),
        Some(by) => STANDARD.encode(Seal::new(by, Sealing::Hidden, data).to_text()),
    }
}

/// Reads redacted thinking in a caller's request.
pub(super) fn carried_redacted(data: &str) -> (Format, String) {
    let text = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().and_then(Seal::parse) {
        Some(Seal { by, data, .. }) => (by, data.to_owned()),
        None => (Format::Converse, data.to_owned()),
    }
}

/// Returns the edits that take other formats' thinking out of a request that goes to a provider of this one.
pub(crate) fn strangers(root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    of_turns(root.get("messages"), "content", &mut edits, |block, edits| {
        let Some(thought) = block.get("reasoningContent") else { return Fate::Stays };
        let text = |place: Option<Place<'_>>| place.and_then(|place| Some(place.as_str()?.into_owned()));
        if let Some(data) = text(thought.get("redactedContent")) {
            let (by, _) = carried_redacted(&data);
            return if by == Format::Converse { Fate::Stays } else { Fate::Goes };
        }
        let Some(place) = thought.get("reasoningText").and_then(|said| said.get("signature")) else {
            return Fate::Stays;
        };
        let signature = text(Some(place)).unwrap_or_default();
        match carried(&signature) {
            Carried::Own(Format::Converse, own) if own == signature => Fate::Stays,
            Carried::Own(Format::Converse, own) => unseal(place, &own, edits),
            Carried::Own(..) | Carried::OfNextCall(_) => Fate::Goes,
        }
    });
    edits
}
