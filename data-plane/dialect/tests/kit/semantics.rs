//! What an answer says, whatever its format.

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// One for each answer asked for.
    pub choices: Vec<Choice>,
    /// Tokens.
    pub usage: Tokens,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choice {
    /// All texts that the caller sees, joined.
    pub text: String,
    /// The words of a refusal.
    pub refusal: String,
    /// All thinking that the provider shows, joined.
    pub thinking: String,
    /// Thinking said a second time, with what must be carried back; empty once an answer is read.
    pub details: String,
    /// Calls of the caller's tools: name and arguments.
    pub calls: Vec<(String, Value)>,
    /// Addresses on the web that it cites, in their order, each once.
    pub cited: Vec<String>,
    /// Why it ended; none if that was not said.
    pub stop: Option<Stop>,
}

/// Why it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Of itself, or by a stop text.
    End,
    /// By a bound on tokens.
    Length,
    /// To call a tool.
    Tool,
    /// Filtered, or refused.
    Filtered,
    /// It failed.
    Failed,
}

/// Tokens, by the identities of llm-api.md 1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// Read, cache included.
    pub prompt: u64,
    /// Written, reasoning included.
    pub output: u64,
    /// Of `prompt` those from a cache.
    pub cached: u64,
    /// Of `output` those of reasoning.
    pub reasoning: u64,
}

impl Choice {
    /// Notes what is cited.
    pub fn cite(&mut self, url: &Value) {
        let url = text(url).to_owned();
        if !url.is_empty() && !self.cited.contains(&url) {
            self.cited.push(url);
        }
    }

    /// Any tool call in an answer that ended of itself means that it ended to call it.
    pub fn settle(mut self) -> Self {
        if self.stop == Some(Stop::End) && !self.calls.is_empty() {
            self.stop = Some(Stop::Tool);
        }
        self
    }
}

/// The arguments of a call, which formats of OpenAI say as text: nothing at all means none.
pub fn arguments(text: &str) -> Value {
    match text.trim() {
        "" => Value::Object(serde_json::Map::new()),
        json => serde_json::from_str(json).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// A text, or nothing.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A count, or 0.
pub fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// The items of a list; none if it is no list.
pub fn items(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}
