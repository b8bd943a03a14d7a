//! Within the format: what of an answer changes on its way, and where its texts stand. Ids of responses and items pass: a
//! caller names them in its next call, and only this provider knows them.

use std::collections::BTreeMap;
use std::ops::Range;

use breakwater_common::guard::{Channel, Part};
use bytes::BytesMut;

use crate::Ending;
use crate::codec::Caller;
use crate::ir::Usage;
use crate::json::{self, Edits, Place};
use crate::pass::texts::{Kind, TooDeep};
use crate::pass::vendors;
use crate::pass::{
    Chunk, ChunkText, EventReader, Hole, Members, Passing, Read, add_texts_beside, add_whole_texts, count,
    error_code,
};

/// OpenAI's responses.
#[derive(Debug)]
pub(crate) struct Responses;

impl Passing for Responses {
    fn members(&self) -> &'static Members {
        &Members {
            texts: &["instructions", "input", "prompt"],
            required: &[],
            turns: &[],
            stream_options: false,
        }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        Some(vec![root.get("output").filter(Place::is_array)?])
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        let mut edits = Edits::default();
        add_head_edits(root, caller, &mut edits);
        edits
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        blocked_members(root)
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        root.get("usage").and_then(read_usage)
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader {
            caller: caller.clone(),
            guarded,
            response: String::new(),
            sequence: 0,
            parts: BTreeMap::new(),
        })
    }
}

fn add_head_edits(response: Place<'_>, caller: &Caller, edits: &mut Edits) {
    vendors::remove(response, "usage", caller.reveal_provider, edits);
    if let Some(model) = response.get("model") {
        edits.replace(model.range(), json::quote(&caller.alias));
    }
}

fn blocked_members(response: Place<'_>) -> Vec<(Range<usize>, String)> {
    let members = response.members().filter_map(|member| {
        let with = match &*member.key {
            "output" => "[]",
            "status" => r#""incomplete""#,
            "incomplete_details" => r#"{"reason":"content_filter"}"#,
            _ => return None,
        };
        Some((member.value.range(), with.to_owned()))
    });
    members.collect()
}

fn read_usage(usage: Place<'_>) -> Option<Usage> {
    if !usage.is_object() {
        return None;
    }
    let input_details = usage.get("input_tokens_details");
    let cache_read = count(input_details, "cached_tokens");
    let cache_write = count(input_details, "cache_write_tokens");
    let input = count(Some(usage), "input_tokens");
    Some(Usage {
        input: input.saturating_sub(cache_read).saturating_sub(cache_write),
        cache_read,
        cache_write,
        output: count(Some(usage), "output_tokens"),
        reasoning: count(usage.get("output_tokens_details"), "reasoning_tokens"),
        ..Usage::default()
    })
}

/// Reads the events of one stream.
#[derive(Debug)]
struct Reader {
    caller: Caller,
    guarded: bool,
    /// The response as the first event said it, in source, with the alias: what a blocked or failed stream ends with.
    response: String,
    /// The last `sequence_number`.
    sequence: u64,
    /// Numbers of texts that go on in pieces, by event and place.
    parts: BTreeMap<String, u32>,
}

impl EventReader for Reader {
    fn read(&mut self, name: &str, data: &[u8]) -> Read {
        // Some that speak this format end it like chat completions.
        if data.trim_ascii() == b"[DONE]" {
            return Read::Chunk(Box::new(Chunk { bearing: true, ..Chunk::default() }));
        }
        let Ok(text) = json::check(data) else { return Read::Garbage };
        let root = Place::root(text);
        let kind = root.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        self.sequence = self.sequence.max(count(Some(root), "sequence_number"));
        if name == "error" || kind == "error" {
            // llama.cpp says the error's own type where the event's should be.
            return Read::Error(error_code(root.get("error").unwrap_or(root)));
        }
        let mut chunk = Chunk { bearing: true, begins: true, ..Chunk::default() };
        let response = root.get("response").filter(Place::is_object);
        let read = match &*kind {
            "response.failed" => {
                let error = response.and_then(|response| response.get("error"));
                return Read::Error(error.map(error_code).unwrap_or_default());
            }
            _ => match response {
                Some(response) => self.lifecycle(&kind, response, &mut chunk),
                None => self.part(&kind, root, &mut chunk),
            },
        };
        if read.is_err() { Read::Garbage } else { Read::Chunk(Box::new(chunk)) }
    }

    fn gave(&mut self, _chunk: &Chunk) {}

