//! A provider's stream: server-sent events with chunks, and `[DONE]`.

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

use super::message::{self, From};
use super::read_alike::{Alike, Piece};
use super::weave::Weave;
use super::wire::{self, Chunk};
use super::{cite, stops, usage};
use crate::StreamFault;
use crate::codec::StreamReader;
use crate::ir::{Citation, Event};
use crate::json::Place;
use crate::sse::{Frame, Framer, first_event};

/// Choices beyond this are not read (OpenAI's own bound of `n`).
const CHOICES_MAX: u32 = 128;

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    framer: Framer,
    alike: Alike,
    /// The vendor's name of the answer.
    name: String,
    choices: Vec<Choice>,
    /// What the answer stands on, as the last chunk says it.
    sources: Vec<Citation>,
    started: bool,
    over: bool,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    weave: Weave,
    /// The vendor's word for why it ended. Said more than once by some (OpenRouter), so the stop waits for the end.
    finish: Option<String>,
    /// The member of that word was there and null: this vendor says it.
    says_finish: bool,
    stopped: bool,
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        let mut rest = bytes;
        while !self.over && !rest.is_empty() {
            rest = self.read_alike(rest, events);
            let (piece, after) = rest.split_at_checked(first_event(rest)).unwrap_or((rest, &[]));
            rest = after;
            self.framer.push(piece);
            self.take_frames(events)?;
        }
        Ok(())
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        if let Some(frame) = std::mem::take(&mut self.framer).finish() {
            self.frame(&frame, events)?;
        }
        // Perplexity, Hugging Face and some of Groq send no end marker; what stopped is whole without it.
        self.stop(false, events);
        self.over = true;
        Ok(())
    }
}

