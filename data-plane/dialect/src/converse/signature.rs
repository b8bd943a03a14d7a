//! Signatures of thinking in the hands of a caller who speaks Converse. What another format's provider signed carries that
//! format's name before it, so that it comes back to whom it belongs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Format;

/// Stands before the signature of the call that follows: Gemini signs calls, and Converse has no place for that on a call.
const NEXT: &str = "next.";

/// What a signature in a caller's request is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Carried {
    /// The block's own, by this format's provider.
    Own(Format, String),
    /// That of the call that follows.
    OfNextCall(String),
}

/// Writes a signature for a caller.
pub(super) fn carry(signature: &str, signed_by: Option<Format>) -> String {
    match signed_by {
        Some(Format::Converse) | None => signature.to_owned(),
        Some(format) => format!("{}.{signature}", format.as_str()),
    }
}

/// Writes the signature of a call for a caller, as a block of thinking before it.
pub(super) fn carry_of_call(signature: &str) -> String {
    format!("{}.{NEXT}{signature}", Format::Gemini.as_str())
}

/// Reads a signature in a caller's request. Bedrock's own are base64, which has no dot.
pub(super) fn carried(signature: &str) -> Carried {
    let foreign = Format::ALL.into_iter().find_map(|format| {
        let rest = signature.strip_prefix(format.as_str())?.strip_prefix('.')?;
        Some((format, rest))
    });
    match foreign {
        Some((Format::Gemini, rest)) if rest.starts_with(NEXT) => {
            Carried::OfNextCall(rest.strip_prefix(NEXT).unwrap_or_default().to_owned())
        }
        Some((format, rest)) => Carried::Own(format, rest.to_owned()),
        None => Carried::Own(Format::Converse, signature.to_owned()),
    }
}

/// Writes redacted thinking for a caller: base64 on the wire, of bytes that the client sees.
pub(super) fn carry_redacted(data: &str, signed_by: Option<Format>) -> String {
    match signed_by {
        Some(Format::Converse) | None => data.to_owned(),
        Some(format) => STANDARD.encode(format!("{}.{data}", format.as_str())),
    }
}

/// Reads redacted thinking in a caller's request.
pub(super) fn carried_redacted(data: &str) -> (Format, String) {
    let text = STANDARD.decode(data).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    match text.as_deref().map(carried) {
        Some(Carried::Own(format, rest)) if format != Format::Converse => (format, rest),
        Some(Carried::Own(..) | Carried::OfNextCall(_)) | None => (Format::Converse, data.to_owned()),
    }
}
