//! A stream for a caller: chunks as OpenAI sends them, for the strictest of its clients.

use bytes::BytesMut;

use super::answer_id;
use super::write_reply::{call_id, image, logprobs};
use super::{carry, cite, stops, usage};
use crate::codec::{Caller, StreamWriter};
use crate::ir::{At, Block, Citation, Delta, Event, Media, Opening, Stop, StopReason, Usage, characters};
use crate::json::quote;
use crate::{Ending, Format};

/// The state of one stream.
#[derive(Debug)]
pub(super) struct Writer {
    /// Every chunk up to its choices.
    head: String,
    /// Every chunk after its choices.
    tail: &'static str,
    include_usage: bool,
    legacy: bool,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Debug)]
struct Choice {
    index: u32,
    calls: u32,
    refused: bool,
    stop: Option<Stop>,
    /// Characters of its text so far.
    characters: u32,
    open: Option<Open>,
}

/// The block at hand.
#[derive(Debug)]
enum Open {
    Text {
        signature: String,
        /// Where in the answer's text it begins, and what it cites.
        start: u32,
        citations: Vec<Citation>,
    },
    Refusal,
    /// Its seal comes at its end.
    Thinking(Block),
    Tool {
        call: u32,
        custom: bool,
        any: bool,
        signature: String,
    },
    /// Has no place here.
    Other,
}

impl Writer {
    pub(super) fn new(caller: &Caller) -> Self {
        Self {
            head: format!(
                r#"data: {{"id":{},"object":"chat.completion.chunk","created":{},"model":{},"choices":["#,
                quote(&answer_id(caller)),
                caller.created,
                quote(&caller.alias)
            ),
            tail: if caller.include_usage { "],\"usage\":null}\n\n" } else { "]}\n\n" },
            include_usage: caller.include_usage,
            legacy: caller.request.legacy_functions,
            choices: Vec::new(),
            usage: None,
        }
    }

