//! A recorded stream by frames, and what a caller must get of it.

use breakwater_dialect::{Ending, Format};
use serde_json::Value;

use crate::{expected, kit};

/// A recorded stream.
#[derive(Debug)]
pub struct Stream {
    pub format: Format,
    pub bytes: Vec<u8>,
    pub frames: Vec<kit::frames::Frame>,
}

/// What the caller must get.
#[derive(Debug, PartialEq)]
pub struct Expected {
    /// The bytes; after a cut or an error the format's error follows.
    pub bytes: Vec<u8>,
    /// How it ends. Of a failure only that it is none that looks clean.
    pub ending: Ending,
}

impl Stream {
    pub fn new(format: Format, bytes: Vec<u8>) -> Result<Self, String> {
        let frames = kit::frames::split(format, &bytes)?;
        Ok(Self { format, bytes, frames })
    }

    pub fn events(&self) -> Vec<Value> {
        self.frames.iter().filter_map(|frame| frame.event.clone()).collect()
    }

    /// Where a frame begins.
    pub fn begin(&self, frame: usize) -> usize {
        frame.checked_sub(1).map_or(0, |before| self.frames[before].end)
    }

    /// What the caller must get of the first `count` frames.
    pub fn expected(&self, count: usize, asked_usage: bool) -> Expected {
        let mut bytes = Vec::new();
        let mut state = State::default();
        for (at, frame) in self.frames.iter().enumerate().take(count) {
            let source = &self.bytes[self.begin(at)..frame.end];
            if frame.event.as_ref().is_some_and(|event| is_error(self.format, event)) {
                return Expected { bytes, ending: Ending::UpstreamError };
            }
            if let Some(event) = &frame.event {
                state.take(self.format, event);
            }
            bytes.extend(rewritten(self.format, source, frame, asked_usage));
            if frame.done || frame.event.as_ref().is_some_and(|event| is_last(self.format, event)) {
                let ending = if self.format == Format::Responses && frame.done {
                    continue;
                } else {
                    Ending::Completed
                };
                return Expected { bytes, ending };
            }
        }
        if !state.is_whole() {
            return Expected { bytes, ending: Ending::Cut };
        }
        let end: Vec<u8> = match self.format {
            Format::Chat | Format::Completions => b"data: [DONE]\n\n".to_vec(),
            Format::Messages => b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_vec(),
            Format::Converse => METADATA.to_vec(),
            _ => Vec::new(),
        };
        bytes.extend(end);
        Expected { bytes, ending: Ending::Completed }
    }
}

/// Stands for the message that says that nothing is known of the tokens: its bytes are read by who compares.
pub const METADATA: &[u8] = b"<metadata>";

/// What is known of an answer's choices.
#[derive(Debug, Default)]
struct State {
    choices: std::collections::BTreeMap<u64, bool>,
    stopped: bool,
}

impl State {
    fn take(&mut self, format: Format, event: &Value) {
        let (choices, reason) = match format {
            Format::Chat | Format::Completions => (&event["choices"], "finish_reason"),
            Format::Gemini => (&event["candidates"], "finishReason"),
            Format::Messages => {
                self.stopped |= !event["delta"]["stop_reason"].is_null();
                return;
            }
            Format::Converse => {
                self.stopped |= event.get("messageStop").is_some();
                return;
            }
            _ => return,
        };
        for choice in choices.as_array().into_iter().flatten() {
            let ended = self.choices.entry(choice["index"].as_u64().unwrap_or(0)).or_default();
            *ended |= choice[reason].is_string();
        }
        self.stopped |= event["promptFeedback"].get("blockReason").is_some();
    }

    fn is_whole(&self) -> bool {
        self.stopped || (!self.choices.is_empty() && self.choices.values().all(|ended| *ended))
    }
}

/// Whether an event says that the upstream failed.
pub fn is_error(format: Format, event: &Value) -> bool {
    match format {
        Format::Chat | Format::Completions | Format::Gemini => event["error"].is_object(),
        Format::Responses => event["type"] == "error" || event["type"] == "response.failed",
        Format::Messages => event["type"] == "error",
        _ => event["exception"] == true,
    }
}

fn is_last(format: Format, event: &Value) -> bool {
    match format {
        Format::Responses => matches!(
            event["type"].as_str(),
            Some("response.completed" | "response.incomplete" | "response.cancelled")
        ),
        Format::Messages => event["type"] == "message_stop",
        Format::Converse => event.get("metadata").is_some(),
        _ => false,
    }
}

/// The frame's bytes with the documented edits in its one line of data.
fn rewritten(format: Format, source: &[u8], frame: &kit::frames::Frame, asked_usage: bool) -> Vec<u8> {
    if format == Format::Converse || frame.event.is_none() {
        return source.to_vec();
    }
    let text = std::str::from_utf8(source).expect("SSE is UTF-8");
    let line = text.lines().find(|line| line.starts_with("data:")).expect("an event has data");
    let data = line.trim_start_matches("data:").trim();
    match expected::event(format, data, asked_usage) {
        None => Vec::new(),
        Some(with) => {
            let mut out = text.replacen(data, &with, 1);
            if !out.ends_with("\n\n") && !out.ends_with("\r\n\r\n") && !out.ends_with("\r\r") {
                // What it lacks: the line's end may have come, the empty line not.
                out.push_str(if out.ends_with('\n') { "\n" } else { "\n\n" });
            }
            out.into_bytes()
        }
    }
}
