//! What is still wrong, pair by pair: a room that lands enters [`LANDED`] and lowers its numbers, and nothing may raise them.

use breakwater_dialect::Format;

/// Rooms that are full, for answers (whole, streamed, errors) and for requests. Between two of them nothing is admitted but what
/// [`ADMITTED`] names; with any other room there is no bound yet.
const LANDED: [&[Format]; 2] = [
    &[Format::Chat, Format::Responses, Format::Messages, Format::Gemini, Format::Converse, Format::Ollama],
    &[Format::Responses, Format::Messages, Format::Gemini, Format::Converse, Format::Ollama],
];

/// Oracle, from, to, how many recordings may be wrong, and why.
const ADMITTED: &[(&str, Format, Format, usize, &str)] = &[
    ("whole answers", Format::Responses, Format::Converse, 1, "the text of a custom tool is lost"),
    ("whole answers", Format::Responses, Format::Messages, 1, "the text of a custom tool has an odd name"),
    ("streams", Format::Responses, Format::Messages, 2, "the text of a custom tool is no object"),
    ("requests", Format::Gemini, Format::Messages, 6, "a map in a response's schema is closed"),
    ("streams", Format::Responses, Format::Converse, 2, "the text of a custom tool is no object"),
];

/// Whether every room is full.
pub fn complete() -> bool {
    LANDED.iter().all(|landed| landed.len() == 6)
}

/// Returns how many recordings may be wrong.
pub fn admitted(oracle: &str, from: Format, to: Format) -> usize {
    let landed = LANDED[usize::from(matches!(oracle, "requests" | "aligned"))];
    if !landed.contains(&from) || !landed.contains(&to) {
        return usize::MAX;
    }
    let found = ADMITTED.iter().find(|one| (one.0, one.1, one.2) == (oracle, from, to));
    found.map_or(0, |one| one.3)
}
