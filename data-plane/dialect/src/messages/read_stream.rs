//! Reads a provider's stream.
//!
//! Providers of this format that are not Anthropic leave out starts and stops of blocks, so that each delta is checked
//! against the block at hand: one that does not fit ends it and begins its own (bug 3).

use super::field::member;
use super::read_reply::citation;
use super::{stop, usage};
use crate::codec::StreamReader;
use crate::ir::{At, Delta, Event, Opening, Usage};
use crate::json::{self, Edits, Place};
use crate::sse::{Frame, Framer};
use crate::{Format, StreamFault};
use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

/// The block at hand.
#[derive(Debug)]
enum Open {
    None,
    Text,
    Thinking,
    /// Redacted thinking, to which nothing is added.
    Sealed,
    /// A tool call, with the arguments that its start held; some servers send them there and nowhere else.
    Tool {
        held: String,
        written: bool,
    },
    /// A block that only this format knows. It is passed on whole, so its pieces are collected.
    Foreign {
        kind: String,
        json: String,
        input: String,
        content: Option<String>,
    },
}

/// See the module.
#[derive(Debug)]
pub(super) struct Reader {
    framer: Framer,
    started: bool,
    open: Open,
    /// Number of the block at hand, or of the next.
    block: u32,
    calls_tools: bool,
    stopped: bool,
    ended: bool,
    usage: Usage,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            framer: Framer::default(),
            started: false,
            open: Open::None,
            block: 0,
            calls_tools: false,
            stopped: false,
            ended: false,
            usage: Usage::default(),
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        let Some(data) = frame.data() else { return Ok(()) };
        if self.ended || data.is_empty() || data == b"[DONE]" {
            return Ok(());
        }
        let text = json::check(data).map_err(|_| StreamFault::Garbage)?;
        let root = Place::root(text);
        // An event that is named an error is one, whatever type its data says (llama.cpp: that of the error).
        let said = member(root, "type").and_then(|kind| kind.as_str()).filter(|_| frame.event != "error");
        match said.as_deref().unwrap_or(&frame.event) {
            "message_start" => self.message_start(root, events),
            "content_block_start" => self.block_start(root, events),
            "content_block_delta" => self.block_delta(root, events),
            "content_block_stop" => self.close(events),
            "message_delta" => self.message_delta(root, events),
            "message_stop" => self.message_stop(events),
            "error" => return Err(fault(root)),
            // `ping`, and what is not known yet.
            _ => {}
        }
        Ok(())
    }

    /// A second start is some servers' way to say more of the usage (bug 3).
    fn message_start(&mut self, root: Place<'_>, events: &mut Vec<Event>) {
        self.start(events);
        let said = member(root, "message").and_then(|message| member(message, "usage"));
        self.count(said, events);
    }

    fn start(&mut self, events: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            events.push(Event::Start);
        }
    }

    fn count(&mut self, said: Option<Place<'_>>, events: &mut Vec<Event>) {
        if let Some(said) = said.filter(Place::is_object) {
            usage::read(said, &mut self.usage);
            events.push(Event::Usage(self.usage));
        }
    }

    fn at(&self) -> At {
        At { choice: 0, block: self.block }
    }

    fn delta(&self, delta: Delta, events: &mut Vec<Event>) {
        events.push(Event::Delta(self.at(), delta));
    }

    fn begin(&mut self, open: Open, opening: Opening, events: &mut Vec<Event>) {
        self.close(events);
        self.start(events);
        self.open = open;
        events.push(Event::Open(self.at(), opening));
    }

    fn block_start(&mut self, root: Place<'_>, events: &mut Vec<Event>) {
        let Some(block) = member(root, "content_block") else { return };
        let text = |key: &str| {
            member(block, key)
                .and_then(|value| value.as_str())
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default()
        };
        let kind = text("type");
        match kind.as_str() {
            "text" => {
                self.begin(Open::Text, Opening::Text, events);
                self.piece(text("text"), Delta::Text, events);
            }
            "thinking" => {
                self.begin(Open::Thinking, thinking(), events);
                self.piece(text("thinking"), Delta::Text, events);
                self.piece(text("signature"), Delta::Signature, events);
            }
            "redacted_thinking" => {
                let signed_by = Some(Format::Messages);
                self.begin(Open::Sealed, Opening::RedactedThinking { data: text("data"), signed_by }, events);
            }
            "tool_use" => {
                let held = member(block, "input").filter(Place::is_object).map(|it| it.source().to_owned());
                let open = Open::Tool { held: held.unwrap_or_default(), written: false };
                let opening =
                    Opening::ToolUse { id: text("id"), name: text("name"), signature: None, custom: false };
                self.begin(open, opening, events);
                self.calls_tools = true;
            }
            _ => {
                self.close(events);
                self.start(events);
                let json = block.source().to_owned();
                self.open = Open::Foreign { kind, json, input: String::new(), content: None };
            }
        }
    }

    fn piece(&self, text: String, delta: fn(String) -> Delta, events: &mut Vec<Event>) {
        if !text.is_empty() {
            self.delta(delta(text), events);
        }
    }

    fn block_delta(&mut self, root: Place<'_>, events: &mut Vec<Event>) {
        let Some(delta) = member(root, "delta") else { return };
        let text = |key: &str| member(delta, key).and_then(|value| value.as_str()).unwrap_or_default();
        match text("type").as_ref() {
            "text_delta" => {
                if !matches!(self.open, Open::Text) {
                    self.begin(Open::Text, Opening::Text, events);
                }
                self.piece(text("text").into_owned(), Delta::Text, events);
            }
            kind @ ("thinking_delta" | "signature_delta") => {
                if !matches!(self.open, Open::Thinking) {
                    self.begin(Open::Thinking, thinking(), events);
                }
                if kind == "thinking_delta" {
                    self.piece(text("thinking").into_owned(), Delta::Text, events);
                } else {
                    self.piece(text("signature").into_owned(), Delta::Signature, events);
                }
            }
            "input_json_delta" => self.input(&text("partial_json"), events),
            "compaction_delta" => {
                if let (Open::Foreign { content, .. }, Some(value)) = (&mut self.open, delta.get("content")) {
                    *content = Some(value.source().to_owned());
                }
            }
            "citations_delta" if matches!(self.open, Open::Text) => {
                if let Some(citation) = member(delta, "citation").and_then(citation) {
                    self.delta(Delta::Citation(citation), events);
                }
            }
            // What is not known yet.
            _ => {}
        }
    }

    /// The first piece is empty more often than not.
    fn input(&mut self, piece: &str, events: &mut Vec<Event>) {
        match &mut self.open {
            _ if piece.is_empty() => {}
            Open::Tool { written, .. } => {
                *written = true;
                self.delta(Delta::Input(piece.to_owned()), events);
            }
            Open::Foreign { input, .. } => input.push_str(piece),
            // Arguments of no call.
            Open::None | Open::Text | Open::Thinking | Open::Sealed => {}
        }
    }

    fn close(&mut self, events: &mut Vec<Event>) {
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None => return,
            Open::Text | Open::Thinking | Open::Sealed => {}
            Open::Tool { held, written } => {
                if !written {
                    let input = if held.is_empty() { "{}".to_owned() } else { held };
                    self.delta(Delta::Input(input), events);
                }
            }
            Open::Foreign { kind, json, input, content } => {
                let json = completed(json, &input, content.as_deref());
                events
                    .push(Event::Open(self.at(), Opening::Foreign { format: Format::Messages, kind, json }));
            }
        }
        events.push(Event::Close(self.at()));
        self.block = self.block.saturating_add(1);
    }

    fn message_delta(&mut self, root: Place<'_>, events: &mut Vec<Event>) {
        self.close(events);
        self.start(events);
        self.count(member(root, "usage"), events);
        let Some(delta) = member(root, "delta") else { return };
        let reason = member(delta, "stop_reason").and_then(|reason| reason.as_str());
        let sequence = member(delta, "stop_sequence").and_then(|sequence| sequence.as_str());
        if let Some(reason) = reason {
            self.stop(&reason, sequence.map(std::borrow::Cow::into_owned), events);
        }
    }

    fn stop(&mut self, reason: &str, sequence: Option<String>, events: &mut Vec<Event>) {
        if !self.stopped {
            self.stopped = true;
            events.push(Event::Stop(0, stop::read(reason, sequence, self.calls_tools)));
        }
    }

    /// The format's own last event says that all is there, also where a server forgot the reason.
    fn message_stop(&mut self, events: &mut Vec<Event>) {
        self.close(events);
        self.start(events);
        self.stop("", None, events);
        self.ended = true;
        events.push(Event::End);
    }
}

