//! Events of a stream as they go out: each with its number, and with the places of what it is about.

use bytes::BytesMut;

use super::build::{Object, list};
use super::{item, object};
use crate::ir::{Citation, characters};
use crate::json::{self, Place};

/// Writes events.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Nothing is written: only the whole answer is wanted.
    pub(super) silent: bool,
    sequence: u64,
}

impl Frames {
    pub(super) fn emit(&mut self, kind: &str, out: &mut BytesMut, members: impl FnOnce(Object) -> Object) {
        if self.silent {
            return;
        }
        let event = members(Object::of(kind).count("sequence_number", self.sequence)).end();
        self.sequence += 1;
        for piece in ["event: ", kind, "\ndata: ", &event, "\n\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
    }

    /// Writes an event about an item.
    pub(super) fn about(
        &mut self,
        kind: &str,
        (id, index): (&str, u64),
        out: &mut BytesMut,
        members: impl FnOnce(Object) -> Object,
    ) {
        self.emit(kind, out, |event| members(event.text("item_id", id).count("output_index", index)));
    }

    /// Writes an event that carries an item.
    pub(super) fn item(&mut self, kind: &str, index: u64, item: &str, out: &mut BytesMut) {
        self.emit(kind, out, |event| event.count("output_index", index).raw("item", item));
    }
}

/// A part of a message.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) refusal: bool,
    pub(super) text: String,
    /// Arrays in source.
    pub(super) logprobs: Vec<String>,
    /// What it cites.
    pub(super) citations: Vec<Citation>,
}

impl Part {
    /// Returns all log probabilities as one array in source.
    pub(super) fn logprobs(&self) -> String {
        let lists = self.logprobs.iter().filter(|list| json::check(list.as_bytes()).is_ok());
        list(lists.flat_map(|list| Place::root(list).elements().map(|entry| logprob(entry, true))))
    }

    /// Returns what it cites, each in source.
    pub(super) fn annotations(&self) -> Vec<String> {
        let length = characters(&self.text);
        let write = |citation: &Citation| {
            let (from, to) = citation.place(0, length);
            let written =
                Object::of("url_citation").text("url", &citation.url).text("title", &citation.title);
            written.count("start_index", from.into()).count("end_index", to.into()).end()
        };
        self.citations.iter().map(write).collect()
    }

    /// Writes it as the content of a message holds it.
    pub(super) fn source(&self) -> String {
        if self.refusal {
            object::refusal(&self.text)
        } else {
            object::output_text(&self.text, &self.logprobs(), &self.annotations())
        }
    }
}

/// Writes one entry of log probabilities. This format demands the bytes of every token, which others leave out.
fn logprob(entry: Place<'_>, top: bool) -> String {
    let token = item::word(entry, "token");
    let bytes = entry
        .get("bytes")
        .filter(Place::is_array)
        .map_or_else(|| list(token.bytes().map(|byte| byte.to_string())), |bytes| bytes.source().to_owned());
    let written = Object::new()
        .text("token", &token)
        .raw("bytes", &bytes)
        .raw("logprob", entry.get("logprob").map_or("0.0", |logprob| logprob.source()));
    if !top {
        return written.end();
    }
    let others = entry.get("top_logprobs").into_iter().flat_map(|others| others.elements());
    written.raw("top_logprobs", &list(others.map(|other| logprob(other, false)))).end()
}
