//! A stream, written for a caller who speaks ConverseStream.

use bytes::BytesMut;

use crate::codec::{Caller, StreamWriter};
use crate::eventstream::{MessageType, write};
use crate::ir::{At, Delta, Event, Media, Opening, Source, Stop, TEXT_ARGUMENT, Usage, escaped};
use crate::{Ending, Format, json};

use super::signature::{carry, carry_of_call, carry_redacted};
use super::words::{format_of, stop_word, write_usage};
use super::write_reply::{call_id, stop_fields};

pub(crate) fn stream_writer(_caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::<Writer>::default())
}

#[derive(Debug, Default)]
struct Writer {
    started: bool,
    /// Blocks that the caller saw the end of.
    blocks: u32,
    open: Option<Open>,
    stop: Option<Stop>,
    usage: Option<Usage>,
}

/// The block at hand.
#[derive(Debug)]
struct Open {
    at: At,
    kind: Kind,
    /// The caller saw something of it.
    seen: bool,
}

#[derive(Debug)]
enum Kind {
    Text,
    /// The signature so far: clients take it whole.
    Thinking {
        signature: String,
        signed_by: Option<Format>,
    },
    Call,
    /// Of a tool that takes text, which is written as an object.
    CustomCall,
    /// It has no place here.
    Hidden,
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start => self.start(out),
            // Converse knows one choice.
            Event::Open(at, _) | Event::Delta(at, _) | Event::Close(at) if at.choice != 0 => {}
            Event::Open(at, opening) => {
                self.start(out);
                self.close(out);
                self.open(*at, opening, out);
            }
            Event::Delta(at, delta) => self.delta(*at, delta, out),
            Event::Close(at) => {
                if self.open.as_ref().is_some_and(|open| open.at == *at) {
                    self.close(out);
                }
            }
            Event::Stop(0, stop) => self.stop = Some(stop.clone()),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop(..) | Event::End => {}
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        self.start(out);
        self.close(out);
        let stop = self.stop.take().unwrap_or_default();
        let (fields, word) = (stop_fields(&stop), stop_word(&stop));
        event("messageStop", &format!(r#"{{{fields}"stopReason":"{word}"}}"#), out);
        self.metadata(out);
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        let kind = match ending {
            Ending::Blocked => {
                self.start(out);
                self.close(out);
                event("messageStop", r#"{"stopReason":"guardrail_intervened"}"#, out);
                self.metadata(out);
                return;
            }
            Ending::Cut | Ending::Completed => "modelStreamErrorException",
            Ending::UpstreamError => "internalServerException",
        };
        let message = ending.message();
        write(MessageType::Exception, kind, &format!(r#"{{"message":"{message}"}}"#), out);
    }
}

impl Writer {
    fn start(&mut self, out: &mut BytesMut) {
        if !self.started {
            self.started = true;
            event("messageStart", r#"{"role":"assistant"}"#, out);
        }
    }

    fn open(&mut self, at: At, opening: &Opening, out: &mut BytesMut) {
        let kind = match opening {
            Opening::Text | Opening::Refusal => Kind::Text,
            Opening::Thinking { signed_by, .. } => {
                Kind::Thinking { signature: String::new(), signed_by: *signed_by }
            }
            Opening::RedactedThinking { data, signed_by } => {
                let data = json::quote(&carry_redacted(data, *signed_by));
                self.block(&format!(r#"{{"reasoningContent":{{"redactedContent":{data}}}}}"#), out);
                Kind::Hidden
            }
            Opening::ToolUse { id, name, signature, custom } => {
                if let Some(signature) = signature {
                    let signature = json::quote(&carry_of_call(signature));
                    self.block(&format!(r#"{{"reasoningContent":{{"signature":{signature}}}}}"#), out);
                }
                let (id, name) = (json::quote(&call_id(id)), json::quote(name));
                let start = format!(r#"{{"toolUse":{{"name":{name},"toolUseId":{id}}}}}"#);
                let payload = format!(r#"{{"contentBlockIndex":{},"start":{start}}}"#, self.blocks);
                event("contentBlockStart", &payload, out);
                if *custom {
                    block_delta(self.blocks, &input_delta(TEXT_ARGUMENT.0), out);
                    Kind::CustomCall
                } else {
                    Kind::Call
                }
            }
            Opening::Media { media, source } => {
                self.media(*media, source, out);
                Kind::Hidden
            }
            Opening::Foreign { .. } => Kind::Hidden,
        };
        self.open = Some(Open { at, kind, seen: false });
    }

    fn delta(&mut self, at: At, delta: &Delta, out: &mut BytesMut) {
        let blocks = self.blocks;
        let Some(open) = self.open.as_mut().filter(|open| open.at == at) else { return };
        let written = match (&mut open.kind, delta) {
            (Kind::Text, Delta::Text(text)) if !text.is_empty() => {
                format!(r#"{{"text":{}}}"#, json::quote(text))
            }
            (Kind::Thinking { .. }, Delta::Text(text)) if !text.is_empty() => {
                format!(r#"{{"reasoningContent":{{"text":{}}}}}"#, json::quote(text))
            }
            (Kind::Thinking { signature, .. }, Delta::Signature(more)) => {
                signature.push_str(more);
                return;
            }
            (Kind::Call, Delta::Input(input)) if !input.is_empty() => input_delta(input),
            (Kind::CustomCall, Delta::Input(text)) if !text.is_empty() => input_delta(&escaped(text)),
            (Kind::Text | Kind::Thinking { .. } | Kind::Call | Kind::CustomCall | Kind::Hidden, _) => return,
        };
        open.seen = true;
        block_delta(blocks, &written, out);
    }

    fn close(&mut self, out: &mut BytesMut) {
        let Some(open) = self.open.take() else { return };
        let written = match &open.kind {
            Kind::Thinking { signature, signed_by } if !signature.is_empty() => {
                let signature = json::quote(&carry(signature, *signed_by));
                Some(format!(r#"{{"reasoningContent":{{"signature":{signature}}}}}"#))
            }
            // A call without arguments: clients that put the pieces together parse what they have.
            Kind::Call if !open.seen => Some(input_delta("{}")),
            Kind::CustomCall => Some(input_delta(TEXT_ARGUMENT.1)),
            Kind::Text | Kind::Thinking { .. } | Kind::Call | Kind::Hidden => None,
        };
        if let Some(written) = &written {
            block_delta(self.blocks, written, out);
        }
        if open.seen || written.is_some() {
            self.end_block(out);
        }
    }

    /// Writes a picture; an answer of this format has no sounds and no films.
    fn media(&mut self, media: Media, source: &Source, out: &mut BytesMut) {
        let Source::Base64 { media_type, data } = source else { return };
        let Some(format) = format_of(media, media_type).filter(|_| media == Media::Image) else { return };
        let start =
            format!(r#"{{"contentBlockIndex":{},"start":{{"image":{{"format":"{format}"}}}}}}"#, self.blocks);
        event("contentBlockStart", &start, out);
        self.block(&format!(r#"{{"image":{{"source":{{"bytes":{}}}}}}}"#, json::quote(data)), out);
    }

    /// Writes a block of one delta.
    fn block(&mut self, delta: &str, out: &mut BytesMut) {
        block_delta(self.blocks, delta, out);
        self.end_block(out);
    }

    fn end_block(&mut self, out: &mut BytesMut) {
        event("contentBlockStop", &format!(r#"{{"contentBlockIndex":{}}}"#, self.blocks), out);
        self.blocks = self.blocks.saturating_add(1);
    }

    fn metadata(&self, out: &mut BytesMut) {
        let usage = write_usage(self.usage);
        event("metadata", &format!(r#"{{"metrics":{{"latencyMs":0}},"usage":{usage}}}"#), out);
    }
}

fn block_delta(index: u32, delta: &str, out: &mut BytesMut) {
    event("contentBlockDelta", &format!(r#"{{"contentBlockIndex":{index},"delta":{delta}}}"#), out);
}

/// Writes the next piece of a call's arguments, which are JSON in source.
fn input_delta(input: &str) -> String {
    format!(r#"{{"toolUse":{{"input":{}}}}}"#, json::quote(input))
}

fn event(kind: &str, payload: &str, out: &mut BytesMut) {
    write(MessageType::Event, kind, payload, out);
}
