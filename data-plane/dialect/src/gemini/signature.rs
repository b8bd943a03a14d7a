//! Signatures of other formats on their way through a caller of Gemini.
//!
//! The SDKs read `thoughtSignature` as base64 and write it anew, with the URL's alphabet (google-genai 3.4.0), so only what
//! is base64 survives the way there and back. A signature that is not Gemini's therefore goes as base64 of
//! `messages.<signature>`: the format that signed, before a dot; a colon before the name of the block if it has one; `!`
//! instead of the dot before thinking that nobody sees.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::Format;
use crate::ir::Block;

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
    if LENIENT.decode(standard(signature)).is_ok() {
        signature.to_owned()
    } else {
        STANDARD.encode(format!("{}.{signature}", Format::Gemini.as_str()))
    }
}

/// Reads Gemini's own signature from a caller: byte for byte what [`pack_own`] was given, in Google's own alphabet (494 of
/// 495 recorded answers have the standard one, 317 of 398 recorded requests that of URLs). None if it is the one for none.
pub(super) fn unpack_own(signature: String) -> Option<String> {
    if signature == NONE || signature == NONE_TOO {
        return None;
    }
    if let Some((Format::Gemini, _, false, rest)) = foreign(&signature) {
        return Some(rest);
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
        Some(format) if id.is_empty() => STANDARD.encode(format!("{}.{signature}", format.as_str())),
        Some(format) => STANDARD.encode(format!("{}:{id}.{signature}", format.as_str())),
    }
}

/// Returns hidden thinking as a caller of Gemini gets it; it has no place for that of no format.
pub(super) fn pack_redacted(data: &str, signed_by: Option<Format>) -> Option<String> {
    signed_by.map(|format| STANDARD.encode(format!("{}!{data}", format.as_str())))
}

/// Reads a thought of a caller: whose it is shows in its signature.
pub(super) fn unpack(text: String, signature: Option<String>) -> Block {
    let others = signature.as_deref().and_then(foreign).filter(|(format, ..)| *format != Format::Gemini);
    if let Some((format, id, hidden, rest)) = others {
        return if hidden {
            Block::RedactedThinking { data: rest, signed_by: Some(format) }
        } else {
            Block::Thinking { text, signature: Some(rest), signed_by: Some(format), id }
        };
    }
    let signature = signature.and_then(unpack_own);
    let signed_by = signature.as_ref().map(|_| Format::Gemini);
    Block::Thinking { text, signature, signed_by, id: String::new() }
}

fn foreign(signature: &str) -> Option<(Format, String, bool, String)> {
    let plain = LENIENT.decode(standard(signature)).ok()?;
    let plain = String::from_utf8(plain).ok()?;
    let word = plain.find(['.', ':', '!'])?;
    let format = Format::ALL.into_iter().find(|format| Some(format.as_str()) == plain.get(..word))?;
    let rest = plain.get(word + 1..)?;
    match plain.get(word..=word)? {
        "!" => Some((format, String::new(), true, rest.to_owned())),
        ":" => {
            let (id, rest) = rest.split_once('.')?;
            Some((format, id.to_owned(), false, rest.to_owned()))
        }
        _ => Some((format, String::new(), false, rest.to_owned())),
    }
}

/// Turns base64 of the URL's alphabet, as google-genai sends all bytes, into the standard one, padded.
pub(super) fn standard(data: &str) -> String {
    let mut data = data.replace('-', "+").replace('_', "/");
    while !data.len().is_multiple_of(4) {
        data.push('=');
    }
    data
}
