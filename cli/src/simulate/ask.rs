//! What a call asks, whatever format it came in: only as much as the made-up model needs.

use serde_json::Value;

/// Choices of one call at most.
const CHOICES_MAX: u64 = 8;

/// What a call asks.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    /// The model.
    pub(super) model: String,
    /// The text of the last message.
    pub(super) prompt: String,
    /// The last message is a tool's result.
    pub(super) after_tool: bool,
    /// Estimated tokens of all messages.
    pub(super) input_tokens: u64,
    /// Tools on offer.
    pub(super) tools: Vec<Tool>,
    /// Whether one is to be called.
    pub(super) choice: Choice,
    /// The answer is to be JSON of this schema; null for any object.
    pub(super) schema: Option<Value>,
    /// Tokens of the answer at most.
    pub(super) limit: Option<u64>,
    /// The answer is to come event by event.
    pub(super) stream: bool,
    /// A stream is to say its usage.
    pub(super) usage: bool,
    /// Answers side by side; 0 counts as 1.
    pub(super) choices: u64,
}

/// A tool on offer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tool {
    /// Its name.
    pub(super) name: String,
    /// The schema of its arguments.
    pub(super) schema: Value,
}

/// Whether a tool is to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// If it fits.
    #[default]
    Auto,
    /// None.
    Never,
    /// Any.
    Always,
    /// This one.
    Named(String),
}

impl Ask {
    /// Takes messages with `role` and `content`, which is a text or a list of parts with `text`. `tool` tells the result of a
    /// tool from other messages.
    pub(super) fn take_messages(&mut self, messages: &[Value], tool: impl Fn(&Value) -> bool) {
        self.input_tokens += messages.iter().map(|message| tokens_of(&text_of(message))).sum::<u64>();
        if let Some(last) = messages.last() {
            self.prompt = text_of(last);
            self.after_tool = tool(last);
        }
    }

    /// Returns how many choices are to be made.
    pub(super) fn choices(&self) -> u64 {
        self.choices.clamp(1, CHOICES_MAX)
    }
}

/// Estimates tokens: four bytes each, as vendors advise for English, and four for the message.
pub(super) fn tokens_of(text: &str) -> u64 {
    4 + u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX)
}

/// Returns the texts of a message, a list of parts or a text itself, with spaces between them.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<String> = parts.iter().map(text_of).filter(|text| !text.is_empty()).collect();
            texts.join(" ")
        }
        Value::Object(fields) => {
            let keys = [
                "text",
                "content",
                "parts",
                "output",
                "toolResult",
                "functionResponse",
                "response",
                "result",
            ];
            keys.iter().find_map(|key| fields.get(*key)).map(text_of).unwrap_or_default()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_found_in_the_messages_of_each_format() {
        let check = |message: Value| assert_eq!(text_of(&message), "a b", "{message}");
        check(json!({"role": "user", "content": "a b"}));
        check(
            json!({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
        );
        check(json!({"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}));
        check(json!({"content": [{"type": "tool_result", "content": [{"type": "text", "text": "a b"}]}]}));
        check(json!({"content": [{"toolResult": {"content": [{"text": "a b"}]}}]}));
        check(json!({"parts": [{"functionResponse": {"name": "x", "response": {"result": "a b"}}}]}));
        check(json!({"type": "function_call_output", "output": "a b"}));
    }
}
