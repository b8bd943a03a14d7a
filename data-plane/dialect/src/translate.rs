//! From one format to another: a request there, an answer or a stream back.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::codec::{Caller, Garbage, StreamReader, StreamWriter, Target};
use crate::ir::{Accumulator, Delta, Dropped, Event, Opening, Refused, Reply, Request, Usage, events_of};
use crate::{
    Ending, Format, GatewayError, ProviderError, StreamFault, capabilities, chat, completions, converse,
    gemini, json, messages, ollama, responses,
};

/// A request for a provider of another format.
#[derive(Debug)]
pub struct Translated {
    /// Its body.
    pub body: Bytes,
    /// What was asked, for [`Caller::request`].
    pub request: Arc<Request>,
    /// What was left out.
    pub dropped: Vec<Dropped>,
}

/// Reads a caller's request into the form between.
///
/// # Errors
///
/// It holds what that form cannot say.
pub fn read_request(format: Format, body: &str) -> Result<Request, Refused> {
    match format {
        Format::Chat => chat::read_request(body),
        Format::Responses => responses::read_request(body),
        Format::Messages => messages::read_request(body),
        Format::Gemini => gemini::read_request(body),
        Format::Converse => converse::read_request(body),
        Format::Ollama => ollama::read_request(body),
        Format::Completions => completions::read_request(body),
        Format::Embeddings | Format::Moderations | Format::CountTokens => {
            Err(Refused::no_equivalent("model"))
        }
    }
}

/// Writes a request for a provider.
///
/// # Errors
///
/// It holds what the provider's format cannot say.
pub fn write_request(mut request: Request, target: &Target) -> Result<Translated, Refused> {
    let searches = request.leave_out_searches(target.format);
    let (fitted, mut dropped) = capabilities::fit(&request, target);
    let written = match target.format {
        Format::Chat => chat::write_request(&fitted, target),
        Format::Responses => responses::write_request(&fitted, target),
        Format::Messages => messages::write_request(&fitted, target),
        Format::Gemini => gemini::write_request(&fitted, target),
        Format::Converse => converse::write_request(&fitted, target),
        Format::Ollama => ollama::write_request(&fitted, target),
        Format::Completions => completions::write_request(&fitted, target),
        Format::Embeddings | Format::Moderations | Format::CountTokens => {
            Err(Refused::no_equivalent("model"))
        }
    }
    .map_err(|refused| request.refused_as_sent(refused))?;
    drop(fitted);
    dropped.extend(written.dropped);
    let dropped = dropped.into_iter().map(|name| request.as_sent(name)).chain(searches).collect();
    Ok(Translated { body: written.body.into(), request: Arc::new(request), dropped })
}

/// Reads a provider's whole answer.
///
/// # Errors
///
/// It is not of the format.
pub fn read_reply(format: Format, body: &[u8]) -> Result<Reply, Garbage> {
    let body = json::check(body).map_err(|_| Garbage)?;
    match format {
        Format::Chat => chat::read_reply(body),
        Format::Responses => responses::read_reply(body),
        Format::Messages => messages::read_reply(body),
        Format::Gemini => gemini::read_reply(body),
        Format::Converse => converse::read_reply(body),
        Format::Ollama => ollama::read_reply(body),
        Format::Completions => completions::read_reply(body),
        Format::Embeddings | Format::Moderations | Format::CountTokens => Err(Garbage),
    }
}

/// Writes a whole answer for a caller.
#[must_use]
pub fn write_reply(format: Format, reply: &Reply, caller: &Caller) -> String {
    match format {
        Format::Chat => chat::write_reply(reply, caller),
        Format::Responses => responses::write_reply(reply, caller),
        Format::Messages => messages::write_reply(reply, caller),
        Format::Gemini => gemini::write_reply(reply, caller),
        Format::Converse => converse::write_reply(reply, caller),
        Format::Ollama => ollama::write_reply(reply, caller),
        Format::Completions => completions::write_reply(reply, caller),
        Format::Embeddings | Format::Moderations | Format::CountTokens => String::new(),
    }
}

fn reader(format: Format) -> Option<Box<dyn StreamReader>> {
    match format {
        Format::Chat => chat::stream_reader(),
        Format::Responses => responses::stream_reader(),
        Format::Messages => messages::stream_reader(),
        Format::Gemini => gemini::stream_reader(),
        Format::Converse => converse::stream_reader(),
        Format::Ollama => ollama::stream_reader(),
        Format::Completions => completions::stream_reader(),
        Format::Embeddings | Format::Moderations | Format::CountTokens => None,
    }
}

fn writer(format: Format, caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    match format {
        Format::Chat => chat::stream_writer(caller),
        Format::Responses => responses::stream_writer(caller),
        Format::Messages => messages::stream_writer(caller),
        Format::Gemini => gemini::stream_writer(caller),
        Format::Converse => converse::stream_writer(caller),
        Format::Ollama => ollama::stream_writer(caller),
        Format::Completions => completions::stream_writer(caller),
        Format::Embeddings | Format::Moderations | Format::CountTokens => None,
    }
}

/// Reads a provider's stream to its end into one answer: what a test compares, and what a caller gets who asked for no
/// stream. The bytes may come in any pieces.
///
/// # Errors
///
/// The stream failed, or is none.
pub fn read_stream<'a>(
    format: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Accumulator, StreamFault> {
    let mut reader = reader(format).ok_or(StreamFault::Garbage)?;
    let mut events = Vec::new();
    for piece in pieces {
        reader.push(piece, &mut events)?;
    }
    reader.finish(&mut events)?;
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    Ok(whole)
}

