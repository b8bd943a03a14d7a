//! A call.

use breakwater_common::guard::{CompiledGuards, Finding};
use breakwater_common::resource::Action;
use bytes::Bytes;

/// A call, read once. It keeps the body and the places that may change.
#[derive(Debug)]
pub struct ChatRequest {
    body: Bytes,
    model: String,
    stream: bool,
    asked_usage: bool,
    texts: Vec<String>,
}

/// Why a body is refused: said so that a person can mend it, in OpenAI's terms. Never carries text of the call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// The field that is wrong, such as `model` or `messages[3].content`; none if the body is not JSON.
    pub param: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// What input guardrails say about a call.
#[derive(Debug)]
#[must_use]
pub struct Inspection {
    /// The strongest action that is enforced.
    pub action: Action,
    /// Texts to put in place, for [`ChatRequest::rewrite`].
    pub redactions: Vec<(usize, String)>,
    /// Everything found.
    pub findings: Vec<Finding>,
}

impl ChatRequest {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// Invalid UTF-8, JSON that is cut or wrong, a field that is missing, twice there or of the wrong type.
    pub fn parse(body: &Bytes) -> Result<Self, BadRequest> {
        Ok(Self {
            body: body.clone(),
            model: String::new(),
            stream: false,
            asked_usage: false,
            texts: Vec::new(),
        })
    }

    /// Returns what the caller put in `model`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the caller wants a stream.
    #[must_use]
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// Whether the caller asked for `stream_options.include_usage`.
    #[must_use]
    pub fn asked_usage(&self) -> bool {
        self.asked_usage
    }

    /// Returns every text of the messages, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Judges every text of the messages by the guardrails of the input side.
    pub fn inspect(&self, guards: &CompiledGuards) -> Inspection {
        let _ = guards;
        Inspection { action: Action::Allow, redactions: Vec::new(), findings: Vec::new() }
    }

    /// Writes the body for an upstream: its model's name, the redacted texts, and `stream_options.include_usage` if it
    /// streams. Everything else is byte for byte what came.
    #[must_use]
    pub fn rewrite(&self, upstream_model: &str, redactions: &[(usize, String)]) -> Bytes {
        let _ = (upstream_model, redactions);
        self.body.clone()
    }
}