impl Reader {
    /// Takes the chunks at the beginning that are like one that was read, and returns what follows them.
    fn read_alike<'a>(&mut self, bytes: &'a [u8], events: &mut Vec<Event>) -> &'a [u8] {
        if !self.framer.between_events() {
            return bytes;
        }
        let mut at = 0;
        while let Some(piece) = self.alike.piece(bytes, at) {
            at = piece.end;
            take_piece(&piece, &self.name, &mut self.choices, events);
        }
        bytes.get(at..).unwrap_or_default()
    }

    /// Takes the next chunk that came in pieces if it is like one that was read.
    fn skip_alike(&mut self, events: &mut Vec<Event>) -> bool {
        let Ok(Some(event)) = self.framer.peek() else { return false };
        let Some(piece) = self.alike.piece(event, 0).filter(|piece| piece.end == event.len()) else {
            return false;
        };
        take_piece(&piece, &self.name, &mut self.choices, events);
        self.framer.skip();
        true
    }

    /// Takes the frames that are complete.
    fn take_frames(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        while !self.over {
            if self.skip_alike(events) {
                continue;
            }
            match self.framer.next_frame() {
                Ok(Some(frame)) => self.frame(&frame, events)?,
                Ok(None) => break,
                Err(_) => return self.fail(StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX }),
            }
        }
        Ok(())
    }

    fn fail<T>(&mut self, fault: StreamFault) -> Result<T, StreamFault> {
        self.over = true;
        Err(fault)
    }

    /// What a cut stream leaves of its last event is no fault of its own.
    fn garbage(&mut self, frame: &Frame) -> Result<(), StreamFault> {
        if frame.terminated { self.fail(StreamFault::Garbage) } else { Ok(()) }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let Some(data) = frame.data() else { return Ok(()) };
        let Ok(data) = std::str::from_utf8(data) else { return self.garbage(frame) };
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.start(events);
            self.stop(true, events);
            events.push(Event::End);
            self.over = true;
            return Ok(());
        }
        match serde_json::from_str::<Chunk<'_>>(data) {
            Ok(chunk) => {
                self.chunk(&chunk, events)?;
                self.alike.keep(frame, &chunk);
                Ok(())
            }
            Err(_) => {
                let once = wire::with_keys_once(data);
                match once.as_deref().map(serde_json::from_str::<Chunk<'_>>) {
                    Some(Ok(chunk)) => self.chunk(&chunk, events),
                    Some(Err(_)) | None => self.garbage(frame),
                }
            }
        }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if let Some(error) = chunk.error {
            let code = code(Place::root(error.get()));
            return self.fail(StreamFault::Upstream { code });
        }
        // Mistral and vLLM put an error where the chunk should be.
        if wire::text(chunk.object) == "error" {
            return self.fail(StreamFault::Upstream { code: String::new() });
        }
        self.start(events);
        if self.name.is_empty() {
            self.name = wire::text(chunk.id).into_owned();
        }
        for choice in chunk.choices.iter().flatten() {
            self.choice(choice, events);
        }
        if chunk.citations.is_some() || chunk.search_results.is_some() {
            self.sources = cite::sources(chunk.citations, chunk.search_results);
        }
        let hidden = || wire::place(chunk.x_groq).and_then(|groq| groq.get("usage"));
        if let Some(usage) = wire::place(chunk.usage).or_else(hidden).and_then(usage::read) {
            events.push(Event::Usage(usage));
        }
        Ok(())
    }

    fn choice(&mut self, choice: &wire::Choice<'_>, events: &mut Vec<Event>) {
        let index = wire::number(choice.index).unwrap_or_default();
        if index >= CHOICES_MAX {
            return;
        }
        let place = self.choices.iter().position(|known| known.index == index).unwrap_or_else(|| {
            let weave = Weave::new(index);
            self.choices.push(Choice { index, weave, finish: None, says_finish: false, stopped: false });
            self.choices.len().saturating_sub(1)
        });
        let Some(state) = self.choices.get_mut(place) else { return };
        if let Some(delta) = &choice.delta {
            message::take(delta, From::Provider, &self.name, &mut state.weave, events);
        }
        if let Some(entries) = message::logprobs(choice.logprobs) {
            state.weave.logprobs(entries, events);
        }
        let finish = wire::text(choice.finish_reason);
        if !finish.is_empty() {
            state.finish = Some(finish.into_owned());
        }
        state.says_finish |= choice.finish_reason.is_some_and(|finish| finish.get() == "null");
    }

    fn start(&mut self, events: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            events.push(Event::Start);
        }
    }

    /// Ends the choices whose end was said. At the end marker also those of a vendor that never says one (Snowflake).
    fn stop(&mut self, marked: bool, events: &mut Vec<Event>) {
        for choice in self.choices.iter_mut().filter(|choice| !choice.stopped) {
            if choice.finish.is_none() && (choice.says_finish || !marked) {
                continue;
            }
            choice.stopped = true;
            choice.weave.sources(&self.sources, events);
            choice.weave.close(&self.name, events);
            let word = choice.finish.as_deref().unwrap_or_default();
            let stop = stops::read(word, choice.weave.called(), choice.weave.refused());
            events.push(Event::Stop(choice.index, stop));
        }
    }
}

fn take_piece(piece: &Piece<'_>, reply: &str, choices: &mut [Choice], events: &mut Vec<Event>) {
    if let Some(choice) = choices.iter_mut().find(|choice| choice.index == piece.choice) {
        piece.take(reply, &mut choice.weave, events);
    }
}

/// The code of an error, else its type; at most 64 bytes.
fn code(error: Place<'_>) -> String {
    const CODE_BYTES_MAX: usize = 64;
    let word = |key: &str| {
        let word = error.get(key)?;
        let word = if word.is_string() { word.as_str()?.into_owned() } else { word.source().to_owned() };
        (!word.is_empty() && word != "null").then_some(word)
    };
    let mut code = word("code").or_else(|| word("type")).unwrap_or_default();
    let cut = (0..=CODE_BYTES_MAX).rev().find(|at| code.is_char_boundary(*at)).unwrap_or_default();
    code.truncate(cut);
    code
}

#[cfg(test)]
mod alike_tests;
#[cfg(test)]
mod tests;
