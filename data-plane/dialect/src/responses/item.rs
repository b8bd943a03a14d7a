//! One item of an answer, read. Whole answers and streams use the same reading: a whole item is the sum of its parts.

use crate::Format;
use crate::ir::Citation;
use crate::json::Place;

/// What kind of item it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Message,
    /// Its name is left where it is: it would tell a caller who answered, and the provider takes its reasoning back
    /// without (69 recorded calls at three vendors).
    Reasoning,
    /// A call; `custom` ones take text.
    Call {
        id: String,
        name: String,
        custom: bool,
    },
    /// An item that only this format understands.
    Foreign,
}

/// Which part of an item: each has its own text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Text(u32),
    Refusal(u32),
    Summary(u32),
    Reasoning(u32),
    Input,
}

/// The text of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) part: Part,
    pub(super) text: String,
    /// An array in source.
    pub(super) logprobs: Option<String>,
    /// What it cites.
    pub(super) citations: Vec<Citation>,
}

/// A whole item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) kind: Kind,
    pub(super) pieces: Vec<Piece>,
    /// The `encrypted_content` of reasoning.
    pub(super) signature: Option<String>,
    /// Type and source of an item that only this format understands.
    pub(super) foreign: Option<(String, String)>,
}

/// Reads the kind of an item.
pub(super) fn kind(item: Place<'_>) -> Kind {
    let custom = match word(item, "type").as_str() {
        "message" => return Kind::Message,
        "reasoning" => return Kind::Reasoning,
        "function_call" => false,
        "custom_tool_call" => true,
        _ => return Kind::Foreign,
    };
    Kind::Call { id: word(item, "call_id"), name: word(item, "name"), custom }
}

/// Reads a whole item.
pub(super) fn whole(item: Place<'_>) -> Whole {
    let kind = kind(item);
    let mut pieces = Vec::new();
    let (mut signature, mut foreign) = (None, None);
    match &kind {
        Kind::Message => {
            let parts = (0..).zip(elements(item, "content"));
            pieces.extend(parts.filter_map(|(index, part)| content(index, part)));
        }
        Kind::Reasoning => {
            let texts = |key| (0..).zip(elements(item, key)).map(|(index, part)| (index, word(part, "text")));
            pieces.extend(texts("summary").map(|(index, text)| plain(Part::Summary(index), text)));
            pieces.extend(texts("content").map(|(index, text)| plain(Part::Reasoning(index), text)));
            signature = Some(word(item, "encrypted_content")).filter(|signature| !signature.is_empty());
        }
        Kind::Call { custom, .. } => {
            let input = if *custom { "input" } else { "arguments" };
            let text = match item.get(input) {
                // Some servers say an object where the format says its text.
                Some(input) if input.is_object() => input.source().to_owned(),
                Some(_) | None => word(item, input),
            };
            pieces.push(plain(Part::Input, text));
        }
        Kind::Foreign => foreign = Some((word(item, "type"), item.source().to_owned())),
    }
    Whole { kind, pieces, signature, foreign }
}

/// Reads a part of a message's content; none if it holds no text.
pub(super) fn content(index: u32, part: Place<'_>) -> Option<Piece> {
    match word(part, "type").as_str() {
        "refusal" => Some(plain(Part::Refusal(index), word(part, "refusal"))),
        "reasoning_text" => Some(plain(Part::Reasoning(index), word(part, "text"))),
        "summary_text" => Some(plain(Part::Summary(index), word(part, "text"))),
        _ => part.get("text").and_then(|text| text.as_str()).map(|text| Piece {
            part: Part::Text(index),
            text: text.into_owned(),
            logprobs: logprobs(part.get("logprobs")),
            citations: citations(part),
        }),
    }
}

/// Returns the source of log probabilities, if there are any.
pub(super) fn logprobs(list: Option<Place<'_>>) -> Option<String> {
    list.filter(|list| list.elements().next().is_some()).map(|list| list.source().to_owned())
}

/// Returns a member's text; empty if there is none.
pub(super) fn word(object: Place<'_>, key: &str) -> String {
    object.get(key).and_then(|value| value.as_str()).unwrap_or_default().into_owned()
}

/// Reads the annotations of a text. Others than addresses on the web name files that only the provider has.
fn citations(part: Place<'_>) -> Vec<Citation> {
    let read = |annotation: Place<'_>| {
        let number = |key: &str| annotation.get(key).and_then(|number| number.as_u32());
        let at = number("start_index").zip(number("end_index")).filter(|(from, to)| from < to);
        let is_one = word(annotation, "type") == "url_citation";
        is_one.then(|| Citation { url: word(annotation, "url"), title: word(annotation, "title"), at })
    };
    elements(part, "annotations").filter_map(read).collect()
}

pub(super) fn plain(part: Part, text: String) -> Piece {
    Piece { part, text, logprobs: None, citations: Vec::new() }
}

fn elements<'a>(object: Place<'a>, key: &str) -> impl Iterator<Item = Place<'a>> {
    object.get(key).into_iter().flat_map(|list| list.elements())
}

/// Whose thinking this room reads.
pub(super) const SIGNER: Option<Format> = Some(Format::Responses);