impl StreamReader for Reader {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), StreamFault> {
        self.framer.push(bytes);
        let too_large = |_| StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX };
        while let Some(frame) = self.framer.next_frame().map_err(too_large)? {
            self.frame(&frame, events)?;
        }
        Ok(())
    }

    fn finish(&mut self, events: &mut Vec<Event>) -> Result<(), StreamFault> {
        match std::mem::take(&mut self.framer).finish() {
            Some(frame) => self.frame(&frame, events),
            None => Ok(()),
        }
    }
}

fn thinking() -> Opening {
    Opening::Thinking { signed_by: Some(Format::Messages), id: String::new() }
}

/// Puts the collected pieces of a block into its start.
fn completed(json: String, input: &str, content: Option<&str>) -> String {
    let root = Place::root(&json);
    let mut edits = Edits::default();
    if let Some(place) = root.get("input").filter(|_| json::check(input.as_bytes()).is_ok()) {
        edits.replace(place.range(), input);
    }
    if let (Some(place), Some(content)) = (root.get("content"), content) {
        edits.replace(place.range(), content);
    }
    if edits.is_empty() { json } else { edits.apply(&json) }
}

fn fault(root: Place<'_>) -> StreamFault {
    let kind = member(member(root, "error").unwrap_or(root), "type").and_then(|kind| kind.as_str());
    let mut code = kind.unwrap_or_default().into_owned();
    let end = code.floor_char_boundary(64);
    code.truncate(end);
    StreamFault::Upstream { code }
}