/// Whether both formats have streams and whole answers that can be read.
#[must_use]
pub fn has_streams(provider: Format, client: Format) -> bool {
    provider != Format::Completions
        && reader(provider).is_some()
        && writer(client, &Caller::default()).is_some()
}

/// Writes a whole answer as a caller's stream; none if the format has no streams.
#[must_use]
pub fn write_reply_as_stream(format: Format, reply: &Reply, caller: &Caller) -> Option<Bytes> {
    let mut writer = writer(format, caller)?;
    let mut out = BytesMut::new();
    for event in events_of(reply) {
        writer.write(&event, &mut out);
    }
    writer.complete(&mut out);
    Some(out.freeze())
}

/// Translates one streamed answer.
#[derive(Debug)]
pub struct Crossing {
    reader: Box<dyn StreamReader>,
    writer: Box<dyn StreamWriter>,
    events: Vec<Event>,
    /// Choices that began, and whether they stopped.
    choices: Vec<bool>,
    usage: Option<Usage>,
    visible: bool,
    over: Option<Ending>,
}

impl Crossing {
    /// Makes the translator of one stream; none if one of the formats has no streams.
    #[must_use]
    pub fn new(provider: Format, client: Format, caller: &Caller) -> Option<Self> {
        Some(Self {
            reader: reader(provider)?,
            writer: writer(client, caller)?,
            events: Vec::new(),
            choices: Vec::new(),
            usage: None,
            visible: false,
            over: None,
        })
    }

    /// Takes the next piece of the provider's body and appends what the caller gets.
    ///
    /// # Errors
    ///
    /// It failed before the caller could see anything.
    pub fn push(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), StreamFault> {
        if self.over.is_some() {
            return Ok(());
        }
        let mut events = std::mem::take(&mut self.events);
        let read = self.reader.push(bytes, &mut events);
        self.take(&events, out);
        events.clear();
        self.events = events;
        match read {
            Err(fault) if !self.visible => Err(fault),
            // It ended at once: nobody got anything, and another may be asked.
            Ok(()) if self.over == Some(Ending::Cut) && !self.visible => Err(StreamFault::Empty),
            Err(_fault) => {
                self.fail(Ending::UpstreamError, out);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The provider's body is over.
    pub fn finish(&mut self, out: &mut BytesMut) {
        if self.over.is_some() {
            return;
        }
        let mut events = Vec::new();
        let read = self.reader.finish(&mut events);
        self.take(&events, out);
        if self.over.is_some() {
            return;
        }
        if read.is_err() {
            self.fail(Ending::UpstreamError, out);
        } else if !self.choices.is_empty() && self.choices.iter().all(|stopped| *stopped) {
            self.complete(out);
        } else {
            self.fail(Ending::Cut, out);
        }
    }

    /// Whether the caller got something to see.
    #[must_use]
    pub fn visible(&self) -> bool {
        self.visible
    }

    /// How the stream ended, once it did.
    #[must_use]
    pub fn over(&self) -> Option<Ending> {
        self.over
    }

    /// Tokens, if the provider said them.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    fn take(&mut self, events: &[Event], out: &mut BytesMut) {
        for event in events {
            if self.over.is_some() {
                return;
            }
            self.note(event);
            self.writer.write(event, out);
            if *event == Event::End {
                // An end without a stop is the provider's word against its own: the choice broke off.
                if self.choices.iter().all(|stopped| *stopped) && !self.choices.is_empty() {
                    self.complete(out);
                } else {
                    self.fail(Ending::Cut, out);
                }
            }
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Open(at, opening) => {
                self.choice(at.choice, false);
                let whole = matches!(opening, Opening::Media { .. } | Opening::Foreign { .. });
                self.visible |= whole || matches!(opening, Opening::ToolUse { .. });
            }
            Event::Delta(_, Delta::Text(text) | Delta::Input(text)) => self.visible |= !text.is_empty(),
            Event::Stop(choice, _) => {
                self.choice(*choice, true);
                self.visible = true;
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Start | Event::Close(_) | Event::Delta(..) | Event::End => {}
        }
    }

    fn choice(&mut self, choice: u32, stopped: bool) {
        const CHOICES_MAX: usize = 128;
        let Some(index) = usize::try_from(choice).ok().filter(|index| *index < CHOICES_MAX) else { return };
        if self.choices.len() <= index {
            self.choices.resize(index + 1, false);
        }
        if let Some(slot) = self.choices.get_mut(index) {
            *slot |= stopped;
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        self.writer.complete(out);
        self.over = Some(Ending::Completed);
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        self.writer.fail(ending, out);
        self.over = Some(ending);
    }
}

/// Reads a provider's error body.
#[must_use]
pub fn read_error(format: Format, status: u16, body: &str) -> ProviderError {
    match format {
        Format::Chat | Format::Responses | Format::Completions | Format::Embeddings | Format::Moderations => {
            chat::read_error(status, body)
        }
        Format::Messages | Format::CountTokens => messages::read_error(status, body),
        Format::Gemini => gemini::read_error(status, body),
        Format::Converse => converse::read_error(status, body),
        Format::Ollama => ollama::read_error(status, body),
    }
}

/// Writes an error body for a caller.
#[must_use]
pub fn write_error(format: Format, error: &GatewayError) -> String {
    match format {
        Format::Chat
        | Format::Responses
        | Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations => chat::write_error(error),
        Format::Messages | Format::CountTokens => messages::write_error(error),
        Format::Gemini => gemini::write_error(error),
        Format::Converse => converse::write_error(error),
    }
}

#[cfg(test)]
mod tests;
