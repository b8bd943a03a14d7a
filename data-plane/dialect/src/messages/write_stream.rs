//! Writes a stream for a caller. Blocks follow one another, each with its start and its stop, and what they are never
//! changes: the strictest callers (the official SDKs) append to the last block and take a signature only whole.

use bytes::BytesMut;
use serde::Serialize;

use super::carrier;
use super::error::kind_of;
use super::stop;
use super::usage::Out as OutUsage;
use super::write_reply::{StopDetails, call_id, message_id};
use crate::codec::{Caller, StreamWriter};
use crate::ir::{Delta, Event, Opening, Stop, StopReason, TEXT_ARGUMENT, Usage, escaped};
use crate::{Ending, ErrorClass, Format, json};

/// The block at hand.
#[derive(Debug)]
enum Open {
    None,
    /// Text that nothing was written of: an empty block would come back and be refused.
    EmptyText,
    Text,
    /// A refusal, and whether it was begun. Callers get it as text.
    Refusal {
        begun: bool,
    },
    /// Thinking: whether it was begun, who signed it, and what came of the signature.
    Thinking {
        begun: bool,
        signed_by: Option<Format>,
        signature: String,
    },
    Tool,
    /// A call of a tool that takes text, which is written as an object.
    CustomTool,
    /// A block that is written already, or that the format cannot say.
    Silent,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Writer {
    id: String,
    alias: String,
    started: bool,
    open: Open,
    /// Number of the block at hand, or of the next.
    index: u32,
    calls_tools: bool,
    refusal: String,
    stop: Stop,
    usage: Usage,
}

const EMPTY_TEXT: &str = r#"{"type":"text","text":""}"#;

#[derive(Serialize)]
struct Last<'a> {
    r#type: &'static str,
    delta: LastDelta<'a>,
    usage: OutUsage,
}

#[derive(Serialize)]
struct LastDelta<'a> {
    stop_reason: &'static str,
    stop_sequence: Option<&'a str>,
    stop_details: Option<StopDetails<'a>>,
}

impl Writer {
    pub(super) fn new(caller: &Caller) -> Self {
        Self {
            id: message_id(caller),
            alias: caller.alias.clone(),
            started: false,
            open: Open::None,
            index: 0,
            calls_tools: false,
            refusal: String::new(),
            stop: Stop::default(),
            usage: Usage::default(),
        }
    }

    /// Writes the start, once: not before something follows, because until then the provider may say what was read.
    fn start(&mut self, out: &mut BytesMut) {
        if self.started {
            return;
        }
        self.started = true;
        let usage = serde_json::to_string(&OutUsage::new(Usage { output: 0, ..self.usage }, true));
        let data = format!(
            r#"{{"type":"message_start","message":{{"id":{},"type":"message","role":"assistant","model":{},"content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"usage":{}}}}}"#,
            json::quote(&self.id),
            json::quote(&self.alias),
            usage.unwrap_or_default(),
        );
        frame("message_start", &data, out);
    }

    fn begin(&mut self, block: &str, out: &mut BytesMut) {
        self.start(out);
        let index = self.index;
        let data = format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#);
        frame("content_block_start", &data, out);
    }

