//! What must hold whatever comes: nothing panics, what is written is JSON, and how a stream is cut changes nothing.
//!
//! The first bytes of an input say what it is (see [`take`]); the rest is what came over the wire.

#![forbid(unsafe_code)]

pub mod embeddings;
pub mod frames;
pub mod pass;
pub mod room;

use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::{Format, json, quirks};

/// Formats that are translated.
pub const SPOKEN: [Format; 7] = [
    Format::Chat,
    Format::Responses,
    Format::Messages,
    Format::Gemini,
    Format::Converse,
    Format::Ollama,
    Format::Completions,
];

/// Formats in which callers get their answers: Ollama's own is only ever a provider's.
pub fn callers() -> impl Iterator<Item = Format> {
    SPOKEN.into_iter().filter(|format| *format != Format::Ollama)
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A call.
    Request,
    /// A whole answer.
    Reply,
    /// A streamed answer, and the size of its pieces.
    Stream(usize),
}

/// Reads what an input is: `q` for a request, `a` for an answer, else a stream; then the size of a stream's pieces as any
/// byte.
pub fn take(data: &[u8]) -> Option<(Kind, &[u8])> {
    let (kind, rest) = data.split_first()?;
    let (size, body) = rest.split_first()?;
    let kind = match kind {
        b'q' => Kind::Request,
        b'a' => Kind::Reply,
        _ => Kind::Stream(usize::from(size % 32) + 1),
    };
    Some((kind, body))
}

/// For whom a request is written.
pub fn target(format: Format) -> Target {
    Target {
        format,
        model: "provider-model".to_owned(),
        max_output_tokens: Some(4096),
        embeddings: None,
        quirks: &quirks::PLAIN,
        reasons: None,
    }
}

/// For whom an answer is written.
pub fn caller() -> Caller {
    Caller { alias: "alias".to_owned(), id: "0123456789".to_owned(), created: 7, ..Caller::default() }
}

/// Fails unless it is JSON.
pub fn assert_json(what: &str, written: &[u8]) {
    if let Err(error) = json::check(written) {
        panic!("{what}: {error}: {}", String::from_utf8_lossy(written));
    }
}
