//! An answer that comes as a stream of events.
//!
//! Each event becomes a frame; what does not change passes byte for byte. With guards, frames wait in a queue until their
//! texts are decided. However the upstream's stream ends, the caller's ends as the format asks: with the end marker after a
//! whole answer or a block, with an error event and no marker after a cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use breakwater_common::guard::{Channel, CompiledGuards, Finding, Side, StreamGuard};
use breakwater_common::limits::SSE_EVENT_BYTES_MAX;
use bytes::{Bytes, BytesMut};

use super::chunk::{Chunk, Read, Reader};
use super::events;
use super::held::{Leaving, Queue};
use crate::json;
use crate::sse::{Frame, Framer};
use crate::{Ending, StreamFault, Usage};

/// The format's last event.
const DONE: &[u8] = b"[DONE]";

/// Rewrites one streamed answer.
#[derive(Debug)]
pub struct StreamRewriter {
    framer: Framer,
    reader: Reader,
    guard: Option<StreamGuard>,
    queue: Queue,
    /// Choices that were seen, and whether the caller saw them end.
    choices: BTreeMap<u32, bool>,
    usage: Option<Usage>,
    /// `id` and `created` of the chunks, in source.
    identity: (String, String),
    /// The caller got something to see.
    visible: bool,
    over: Option<Ending>,
}

/// What the caller gets after a piece of the upstream's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct StreamStep {
    /// Bytes for the caller; may be empty.
    pub bytes: Bytes,
    /// The stream is over for the caller, the bytes hold its end: read no more from the upstream, call `finish`. True
    /// after a block, after the end marker, and after an upstream's failure in mid-stream.
    pub over: bool,
    /// A guardrail ended the stream.
    pub blocked: bool,
    /// The bytes hold the first of the answer that a person would see. Until then the bytes may be thrown away and
    /// another upstream asked.
    pub first_content: bool,
}

/// How the stream ended.
#[derive(Debug)]
pub struct StreamEnd {
    /// The last bytes for the caller.
    pub bytes: Bytes,
    /// Tokens, if the upstream said them.
    pub usage: Option<Usage>,
    /// How it ended.
    pub ending: Ending,
    /// Everything that guardrails found.
    pub findings: Vec<Finding>,
}

impl StreamRewriter {
    /// Makes the rewriter of one stream. `client_asked_usage` is [`super::ChatRequest::asked_usage`].
    #[must_use]
    pub fn new(alias: &str, guards: Option<Arc<CompiledGuards>>, client_asked_usage: bool) -> Self {
        let guard = guards.filter(|guards| guards.inspects(Side::Output)).map(StreamGuard::new);
        Self {
            framer: Framer::default(),
            reader: Reader {
                alias: alias.to_owned(),
                asked_usage: client_asked_usage,
                reveal_provider: false,
                guarded: guard.is_some(),
                others: BTreeMap::new(),
            },
            guard,
            queue: Queue::default(),
            choices: BTreeMap::new(),
            usage: None,
            identity: (String::new(), String::new()),
            visible: false,
            over: None,
        }
    }

    /// Keeps the fields that name a vendor if the route says so.
    #[must_use]
    pub fn reveal_provider(mut self, reveal: bool) -> Self {
        self.reader.reveal_provider = reveal;
        self
    }