    /// Writes a piece straight into its place: most of a stream is these.
    fn piece(&self, kind: &str, key: &str, text: &str, out: &mut BytesMut) {
        let mut put = |part: &str| out.extend_from_slice(part.as_bytes());
        put("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":");
        put(&self.index.to_string());
        put(",\"delta\":{\"type\":\"");
        put(kind);
        put("\",\"");
        put(key);
        put("\":");
        json::quote_into(text, out);
        out.extend_from_slice(b"}}\n\n");
    }

    fn end(&mut self, out: &mut BytesMut) {
        let data = format!(r#"{{"type":"content_block_stop","index":{}}}"#, self.index);
        frame("content_block_stop", &data, out);
        self.index = self.index.saturating_add(1);
    }

    fn begin_thinking(&mut self, out: &mut BytesMut) {
        self.begin(r#"{"type":"thinking","thinking":"","signature":""}"#, out);
    }

    fn open(&mut self, opening: &Opening, out: &mut BytesMut) {
        self.close(out);
        self.open = match opening {
            Opening::Text => Open::EmptyText,
            Opening::Refusal => Open::Refusal { begun: false },
            Opening::Thinking { signed_by, .. } => {
                Open::Thinking { begun: false, signed_by: *signed_by, signature: String::new() }
            }
            Opening::RedactedThinking { data, signed_by } => {
                let data = json::quote(&carrier::mark(Some(data), *signed_by));
                self.begin(&format!(r#"{{"type":"redacted_thinking","data":{data}}}"#), out);
                self.end(out);
                Open::Silent
            }
            Opening::ToolUse { id, name, signature, custom } => {
                if let Some(signature) = signature {
                    self.begin_thinking(out);
                    self.piece("signature_delta", "signature", &carrier::next(signature), out);
                    self.end(out);
                }
                self.calls_tools = true;
                let (id, name) = (json::quote(&call_id(id)), json::quote(name));
                self.begin(&format!(r#"{{"type":"tool_use","id":{id},"name":{name},"input":{{}}}}"#), out);
                if *custom {
                    self.piece("input_json_delta", "partial_json", TEXT_ARGUMENT.0, out);
                    Open::CustomTool
                } else {
                    Open::Tool
                }
            }
            Opening::Foreign { format: Format::Messages, json, .. } => {
                self.begin(json, out);
                self.end(out);
                Open::Silent
            }
            // An answer of this format has no pictures.
            Opening::Media { .. } | Opening::Foreign { .. } => Open::Silent,
        };
    }

    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) {
        match (&mut self.open, delta) {
            (_, Delta::Text(text) | Delta::Input(text)) if text.is_empty() => {}
            (Open::Text, Delta::Text(text)) => self.piece("text_delta", "text", text, out),
            (Open::EmptyText, Delta::Text(text)) => {
                self.open = Open::Text;
                self.begin(EMPTY_TEXT, out);
                self.piece("text_delta", "text", text, out);
            }
            (Open::Refusal { begun }, Delta::Text(text)) => {
                if !std::mem::replace(begun, true) {
                    self.begin(EMPTY_TEXT, out);
                }
                self.refusal.push_str(text);
                self.piece("text_delta", "text", text, out);
            }
            (Open::Thinking { begun, .. }, Delta::Text(text)) => {
                if !std::mem::replace(begun, true) {
                    self.begin_thinking(out);
                }
                self.piece("thinking_delta", "thinking", text, out);
            }
            (Open::Thinking { signature, .. }, Delta::Signature(more)) => signature.push_str(more),
            (Open::Tool, Delta::Input(input)) => self.piece("input_json_delta", "partial_json", input, out),
            (Open::CustomTool, Delta::Input(input)) => {
                self.piece("input_json_delta", "partial_json", &escaped(input), out);
            }
            _ => {}
        }
    }

    fn close(&mut self, out: &mut BytesMut) {
        match std::mem::replace(&mut self.open, Open::None) {
            Open::None | Open::EmptyText | Open::Silent | Open::Refusal { begun: false } => {}
            Open::Text | Open::Tool | Open::Refusal { begun: true } => self.end(out),
            Open::CustomTool => {
                self.piece("input_json_delta", "partial_json", TEXT_ARGUMENT.1, out);
                self.end(out);
            }
            Open::Thinking { begun, signed_by, signature } => {
                let signature = carrier::mark(Some(&signature), signed_by);
                if !begun && signature.is_empty() {
                    return;
                }
                if !begun {
                    self.begin_thinking(out);
                }
                if !signature.is_empty() {
                    self.piece("signature_delta", "signature", &signature, out);
                }
                self.end(out);
            }
        }
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            // The format knows one choice.
            Event::Open(at, _) | Event::Delta(at, _) | Event::Close(at) if at.choice > 0 => {}
            Event::Open(_, opening) => self.open(opening, out),
            Event::Delta(_, delta) => self.delta(delta, out),
            Event::Close(_) => self.close(out),
            Event::Stop(0, stop) => self.stop = stop.clone(),
            Event::Usage(usage) => self.usage = *usage,
            Event::Start | Event::Stop(..) | Event::End => {}
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        self.close(out);
        self.start(out);
        let (stop_reason, stop_sequence) =
            stop::write(&self.stop, self.calls_tools, !self.refusal.is_empty());
        let stop_details = StopDetails::of(stop_reason, &self.refusal);
        let last = Last {
            r#type: "message_delta",
            delta: LastDelta { stop_reason, stop_sequence, stop_details },
            usage: OutUsage::new(self.usage, false),
        };
        frame("message_delta", &serde_json::to_string(&last).unwrap_or_default(), out);
        frame("message_stop", r#"{"type":"message_stop"}"#, out);
    }

    /// A guardrail's block is the format's refusal, and a clean end; all else is an error, after which nothing follows.
    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        let (class, message) = match ending {
            Ending::Blocked => {
                self.stop = Stop { reason: StopReason::Filtered, native: None, sequence: None };
                return self.complete(out);
            }
            Ending::UpstreamError => (ErrorClass::Overloaded, "the answer failed before its end; ask again"),
            Ending::Cut | Ending::Completed => {
                (ErrorClass::Server, "the answer was cut off before its end; ask again")
            }
        };
        let (kind, message) = (kind_of(class), json::quote(message));
        let data =
            format!(r#"{{"type":"error","error":{{"details":null,"type":"{kind}","message":{message}}}}}"#);
        frame("error", &data, out);
    }
}

fn frame(event: &str, data: &str, out: &mut BytesMut) {
    for part in ["event: ", event, "\ndata: ", data, "\n\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}
