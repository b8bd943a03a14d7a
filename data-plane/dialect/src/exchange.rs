//! One call with one provider: what is sent there, and how its answer comes back. Whether the formats are the same or not is
//! decided here and nowhere above.

use std::sync::Arc;

use breakwater_common::guard::CompiledGuards;
use bytes::{Bytes, BytesMut};

use crate::codec::{Caller, Garbage, Target};
use crate::embeddings::{self, EmbeddingsCaller, EmbeddingsFormat, EmbeddingsReply, EmbeddingsRequest};
use crate::ir::{Dropped, Refused, Request, Usage};
use crate::json::Edits;
use crate::pass::{
    Asked, BadRequest, ClientRequest, Passing, Reply, StreamEnd, StreamRewriter, StreamStep, rewrite_reply,
};
use crate::translate::{self, Crossing};
use crate::{Ending, Format, StreamFault, chat};

/// Reads a caller's body.
///
/// # Errors
///
/// Invalid UTF-8, JSON that is cut or wrong, a field that is missing, twice there or of the wrong type.
pub fn parse(asked: Asked, body: &Bytes) -> Result<ClientRequest, BadRequest> {
    let members = passing(asked.format).members();
    ClientRequest::parse(asked, members, body)
}

/// What a provider is sent.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The body.
    pub body: Bytes,
    /// What was asked, if the call was translated.
    pub request: Option<Arc<Request>>,
    /// What was left out: in translation, or because the vendor refuses it.
    pub dropped: Vec<Dropped>,
    /// How the answer to a call for embeddings is read and written.
    pub embeddings: Option<Embedded>,
}

/// A call for embeddings: the provider's words for them, and what the caller wants of the answer.
#[derive(Debug, Clone)]
pub struct Embedded {
    /// The provider's format.
    pub format: EmbeddingsFormat,
    /// For whom.
    pub caller: EmbeddingsCaller,
}

/// Writes a caller's request for a provider. `redactions` are those of the input guardrails.
///
/// # Errors
///
/// The provider's format cannot say what the caller asks.
pub fn prepare(
    request: &ClientRequest,
    redactions: &[(usize, String)],
    target: &Target,
) -> Result<Prepared, Refused> {
    if request.format() == Format::Embeddings {
        return prepare_embeddings(request, redactions, target);
    }
    if request.format() == target.format {
        let body = request.rewrite(&target.model, redactions, within::edits(request.body(), target));
        let dropped = within::left_out(request.body(), target);
        return Ok(Prepared { body, request: None, dropped, embeddings: None });
    }
    let redacted = request.redacted(redactions);
    let text = std::str::from_utf8(&redacted).unwrap_or_default();
    let mut asked = translate::read_request(request.format(), text)?;
    asked.stream = request.stream();
    let translated = translate::write_request(asked, target)?;
    Ok(Prepared {
        body: translated.body,
        request: Some(translated.request),
        dropped: translated.dropped,
        embeddings: None,
    })
}

fn prepare_embeddings(
    request: &ClientRequest,
    redactions: &[(usize, String)],
    target: &Target,
) -> Result<Prepared, Refused> {
    let format = target.embeddings.ok_or_else(|| Refused::no_equivalent("model"))?;
    let body = request.rewrite(&target.model, redactions, Edits::default());
    let read = EmbeddingsRequest::parse(&body).map_err(|bad| Refused {
        param: bad.param.unwrap_or_else(|| "input".to_owned()),
        reason: bad.message,
    })?;
    let written = read.write(format, &target.model, &[])?;
    let caller = read.caller(request.model());
    Ok(Prepared {
        body: written.body,
        request: None,
        dropped: written.dropped,
        embeddings: Some(Embedded { format, caller }),
    })
}

/// How a provider's answer becomes the caller's.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The caller's format.
    pub client: Format,
    /// The provider's.
    pub provider: Format,
    /// For whom.
    pub caller: Caller,
    /// Guardrails of the output side.
    pub guards: Option<Arc<CompiledGuards>>,
    /// See [`Prepared::embeddings`].
    pub embeddings: Option<Embedded>,
}

