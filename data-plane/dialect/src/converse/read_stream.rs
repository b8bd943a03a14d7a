//! Bedrock's stream, read.
//!
//! A block of text or of thinking has no start of its own: its first delta begins it. Calls that Bedrock answers itself, their
//! results, and redacted thinking are whole in one event here, so they wait for their end.

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::codec::StreamReader;
use crate::eventstream::{Fault, Frame, Framer, MessageType};
use crate::ir::{At, Delta, Event, Opening};
use crate::json::{self, Place};
use crate::{Format, StreamFault};

use super::field::Field;
use super::read_reply::stop_sequence;
use super::words::{read_usage, stop};

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::<Reader>::default())
}

#[derive(Debug, Default)]
struct Reader {
    framer: Framer,
    started: bool,
    over: bool,
    /// A tool was called that the caller runs.
    called: bool,
    /// Blocks so far.
    blocks: u32,
    open: Option<Open>,
}

/// The block that is not at its end.
#[derive(Debug)]
struct Open {
    /// Bedrock's number of it.
    index: u32,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Call,
    /// Redacted thinking so far, in base64.
    Redacted(String),
    /// Bedrock's own call: the members of its block so far, in source, and its arguments.
    OwnCall {
        members: String,
        input: String,
    },
    /// The result of such a call: the members, and the elements of its content.
    OwnResult {
        members: String,
        content: String,
    },
    /// Nobody knows what it is.
    Unknown,
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        self.framer.push(bytes);
        loop {
            match self.framer.next_frame() {
                Ok(Some(frame)) => self.frame(&frame, events)?,
                Ok(None) => return Ok(()),
                Err(Fault::TooLarge) => return Err(too_large()),
                Err(Fault::Broken) => return Err(StreamFault::Garbage),
            }
        }
    }

    fn finish(&mut self, _events: &mut Vec<Event>) -> Result<(), StreamFault> {
        // What is left is a message that did not come whole: the stream was cut in it.
        Ok(())
    }
}

impl Reader {
    fn frame(&mut self, frame: &Frame, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        const CODE_BYTES_MAX: usize = 64;
        if frame.message_type != MessageType::Event {
            let mut code = frame.kind.clone();
            code.truncate(code.floor_char_boundary(CODE_BYTES_MAX));
            return Err(StreamFault::Upstream { code });
        }
        if self.over {
            return Ok(());
        }
        let payload = json::check(frame.payload()).map_err(|_| StreamFault::Garbage)?;
        let event = Place::root(payload);
        if !self.started {
            self.started = true;
            events.push(Event::Start);
        }
        let index = || event.get("contentBlockIndex").and_then(|index| index.as_u32()).unwrap_or_default();
        match &*frame.kind {
            "contentBlockStart" => {
                if let Some(start) = event.get("start") {
                    self.start(index(), start, events);
                }
            }
            "contentBlockDelta" => {
                if let Some(delta) = event.get("delta") {
                    self.delta(index(), delta, events)?;
                }
            }
            "contentBlockStop" if self.open_at(index()).is_some() => self.close(events),
            "messageStop" => {
                self.close(events);
                let word = event.get("stopReason").and_then(|word| word.as_str()).unwrap_or_default();
                let fields = Field::root(payload).get("additionalModelResponseFields");
                let sequence = fields.as_ref().and_then(stop_sequence);
                events.push(Event::Stop(0, stop(&word, self.called, sequence)));
            }
            "metadata" => {
                if let Some(usage) = Field::root(payload).get("usage") {
                    events.push(Event::Usage(read_usage(&usage)));
                }
                events.push(Event::End);
                self.over = true;
            }
            // `messageStart` says the role, which is always the same; others are not known yet.
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, index: u32, start: Place<'_>, events: &mut Vec<Event>) {
        let text = |place: Place<'_>, key: &str| {
            place.get(key).and_then(|value| value.as_str()).unwrap_or_default().into_owned()
        };
        if let Some(call) = start.get("toolUse") {
            if text(call, "type") == "server_tool_use" {
                let kind = Kind::OwnCall { members: members(call), input: String::new() };
                self.begin(index, kind, None, events);
                return;
            }
            self.called = true;
            let (id, name) = (text(call, "toolUseId"), text(call, "name"));
            let opening = Opening::ToolUse { id, name, signature: None, custom: false };
            self.begin(index, Kind::Call, Some(opening), events);
        } else if let Some(result) = start.get("toolResult") {
            let kind = Kind::OwnResult { members: members(result), content: String::new() };
            self.begin(index, kind, None, events);
        } else {
            self.begin(index, Kind::Unknown, None, events);
        }
    }

