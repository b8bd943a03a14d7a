//! Writes a stream of server-sent events for a caller. An array is made of them by `exchange`, for who did not say `alt=sse`.

use bytes::BytesMut;

use super::form::list;
use super::write_contents::arguments;
use super::write_reply::{End, call, candidate, grounding, logprobs_result, media, response, text_part};
use super::{error, signature};
use crate::codec::{Caller, StreamWriter};
use crate::ir::{Citation, Delta, Event, Opening, Stop, StopReason, Usage};
use crate::{Ending, Format};

/// Answers beyond the bound of any format are not written.
const CHOICES_MAX: usize = 128;

/// The block at hand of one answer.
#[derive(Debug)]
enum Block {
    Text { signature: String },
    Thinking { signature: String, signed_by: Option<Format>, id: String },
    Call { id: String, name: String, input: String, custom: bool, signature: Option<String> },
}

/// One answer so far.
#[derive(Debug, Default)]
struct Choice {
    block: Option<Block>,
    stop: Option<Stop>,
    citations: Vec<Citation>,
    /// OpenAI's entries that wait for the next chunk.
    logprobs: Option<String>,
}

#[derive(Debug)]
pub(super) struct Writer {
    caller: Caller,
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

impl Writer {
    pub(super) fn new(caller: &Caller) -> Self {
        Self { caller: caller.clone(), choices: Vec::new(), usage: None }
    }

    fn choice(&mut self, number: u32) -> Option<&mut Choice> {
        let index = usize::try_from(number).ok().filter(|index| *index < CHOICES_MAX)?;
        if self.choices.len() <= index {
            self.choices.resize_with(index + 1, Choice::default);
        }
        self.choices.get_mut(index)
    }

