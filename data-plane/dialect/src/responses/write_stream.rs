//! A stream for a caller: every event with its number and its places, every item from its beginning to its end, and the
//! whole answer in the last event (bug 22).

use bytes::BytesMut;

use super::build::Object;
use super::carrier;
use super::frames::Frames;
use super::object::{self, Call, State};
use super::open_item::{Message, Reasoning, ToolCall};
use crate::codec::{Caller, StreamWriter};
use crate::ir::{Delta, Event, Media, Opening, Source, Stop, StopReason, ToolIdShape, Usage, digest_id};
use crate::{Ending, Format};

/// Writes a stream.
#[derive(Debug)]
pub(super) struct Writer {
    caller: Caller,
    frames: Frames,
    started: bool,
    /// Items that are done, in source.
    output: Vec<String>,
    item: Option<Item>,
    /// The signature of the text or call at hand: it goes behind it, in an item of its own.
    signature: String,
    refused: bool,
    stop: Stop,
    usage: Option<Usage>,
}

/// The item that is open.
#[derive(Debug)]
enum Item {
    Message(Message),
    Reasoning(Reasoning),
    Call(ToolCall),
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start => self.start(out),
            // The format knows one answer.
            Event::Open(at, _) | Event::Delta(at, _) | Event::Close(at) if at.choice > 0 => {}
            Event::Open(_, opening) => self.open(opening, out),
            Event::Delta(_, delta) => self.delta(delta, out),
            Event::Close(_) => self.close(out),
            Event::Stop(0, stop) => self.stop = stop.clone(),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop(..) | Event::End => {}
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        self.start(out);
        self.end_item(self.status(), out);
        let state = State::ended(&self.stop, self.refused, &self.output, self.usage);
        let response = object::response(&self.caller, &state);
        let kind = format!("response.{}", state.status);
        self.frames.emit(&kind, out, |event| event.raw("response", &response));
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        self.start(out);
        if ending == Ending::Blocked {
            self.stop = Stop { reason: StopReason::Filtered, ..Stop::default() };
            self.refused = false;
            self.complete(out);
            return;
        }
        let (code, message) = match ending {
            Ending::UpstreamError => ("upstream_error", object::FAILED.1),
            Ending::Cut | Ending::Completed | Ending::Blocked => {
                ("upstream_cut", "the answer was cut off before its end; ask again")
            }
        };
        let error = Object::of("server_error").text("code", code).text("message", message);
        let error = error.raw("param", "null").end();
        // The vendor nests the error, its documents do not: a caller finds it in both places.
        self.frames.emit("error", out, |event| {
            event.text("code", code).text("message", message).raw("param", "null").raw("error", &error)
        });
        let state = State {
            status: "failed",
            output: &self.output,
            usage: self.usage,
            error: Some((object::FAILED.0, message)),
            ..State::default()
        };
        let response = object::response(&self.caller, &state);
        self.frames.emit("response.failed", out, |event| event.raw("response", &response));
    }
}

impl Writer {
    pub(super) fn new(caller: Caller) -> Self {
        Self {
            caller,
            frames: Frames::default(),
            started: false,
            output: Vec::new(),
            item: None,
            signature: String::new(),
            refused: false,
            stop: Stop::default(),
            usage: None,
        }
    }

    /// Makes one that writes no events, only the whole answer at the end.
    pub(super) fn silent(caller: Caller) -> Self {
        let mut writer = Self::new(caller);
        writer.frames.silent = true;
        writer.started = true;
        writer
    }

    /// Returns the whole answer.
    pub(super) fn response(&mut self) -> String {
        self.end_item(self.status(), &mut BytesMut::new());
        let state = State::ended(&self.stop, self.refused, &self.output, self.usage);
        object::response(&self.caller, &state)
    }

    /// Writes a picture, as if a tool of the provider had made it: this format has no other place for one.
    fn image(&mut self, media_type: &str, data: &str, out: &mut BytesMut) {
        self.end_item("completed", out);
        let image = Object::new()
            .text("id", &self.id("ig"))
            .text("type", "image_generation_call")
            .text("status", "completed")
            .text("output_format", media_type.strip_prefix("image/").unwrap_or(media_type))
            .text("result", data)
            .end();
        self.added(&image, out);
        self.done(image, out);
    }

    fn start(&mut self, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        let state = State { status: "in_progress", ..State::default() };
        let response = object::response(&self.caller, &state);
        for kind in ["response.created", "response.in_progress"] {
            self.frames.emit(kind, out, |event| event.raw("response", &response));
        }
    }

