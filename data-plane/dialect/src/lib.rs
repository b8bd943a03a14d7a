//! Provider formats: how a call is read, rewritten for the upstream, and how its answer is rewritten for the caller.
//!
//! A call goes to an upstream of its own format, so nothing is translated: bytes pass as they came, apart from the places
//! that must change (the model's name, masked text, usage that the caller did not ask for). Unknown fields survive.

#![forbid(unsafe_code)]
#![warn(clippy::wildcard_enum_match_arm)]

mod capabilities;
pub mod chat;
pub mod codec;
pub mod completions;
pub mod converse;
pub mod embeddings;
pub mod eventstream;
pub mod exchange;
pub mod gemini;
pub mod ir;
pub mod json;
pub mod messages;
pub mod needs;
pub mod ollama;
pub mod pass;
pub mod quirks;
pub mod rates;
pub mod responses;
pub mod sse;
pub mod translate;

mod error;
mod format;
mod mould;

pub use error::{ErrorClass, GatewayError, ProviderError};
pub use format::Format;

/// How a streamed answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Whole, as the format asks.
    Completed,
    /// A guardrail ended it.
    Blocked,
    /// The upstream's bytes ended too early.
    Cut,
    /// The upstream said that it failed, or sent what is not the format.
    UpstreamError,
}

impl Ending {
    /// Returns the word of metrics and traces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Blocked => "blocked",
            Self::Cut => "cut",
            Self::UpstreamError => "upstream_error",
        }
    }

    /// Returns what a caller reads about an answer that broke off.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Cut | Self::Completed | Self::Blocked => "the answer was cut off before its end; ask again",
            Self::UpstreamError => "the answer failed before its end; ask again",
        }
    }

    /// Returns the code of an answer that broke off.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Cut | Self::Completed | Self::Blocked => "upstream_cut",
            Self::UpstreamError => "upstream_error",
        }
    }
}

/// Why a stream cannot go on, found before the caller has seen anything of the answer: another upstream may be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// The upstream sent an error event. The code is the upstream's, at most 64 bytes, for traces only.
    #[error("the upstream answered with an error event (code {code:?})")]
    Upstream {
        /// The upstream's code or type; empty if it gave none.
        code: String,
    },
    /// An event is not the format's JSON.
    #[error("the upstream sent an event that is not of its format")]
    Garbage,
    /// An event is larger than `limits::SSE_EVENT_BYTES_MAX`.
    #[error("the upstream sent an event of more than {limit} bytes")]
    EventTooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// The bytes ended before anything of an answer.
    #[error("the upstream ended the stream before an answer")]
    Empty,
}
