//! Reads a provider's stream: server-sent events, or one JSON array whose elements come one after the other (without
//! `alt=sse`).

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

use super::answer::Answer;
use crate::codec::StreamReader;
use crate::ir::Event;
use crate::json::{self, Place};
use crate::sse::{EventTooLarge, Frame, Framer};
use crate::{StreamFault, json::NotJson};

#[derive(Debug, Default)]
pub(super) struct Reader {
    answer: Answer,
    framing: Framing,
}

/// How the bytes are cut; the first that is no space tells.
#[derive(Debug, Default)]
enum Framing {
    #[default]
    Unknown,
    Events(Framer),
    Elements(Elements),
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let mut bytes = bytes;
        if matches!(self.framing, Framing::Unknown) {
            let space = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            bytes = bytes.get(space..).unwrap_or_default();
            self.framing = match bytes.first() {
                None => return Ok(()),
                Some(b'[' | b'{') => Framing::Elements(Elements::default()),
                Some(_) => Framing::Events(Framer::default()),
            };
        }
        match &mut self.framing {
            Framing::Unknown => Ok(()),
            Framing::Events(framer) => {
                framer.push(bytes);
                while let Some(frame) = framer.next_frame().map_err(too_large)? {
                    take_frame(&mut self.answer, &frame, events)?;
                }
                Ok(())
            }
            Framing::Elements(elements) => {
                elements.push(bytes);
                while let Some(element) = elements.next()? {
                    take(&mut self.answer, &element, events)?;
                }
                if elements.over {
                    self.answer.finish(events);
                    if !std::mem::replace(&mut elements.ended, true) {
                        events.push(Event::End);
                    }
                }
                Ok(())
            }
        }
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if let Framing::Events(framer) = std::mem::take(&mut self.framing)
            && let Some(frame) = framer.finish()
            // What was cut in its middle says nothing.
            && frame.data().is_some_and(|data| values(data).is_ok())
        {
            take_frame(&mut self.answer, &frame, events)?;
        }
        self.answer.finish(events);
        Ok(())
    }
}

fn too_large(_: EventTooLarge) -> StreamFault {
    StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX }
}

fn take_frame(answer: &mut Answer, frame: &Frame, events: &mut Vec<Event>) -> Result<(), StreamFault> {
    let Some(data) = frame.data().map(<[u8]>::trim_ascii) else { return Ok(()) };
    if data.is_empty() || data == b"[DONE]" {
        return Ok(());
    }
    for value in values(data).map_err(|_| StreamFault::Garbage)? {
        take_value(answer, value, events)?;
    }
    Ok(())
}

/// Reads the data of an event: one value, or one on each line where the empty lines between events got lost (a recording).
fn values(data: &[u8]) -> Result<Vec<&str>, NotJson> {
    match json::check(data) {
        Ok(value) => Ok(vec![value]),
        Err(error) if !data.contains(&b'\n') => Err(error),
        Err(_) => data
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
            .map(json::check)
            .collect(),
    }
}

fn take(answer: &mut Answer, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
    let value = json::check(bytes).map_err(|_| StreamFault::Garbage)?;
    take_value(answer, value, events)
}

fn take_value(answer: &mut Answer, value: &str, events: &mut Vec<Event>) -> Result<(), StreamFault> {
    let root = Place::root(value);
    if !root.is_array() {
        answer.take(root, events)?;
        return Ok(());
    }
    // An error may come as an array of one.
    for element in root.elements() {
        answer.take(element, events)?;
    }
    Ok(())
}

/// Cuts the elements out of an array whose bytes come in any pieces. An object alone is one element.
#[derive(Debug, Default)]
struct Elements {
    held: Vec<u8>,
    /// How far `held` was looked at.
    at: usize,
    /// Where the element at hand begins.
    start: Option<usize>,
    depth: u32,
    quoted: bool,
    escaped: bool,
    /// The array, if it is one, was closed.
    over: bool,
    ended: bool,
}

impl Elements {
    fn push(&mut self, bytes: &[u8]) {
        if !self.over {
            self.held.extend_from_slice(bytes);
        }
    }

    /// Returns the next element that is complete.
    fn next(&mut self) -> Result<Option<Vec<u8>>, StreamFault> {
        while let Some(byte) = self.held.get(self.at).copied() {
            let here = self.at;
            self.at += 1;
            if self.quoted {
                self.quoted = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.quoted = true,
                b'{' | b'[' => {
                    if byte == b'{' && self.start.is_none() {
                        self.start = Some(here);
                        self.depth = 0;
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    match self.start {
                        None => self.over = byte == b']',
                        Some(start) if self.depth == 0 => return Ok(Some(self.cut(start))),
                        Some(_) => {}
                    }
                }
                _ => {}
            }
        }
        if self.start.is_none() {
            self.held.clear();
            self.at = 0;
        }
        if self.held.len() > SSE_EVENT_BYTES_MAX {
            return Err(StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX });
        }
        Ok(None)
    }

    fn cut(&mut self, start: usize) -> Vec<u8> {
        let element = self.held.get(start..self.at).unwrap_or_default().to_vec();
        self.held.drain(..self.at);
        self.at = 0;
        self.start = None;
        element
    }
}
