//! How a recorded answer goes to a caller of another format.

use std::sync::Arc;

use breakwater_dialect::codec::Caller;
use breakwater_dialect::{Format, translate};
use serde_json::Value;

use crate::kit::frames::Frame;
use crate::kit::recordings::{Body, Recording, all};
use crate::kit::semantics::{items, text};
use crate::kit::{frames, says_stop};

/// The formats in which callers speak.
pub const CLIENTS: [Format; 5] =
    [Format::Chat, Format::Responses, Format::Messages, Format::Gemini, Format::Converse];

/// The caller's name for the model.
pub const ALIAS: &str = "the-alias";

/// The caller of a recorded call. What was asked is what was recorded, where it can be read.
pub fn caller(recording: &Recording, format: Format, include_usage: bool) -> Caller {
    let asked = match &recording.request {
        Value::Null => None,
        request => translate::read_request(format, &request.to_string()).ok(),
    };
    Caller {
        alias: ALIAS.to_owned(),
        id: "0123456789abcdefABCDEF01".to_owned(),
        created: 1_760_000_000,
        include_usage,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(asked.unwrap_or_default()),
    }
}

/// Recorded whole answers, and why the others are none.
pub fn replies() -> impl Iterator<Item = (&'static Recording, Format, Result<&'static Value, &'static str>)> {
    all().iter().filter(|one| one.status == 200).filter_map(|one| match (&one.reply, one.format) {
        (Body::Whole(body), Some(format)) => Some((one, format, answer(format, body).map(|()| body))),
        _ => None,
    })
}

/// A recorded stream: its bytes, cut into frames.
pub struct Stream {
    pub recording: &'static Recording,
    pub format: Format,
    pub bytes: &'static [u8],
    pub frames: Vec<Frame>,
}

impl Stream {
    pub fn events(&self) -> Vec<Value> {
        self.frames.iter().filter_map(|frame| frame.event.clone()).collect()
    }
}

/// Recorded streams that came to their end, and why the others did not.
pub fn streams() -> impl Iterator<Item = Result<Stream, (&'static Recording, Format, &'static str)>> {
    all().iter().filter(|one| one.status == 200).filter_map(|one| match (&one.reply, one.format) {
        (Body::Stream(bytes), Some(format)) => Some(stream(one, format, bytes)),
        _ => None,
    })
}

fn stream(
    recording: &'static Recording,
    format: Format,
    bytes: &'static [u8],
) -> Result<Stream, (&'static Recording, Format, &'static str)> {
    let no = |why| Err((recording, format, why));
    let Ok(frames) = frames::split(format, bytes) else { return no("not frames of its format") };
    let mut events = frames.iter().filter_map(|frame| frame.event.as_ref());
    if events.clone().any(|event| is_error(format, event)) {
        return no("an error comes in the stream");
    }
    if !events.any(|event| says_stop(format, event)) {
        return no("no event says why it ended");
    }
    Ok(Stream { recording, format, bytes, frames })
}

/// Whether an event is an error of its format.
pub fn is_error(format: Format, event: &Value) -> bool {
    match format {
        Format::Chat
        | Format::Gemini
        | Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => !event["error"].is_null(),
        Format::Responses => matches!(text(&event["type"]), "error" | "response.failed"),
        Format::Messages => event["type"] == "error",
        Format::Converse => event["exception"] == true,
    }
}

/// What an answer must have to be one.
fn answer(format: Format, body: &Value) -> Result<(), &'static str> {
    let has = match format {
        Format::Chat => items(&body["choices"]).any(|choice| choice["message"].is_object()),
        Format::Responses if matches!(text(&body["status"]), "queued" | "in_progress") => {
            return Err("a background call that goes on");
        }
        Format::Responses => body["output"].is_array() && body["status"].is_string(),
        Format::Messages => body["content"].is_array(),
        Format::Gemini => {
            items(&body["candidates"]).len() > 0 || body["promptFeedback"]["blockReason"].is_string()
        }
        Format::Converse => body["output"]["message"].is_object(),
        Format::Ollama => body["message"].is_object(),
        Format::Completions | Format::Embeddings | Format::Moderations | Format::CountTokens => false,
    };
    if has { Ok(()) } else { Err("no answer in it") }
}

/// Names by which a provider would be known: of the answer and of its calls. Short ones may stand in any text.
pub fn names(format: Format, events: &[Value]) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &Value| {
        if let Some(name) = name.as_str().filter(|name| name.len() >= 12) {
            names.push(name.to_owned());
        }
    };
    for event in events {
        match format {
            Format::Chat
            | Format::Ollama
            | Format::Completions
            | Format::Embeddings
            | Format::Moderations
            | Format::CountTokens => {
                add(&event["id"]);
                add(&event["system_fingerprint"]);
                for choice in items(&event["choices"]) {
                    for side in ["message", "delta"] {
                        items(&choice[side]["tool_calls"]).for_each(|call| add(&call["id"]));
                    }
                }
            }
            Format::Responses => {
                add(&event["id"]);
                add(&event["response"]["id"]);
                // The name of reasoning is part of what its caller carries back.
                let said = items(&event["output"]).chain(std::iter::once(&event["item"]));
                for item in said.filter(|item| item["type"] != "reasoning") {
                    add(&item["id"]);
                    add(&item["call_id"]);
                }
            }
            Format::Messages => {
                add(&event["id"]);
                add(&event["message"]["id"]);
                items(&event["content"]).for_each(|block| add(&block["id"]));
                add(&event["content_block"]["id"]);
            }
            Format::Gemini => add(&event["responseId"]),
            Format::Converse => {
                let content = &event["output"]["message"]["content"];
                items(content).for_each(|block| add(&block["toolUse"]["toolUseId"]));
                add(&event["contentBlockStart"]["start"]["toolUse"]["toolUseId"]);
            }
        }
    }
    // Some make the names of reasoning, which its caller carries back, of the answer's.
    let carried = |name: &String| events.iter().any(|event| in_reasoning(event, name));
    names.retain(|name| !carried(name));
    names.sort();
    names.dedup();
    names
}

fn in_reasoning(event: &Value, name: &str) -> bool {
    let said = items(&event["output"]).chain(std::iter::once(&event["item"]));
    said.filter(|item| item["type"] == "reasoning").any(|item| item.to_string().contains(name))
}