    /// Returns the status of the message that ends the answer.
    fn status(&self) -> &'static str {
        State::ended(&self.stop, self.refused, &[], None).incomplete.map_or("completed", |_| "incomplete")
    }

    /// Returns the number of the item at hand.
    fn index(&self) -> u64 {
        self.output.len() as u64
    }

    /// Returns the name of the item at hand.
    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.caller.id, self.output.len())
    }

    fn added(&mut self, item: &str, out: &mut BytesMut) {
        self.frames.item("response.output_item.added", self.index(), item, out);
    }

    fn done(&mut self, item: String, out: &mut BytesMut) {
        self.frames.item("response.output_item.done", self.index(), &item, out);
        self.output.push(item);
    }

    fn open(&mut self, opening: &Opening, out: &mut BytesMut) {
        self.start(out);
        match opening {
            Opening::Text => self.open_part(false, out),
            Opening::Refusal => {
                self.refused = true;
                self.open_part(true, out);
            }
            Opening::Thinking { signed_by, .. } => {
                self.end_item("completed", out);
                let reasoning = Reasoning::new(self.id("rs"), self.index(), *signed_by);
                self.added(&reasoning.item(), out);
                self.item = Some(Item::Reasoning(reasoning));
            }
            Opening::RedactedThinking { data, signed_by } => {
                self.end_item("completed", out);
                if let Some(encrypted) = carrier::redacted(data, *signed_by) {
                    self.carry(&encrypted, out);
                }
            }
            Opening::ToolUse { id, name, signature, custom } => {
                self.end_item("completed", out);
                if let Some(signature) = signature {
                    self.carry(&carrier::next(signature), out);
                }
                let member = self.caller.request.namespaces.members.get(name);
                let call = Call {
                    id: self.id(if *custom { "ctc" } else { "fc" }),
                    call_id: digest_id(id, ToolIdShape::OpenAi, "call_"),
                    name: member.map_or(name, |member| &member.name).clone(),
                    namespace: member.map(|member| member.namespace.clone()),
                    custom: *custom,
                };
                self.added(&call.item("in_progress", ""), out);
                self.item = Some(Item::Call(ToolCall { call, index: self.index(), input: String::new() }));
            }
            Opening::Foreign { format: Format::Responses, json, .. } => {
                self.end_item("completed", out);
                self.added(json, out);
                self.done(json.clone(), out);
            }
            Opening::Media { media: Media::Image, source: Source::Base64 { media_type, data } } => {
                self.image(media_type, data, out);
            }
            // Other media, and what only another format understands, cannot be said in this one.
            Opening::Media { .. } | Opening::Foreign { .. } => {}
        }
    }

    /// Opens a part of the message at hand, or of a new one.
    fn open_part(&mut self, refusal: bool, out: &mut BytesMut) {
        if !matches!(self.item, Some(Item::Message(_))) {
            self.end_item("completed", out);
            let message = Message::new(self.id("msg"), self.index());
            self.added(&message.item("in_progress"), out);
            self.item = Some(Item::Message(message));
        }
        if let Some(Item::Message(message)) = &mut self.item {
            message.open(refusal, &mut self.frames, out);
        }
    }

    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) {
        match (&mut self.item, delta) {
            (Some(Item::Message(message)), Delta::Text(text)) => message.text(text, &mut self.frames, out),
            (Some(Item::Message(message)), Delta::Logprobs(logprobs)) => message.logprobs(logprobs),
            (Some(Item::Message(message)), Delta::Citation(citation)) => message.cite(citation),
            (Some(Item::Reasoning(reasoning)), Delta::Text(text)) => {
                reasoning.text(text, &mut self.frames, out);
            }
            (Some(Item::Reasoning(reasoning)), Delta::Signature(more)) => {
                reasoning.signature.get_or_insert_default().push_str(more);
            }
            (Some(Item::Call(call)), Delta::Input(input)) => call.input(input, &mut self.frames, out),
            (Some(Item::Message(_) | Item::Call(_)), Delta::Signature(more)) => self.signature.push_str(more),
            _ => {}
        }
    }

    /// Closes a block. A message stays open: the next text may be a part of it.
    fn close(&mut self, out: &mut BytesMut) {
        match &mut self.item {
            Some(Item::Message(message)) => {
                message.close(&mut self.frames, out);
                if !self.signature.is_empty() {
                    self.end_item("completed", out);
                }
            }
            Some(Item::Reasoning(_) | Item::Call(_)) => self.end_item("completed", out),
            None => {}
        }
    }

    fn end_item(&mut self, status: &str, out: &mut BytesMut) {
        let item = match self.item.take() {
            None => return,
            Some(Item::Message(mut message)) => {
                message.close(&mut self.frames, out);
                message.item(status)
            }
            Some(Item::Reasoning(reasoning)) => {
                reasoning.close(&mut self.frames, out);
                reasoning.item()
            }
            Some(Item::Call(mut call)) => {
                call.close(&mut self.frames, out);
                call.call.item("completed", &call.input)
            }
        };
        self.done(item, out);
        let signature = std::mem::take(&mut self.signature);
        if !signature.is_empty() {
            self.carry(&carrier::previous(&signature), out);
        }
    }

    /// Writes an item that carries a signature.
    fn carry(&mut self, encrypted: &str, out: &mut BytesMut) {
        let id = self.id("rs");
        let item = object::reasoning_item(&id, "", Some(encrypted));
        self.added(&object::reasoning_item(&id, "", None), out);
        self.done(item, out);
    }
}
