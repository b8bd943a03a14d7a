//! Within the format: what of an answer changes on its way, and where its texts stand.

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
    Chunk, ChunkText, EventReader, Hole, Members, Passing, Read, add_whole_texts, count, error_code,
};

/// Anthropic's messages.
#[derive(Debug)]
pub(crate) struct Messages;

impl Passing for Messages {
    fn members(&self) -> &'static Members {
        &Members {
            texts: &["system", "messages"],
            required: &["messages"],
            turns: &["messages"],
            stream_options: false,
        }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        Some(vec![root.get("content").filter(Place::is_array)?])
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        let mut edits = Edits::default();
        add_head_edits(root, caller, &mut edits);
        edits
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        let members = root.members().filter_map(|member| match &*member.key {
            "content" => Some((member.value.range(), "[]".to_owned())),
            "stop_reason" => Some((member.value.range(), r#""refusal""#.to_owned())),
            _ => None,
        });
        members.collect()
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        root.get("usage").and_then(|usage| usage_after(Usage::default(), usage))
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader { caller: caller.clone(), guarded, usage: Usage::default(), open: None, stage: 0 })
    }
}

fn add_head_edits(message: Place<'_>, caller: &Caller, edits: &mut Edits) {
    for member in message.members() {
        match &*member.key {
            "model" => edits.replace(member.value.range(), json::quote(&caller.alias)),
            "id" if !caller.reveal_provider => {
                edits.replace(member.value.range(), json::quote(&format!("msg_{}", caller.id)));
            }
            "usage" => vendors::remove_from_usage(member.value, caller.reveal_provider, edits),
            _ => {}
        }
    }
}

/// Reads usage on top of what was said before: later events repeat only what they know better.
fn usage_after(mut usage: Usage, said: Place<'_>) -> Option<Usage> {
    if !said.is_object() {
        return None;
    }
    for member in said.members() {
        let count_at = || member.value.source().parse::<u64>().ok();
        let slot = match &*member.key {
            "input_tokens" => &mut usage.input,
            "output_tokens" => &mut usage.output,
            "cache_read_input_tokens" => &mut usage.cache_read,
            "cache_creation_input_tokens" => &mut usage.cache_write,
            _ => continue,
        };
        *slot = count_at().unwrap_or(*slot);
    }
    if let Some(creation) = said.get("cache_creation") {
        usage.cache_write_1h = count(Some(creation), "ephemeral_1h_input_tokens");
    }
    if let Some(details) = said.get("output_tokens_details") {
        usage.reasoning = count(Some(details), "thinking_tokens");
    }
    Some(usage)
}

/// What the caller has seen of a stream: that it began, that it said why it stops.
const BEGUN: u8 = 1;
const STOPPED: u8 = 2;

/// Reads the events of one stream.
#[derive(Debug)]
struct Reader {
    caller: Caller,
    guarded: bool,
    usage: Usage,
    /// The block that the caller saw begin and not end.
    open: Option<u32>,
    stage: u8,
}

impl EventReader for Reader {
    fn read(&mut self, name: &str, data: &[u8]) -> Read {
        let Ok(text) = json::check(data) else { return Read::Garbage };
        let root = Place::root(text);
        let kind = root.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        if name == "error" || kind == "error" {
            // llama.cpp says the error's own type where the event's should be.
            return Read::Error(error_code(root.get("error").unwrap_or(root)));
        }
        let mut chunk = Chunk { bearing: true, ..Chunk::default() };
        let index = root.get("index").and_then(|index| index.as_u32());
        let read = match &*kind {
            "message_start" => self.message_start(root, &mut chunk),
            "content_block_start" => self.block_start(root, index.unwrap_or_default(), &mut chunk),
            "content_block_delta" => self.block_delta(root, index.unwrap_or_default(), &mut chunk),
            "content_block_stop" => {
                chunk.choices.push((index.unwrap_or_default(), true));
                Ok(())
            }
            "message_delta" => {
                self.message_delta(root, &mut chunk);
                Ok(())
            }
            "message_stop" => {
                chunk.last = true;
                Ok(())
            }
            "ping" => Ok(()),
            // A new kind of event passes; what it says is judged.
            _ if self.guarded => add_whole_texts(root, index.unwrap_or_default(), &mut chunk),
            _ => Ok(()),
        };
        if read.is_err() { Read::Garbage } else { Read::Chunk(Box::new(chunk)) }
    }

    fn gave(&mut self, chunk: &Chunk) {
        self.stage = self.stage.max(chunk.stage);
        for (index, ends) in &chunk.choices {
            self.open = (!ends).then_some(*index);
        }
    }