impl Exchange {
    /// Returns the media type of the caller's stream.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        if self.client == Format::Converse {
            "application/vnd.amazon.eventstream"
        } else if self.client == Format::Gemini && self.caller.gemini_array {
            "application/json"
        } else {
            "text/event-stream"
        }
    }

    /// Turns a whole answer of a successful status into the caller's.
    ///
    /// # Errors
    ///
    /// It is not of the provider's format.
    pub fn reply(&self, body: &Bytes) -> Result<Reply, Garbage> {
        self.reply_counted(body, None)
    }

    /// The same, with the tokens that the answer's head says were read, for a body that says none.
    ///
    /// # Errors
    ///
    /// It is not of the provider's format.
    pub fn reply_counted(&self, body: &Bytes, counted: Option<u64>) -> Result<Reply, Garbage> {
        if let Some(Embedded { format, caller }) = &self.embeddings {
            let caller = &EmbeddingsCaller { reveal_provider: self.caller.reveal_provider, ..caller.clone() };
            let reply = match format {
                // Who speaks the format chose numbers or base64 for itself; its clients read both.
                EmbeddingsFormat::OpenAi => {
                    embeddings::rewrite_reply(body, &EmbeddingsCaller { base64: false, ..caller.clone() })
                }
                EmbeddingsFormat::Mistral => embeddings::rewrite_reply(body, caller),
                EmbeddingsFormat::Gemini
                | EmbeddingsFormat::Ollama
                | EmbeddingsFormat::Titan
                | EmbeddingsFormat::Nova
                | EmbeddingsFormat::Cohere => embeddings::translate_reply(*format, body, counted, caller),
            }?;
            let EmbeddingsReply { body, usage } = reply;
            return Ok(Reply { body, usage, blocked: None, findings: Vec::new() });
        }
        let format = passing(self.client);
        if self.client == self.provider {
            return rewrite_reply(format, &self.caller, self.guards.as_ref(), body);
        }
        let read = translate::read_reply(self.provider, body)?;
        let written = Bytes::from(translate::write_reply(self.client, &read, &self.caller));
        let reply = rewrite_reply(format, &self.caller, self.guards.as_ref(), &written)?;
        Ok(Reply { usage: read.usage, ..reply })
    }

    /// Turns a whole answer into the caller's stream, for a provider that gave no stream to a caller who asked for one. None
    /// if the provider's format cannot be read into the form between: then the whole answer is all there is.
    #[must_use]
    pub fn reply_as_stream(&self, body: &Bytes) -> Option<Result<StreamEnd, Garbage>> {
        if !translate::has_streams(self.provider, self.client) {
            return None;
        }
        if let Some(events) = self.as_events() {
            return events.reply_as_stream(body).map(|stream| stream.map(array::whole));
        }
        Some(translate::read_reply(self.provider, body).and_then(|read| {
            let bytes = translate::write_reply_as_stream(self.client, &read, &self.caller).ok_or(Garbage)?;
            // Through the caller's own format, where guardrails judge.
            let mut rewriter = StreamRewriter::new(passing(self.client), &self.caller, self.guards.clone());
            let step = rewriter.push(&bytes).map_err(|_fault| Garbage)?;
            let end = rewriter.finish();
            let bytes = Bytes::from([step.bytes, end.bytes].concat());
            Ok(StreamEnd { bytes, usage: read.usage, ..end })
        }))
    }

    /// Returns this exchange for a caller of events, if its caller wants an array.
    fn as_events(&self) -> Option<Self> {
        let is_array = self.client == Format::Gemini && self.caller.gemini_array;
        is_array
            .then(|| Self { caller: Caller { gemini_array: false, ..self.caller.clone() }, ..self.clone() })
    }

    /// Makes the rewriter of a streamed answer; none if one of the formats has no streams.
    #[must_use]
    pub fn stream(&self) -> Option<AnswerStream> {
        if let Some(events) = self.as_events() {
            return events.stream().map(|inner| AnswerStream::Array(Box::new(ArrayStream::new(inner))));
        }
        let rewriter = |guards| StreamRewriter::new(passing(self.client), &self.caller, guards);
        if self.client == self.provider {
            return Some(AnswerStream::Pass(Box::new(rewriter(self.guards.clone()))));
        }
        let guards =
            self.guards.clone().filter(|guards| guards.inspects(breakwater_common::guard::Side::Output));
        let crossing = Crossing::new(self.provider, self.client, &self.caller)?;
        let guard = guards.map(|guards| Box::new(rewriter(Some(guards))));
        Some(AnswerStream::Cross(Box::new(Cross { crossing, guard, seen: false })))
    }
}