    /// Writes one element of the stream.
    fn element(json: &str, out: &mut BytesMut) {
        // Google ends its lines so, and its SDKs look for the space behind the colon.
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(json.as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
    }

    /// Writes parts of an answer, with the log probabilities that came before them.
    fn parts(&mut self, number: u32, parts: &[String], stop: Option<&Stop>, out: &mut BytesMut) {
        let waiting = self.choice(number).and_then(|choice| choice.logprobs.take());
        let logprobs = waiting.as_deref().and_then(logprobs_result);
        let cited = self
            .choice(number)
            .filter(|_| stop.is_some())
            .map(|choice| std::mem::take(&mut choice.citations));
        let grounding = grounding(cited.unwrap_or_default().iter());
        let end = stop.map(|stop| End { stop, grounding });
        let candidates = list([candidate(number, parts, end.as_ref(), logprobs.as_deref())]);
        // A chunk that ends an answer says the tokens: what came before may not be their last.
        let usage = stop.map(|_| self.usage.unwrap_or_default());
        let json = response(&candidates, usage.as_ref(), &self.caller);
        Self::element(&json, out);
    }

    fn open(&mut self, number: u32, opening: &Opening, out: &mut BytesMut) {
        let (block, part) = match opening {
            Opening::Text | Opening::Refusal => (Some(Block::Text { signature: String::new() }), None),
            Opening::Thinking { signed_by, id } => {
                let block =
                    Block::Thinking { signature: String::new(), signed_by: *signed_by, id: id.clone() };
                (Some(block), None)
            }
            Opening::RedactedThinking { data, signed_by } => {
                let data = signature::pack_redacted(data, *signed_by);
                (None, data.map(|data| text_part("", true, Some(&data))))
            }
            Opening::ToolUse { id, name, signature, custom } => {
                let (id, name, signature) = (id.clone(), name.clone(), signature.clone());
                (Some(Block::Call { id, name, input: String::new(), custom: *custom, signature }), None)
            }
            Opening::Media { source, .. } => (None, media(source)),
            Opening::Foreign { format: Format::Gemini, json, .. } => (None, Some(json.clone())),
            // Nobody who speaks Gemini could do anything with another format's block.
            Opening::Foreign { .. } => (None, None),
        };
        if let Some(choice) = self.choice(number) {
            choice.block = block;
        }
        if let Some(part) = part {
            self.parts(number, &[part], None, out);
        }
    }

    fn delta(&mut self, number: u32, delta: &Delta, out: &mut BytesMut) {
        let Some(choice) = self.choice(number) else { return };
        let thought = match (delta, choice.block.as_mut()) {
            (Delta::Logprobs(entries), _) => {
                extend(&mut choice.logprobs, entries);
                return;
            }
            (Delta::Citation(citation), _) => {
                choice.citations.push(citation.clone());
                return;
            }
            (Delta::Input(more), Some(Block::Call { input, .. })) => {
                input.push_str(more);
                return;
            }
            (Delta::Signature(more), Some(Block::Text { signature } | Block::Thinking { signature, .. })) => {
                signature.push_str(more);
                return;
            }
            (Delta::Signature(more), Some(Block::Call { signature, .. })) => {
                signature.get_or_insert_default().push_str(more);
                return;
            }
            (Delta::Text(_), Some(Block::Thinking { .. })) => true,
            (Delta::Text(_), Some(Block::Text { .. })) => false,
            _ => return,
        };
        if let Delta::Text(text) = delta
            && !text.is_empty()
        {
            self.parts(number, &[text_part(text, thought, None)], None, out);
        }
    }

    /// Ends a block: Google sends calls whole, and signatures behind what they sign.
    fn close(&mut self, number: u32, out: &mut BytesMut) {
        let part = match self.choice(number).and_then(|choice| choice.block.take()) {
            Some(Block::Call { id, name, input, custom, signature }) => {
                Some(call(&id, &name, &arguments(&input, custom), signature.as_deref()))
            }
            Some(Block::Text { signature }) if !signature.is_empty() => {
                Some(text_part("", false, Some(&signature::pack_own(&signature))))
            }
            Some(Block::Thinking { signature, signed_by, id }) if !signature.is_empty() => {
                let signature = signature::pack(&signature, signed_by, &id);
                Some(text_part("", true, Some(&signature)))
            }
            Some(Block::Text { .. } | Block::Thinking { .. }) | None => None,
        };
        if let Some(part) = part {
            self.parts(number, &[part], None, out);
        }
    }

    /// Writes the ends of all answers; `usual` is that of one that did not end.
    fn stops(&mut self, usual: Option<&Stop>, out: &mut BytesMut) {
        for index in 0..self.choices.len() {
            let number = u32::try_from(index).unwrap_or(u32::MAX);
            let stop = self.choices.get_mut(index).and_then(|choice| choice.stop.take());
            if let Some(stop) = stop.as_ref().or(usual) {
                self.parts(number, &[], Some(stop), out);
            }
        }
    }
}

impl StreamWriter for Writer {
    fn write(&mut self, event: &Event, out: &mut BytesMut) {
        match event {
            Event::Start | Event::End => {}
            Event::Open(at, opening) => self.open(at.choice, opening, out),
            Event::Delta(at, delta) => self.delta(at.choice, delta, out),
            Event::Close(at) => self.close(at.choice, out),
            Event::Stop(number, stop) => {
                if let Some(choice) = self.choice(*number) {
                    choice.stop = Some(stop.clone());
                }
            }
            Event::Usage(usage) => self.usage = Some(*usage),
        }
    }

    fn complete(&mut self, out: &mut BytesMut) {
        self.stops(None, out);
    }

    fn fail(&mut self, ending: Ending, out: &mut BytesMut) {
        let (code, status, message) = match ending {
            Ending::Blocked => {
                // Google's own way to say that an answer was taken away.
                let stop = Stop { reason: StopReason::Filtered, ..Stop::default() };
                let _answer = self.choice(0);
                self.stops(Some(&stop), out);
                return;
            }
            Ending::Cut | Ending::Completed => {
                (503, "UNAVAILABLE", "the answer was cut off before its end; ask again")
            }
            Ending::UpstreamError => (500, "INTERNAL", "the answer failed before its end; ask again"),
        };
        Self::element(&error::envelope(code, message, status, &[]), out);
    }
}

/// Appends the entries of one array to another's.
fn extend(entries: &mut Option<String>, more: &str) {
    let more = more.trim();
    match entries.as_mut() {
        Some(held) if held.len() > 2 && more.len() > 2 => {
            let _bracket = held.pop();
            held.push(',');
            held.push_str(more.get(1..).unwrap_or_default());
        }
        _ => *entries = Some(more.to_owned()),
    }
}
