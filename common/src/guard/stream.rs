//! Guardrails on a text that comes in pieces.

use std::sync::Arc;

use super::compile::CompiledGuards;
use super::verdict::Finding;

/// Which text of a stream a piece belongs to. Each is judged for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    /// Index of the choice.
    pub choice: u32,
    /// Which text of the choice.
    pub part: Part,
}

/// Which text of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The answer.
    Content,
    /// Why there is none.
    Refusal,
    /// What the model thought.
    Reasoning,
    /// The arguments of the tool call of this index: JSON, held whole, because a client acts on it.
    ToolArguments(u32),
    /// Another text that the dialect numbers.
    Other(u32),
}

/// What may leave after a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// This text, which may be empty.
    Release(String),
    /// Nothing any more, on no channel: the stream ends here.
    Block(Finding),
}

/// Judges the texts of one stream.
#[derive(Debug)]
pub struct StreamGuard {
    guards: Arc<CompiledGuards>,
}

impl StreamGuard {
    /// Makes the guard of one stream of the output side.
    #[must_use]
    pub fn new(guards: Arc<CompiledGuards>) -> Self {
        Self { guards }
    }

    /// Takes the next piece of a channel and returns what may leave.
    pub fn push(&mut self, _channel: Channel, text: &str) -> Step {
        Step::Release(text.to_owned())
    }

    /// Ends a channel and returns what was still held.
    pub fn finish(&mut self, _channel: Channel) -> Step {
        Step::Release(String::new())
    }

    /// Returns everything found so far, on all channels.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let _ = &self.guards;
        Vec::new()
    }
}