    /// Takes the next piece of the upstream's body, cut anywhere.
    ///
    /// # Errors
    ///
    /// The upstream failed before the caller could see anything of the answer.
    pub fn push(&mut self, chunk: &[u8]) -> Result<StreamStep, StreamFault> {
        let seen = self.visible;
        let mut out = BytesMut::new();
        if self.over.is_none() {
            self.framer.push(chunk);
        }
        while self.over.is_none() {
            match self.framer.next_frame() {
                Ok(Some(frame)) => self.take(frame, &mut out)?,
                Ok(None) => break,
                Err(_) => self.fail(StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX }, &mut out)?,
            }
        }
        Ok(StreamStep {
            bytes: out.freeze(),
            over: self.over.is_some(),
            blocked: self.over == Some(Ending::Blocked),
            first_content: self.visible && !seen,
        })
    }

    /// Ends the stream: the upstream's body is over, broken or no longer wanted. Whether that was in time is read from
    /// what came.
    #[must_use]
    pub fn finish(mut self) -> StreamEnd {
        let mut out = BytesMut::new();
        if self.over.is_none() {
            let last = std::mem::take(&mut self.framer).finish();
            if let Some(frame) = last
                && self.take(frame, &mut out).is_err()
            {
                self.end_badly(Ending::UpstreamError, &mut out);
            }
        }
        if self.over.is_none() {
            self.flush(&mut out);
        }
        if self.over.is_none() {
            if !self.choices.is_empty() && self.choices.values().all(|ended| *ended) {
                out.extend_from_slice(events::END);
                self.over = Some(Ending::Completed);
            } else {
                self.end_badly(Ending::Cut, &mut out);
            }
        }
        StreamEnd {
            bytes: out.freeze(),
            usage: self.usage,
            ending: self.over.unwrap_or(Ending::Cut),
            findings: self.guard.map(|guard| guard.findings()).unwrap_or_default(),
        }
    }

    /// Takes one frame.
    fn take(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), StreamFault> {
        let Some(data) = frame.data() else {
            self.queue.push(frame, None);
            self.leave(out);
            return Ok(());
        };
        if data.trim_ascii() == DONE {
            return self.take_done(frame, out);
        }
        let read = match json::check(data) {
            Ok(text) => self.reader.read(text),
            Err(_) if frame.event == "error" => Read::Error(String::new()),
            Err(_) => Read::Garbage,
        };
        match read {
            Read::Chunk(chunk) => self.take_chunk(frame, chunk, out),
            Read::Error(code) => return self.fail(StreamFault::Upstream { code }, out),
            Read::Garbage => return self.fail(StreamFault::Garbage, out),
        }
        Ok(())
    }

    fn take_done(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), StreamFault> {
        if self.choices.is_empty() {
            return self.fail(StreamFault::Empty, out);
        }
        self.flush(out);
        if self.over.is_none() {
            self.queue.push(frame, None);
            self.leave(out);
            self.over = Some(Ending::Completed);
        }
        Ok(())
    }

    fn take_chunk(&mut self, frame: Frame, chunk: Box<Chunk>, out: &mut BytesMut) {
        self.usage = chunk.usage.or(self.usage);
        for (index, _) in &chunk.choices {
            self.choices.entry(*index).or_insert(false);
        }
        if !chunk.id.is_empty() {
            self.identity = (chunk.id.clone(), chunk.created.clone());
        }
        if chunk.unasked {
            return;
        }
        let texts: Vec<_> = chunk.texts.iter().map(|text| (text.channel, text.text.clone())).collect();
        let ended: Vec<u32> =
            chunk.choices.iter().filter(|(_, ends)| *ends).map(|(index, _)| *index).collect();
        self.queue.push(frame, Some(chunk));
        for (channel, text) in texts {
            self.judge(channel, &text, false, out);
        }
        if !ended.is_empty() {
            self.end_channels(|channel| ended.contains(&channel.choice), out);
        }
        self.leave(out);
    }

    /// Lets the guard judge the next piece of a channel.
    fn judge(&mut self, channel: Channel, text: &str, last: bool, out: &mut BytesMut) {
        if self.over.is_some() || (text.is_empty() && !last) {
            return;
        }
        let Some(guard) = &mut self.guard else { return };
        let passages = guard.pass(channel, text, last);
        self.queue.decide(channel, &passages);
        if passages.blocked.is_some() {
            self.block(out);
        }
    }

    fn end_channels(&mut self, wanted: impl Fn(&Channel) -> bool, out: &mut BytesMut) {
        let open = self.guard.as_ref().map(StreamGuard::open_channels).unwrap_or_default();
        for channel in open.into_iter().filter(wanted) {
            self.judge(channel, "", true, out);
        }
    }

    /// Decides and lets go everything that is held.
    fn flush(&mut self, out: &mut BytesMut) {
        self.end_channels(|_| true, out);
        self.leave(out);
    }

    /// Lets the frames go that are decided.
    fn leave(&mut self, out: &mut BytesMut) {
        for leaving in self.queue.leave() {
            self.give(&leaving, out);
        }
    }

    fn give(&mut self, leaving: &Leaving, out: &mut BytesMut) {
        out.extend_from_slice(&leaving.bytes);
        self.visible |= leaving.visible;
        for index in &leaving.ended {
            self.choices.insert(*index, true);
        }
    }

    /// Ends the stream by a guardrail: what stood before the block, an end for each open choice, the end marker.
    fn block(&mut self, out: &mut BytesMut) {
        self.leave(out);
        if let Some(leaving) = self.queue.give_up() {
            self.give(&leaving, out);
        }
        let open = self.choices.iter().filter(|(_, ended)| !**ended).map(|(index, _)| *index);
        events::blocked(&self.identity, &self.reader.alias, open, out);
        self.visible = true;
        self.over = Some(Ending::Blocked);
    }

    /// The upstream failed: another may be asked if the caller saw nothing, else the stream ends with an error.
    fn fail(&mut self, fault: StreamFault, out: &mut BytesMut) -> Result<(), StreamFault> {
        if !self.visible {
            return Err(fault);
        }
        self.flush(out);
        if self.over.is_none() {
            self.end_badly(Ending::UpstreamError, out);
        }
        Ok(())
    }

    /// Ends the stream with an error event, and without the marker that would say that all is there.
    fn end_badly(&mut self, ending: Ending, out: &mut BytesMut) {
        events::failed(ending, out);
        self.over = Some(ending);
    }
}

#[cfg(test)]
mod tests;
