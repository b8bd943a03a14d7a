//! What each format's room gives: ways from its bytes to the form between (`ir`) and back. [`crate::translate`] is the only
//! one who puts two rooms together.

use std::fmt;
use std::sync::Arc;

use bytes::BytesMut;

use crate::format::EmbeddingsFormat;
use crate::ir::{Dropped, Event, Request};
use crate::quirks::Quirks;
use crate::{Ending, Format, StreamFault};

/// For whom a request is written.
#[derive(Debug, Clone)]
pub struct Target {
    /// In which format.
    pub format: Format,
    /// The model as the provider names it.
    pub model: String,
    /// The most tokens that the model writes, if the catalogue says it: some formats demand a bound.
    pub max_output_tokens: Option<u64>,
    /// Whether the model reasons, if the catalogue says what it can do.
    pub reasons: Option<bool>,
    /// How the provider is asked for embeddings by this model; none if it has none.
    pub embeddings: Option<EmbeddingsFormat>,
    /// What this provider does otherwise than its format says.
    pub quirks: &'static Quirks,
}

/// A request, written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its body.
    pub(crate) body: String,
    /// What was left out.
    pub(crate) dropped: Vec<Dropped>,
}

/// For whom an answer is written.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// What the caller calls the model.
    pub alias: String,
    /// Letters and digits that are this call's alone; ids of answers are made of them.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The caller of chat completions asked for `stream_options.include_usage`.
    pub include_usage: bool,
    /// The caller of Gemini's streamGenerateContent did not say `alt=sse`: its stream is one JSON array.
    pub gemini_array: bool,
    /// The route reveals who answered: ids and vendors' fields pass.
    pub reveal_provider: bool,
    /// What was asked: some formats repeat it in the answer.
    pub request: Arc<Request>,
}

/// The provider's body is not its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's answer is not of its format")]
pub struct Garbage;

/// Reads a provider's stream.
pub(crate) trait StreamReader: fmt::Debug + Send {
    /// Takes the next bytes, cut anywhere, and appends what happened, in the order that [`Event`]'s module tells.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault>;

    /// The bytes are over: takes what is left of them. Does not invent stops that the provider did not send.
    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault>;
}

/// Writes a stream for a caller.
pub(crate) trait StreamWriter: fmt::Debug + Send {
    /// Writes what happened. `Stop`, `Usage` and `End` may only be noted, to be written by `complete`.
    fn write(&mut self, event: &Event, out: &mut BytesMut);

    /// Writes the end of a whole answer.
    fn complete(&mut self, out: &mut BytesMut);

    /// Writes the end of an answer that broke off, as the format says that it failed: never a clean end.
    fn fail(&mut self, ending: Ending, out: &mut BytesMut);
}
