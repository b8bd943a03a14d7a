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

/// Returns the signature of a thinking block as a caller of Gemini gets it.
pub(super) fn pack(signature: &str, signed_by: Option<Format>, id: &str) -> String {
    match signed_by {
        None | Some(Format::Gemini) => signature.to_owned(),
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
    if let Some((format, id, hidden, rest)) = signature.as_deref().and_then(foreign) {
        return if hidden {
            Block::RedactedThinking { data: rest, signed_by: Some(format) }
        } else {
            Block::Thinking { text, signature: Some(rest), signed_by: Some(format), id }
        };
    }
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