/// A streamed answer on its way.
#[derive(Debug)]
pub enum AnswerStream {
    /// Within one format.
    Pass(Box<StreamRewriter>),
    /// From one format to another.
    Cross(Box<Cross>),
    /// Either, for a caller who wants an array of its events.
    Array(Box<ArrayStream>),
}

/// See [`AnswerStream::Cross`].
#[derive(Debug)]
pub struct Cross {
    crossing: Crossing,
    /// Judges what was translated.
    guard: Option<Box<StreamRewriter>>,
    seen: bool,
}

impl AnswerStream {
    /// Takes the next piece of the upstream's body, cut anywhere.
    ///
    /// # Errors
    ///
    /// The upstream failed before the caller could see anything of the answer.
    pub fn push(&mut self, bytes: &[u8]) -> Result<StreamStep, StreamFault> {
        match self {
            Self::Pass(rewriter) => rewriter.push(bytes),
            Self::Cross(cross) => cross.push(bytes),
            Self::Array(array) => array.push(bytes),
        }
    }

    /// Ends the stream: the upstream's body is over, broken or no longer wanted.
    #[must_use]
    pub fn finish(self) -> StreamEnd {
        match self {
            Self::Pass(rewriter) => rewriter.finish(),
            Self::Cross(cross) => cross.finish(),
            Self::Array(array) => array.finish(),
        }
    }
}

impl Cross {
    fn push(&mut self, bytes: &[u8]) -> Result<StreamStep, StreamFault> {
        let mut out = BytesMut::new();
        self.crossing.push(bytes, &mut out)?;
        let over = self.crossing.over();
        let Some(guard) = &mut self.guard else {
            let first_content =
                self.crossing.visible() && !std::mem::replace(&mut self.seen, self.crossing.visible());
            return Ok(StreamStep {
                bytes: out.freeze(),
                over: over.is_some(),
                blocked: false,
                first_content,
            });
        };
        // A failure's own event is not judged: the guard writes its own when it is told to end.
        let mut step = guard.push(&out)?;
        step.over |= over.is_some();
        Ok(step)
    }

    fn finish(mut self) -> StreamEnd {
        let mut out = BytesMut::new();
        self.crossing.finish(&mut out);
        let ending = self.crossing.over().unwrap_or(Ending::Cut);
        let usage: Option<Usage> = self.crossing.usage();
        let Some(mut guard) = self.guard else {
            return StreamEnd { bytes: out.freeze(), usage, ending, findings: Vec::new() };
        };
        let pushed = guard.push(&out).map(|step| step.bytes).unwrap_or_default();
        let end = guard.finish();
        let bytes = Bytes::from([pushed, end.bytes].concat());
        StreamEnd { bytes, usage: usage.or(end.usage), ..end }
    }
}

/// Returns what a client format says of its own answers.
fn passing(format: Format) -> &'static dyn Passing {
    match format {
        // Ollama's own format is only ever a provider's; the edge has no door for it.
        Format::Chat | Format::Ollama => &chat::Chat,
        Format::Completions => &chat::Completions,
        Format::Embeddings => &plain::EMBEDDINGS,
        Format::Moderations => &plain::MODERATIONS,
        Format::CountTokens => &plain::COUNT_TOKENS,
        Format::Responses => &crate::responses::Responses,
        Format::Messages => &crate::messages::Messages,
        Format::Gemini => &crate::gemini::Gemini,
        Format::Converse => &crate::converse::Converse,
    }
}

mod array;
mod plain;
mod within;

pub use array::ArrayStream;

#[cfg(test)]
mod array_tests;
#[cfg(test)]
mod named_error_tests;
#[cfg(test)]
mod reply_tests;
#[cfg(test)]
mod request_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod test_kit;