    fn holes(&self, root: Place<'_>) -> Vec<(Range<usize>, Hole)> {
        let kind = root.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        if !kind.ends_with(".delta") || root.get("response").is_some() {
            return Vec::new();
        }
        let differs = root.members().filter_map(|member| match &*member.key {
            "delta" | "obfuscation" if member.value.is_string() => Some((member.value.range(), Hole::Text)),
            "sequence_number" => member.value.as_u32().map(|_| (member.value.range(), Hole::Number)),
            _ => None,
        });
        differs.collect()
    }

    fn passed(&mut self, number: u64) {
        self.sequence = self.sequence.max(number);
    }

    fn is_whole(&self) -> bool {
        // Only the last event says so.
        false
    }

    fn blocked(&mut self, out: &mut BytesMut) {
        let Ok(text) = json::check(self.response.as_bytes()) else { return };
        let mut edits = Edits::default();
        for (place, with) in blocked_members(Place::root(text)) {
            edits.replace(place, with);
        }
        let response = edits.apply(text);
        self.event(out, "response.incomplete", &format!(r#""response":{response}"#));
    }

    fn complete(&mut self, _out: &mut BytesMut) {}

    fn failed(&mut self, ending: Ending, out: &mut BytesMut) {
        let error = format!(
            r#""error":{{"type":"server_error","code":"{}","message":"{}","param":null}}"#,
            ending.code(),
            ending.message()
        );
        self.event(out, "error", &error);
        let Ok(text) = json::check(self.response.as_bytes()) else { return };
        let mut edits = Edits::default();
        for member in Place::root(text).members() {
            let with = match &*member.key {
                "status" => r#""failed""#.to_owned(),
                "error" => format!(r#"{{"code":"server_error","message":"{}"}}"#, ending.message()),
                _ => continue,
            };
            edits.replace(member.value.range(), with);
        }
        let response = edits.apply(text);
        self.event(out, "response.failed", &format!(r#""response":{response}"#));
    }
}

impl Reader {
    /// Events that carry the whole response: created, in_progress, queued, completed, incomplete.
    fn lifecycle(&mut self, kind: &str, response: Place<'_>, chunk: &mut Chunk) -> Result<(), TooDeep> {
        add_head_edits(response, &self.caller, &mut chunk.edits);
        chunk.usage = response.get("usage").and_then(read_usage);
        if self.response.is_empty() {
            let text = response.source();
            let mut edits = Edits::default();
            add_head_edits(Place::root(text), &self.caller, &mut edits);
            self.response = edits.apply(text);
        }
        chunk.last = matches!(kind, "response.completed" | "response.incomplete" | "response.cancelled");
        chunk.visible = chunk.last;
        match response.get("output") {
            Some(output) if self.guarded => add_whole_texts(output, u32::MAX, chunk),
            _ => Ok(()),
        }
    }

    /// Events of items and their parts. Those that end in `.delta` bring a piece; all others say at once what they say.
    fn part(&mut self, kind: &str, root: Place<'_>, chunk: &mut Chunk) -> Result<(), TooDeep> {
        let index = root.get("output_index").and_then(|index| index.as_u32()).unwrap_or_default();
        chunk.visible = kind.ends_with(".delta") || kind == "response.output_item.done";
        if kind.ends_with(".done") {
            chunk.choices.push((index, true));
        }
        if !self.guarded {
            return Ok(());
        }
        let piece = root.get("delta").filter(Place::is_string).filter(|_| kind.ends_with(".delta"));
        let Some(piece) = piece else {
            return add_whole_texts(root, index, chunk);
        };
        let json = matches!(
            kind,
            "response.function_call_arguments.delta"
                | "response.custom_tool_call_input.delta"
                | "response.mcp_call_arguments.delta"
        );
        let number = self.number(kind, index, root);
        let part = if json { Part::ToolArguments(number) } else { Part::Other(number) };
        chunk.bearing = false;
        add_texts_beside(root, Some(piece), index, chunk)?;
        chunk.texts.push(ChunkText {
            channel: Channel { choice: index, part },
            at: piece.range(),
            text: piece.as_str().unwrap_or_default().into_owned(),
            whole: false,
            kind: Kind::Prose,
        });
        Ok(())
    }

    /// Returns the number of the text that an event goes on.
    fn number(&mut self, kind: &str, index: u32, root: Place<'_>) -> u32 {
        let at = |key: &str| root.get(key).map(|at| at.source()).unwrap_or_default();
        let name = format!("{kind} {index} {} {}", at("content_index"), at("summary_index"));
        let next = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        *self.parts.entry(name).or_insert(next)
    }

    fn event(&mut self, out: &mut BytesMut, kind: &str, rest: &str) {
        self.sequence += 1;
        let sequence = self.sequence;
        let event =
            format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{sequence},{rest}}}\n\n");
        out.extend_from_slice(event.as_bytes());
    }
}
