//! Signatures of other formats on their way through a caller of Gemini.
//!
//! The SDKs read `thoughtSignature` as base64 and write it anew, with the URL's alphabet (google-genai 3.4.0), so only what
//! is base64 survives the way there and back. A signature that is not Gemini's therefore goes as base64 of its seal
//! ([`Seal`]).

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::Format;
use crate::ir::{Block, Seal, Sealing};
use crate::json::{Edits, Place};
use crate::pass::strangers::{Fate, of_turns, unseal};

/// Takes what is padded and what is not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What Google takes in the place of a signature for a call that no model of Google's made
/// (source: ai.google.dev/gemini-api/docs/thought-signatures, which names both).
pub(super) const NONE: &str = "skip_thought_signature_validator";
const NONE_TOO: &str = "context_engineering_is_the_way_to_go";

/// Returns Gemini's own signature as a caller of Gemini gets it. One that is no base64, which only a server that merely
/// looks like Google's sends, is wrapped as those of others are.
pub(super) fn pack_own(signature: &str) -> String {
    if LENIENT.decode(standard(signature)).is_ok() && plain(signature).is_none() {
        signature.to_owned()
    } else {
        STANDARD.encode(Seal::new(Format::Gemini, Sealing::This, signature).to_text())
    }
}

/// Reads Gemini's own signature from a caller: byte for byte what [`pack_own`] was given, in Google's own alphabet (494 of
/// 495 recorded answers have the standard one, 317 of 398 recorded requests that of URLs). None if it is the one for none.
pub(super) fn unpack_own(signature: String) -> Option<String> {
    if signature == NONE || signature == NONE_TOO {
        return None;
    }
    if let Some(text) = plain(&signature) {
        return Seal::parse(&text).filter(|seal| seal.by == Format::Gemini).map(|seal| seal.data.to_owned());
    }
    if !signature.contains(['-', '_']) {
        return Some(signature);
    }
    let plain = standard(&signature);
    Some(if LENIENT.decode(&plain).is_ok() { plain } else { signature })
}

/// Returns the signature of a thinking block as a caller of Gemini gets it.
pub(super) fn pack(signature: &str, signed_by: Option<Format>, id: &str) -> String {
    match signed_by {
        None | Some(Format::Gemini) => pack_own(signature),
        Some(by) => {
            let seal = Seal { by, of: Sealing::This, id: id.to_owned(), data: signature };
            STANDARD.encode(seal.to_text())
        }
    }
}

/// Returns hidden thinking as a caller of Gemini gets it; it has no place for that of no format.
pub(super) fn pack_redacted(data: &str, signed_by: Option<Format>) -> Option<String> {
    signed_by.map(|by| STANDARD.encode(Seal::new(by, Sealing::Hidden, data).to_text()))
}

/// Reads a thought of a caller: whose it is shows in its signature.
pub(super) fn unpack(text: String, signature: Option<String>) -> Block {
    let sealed = signature.as_deref().and_then(plain);
    let others = sealed.as_deref().and_then(Seal::parse).filter(|seal| seal.by != Format::Gemini);
    if let Some(Seal { by, of, id, data }) = others {
        let (data, signed_by) = (data.to_owned(), Some(by));
        return if of == Sealing::Hidden {
            Block::RedactedThinking { data, signed_by }
        } else {
            Block::Thinking { text, signature: Some(data), signed_by, id }
        };
    }
    let signature = signature.and_then(unpack_own);
    let signed_by = signature.as_ref().map(|_| Format::Gemini);
    Block::Thinking { text, signature, signed_by, id: String::new() }
}

/// Returns the seal in a signature, as text; none if it holds no seal.
fn plain(signature: &str) -> Option<String> {
    let plain = LENIENT.decode(standard(signature)).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    Seal::parse(&plain).is_some().then_some(plain)
}

/// Returns the edits that take other formats' thinking out of a request that goes to a provider of this one.
pub(crate) fn strangers(root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    of_turns(root.get("contents"), "parts", &mut edits, |part, edits| {
        let Some(place) = ["thoughtSignature", "thought_signature"].iter().find_map(|key| part.get(key))
        else {
            return Fate::Stays;
        };
        let Some(text) = place.as_str().and_then(|signature| plain(&signature)) else { return Fate::Stays };
        match Seal::parse(&text) {
            Some(Seal { by: Format::Gemini, data, .. }) => unseal(place, data, edits),
            Some(_) => Fate::Goes,
            None => Fate::Stays,
        }
    });
    edits
}

/// Turns base64 of the URL's alphabet, as google-genai sends all bytes, into the standard one, padded.
pub(super) fn standard(data: &str) -> String {
    let mut data = data.replace('-', "+").replace('_', "/");
    while !data.len().is_multiple_of(4) {
        data.push('=');
    }
    data
}
