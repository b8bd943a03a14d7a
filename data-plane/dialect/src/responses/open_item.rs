//! Items of a stream for a caller while they are open.

use bytes::BytesMut;

use super::carrier;
use super::frames::{Frames, Part};
use super::object::{self, Call};
use crate::Format;
use crate::ir::Citation;

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    id: String,
    index: u64,
    /// Parts that are done, in source.
    parts: Vec<String>,
    part: Option<Part>,
}

impl Message {
    pub(super) fn new(id: String, index: u64) -> Self {
        Self { id, index, parts: Vec::new(), part: None }
    }

    pub(super) fn item(&self, status: &str) -> String {
        object::message(&self.id, status, &self.parts)
    }

    pub(super) fn open(&mut self, refusal: bool, frames: &mut Frames, out: &mut BytesMut) {
        let part = Part { refusal, ..Part::default() };
        let (at, content) = ((self.id.as_str(), self.index), self.parts.len() as u64);
        frames.about("response.content_part.added", at, out, |event| {
            event.count("content_index", content).raw("part", &part.source())
        });
        self.part = Some(part);
    }

    pub(super) fn text(&mut self, text: &str, frames: &mut Frames, out: &mut BytesMut) {
        let Some(part) = self.part.as_mut().filter(|_| !text.is_empty()) else { return };
        part.text.push_str(text);
        let (at, content) = ((self.id.as_str(), self.index), self.parts.len() as u64);
        let refusal = part.refusal;
        let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        frames.about(kind, at, out, |event| {
            let event = event.count("content_index", content).text("delta", text);
            if refusal { event } else { event.raw("logprobs", "[]") }
        });
    }

    pub(super) fn logprobs(&mut self, logprobs: &str) {
        if let Some(part) = &mut self.part {
            part.logprobs.push(logprobs.to_owned());
        }
    }

    pub(super) fn cite(&mut self, citation: &Citation) {
        if let Some(part) = self.part.as_mut().filter(|part| !part.refusal) {
            part.citations.push(citation.clone());
        }
    }

    /// Closes the part that is open.
    pub(super) fn close(&mut self, frames: &mut Frames, out: &mut BytesMut) {
        let Some(part) = self.part.take() else { return };
        let (at, content) = ((self.id.as_str(), self.index), self.parts.len() as u64);
        for (number, annotation) in (0..).zip(part.annotations()) {
            frames.about("response.output_text.annotation.added", at, out, |event| {
                let event = event.count("content_index", content).count("annotation_index", number);
                event.raw("annotation", &annotation)
            });
        }
        let kind = if part.refusal { "response.refusal.done" } else { "response.output_text.done" };
        frames.about(kind, at, out, |event| {
            let event = event.count("content_index", content);
            if part.refusal {
                event.text("refusal", &part.text)
            } else {
                event.text("text", &part.text).raw("logprobs", &part.logprobs())
            }
        });
        let source = part.source();
        frames.about("response.content_part.done", at, out, |event| {
            event.count("content_index", content).raw("part", &source)
        });
        self.parts.push(source);
    }
}

/// Reasoning: one summary of one text.
#[derive(Debug)]
pub(super) struct Reasoning {
    id: String,
    index: u64,
    text: String,
    pub(super) signature: Option<String>,
    signed_by: Option<Format>,
}

impl Reasoning {
    pub(super) fn new(id: String, index: u64, signed_by: Option<Format>) -> Self {
        Self { id, index, text: String::new(), signature: None, signed_by }
    }

    pub(super) fn item(&self) -> String {
        let encrypted = carrier::thinking(self.signature.as_deref(), self.signed_by);
        object::reasoning_item(&self.id, &self.text, encrypted.as_deref())
    }

    pub(super) fn text(&mut self, text: &str, frames: &mut Frames, out: &mut BytesMut) {
        if text.is_empty() {
            return;
        }
        let at = (self.id.as_str(), self.index);
        if self.text.is_empty() {
            frames.about("response.reasoning_summary_part.added", at, out, |event| {
                event.count("summary_index", 0).raw("part", &object::summary_text(""))
            });
        }
        self.text.push_str(text);
        frames.about("response.reasoning_summary_text.delta", at, out, |event| {
            event.count("summary_index", 0).text("delta", text)
        });
    }

    pub(super) fn close(&self, frames: &mut Frames, out: &mut BytesMut) {
        if self.text.is_empty() {
            return;
        }
        let at = (self.id.as_str(), self.index);
        frames.about("response.reasoning_summary_text.done", at, out, |event| {
            event.count("summary_index", 0).text("text", &self.text)
        });
        frames.about("response.reasoning_summary_part.done", at, out, |event| {
            event.count("summary_index", 0).raw("part", &object::summary_text(&self.text))
        });
    }
}

/// A call.
#[derive(Debug)]
pub(super) struct ToolCall {
    pub(super) call: Call,
    pub(super) index: u64,
    pub(super) input: String,
}

impl ToolCall {
    fn word(&self) -> &'static str {
        if self.call.custom { "response.custom_tool_call_input" } else { "response.function_call_arguments" }
    }

    pub(super) fn input(&mut self, input: &str, frames: &mut Frames, out: &mut BytesMut) {
        if input.is_empty() {
            return;
        }
        self.input.push_str(input);
        let kind = format!("{}.delta", self.word());
        frames.about(&kind, (&self.call.id, self.index), out, |event| event.text("delta", input));
    }

    /// Closes it. Arguments that nobody gave are an empty object (bug 25).
    pub(super) fn close(&mut self, frames: &mut Frames, out: &mut BytesMut) {
        if !self.call.custom && self.input.trim().is_empty() {
            self.input.clear();
            self.input("{}", frames, out);
        }
        let kind = format!("{}.done", self.word());
        let key = if self.call.custom { "input" } else { "arguments" };
        frames.about(&kind, (&self.call.id, self.index), out, |event| {
            let event = event.text(key, &self.input);
            if self.call.custom { event } else { event.text("name", &self.call.name) }
        });
    }
}
