//! Within the format: what of an answer changes on its way (next to nothing: it names no call, and the model in one place alone), and where its texts
//! stand.

use std::ops::Range;

use breakwater_common::guard::{Channel, Part};
use bytes::BytesMut;

use crate::Ending;
use crate::codec::Caller;
use crate::eventstream::{self, MessageType};
use crate::ir::Usage;
use crate::json::{self, Edits, Place};
use crate::pass::texts::{Kind, TooDeep};
use crate::pass::{Chunk, ChunkText, EventReader, Framing, Members, Passing, Read, add_whole_texts, count};

/// Bedrock's Converse.
#[derive(Debug)]
pub(crate) struct Converse;

impl Passing for Converse {
    fn members(&self) -> &'static Members {
        &Members {
            texts: &["system", "messages", "promptVariables"],
            required: &["messages"],
            turns: &["messages"],
            stream_options: false,
        }
    }

    fn answers<'a>(&self, root: Place<'a>) -> Option<Vec<Place<'a>>> {
        // Beside the message a caller may have asked for fields of the model's own answer, and a guardrail's trace quotes it.
        content(root).map(|_| vec![root])
    }

    fn head_edits(&self, root: Place<'_>, caller: &Caller) -> Edits {
        head_edits(root, caller)
    }

    fn blocked(&self, root: Place<'_>) -> Vec<(Range<usize>, String)> {
        let emptied = content(root).map(|content| (content.range(), "[]".to_owned()));
        let members = root.members().filter_map(|member| {
            let with = match &*member.key {
                "stopReason" => BLOCKED,
                "additionalModelResponseFields" | "trace" => "{}",
                _ => return None,
            };
            Some((member.value.range(), with.to_owned()))
        });
        emptied.into_iter().chain(members).collect()
    }

    fn usage(&self, root: Place<'_>) -> Option<Usage> {
        root.get("usage").and_then(read_usage)
    }

    fn framing(&self) -> Framing {
        Framing::EventStream
    }

    fn events(&self, caller: &Caller, guarded: bool) -> Box<dyn EventReader> {
        Box::new(Reader { caller: caller.clone(), guarded, open: None, stage: 0 })
    }
}

