//! Why an answer ended: vendors' words, and this format's.

use crate::ir::{Stop, StopReason};

/// Reads a vendor's `finish_reason`. What was seen counts more than what is said: vendors say `stop` after tool calls
/// (recorded of OpenAI and Snowflake) and `tool_calls` without one.
pub(super) fn read(word: &str, called: bool, refused: bool) -> Stop {
    let ended = if called {
        StopReason::ToolUse
    } else if refused {
        StopReason::Filtered
    } else {
        StopReason::End
    };
    let (reason, said) = match word {
        // Together says `eos`, Snowflake nothing at all.
        "stop" | "tool_calls" | "function_call" | "eos" | "" => (ended, true),
        "length" | "max_tokens" => (StopReason::Length, true),
        "model_length" => (StopReason::ContextWindow, true),
        "content_filter" => (StopReason::Filtered, true),
        "safety" => (StopReason::Filtered, false),
        "error" | "insufficient_system_resource" => (StopReason::Failed, false),
        _ => (ended, false),
    };
    Stop { reason, native: (!said).then(|| word.to_owned()), sequence: None }
}

/// Returns this format's word. It has none for an answer that failed in its middle; `length` at least says that it is not
/// whole. A refusal in words ends with `stop`, as OpenAI ends it.
pub(super) fn word(stop: &Stop, refused: bool, legacy: bool) -> &'static str {
    match stop.reason {
        StopReason::End | StopReason::Sequence | StopReason::Paused => "stop",
        StopReason::Length | StopReason::ContextWindow | StopReason::Failed => "length",
        StopReason::ToolUse if legacy => "function_call",
        StopReason::ToolUse => "tool_calls",
        StopReason::Filtered if refused => "stop",
        StopReason::Filtered => "content_filter",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_11_a_tool_call_counts_more_than_the_word() {
        for word in ["stop", "tool_calls", "", "eos", "whatever"] {
            assert_eq!(read(word, true, false).reason, StopReason::ToolUse, "{word}");
            assert_eq!(read(word, false, false).reason, StopReason::End, "{word}");
        }
        assert_eq!(read("length", true, false).reason, StopReason::Length);
        assert_eq!(read("model_length", false, false).reason, StopReason::ContextWindow);
        assert_eq!(read("stop", false, true).reason, StopReason::Filtered);
        assert_eq!(read("error", false, false).reason, StopReason::Failed);
        assert_eq!(read("whatever", false, false).native.as_deref(), Some("whatever"));
        assert_eq!(read("stop", false, false).native, None);
    }
}