    fn delta(&mut self, index: u32, delta: Place<'_>, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        for member in delta.members() {
            let value = member.value;
            match &*member.key {
                "text" => {
                    let text = value.as_str().unwrap_or_default().into_owned();
                    self.continue_or_begin(index, &Kind::Text, events);
                    self.tell(Delta::Text(text), events);
                }
                "reasoningContent" => self.thought(index, value, events)?,
                "toolUse" => {
                    let input = value.get("input").and_then(|input| input.as_str()).unwrap_or_default();
                    match self.open_at(index) {
                        Some(Kind::Call) => self.tell(Delta::Input(input.into_owned()), events),
                        Some(Kind::OwnCall { input: held, .. }) => hold(held, &input)?,
                        _ => {}
                    }
                }
                "toolResult" => {
                    if let Some(Kind::OwnResult { content, .. }) = self.open_at(index) {
                        for element in value.elements() {
                            let comma = if content.is_empty() { "" } else { "," };
                            hold(content, &format!("{comma}{}", element.source()))?;
                        }
                    }
                }
                // Citations say where the text beside them comes from.
                _ => {}
            }
        }
        Ok(())
    }

    fn thought(
        &mut self,
        index: u32,
        thought: Place<'_>,
        events: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        for member in thought.members() {
            let Some(value) = member.value.as_str() else { continue };
            match &*member.key {
                "text" => {
                    self.continue_or_begin(index, &Kind::Thinking, events);
                    self.tell(Delta::Text(value.into_owned()), events);
                }
                "signature" if !value.is_empty() => {
                    self.continue_or_begin(index, &Kind::Thinking, events);
                    self.tell(Delta::Signature(value.into_owned()), events);
                }
                "redactedContent" => match self.open_at(index) {
                    Some(Kind::Redacted(held)) => join(held, &value)?,
                    _ => self.begin(index, Kind::Redacted(value.into_owned()), None, events),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Goes on with the block of this number if it is of this kind, else begins one.
    fn continue_or_begin(&mut self, index: u32, kind: &Kind, events: &mut Vec<Event>) {
        if self.open_at(index).is_some_and(|open| open == kind) {
            return;
        }
        let thinking = || Opening::Thinking { signed_by: Some(Format::Converse), id: String::new() };
        let (kind, opening) =
            if *kind == Kind::Text { (Kind::Text, Opening::Text) } else { (Kind::Thinking, thinking()) };
        self.begin(index, kind, Some(opening), events);
    }

    fn begin(&mut self, index: u32, kind: Kind, opening: Option<Opening>, events: &mut Vec<Event>) {
        self.close(events);
        events.extend(opening.map(|opening| Event::Open(self.at(), opening)));
        self.open = Some(Open { index, kind });
    }

    fn open_at(&mut self, index: u32) -> Option<&mut Kind> {
        self.open.as_mut().filter(|open| open.index == index).map(|open| &mut open.kind)
    }

    fn tell(&self, delta: Delta, events: &mut Vec<Event>) {
        events.push(Event::Delta(self.at(), delta));
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        let Some(open) = self.open.take() else { return };
        let foreign = |kind: &str, json: String| Opening::Foreign {
            format: Format::Converse,
            kind: kind.to_owned(),
            json,
        };
        let whole = match open.kind {
            Kind::Text | Kind::Thinking | Kind::Call => None,
            Kind::Unknown => return,
            Kind::Redacted(data) => {
                Some(Opening::RedactedThinking { data, signed_by: Some(Format::Converse) })
            }
            Kind::OwnCall { members, input } => {
                let input = if json::check(input.as_bytes()).is_ok() { &*input } else { "{}" };
                Some(foreign("toolUse", format!(r#"{{"toolUse":{{{members}"input":{input}}}}}"#)))
            }
            Kind::OwnResult { members, content } => {
                Some(foreign("toolResult", format!(r#"{{"toolResult":{{{members}"content":[{content}]}}}}"#)))
            }
        };
        events.extend(whole.map(|opening| Event::Open(self.at(), opening)));
        events.push(Event::Close(self.at()));
        self.blocks = self.blocks.saturating_add(1);
    }

    fn at(&self) -> At {
        At { choice: 0, block: self.blocks }
    }
}

/// Returns the members of an object in source, each with a comma behind.
fn members(object: Place<'_>) -> String {
    object
        .members()
        .map(|member| format!("{}:{},", json::quote(&member.key), member.value.source()))
        .collect()
}

/// Joins two pieces of base64, which each are whole.
fn join(held: &mut String, more: &str) -> Result<(), StreamFault> {
    let garbage = |_| StreamFault::Garbage;
    let mut bytes = STANDARD.decode(held.as_bytes()).map_err(garbage)?;
    bytes.extend(STANDARD.decode(more).map_err(garbage)?);
    held.clear();
    hold(held, &STANDARD.encode(bytes))
}

fn hold(held: &mut String, more: &str) -> Result<(), StreamFault> {
    if held.len() + more.len() > SSE_EVENT_BYTES_MAX {
        return Err(too_large());
    }
    held.push_str(more);
    Ok(())
}

fn too_large() -> StreamFault {
    StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX }
}
