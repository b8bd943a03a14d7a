//! Within one format: the bytes pass as they came, and only what must change is replaced in place: the model's name, ids,
//! masked text, what the caller did not ask for. What a format's room must say for that is [`Passing`] and [`EventReader`].
//!
//! Guardrails read and mask here and nowhere else: a translated answer goes through the rewriter of the caller's format too.

mod alike;
mod framing;
mod held;
mod reply;
mod request;
pub(crate) mod strangers;
mod stream;
pub(crate) mod texts;
pub(crate) mod vendors;

use std::fmt;
use std::ops::Range;

use breakwater_common::guard::{Channel, Part};
use bytes::BytesMut;

use crate::Ending;
use crate::codec::Caller;
use crate::ir::Usage;
use crate::json::{Edits, Place};
pub(crate) use crate::mould::Hole;
use texts::Kind;

pub(crate) use framing::Framing;
pub use reply::Reply;
pub(crate) use reply::rewrite_reply;
pub use request::{Asked, BadRequest, ClientRequest, Inspection};
pub use stream::{StreamEnd, StreamRewriter, StreamStep};

/// What a format says of its whole answers and streams.
pub(crate) trait Passing: fmt::Debug + Sync {
    /// Returns the members of a request in which texts stand, and those that must be there.
    fn members(&self) -> &'static Members;

    /// Returns where the texts of a whole answer stand: one place for each choice. `None`: it is not the format.
    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>>;

    /// Returns the edits that every whole answer needs: alias, ids, what names the vendor.
    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits;

    /// Returns what makes a whole answer one that a guardrail blocked.
    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)>;

    /// Returns the tokens that a whole answer says.
    fn usage(&self, root: Place<'_>) -> Option<Usage>;

    /// Returns what frames its streams.
    fn framing(&self) -> Framing {
        Framing::Sse
    }

    /// Makes the reader of a stream's events. `guarded`: texts are looked for.
    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader>;
}

/// Members of a request.
#[derive(Debug)]
pub(crate) struct Members {
    /// Those in which texts stand.
    pub(crate) texts: &'static [&'static str],
    /// Those of `texts` that must be there; any one of them is enough.
    pub(crate) required: &'static [&'static str],
    /// Those that are arrays of objects.
    pub(crate) turns: &'static [&'static str],
    /// The format has OpenAI's `stream_options.include_usage`.
    pub(crate) stream_options: bool,
}

/// Reads the events of one stream, and knows what the caller has seen of it.
pub(crate) trait EventReader: fmt::Debug + Send {
    /// Reads one event: its name and its data, not yet checked.
    fn read(&mut self, name: &str, data: &[u8]) -> Read;

    /// Notes that the caller got a chunk.
    fn gave(&mut self, chunk: &Chunk);

    /// Whether what the caller got is an answer that ended, with or without the format's last event.
    fn is_whole(&self) -> bool;

    /// Returns the places of one event that may differ in the next while all of what is read of it stays the same: texts
    /// that the reader does not look into, numbers that [`EventReader::passed`] is told. Asked of streams that nobody judges.
    fn holes(&self, _root: Place<'_>) -> Vec<(Range<usize>, Hole)> {
        Vec::new()
    }

    /// Notes the number of an event that was not read.
    fn passed(&mut self, _number: u64) {}

    /// Writes the end of a stream that a guardrail blocked.
    fn blocked(&mut self, out: &mut BytesMut);

    /// Writes the format's last event, which the upstream left out after a whole answer.
    fn complete(&mut self, out: &mut BytesMut);

    /// Writes the end of a stream that broke off.
    fn failed(&mut self, ending: Ending, out: &mut BytesMut);
}

/// One event, read.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// What changes in any case.
    pub(crate) edits: Edits,
    /// Its texts, in order; none unless the stream is guarded.
    pub(crate) texts: Vec<ChunkText>,
    /// What must go when a text of a choice is masked (its log probabilities), by choice, with what goes there.
    pub(crate) logprobs: Vec<(u32, Range<usize>, &'static str)>,
    /// What it speaks of, and whether that ends with it: choices in chat, blocks in messages. The numbers are those of
    /// [`Channel::choice`].
    pub(crate) choices: Vec<(u32, bool)>,
    /// An answer begins or goes on with it. One that only keeps the connection, or says that it is the end, does not.
    pub(crate) begins: bool,
    /// Tokens so far.
    pub(crate) usage: Option<Usage>,
    /// It is only there because this proxy asked for usage.
    pub(crate) unasked: bool,
    /// A person would see something of it: text, a tool call, an end.
    pub(crate) visible: bool,
    /// It says more than its texts.
    pub(crate) bearing: bool,
    /// It is the format's last event.
    pub(crate) last: bool,
    /// What the format's reader wants to know when the caller gets it.
    pub(crate) stage: u8,
}

/// One text of a chunk.
#[derive(Debug)]
pub(crate) struct ChunkText {
    /// Which text it goes on.
    pub(crate) channel: Channel,
    /// Where it stands in the event's data.
    pub(crate) at: Range<usize>,
    /// It.
    pub(crate) text: String,
    /// It is all of its text, which is decided at once: an event that repeats what came in pieces before.
    pub(crate) whole: bool,
    /// How it is judged and written. Of a text in pieces the channel says how it is judged.
    pub(crate) kind: Kind,
}

/// What an event is.
#[derive(Debug)]
pub(crate) enum Read {
    /// Part of the answer.
    Chunk(Box<Chunk>),
    /// An error of the upstream, with its code.
    Error(String),
    /// Not the format.
    Garbage,
}

/// Returns the code of an upstream's error, or its type; short and in plain ASCII, because it goes to traces.
pub(crate) fn error_code(error: Place<'_>) -> String {
    const CODE_BYTES_MAX: usize = 64;
    let code = ["code", "type"].iter().filter_map(|key| error.get(key)).find(|value| !value.is_null());
    let code = code.map(|code| code.as_str().unwrap_or_else(|| code.source().into())).unwrap_or_default();
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(CODE_BYTES_MAX)
        .collect()
}

/// Adds all texts of a value as whole ones: an event that says at once what no other event goes on.
pub(crate) fn add_whole_texts(
    place: Place<'_>,
    choice: u32,
    chunk: &mut Chunk,
) -> Result<(), texts::TooDeep> {
    add_texts_beside(place, None, choice, chunk)
}

/// Adds all texts of a value as whole ones, but for the piece of a text that goes on.
pub(crate) fn add_texts_beside(
    place: Place<'_>,
    piece: Option<Place<'_>>,
    choice: u32,
    chunk: &mut Chunk,
) -> Result<(), texts::TooDeep> {
    let piece = piece.map(|piece| piece.range());
    let found = texts::find(place)?;
    for found in found.into_iter().filter(|found| Some(found.place.range()) != piece) {
        chunk.texts.push(ChunkText {
            channel: Channel { choice, part: Part::Other(u32::MAX) },
            at: found.place.range(),
            kind: found.kind,
            text: found.text,
            whole: true,
        });
    }
    let logprobs = texts::logprobs(place).into_iter();
    chunk.logprobs.extend(logprobs.map(|(place, with)| (choice, place, with)));
    Ok(())
}

/// Returns a count of an object, 0 if it is not there.
pub(crate) fn count(object: Option<Place<'_>>, key: &str) -> u64 {
    object
        .and_then(|object| object.get(key))
        .and_then(|count| count.source().parse().ok())
        .unwrap_or_default()
}