    fn holes(&self, root: Place<'_>) -> Vec<(Range<usize>, Hole)> {
        let pieces = root.get("delta").into_iter().flat_map(|delta| delta.members()).filter(|member| {
            matches!(&*member.key, "text" | "thinking" | "partial_json" | "signature")
                && member.value.is_string()
        });
        pieces.map(|member| (member.value.range(), Hole::Text)).collect()
    }

    fn is_whole(&self) -> bool {
        self.stage >= STOPPED
    }

    fn blocked(&mut self, out: &mut BytesMut) {
        if self.stage < BEGUN {
            let (id, model) =
                (json::quote(&format!("msg_{}", self.caller.id)), json::quote(&self.caller.alias));
            event(
                out,
                "message_start",
                &format!(
                    r#"{{"type":"message_start","message":{{"id":{id},"type":"message","role":"assistant","model":{model},"content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":0,"output_tokens":0}}}}}}"#
                ),
            );
        }
        if let Some(index) = self.open.take() {
            event(out, "content_block_stop", &format!(r#"{{"type":"content_block_stop","index":{index}}}"#));
        }
        if self.stage < STOPPED {
            let output = self.usage.output;
            event(
                out,
                "message_delta",
                &format!(
                    r#"{{"type":"message_delta","delta":{{"stop_reason":"refusal","stop_sequence":null}},"usage":{{"output_tokens":{output}}}}}"#
                ),
            );
        }
        self.complete(out);
    }

    fn complete(&mut self, out: &mut BytesMut) {
        event(out, "message_stop", r#"{"type":"message_stop"}"#);
    }

    fn failed(&mut self, ending: Ending, out: &mut BytesMut) {
        let message = ending.message();
        let data = format!(r#"{{"type":"error","error":{{"type":"api_error","message":"{message}"}}}}"#);
        event(out, "error", &data);
    }
}

impl Reader {
    fn message_start(&mut self, root: Place<'_>, chunk: &mut Chunk) -> Result<(), TooDeep> {
        chunk.begins = true;
        chunk.stage = BEGUN;
        let Some(message) = root.get("message") else { return Ok(()) };
        add_head_edits(message, &self.caller, &mut chunk.edits);
        self.note_usage(message, chunk);
        match message.get("content") {
            Some(content) if self.guarded => add_whole_texts(content, 0, chunk),
            _ => Ok(()),
        }
    }

    fn note_usage(&mut self, holder: Place<'_>, chunk: &mut Chunk) {
        if let Some(usage) = holder.get("usage").and_then(|usage| usage_after(self.usage, usage)) {
            self.usage = usage;
            chunk.usage = Some(usage);
        }
    }

    fn block_start(&mut self, root: Place<'_>, index: u32, chunk: &mut Chunk) -> Result<(), TooDeep> {
        chunk.choices.push((index, false));
        chunk.begins = true;
        let Some(block) = root.get("content_block") else { return Ok(()) };
        let kind = block.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        chunk.visible = !matches!(&*kind, "text" | "thinking" | "redacted_thinking");
        if self.guarded { add_whole_texts(block, index, chunk) } else { Ok(()) }
    }

    fn block_delta(&mut self, root: Place<'_>, index: u32, chunk: &mut Chunk) -> Result<(), TooDeep> {
        let Some(delta) = root.get("delta") else { return Ok(()) };
        for member in delta.members() {
            let part = match &*member.key {
                "text" => Part::Content,
                "thinking" => Part::Reasoning,
                "partial_json" => Part::ToolArguments(0),
                "type" | "signature" => continue,
                _ if self.guarded => {
                    add_whole_texts(member.value, index, chunk)?;
                    continue;
                }
                _ => continue,
            };
            chunk.visible |= member.value.source().len() > 2;
            if self.guarded
                && let Some(text) = member.value.as_str()
            {
                let channel = Channel { choice: index, part };
                // A frame whose one text was masked away is not sent.
                chunk.bearing = false;
                chunk.texts.push(ChunkText {
                    channel,
                    at: member.value.range(),
                    text: text.into_owned(),
                    whole: false,
                    kind: Kind::Prose,
                });
            }
        }
        Ok(())
    }

    fn message_delta(&mut self, root: Place<'_>, chunk: &mut Chunk) {
        chunk.visible = true;
        let reason = root.get("delta").and_then(|delta| delta.get("stop_reason"));
        if reason.is_some_and(|reason| !reason.is_null()) {
            chunk.stage = STOPPED;
        }
        if let Some(usage) = root.get("usage") {
            vendors::remove_from_usage(usage, self.caller.reveal_provider, &mut chunk.edits);
        }
        self.note_usage(root, chunk);
    }
}

fn event(out: &mut BytesMut, name: &str, data: &str) {
    out.extend_from_slice(format!("event: {name}\ndata: {data}\n\n").as_bytes());
}
