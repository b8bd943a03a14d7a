//! Why an answer ended, in Anthropic's words (llm-api.md, 1.7).

use crate::ir::{Stop, StopReason};

/// Reads `stop_reason` and `stop_sequence`. Whether tools are called is seen, not believed (bug 11).
pub(super) fn read(reason: &str, sequence: Option<String>, calls_tools: bool) -> Stop {
    let (known, native) = match reason {
        "end_turn" => (StopReason::End, false),
        "stop_sequence" => (StopReason::Sequence, false),
        "max_tokens" => (StopReason::Length, false),
        "model_context_window_exceeded" => (StopReason::ContextWindow, true),
        "tool_use" => (StopReason::End, !calls_tools),
        "pause_turn" => (StopReason::Paused, true),
        "refusal" => (StopReason::Filtered, true),
        _ => (StopReason::End, !reason.is_empty()),
    };
    Stop {
        reason: if calls_tools && known == StopReason::End { StopReason::ToolUse } else { known },
        native: native.then(|| reason.to_owned()),
        sequence,
    }
}

/// Writes `stop_reason` and `stop_sequence`. An answer that failed whole has no word of its own; what is there ends its turn.
pub(super) fn write(stop: &Stop, calls_tools: bool, refuses: bool) -> (&'static str, Option<&str>) {
    let reason = match stop.reason {
        StopReason::Filtered => "refusal",
        StopReason::End | StopReason::Sequence | StopReason::Failed if refuses => "refusal",
        StopReason::Length => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::Paused => "pause_turn",
        StopReason::Sequence if stop.sequence.is_some() => "stop_sequence",
        StopReason::ToolUse | StopReason::End | StopReason::Sequence if calls_tools => "tool_use",
        StopReason::ToolUse | StopReason::End | StopReason::Sequence | StopReason::Failed => "end_turn",
    };
    (reason, stop.sequence.as_deref().filter(|_| reason == "stop_sequence"))
}
