//! A provider's stream.

use std::borrow::Cow;

use super::assembly::{Assembly, Name, What};
use super::item::{self, Part, Piece, word};
use super::read_reply::finish;
use crate::StreamFault;
use crate::codec::StreamReader;
use crate::ir::Event;
use crate::json::{self, Place};
use crate::sse::{EventTooLarge, Frame, Framer};
use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

/// Bytes of an upstream's code that are kept.
const CODE_BYTES_MAX: usize = 64;

/// Reads a stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    framer: Framer,
    assembly: Assembly,
    over: bool,
}

/// The members of an event that are looked at.
#[derive(Debug, Default)]
struct Wire<'a> {
    kind: Cow<'a, str>,
    output_index: Option<Place<'a>>,
    item_id: Option<Place<'a>>,
    part_index: Option<Place<'a>>,
    /// `delta`: more of a text.
    delta: Option<Place<'a>>,
    /// `text`, `arguments`, `input` or `refusal`: all of a text.
    full: Option<Place<'a>>,
    logprobs: Option<Place<'a>>,
    part: Option<Place<'a>>,
    item: Option<Place<'a>>,
    response: Option<Place<'a>>,
    error: Option<Place<'a>>,
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.framer.push(bytes);
        while let Some(frame) = self
            .framer
            .next_frame()
            .map_err(|EventTooLarge| StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX })?
        {
            self.frame(&frame, events)?;
        }
        Ok(())
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        match std::mem::take(&mut self.framer).finish() {
            // An event torn in the middle is a cut stream, not a wrong one.
            Some(frame) if frame.data().is_none_or(|data| json::check(data).is_ok()) => {
                self.frame(&frame, events)
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Reader {
    fn frame(&mut self, frame: &Frame, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let Some(data) = frame.data().filter(|data| !self.over && *data != b"[DONE]") else { return Ok(()) };
        let text = json::check(data).map_err(|_| StreamFault::Garbage)?;
        let root = Place::root(text);
        let mut wire = Wire::read(root);
        // An event that is named an error is one, whatever type its data says (llama.cpp: that of the error).
        if wire.kind.is_empty() || frame.event == "error" {
            wire.kind = Cow::Borrowed(&frame.event);
        }
        self.event(root, &wire, events)
    }

    fn event(
        &mut self,
        root: Place<'_>,
        wire: &Wire<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        let what = match &*wire.kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.assembly.start(events);
                return Ok(());
            }
            "response.completed" | "response.incomplete" => {
                if let Some(response) = wire.response {
                    self.over = true;
                    finish(&mut self.assembly, response, events);
                }
                return Ok(());
            }
            "response.failed" | "response.cancelled" => {
                let error = wire.response.and_then(|response| response.get("error"));
                return Err(fault(error.filter(Place::is_object).or(wire.response)));
            }
            "error" => return Err(fault(wire.error.filter(Place::is_object).or(Some(root)))),
            // Servers that know no event of errors send the body of one.
            "" if wire.error.is_some_and(|error| !error.is_null()) => return Err(fault(wire.error)),
            "response.output_item.added" => wire.item.map(|item| What::Begin(item::kind(item))),
            "response.output_item.done" => wire.item.map(|item| What::End(item::whole(item))),
            "response.content_part.done" | "response.reasoning_summary_part.done" => wire.part_done(),
            kind => wire.text(kind),
        };
        if let Some(what) = what {
            self.assembly.take(&wire.name(), what, events);
        }
        Ok(())
    }
}

impl<'a> Wire<'a> {
    fn read(root: Place<'a>) -> Self {
        let mut wire = Self::default();
        for member in root.members() {
            let slot = match &*member.key {
                "type" => {
                    wire.kind = member.value.as_str().unwrap_or_default();
                    continue;
                }
                "output_index" => &mut wire.output_index,
                "item_id" => &mut wire.item_id,
                "content_index" | "summary_index" => &mut wire.part_index,
                "delta" => &mut wire.delta,
                "text" | "arguments" | "input" | "refusal" => &mut wire.full,
                "logprobs" => &mut wire.logprobs,
                "part" => &mut wire.part,
                "item" => &mut wire.item,
                "response" => &mut wire.response,
                "error" => &mut wire.error,
                _ => continue,
            };
            *slot = Some(member.value);
        }
        wire
    }

    /// Returns how the server names the item: pieces by its index, and by its name only where there is none.
    fn name(&self) -> Name {
        let index = self.output_index.and_then(|index| index.as_u32());
        let id = match self.item {
            Some(item) => item.get("id"),
            None => self.item_id.filter(|_| index.is_none()),
        };
        Name { index, id: id.and_then(|id| id.as_str()).unwrap_or_default().into_owned() }
    }

    fn index(&self) -> u32 {
        self.part_index.and_then(|index| index.as_u32()).unwrap_or_default()
    }

    fn part_done(&self) -> Option<What> {
        item::content(self.index(), self.part?).map(What::Full)
    }

    /// Reads an event that brings a text: `.delta` more of it, `.done` all of it.
    fn text(&self, kind: &str) -> Option<What> {
        let (of, how) = kind.strip_prefix("response.")?.rsplit_once('.')?;
        let index = self.index();
        let part = match of {
            "output_text" => Part::Text(index),
            "refusal" => Part::Refusal(index),
            "reasoning_summary_text" => Part::Summary(index),
            "reasoning_text" => Part::Reasoning(index),
            "function_call_arguments" | "custom_tool_call_input" => Part::Input,
            _ => return None,
        };
        let whole = match how {
            "delta" => false,
            "done" => true,
            _ => return None,
        };
        let text = if whole { self.full } else { self.delta }?.as_str()?.into_owned();
        let piece = Piece { logprobs: item::logprobs(self.logprobs), ..item::plain(part, text) };
        Some(if whole { What::Full(piece) } else { What::Piece(piece) })
    }
}

/// Makes the fault of an error: its code, else its type.
fn fault(error: Option<Place<'_>>) -> StreamFault {
    let word = |key| error.map(|error| word(error, key)).filter(|word| !word.is_empty());
    let mut code = word("code").or_else(|| word("type")).unwrap_or_default();
    let end = (0..=CODE_BYTES_MAX).rev().find(|end| code.is_char_boundary(*end)).unwrap_or_default();
    code.truncate(end);
    StreamFault::Upstream { code }
}
