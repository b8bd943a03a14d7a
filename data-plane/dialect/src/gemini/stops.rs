//! Why an answer ends, in Google's words (google-genai 3.4.0, `FinishReason`) and in ours.

use std::borrow::Cow;

use crate::ir::{Stop, StopReason};
use crate::json::Place;

/// The words that mean something else than an answer that ended of itself.
const WORDS: &[(&str, StopReason)] = &[
    ("MAX_TOKENS", StopReason::Length),
    ("CONTINUATION", StopReason::Length),
    ("SAFETY", StopReason::Filtered),
    ("RECITATION", StopReason::Filtered),
    ("LANGUAGE", StopReason::Filtered),
    ("BLOCKLIST", StopReason::Filtered),
    ("PROHIBITED_CONTENT", StopReason::Filtered),
    ("SPII", StopReason::Filtered),
    ("IMAGE_SAFETY", StopReason::Filtered),
    ("IMAGE_PROHIBITED_CONTENT", StopReason::Filtered),
    ("IMAGE_RECITATION", StopReason::Filtered),
    ("ESCALATION", StopReason::Filtered),
    ("PUP_LIMITED_DISABLED", StopReason::Filtered),
    ("MODEL_ARMOR", StopReason::Filtered),
    ("OTHER", StopReason::Failed),
    ("IMAGE_OTHER", StopReason::Filtered),
    ("NO_IMAGE", StopReason::Filtered),
    ("MALFORMED_FUNCTION_CALL", StopReason::Failed),
    ("UNEXPECTED_TOOL_CALL", StopReason::Failed),
    ("TOO_MANY_TOOL_CALLS", StopReason::Failed),
    ("MISSING_THOUGHT_SIGNATURE", StopReason::Failed),
    ("MALFORMED_RESPONSE", StopReason::Failed),
];

/// The words that some clients ask for as numbers (`$alt=json;enum-encoding=int`), by their number in
/// google.ai.generativelanguage.v1beta.
const NUMBERED: &[&str] = &[
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
];

/// Reads the word of a reason, whichever way it is written; none if it says nothing.
pub(super) fn word(reason: Place<'_>) -> Option<Cow<'_, str>> {
    let word = match reason.as_str() {
        Some(word) => word,
        None => {
            let number = usize::try_from(reason.as_u32()?).ok()?;
            NUMBERED.get(number).map_or(Cow::Borrowed(reason.source()), |word| Cow::Borrowed(*word))
        }
    };
    (!word.is_empty() && word != "FINISH_REASON_UNSPECIFIED").then_some(word)
}

/// Reads a reason. `called`: the answer holds a tool call, which Google does not say in the reason (bug 12).
pub(super) fn read(word: &str, called: bool) -> Stop {
    let known = WORDS.iter().find(|(known, _)| *known == word).map(|(_, reason)| *reason);
    let reason = known.unwrap_or(if called { StopReason::ToolUse } else { StopReason::End });
    let says_more = word != "STOP" && word != "MAX_TOKENS";
    Stop { reason, native: says_more.then(|| word.to_owned()), sequence: None }
}

/// Writes a reason.
pub(super) fn write(stop: &Stop) -> &str {
    if let Some(native) = &stop.native
        && WORDS.iter().any(|(known, reason)| known == native && *reason == stop.reason)
    {
        return native;
    }
    match stop.reason {
        StopReason::End | StopReason::Sequence | StopReason::ToolUse | StopReason::Paused => "STOP",
        StopReason::Length | StopReason::ContextWindow => "MAX_TOKENS",
        StopReason::Filtered => "SAFETY",
        StopReason::Failed => "OTHER",
    }
}
