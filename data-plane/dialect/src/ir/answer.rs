//! An answer.

use super::{Block, Citation};

/// An answer that came whole.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// One for each answer asked for, in order of their index.
    pub choices: Vec<Choice>,
    /// Tokens, if the provider said them.
    pub usage: Option<Usage>,
}

/// One answer.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// What it is made of, in order.
    pub blocks: Vec<Block>,
    /// Why it ended.
    pub stop: Stop,
    /// OpenAI's `logprobs` of the choice, in source.
    pub logprobs: Option<String>,
    /// What is cited, with the number of the text block that cites it.
    pub citations: Vec<(u32, Citation)>,
}

/// Why an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stop {
    /// In our words.
    pub reason: StopReason,
    /// In the provider's, if it says something that ours do not.
    pub native: Option<String>,
    /// The text that ended it.
    pub sequence: Option<String>,
}

/// Why an answer ended. A reader derives [`StopReason::ToolUse`] from what it saw, not from what the provider says: any
/// tool call in an answer that ended of itself means it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopReason {
    /// Of itself.
    #[default]
    End,
    /// By a stop text.
    Sequence,
    /// By the bound on tokens.
    Length,
    /// By the model's context window.
    ContextWindow,
    /// To call a tool.
    ToolUse,
    /// By the provider's filter, or because the model refuses.
    Filtered,
    /// The model or the provider failed in the middle.
    Failed,
    /// A long turn of server-side tools is paused (Anthropic `pause_turn`).
    Paused,
}

/// Tokens, apart. What a provider does not say is 0. Sums are made by writers, by the identities of their format
/// (llm-api.md, 1.7): a reader turns the provider's sums into these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Read, without those from a cache and those written to it.
    pub input: u64,
    /// Read from a cache.
    pub cache_read: u64,
    /// Written to a cache, all lives together.
    pub cache_write: u64,
    /// Of `cache_write` those that live an hour.
    pub cache_write_1h: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Of `output` those of reasoning.
    pub reasoning: u64,
    /// Of what was read those of sound.
    pub input_audio: u64,
    /// Of `output` those of sound.
    pub output_audio: u64,
}

impl Usage {
    /// Everything read: what OpenAI calls `prompt_tokens`.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// Everything read and written.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.prompt().saturating_add(self.output)
    }
}
