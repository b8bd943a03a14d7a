//! Provider formats: how a call is read, rewritten for the upstream, and how its answer is rewritten for the caller.
//!
//! A call goes to an upstream of its own format, so nothing is translated: bytes pass as they came, apart from the places
//! that must change (the model's name, masked text, usage that the caller did not ask for). Unknown fields survive.

#![forbid(unsafe_code)]
#![warn(clippy::wildcard_enum_match_arm)]

pub mod chat;
pub mod codec;
pub mod completions;
pub mod converse;
pub mod embeddings;
pub mod eventstream;
pub mod gemini;
pub mod ir;
pub mod json;
pub mod messages;
pub mod ollama;
pub mod quirks;
pub mod responses;
pub mod sse;
pub mod translate;

mod error;
mod format;

pub use error::{ErrorClass, GatewayError, ProviderError};
pub use format::Format;

/// Tokens as the upstream counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens read, those from a cache included.
    pub prompt_tokens: u64,
    /// Tokens written, reasoning included.
    pub completion_tokens: u64,
    /// The sum, as the upstream says it.
    pub total_tokens: u64,
    /// Tokens read from a cache.
    pub cached_tokens: u64,
    /// Tokens of reasoning.
    pub reasoning_tokens: u64,
}

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
    #[error("the upstream sent an event that is not a chat completion chunk")]
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