    /// Writes a chunk of one choice whose delta is put together of pieces: source and texts to quote.
    fn chunk(&self, index: u32, delta: &[Piece<'_>], rest: &str, out: &mut BytesMut) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(br#"{"index":"#);
        out.extend_from_slice(index.to_string().as_bytes());
        out.extend_from_slice(br#","delta":{"#);
        for piece in delta {
            match piece {
                Piece::Source(source) => out.extend_from_slice(source.as_bytes()),
                Piece::Text(text) => quote_into(text, out),
            }
        }
        out.extend_from_slice(b"}");
        out.extend_from_slice(rest.as_bytes());
        out.extend_from_slice(b"}");
        out.extend_from_slice(self.tail.as_bytes());
    }

    fn delta(&self, index: u32, delta: &[Piece<'_>], out: &mut BytesMut) {
        self.chunk(index, delta, r#","logprobs":null,"finish_reason":null"#, out);
    }

    /// Returns the place of a choice; the first time its role is written.
    fn choice(&mut self, index: u32, content: &str, out: &mut BytesMut) -> usize {
        if let Some(place) = self.choices.iter().position(|choice| choice.index == index) {
            return place;
        }
        let role = format!(r#""role":"assistant","content":{content},"refusal":null"#);
        self.delta(index, &[Piece::Source(&role)], out);
        self.choices.push(Choice { index, calls: 0, refused: false, stop: None, characters: 0, open: None });
        self.choices.len().saturating_sub(1)
    }

    fn open(&mut self, at: At, opening: &Opening, out: &mut BytesMut) {
        let content = if matches!(opening, Opening::ToolUse { .. }) { "null" } else { "\"\"" };
        let place = self.choice(at.choice, content, out);
        let Some(choice) = self.choices.get_mut(place) else { return };
        let mut call = choice.calls;
        let open = match opening {
            Opening::Text => {
                Open::Text { signature: String::new(), start: choice.characters, citations: Vec::new() }
            }
            Opening::Refusal => Open::Refusal,
            Opening::Thinking { signed_by, id } => Open::Thinking(Block::Thinking {
                text: String::new(),
                signature: None,
                signed_by: *signed_by,
                id: id.clone(),
            }),
            Opening::RedactedThinking { data, signed_by } => {
                Open::Thinking(Block::RedactedThinking { data: data.clone(), signed_by: *signed_by })
            }
            Opening::ToolUse { custom, .. } => {
                choice.calls = choice.calls.saturating_add(1);
                // The old shape has room for one call.
                if self.legacy && call > 0 {
                    Open::Other
                } else {
                    Open::Tool { call, custom: *custom, any: false, signature: String::new() }
                }
            }
            Opening::Media { .. } | Opening::Foreign { .. } => Open::Other,
        };
        let tool = matches!(open, Open::Tool { .. });
        choice.open = Some(open);
        match opening {
            Opening::ToolUse { id, name, signature, custom } if tool => {
                if self.legacy {
                    call = u32::MAX;
                }
                self.open_tool(at.choice, call, (id, name, signature.as_deref(), *custom), out);
            }
            Opening::Media { media: Media::Image, source } => {
                image(source).iter().for_each(|image| self.image(at.choice, image, out));
            }
            Opening::Foreign { format: Format::Chat, kind, json } if kind == "image_url" => {
                self.image(at.choice, json, out);
            }
            Opening::Text
            | Opening::Thinking { .. }
            | Opening::RedactedThinking { .. }
            | Opening::ToolUse { .. }
            | Opening::Refusal
            | Opening::Media { .. }
            | Opening::Foreign { .. } => {}
        }
    }

    fn image(&self, index: u32, image: &str, out: &mut BytesMut) {
        let pieces = [Piece::Source(r#""images":["#), Piece::Source(image), Piece::Source("]")];
        self.delta(index, &pieces, out);
    }

    fn open_tool(
        &self,
        index: u32,
        call: u32,
        (id, name, signature, custom): (&str, &str, Option<&str>, bool),
        out: &mut BytesMut,
    ) {
        if self.legacy {
            let function = [
                Piece::Source(r#""function_call":{"name":"#),
                Piece::Text(name),
                Piece::Source(r#","arguments":""}"#),
            ];
            return self.delta(index, &function, out);
        }
        let (kind, input) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let head = format!(
            r#""tool_calls":[{{"index":{call},"id":"{}","type":"{kind}","{kind}":{{"name":"#,
            call_id(id)
        );
        let signed = signature.map_or(String::new(), |signature| format!(",{}", carry::extra(signature)));
        let tail = format!(r#","{input}":""}}{signed}}}]"#);
        self.delta(index, &[Piece::Source(&head), Piece::Text(name), Piece::Source(&tail)], out);
    }

    fn input(&self, index: u32, call: u32, custom: bool, text: &str, out: &mut BytesMut) {
        if self.legacy {
            let head = Piece::Source(r#""function_call":{"arguments":"#);
            return self.delta(index, &[head, Piece::Text(text), Piece::Source("}")], out);
        }
        let (kind, input) = if custom { ("custom", "input") } else { ("function", "arguments") };
        let head = format!(r#""tool_calls":[{{"index":{call},"{kind}":{{"{input}":"#);
        self.delta(index, &[Piece::Source(&head), Piece::Text(text), Piece::Source("}}]")], out);
    }

    fn take(&mut self, at: At, delta: &Delta, out: &mut BytesMut) {
        if let Delta::Logprobs(entries) = delta {
            self.choice(at.choice, "\"\"", out);
            let rest = format!(r#","logprobs":{},"finish_reason":null"#, logprobs(entries));
            return self.chunk(at.choice, &[Piece::Source(r#""content":"""#)], &rest, out);
        }
        let Some(choice) = self.choices.iter_mut().find(|choice| choice.index == at.choice) else { return };
        let Some(open) = &mut choice.open else { return };
        let key = match (open, delta) {
            (Open::Text { .. }, Delta::Text(text)) => {
                choice.characters = choice.characters.saturating_add(characters(text));
                r#""content":"#
            }
            (Open::Text { citations, .. }, Delta::Citation(cited)) => {
                citations.push(cited.clone());
                return;
            }
            (Open::Refusal, Delta::Text(_)) => {
                choice.refused = true;
                r#""refusal":"#
            }
            (Open::Thinking(Block::Thinking { signed_by: Some(_), .. }), Delta::Text(more)) => {
                let details = format!(
                    r#","reasoning_details":[{{"type":"reasoning.text","index":{},"text":"#,
                    at.block
                );
                let content = Piece::Source(r#""reasoning_content":"#);
                let pieces = [
                    content,
                    Piece::Text(more),
                    Piece::Source(&details),
                    Piece::Text(more),
                    Piece::Source("}]"),
                ];
                if !more.is_empty() {
                    self.delta(at.choice, &pieces, out);
                }
                return;
            }
            (Open::Thinking(_), Delta::Text(_)) => r#""reasoning_content":"#,
            (Open::Thinking(Block::Thinking { signature, .. }), Delta::Signature(more)) => {
                signature.get_or_insert_default().push_str(more);
                return;
            }
            (Open::Text { signature, .. } | Open::Tool { signature, .. }, Delta::Signature(more)) => {
                signature.push_str(more);
                return;
            }
            (Open::Tool { call, custom, any, .. }, Delta::Input(more)) => {
                *any |= !more.is_empty();
                let (call, custom) = (*call, *custom);
                if !more.is_empty() {
                    self.input(at.choice, call, custom, more, out);
                }
                return;
            }
            _ => return,
        };
        if let Delta::Text(text) = delta
            && !text.is_empty()
        {
            self.delta(at.choice, &[Piece::Source(key), Piece::Text(text)], out);
        }
    }

    fn close(&mut self, at: At, out: &mut BytesMut) {
        let Some(choice) = self.choices.iter_mut().find(|choice| choice.index == at.choice) else { return };
        match choice.open.take() {
            Some(Open::Text { signature, start, citations }) => {
                if !citations.is_empty() {
                    let length = choice.characters.saturating_sub(start);
                    let list = cite::write(&citations, start, length).join(",");
                    self.delta(at.choice, &[Piece::Source(&format!(r#""annotations":[{list}]"#))], out);
                }
                if !signature.is_empty() {
                    self.delta(at.choice, &[Piece::Source(&carry::extra(&signature))], out);
                }
            }
            Some(Open::Thinking(block)) => {
                if let Some(entries) = carry::write(&block, at.block) {
                    let delta = format!(r#""reasoning_details":[{entries}]"#);
                    self.delta(at.choice, &[Piece::Source(&delta)], out);
                }
            }
            Some(Open::Tool { call, custom, any, signature }) => {
                if !any && !custom {
                    self.input(at.choice, call, custom, "{}", out);
                }
                if !signature.is_empty() && !self.legacy {
                    let delta = format!(r#""tool_calls":[{{"index":{call},{}}}]"#, carry::extra(&signature));
                    self.delta(at.choice, &[Piece::Source(&delta)], out);
                }
            }
            Some(Open::Refusal | Open::Other) | None => {}
        }
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Open(at, opening) => self.open(*at, opening, out),
            Event::Delta(at, delta) => self.take(*at, delta, out),
            Event::Close(at) => self.close(*at, out),
            Event::Stop(index, stop) => {
                let place = self.choice(*index, "\"\"", out);
                if let Some(choice) = self.choices.get_mut(place) {
                    choice.stop = Some(stop.clone());
                }
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Start | Event::End => {}
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        // This format has no word for an answer that failed in its middle (llm-api.md, 1.7): it is an error.
        if self.choices.iter().flat_map(|choice| &choice.stop).any(|stop| stop.reason == StopReason::Failed) {
            return self.fail(Ending::UpstreamError, out);
        }
        for choice in &self.choices {
            let stop = choice.stop.clone().unwrap_or_default();
            let word = stops::word(&stop, choice.refused, self.legacy);
            let rest = format!(r#","logprobs":null,"finish_reason":"{word}""#);
            self.chunk(choice.index, &[], &rest, out);
        }
        if self.include_usage {
            // Who asked waits for this chunk, whether the provider said its tokens or not.
            let counts = usage::write(&self.usage.unwrap_or_default());
            out.extend_from_slice(format!("{}],\"usage\":{counts}}}\n\n", self.head).as_bytes());
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        let (message, code) = match ending {
            Ending::Cut | Ending::Completed | Ending::Blocked => {
                ("the answer was cut off before its end; ask again", "upstream_cut")
            }
            Ending::UpstreamError => ("the answer failed before its end; ask again", "upstream_error"),
        };
        let event = format!(
            "data: {{\"error\":{{\"message\":\"{message}\",\"type\":\"server_error\",\"param\":null,\"code\":\"{code}\"}}}}\n\n"
        );
        out.extend_from_slice(event.as_bytes());
    }
}

/// A piece of JSON.
#[derive(Debug, Clone, Copy)]
enum Piece<'a> {
    /// As it is.
    Source(&'a str),
    /// To be quoted.
    Text(&'a str),
}

/// Appends a string literal.
fn quote_into(text: &str, out: &mut BytesMut) {
    out.extend_from_slice(b"\"");
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            continue;
        }
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        from = at + 1;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out.extend_from_slice(b"\"");
}

#[cfg(test)]
mod tests;