/// Returns the blocks of an answer.
fn content(root: Place<'_>) -> Option<Place<'_>> {
    root.get("output")?.get("message")?.get("content").filter(Place::is_array)
}

/// The reason that the format has for an answer that was blocked, in source.
const BLOCKED: &str = r#""guardrail_intervened""#;

/// The trace of a prompt router says by its ARN which model answered.
fn head_edits(root: Place<'_>, caller: &Caller) -> Edits {
    let mut edits = Edits::default();
    if let Some(trace) = root.get("trace").filter(|trace| trace.is_object() && !caller.reveal_provider) {
        edits.remove_members(&trace, |member| member.key == "promptRouter");
    }
    edits
}

/// Cached tokens stand outside of the input's count.
fn read_usage(usage: Place<'_>) -> Option<Usage> {
    usage.is_object().then(|| Usage {
        input: count(Some(usage), "inputTokens"),
        cache_read: count(Some(usage), "cacheReadInputTokens"),
        cache_write: count(Some(usage), "cacheWriteInputTokens"),
        output: count(Some(usage), "outputTokens"),
        ..Usage::default()
    })
}

/// What the caller has seen of a stream: that it began, that it said why it stops.
const BEGUN: u8 = 1;
const STOPPED: u8 = 2;

/// Reads the messages of one stream.
#[derive(Debug)]
struct Reader {
    caller: Caller,
    guarded: bool,
    /// The block that the caller saw begin and not end.
    open: Option<u32>,
    stage: u8,
}

impl EventReader for Reader {
    fn read(&mut self, name: &str, data: &[u8]) -> Read {
        if name == "exception" {
            return Read::Error(String::from_utf8_lossy(data).chars().take(64).collect());
        }
        let Ok(text) = json::check(data) else { return Read::Garbage };
        let root = Place::root(text);
        let index = root.get("contentBlockIndex").and_then(|index| index.as_u32()).unwrap_or_default();
        let mut chunk = Chunk { bearing: true, ..Chunk::default() };
        let read = match name {
            "messageStart" => {
                chunk.begins = true;
                chunk.stage = BEGUN;
                Ok(())
            }
            "contentBlockStart" => {
                chunk.choices.push((index, false));
                chunk.visible = true;
                if self.guarded { add_whole_texts(root, index, &mut chunk) } else { Ok(()) }
            }
            "contentBlockDelta" => self.delta(root, index, &mut chunk),
            "contentBlockStop" => {
                chunk.choices.push((index, true));
                Ok(())
            }
            "messageStop" => {
                chunk.stage = STOPPED;
                chunk.visible = true;
                self.add_texts(root, &mut chunk)
            }
            "metadata" => {
                chunk.edits = head_edits(root, &self.caller);
                chunk.usage = root.get("usage").and_then(read_usage);
                chunk.begins = true;
                chunk.last = true;
                self.add_texts(root, &mut chunk)
            }
            _ => self.add_texts(root, &mut chunk),
        };
        if read.is_err() { Read::Garbage } else { Read::Chunk(Box::new(chunk)) }
    }

    fn gave(&mut self, chunk: &Chunk) {
        self.stage = self.stage.max(chunk.stage);
        for (index, ends) in &chunk.choices {
            self.open = (!ends).then_some(*index);
        }
    }

    fn is_whole(&self) -> bool {
        self.stage >= STOPPED
    }

    fn blocked(&mut self, out: &mut BytesMut) {
        let mut event = |kind: &str, data: &str| eventstream::write(MessageType::Event, kind, data, out);
        if self.stage < BEGUN {
            event("messageStart", r#"{"role":"assistant"}"#);
        }
        if let Some(index) = self.open.take() {
            event("contentBlockStop", &format!(r#"{{"contentBlockIndex":{index}}}"#));
        }
        if self.stage < STOPPED {
            event("messageStop", &format!(r#"{{"stopReason":{BLOCKED}}}"#));
        }
        self.complete(out);
    }

    fn complete(&mut self, out: &mut BytesMut) {
        let metadata =
            r#"{"usage":{"inputTokens":0,"outputTokens":0,"totalTokens":0},"metrics":{"latencyMs":0}}"#;
        eventstream::write(MessageType::Event, "metadata", metadata, out);
    }

    fn failed(&mut self, ending: Ending, out: &mut BytesMut) {
        let data = format!(r#"{{"message":"{}"}}"#, ending.message());
        eventstream::write(MessageType::Exception, "modelStreamErrorException", &data, out);
    }
}

impl Reader {
    /// Adds what an event says beside the answer's blocks.
    fn add_texts(&self, root: Place<'_>, chunk: &mut Chunk) -> Result<(), TooDeep> {
        if self.guarded { add_whole_texts(root, u32::MAX, chunk) } else { Ok(()) }
    }

    fn delta(&mut self, root: Place<'_>, index: u32, chunk: &mut Chunk) -> Result<(), TooDeep> {
        // Text blocks have no start of their own.
        chunk.choices.push((index, false));
        chunk.begins = true;
        let Some(delta) = root.get("delta") else { return Ok(()) };
        let reasoning = delta.get("reasoningContent").and_then(|reasoning| reasoning.get("text"));
        let input = delta.get("toolUse").and_then(|tool| tool.get("input"));
        let known = [
            (delta.get("text"), Part::Content),
            (reasoning, Part::Reasoning),
            (input, Part::ToolArguments(0)),
        ];
        let Some((place, part)) =
            known.into_iter().find_map(|(place, part)| Some((place.filter(Place::is_string)?, part)))
        else {
            return if self.guarded { add_whole_texts(delta, index, chunk) } else { Ok(()) };
        };
        chunk.visible = place.source().len() > 2;
        if self.guarded {
            chunk.bearing = false;
            chunk.texts.push(ChunkText {
                channel: Channel { choice: index, part },
                at: place.range(),
                text: place.as_str().unwrap_or_default().into_owned(),
                whole: false,
                kind: Kind::Prose,
            });
        }
        Ok(())
    }
}
