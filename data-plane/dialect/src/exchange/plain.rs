//! Operations beside generation, within their format: a request whose texts are judged, an answer without any text of a
//! model, and no streams.

use std::ops::Range;

use bytes::BytesMut;

use crate::Ending;
use crate::codec::Caller;
use crate::ir::Usage;
use crate::json::{self, Edits, Place};
use crate::pass::{Chunk, EventReader, Members, Passing, Read, count};

/// Embeddings: texts to be turned into vectors.
pub(super) static EMBEDDINGS: Plain = Plain {
    members: &Members { texts: &["input"], required: &["input"], turns: &[], stream_options: false },
};
/// Moderations: texts to be judged by the provider.
pub(super) static MODERATIONS: Plain = Plain {
    members: &Members { texts: &["input"], required: &["input"], turns: &[], stream_options: false },
};
/// Counting: a messages request without its generation.
pub(super) static COUNT_TOKENS: Plain = Plain {
    members: &Members {
        texts: &["system", "messages"],
        required: &["messages"],
        turns: &["messages"],
        stream_options: false,
    },
};

/// An operation whose answer is numbers.
#[derive(Debug)]
pub(super) struct Plain {
    members: &'static Members,
}

impl Passing for Plain {
    fn members(&self) -> &'static Members {
        self.members
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        root.is_object().then(Vec::new)
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        let mut edits = Edits::default();
        for member in root.members() {
            match &*member.key {
                "model" => edits.replace(member.value.range(), json::quote(&caller.alias)),
                "id" if !caller.reveal_provider => {
                    edits.replace(member.value.range(), json::quote(&caller.id));
                }
                _ => {}
            }
        }
        edits
    }

    fn blocked(&self, _root: Place<'_>) -> Vec<(Range<usize>, String)> {
        Vec::new()
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        let usage = root.get("usage").filter(Place::is_object)?;
        Some(Usage { input: count(Some(usage), "prompt_tokens"), ..Usage::default() })
    }

    fn events(&self, _caller: &Caller, _guarded: bool) -> Box<dyn EventReader> {
        Box::new(NoStream)
    }
}

/// A stream of an operation that has none.
#[derive(Debug)]
struct NoStream;

impl EventReader for NoStream {
    fn read(&mut self, _name: &str, _data: &[u8]) -> Read {
        Read::Garbage
    }

    fn gave(&mut self, _chunk: &Chunk) {}

    fn is_whole(&self) -> bool {
        false
    }

    fn blocked(&mut self, _out: &mut BytesMut) {}

    fn complete(&mut self, _out: &mut BytesMut) {}

    fn failed(&mut self, _ending: Ending, _out: &mut BytesMut) {}
}
