//! An answer that comes as a stream of events.
//!
//! Each event becomes a frame; what does not change passes byte for byte. With guards, frames wait in a queue until their
//! texts are decided. However the upstream's stream ends, the caller's ends as the format asks: with the end marker after a
//! whole answer or a block, with an error event and no marker after a cut.

use std::sync::Arc;

use breakwater_common::guard::{Channel, CompiledGuards, Evaluation, Finding, Side, StreamGuard};
use breakwater_common::resource::Action;
use bytes::{Bytes, BytesMut};

use super::alike::Moulds;
use super::framing::{Frame, Framer};
use super::held::{Leaving, Queue};
use super::texts::Kind;
use super::{Chunk, EventReader, Passing, Read};
use crate::codec::Caller;
use crate::ir::Usage;
use crate::{Ending, StreamFault, sse};

/// Rewrites one streamed answer.
#[derive(Debug)]
pub struct StreamRewriter {
    framer: Framer,
    /// Frames that the next may be like; none if every frame must be read.
    moulds: Option<Moulds>,
    reader: Box<dyn EventReader>,
    guards: Option<Arc<CompiledGuards>>,
    guard: Option<StreamGuard>,
    /// What was found in texts that came whole.
    found: Vec<Finding>,
    queue: Queue,
    /// Something of an answer came.
    begun: bool,
    usage: Option<Usage>,
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
    /// Makes the rewriter of one stream.
    pub(crate) fn new(format: &dyn Passing, caller: &Caller, guards: Option<Arc<CompiledGuards>>) -> Self {
        let guards = guards.filter(|guards| guards.inspects(Side::Output));
        Self {
            framer: Framer::new(format.framing()),
            moulds: guards.is_none().then(Moulds::default),
            reader: format.events(caller, guards.is_some()),
            guard: guards.clone().map(StreamGuard::new),
            guards,
            found: Vec::new(),
            queue: Queue::default(),
            begun: false,
            usage: None,
            visible: false,
            over: None,
        }
    }

    /// Reads every frame: what the short way is compared with.
    #[cfg(test)]
    pub(super) fn reading_all(mut self) -> Self {
        self.moulds = None;
        self
    }

    /// Takes the moulds out.
    #[cfg(test)]
    pub(super) fn take_moulds(&mut self) -> Moulds {
        self.moulds.take().unwrap_or_default()
    }

    /// Takes the next piece of the upstream's body, cut anywhere.
    ///
    /// # Errors
    ///
    /// The upstream failed before the caller could see anything of the answer.
    pub fn push(&mut self, chunk: &[u8]) -> Result<StreamStep, StreamFault> {
        let seen = self.visible;
        let mut out = BytesMut::new();
        let mut rest = chunk;
        while self.over.is_none() && !rest.is_empty() {
            rest = self.pass_alike(rest, &mut out);
            let piece = if self.moulds.is_some() { sse::first_event(rest) } else { rest.len() };
            let (piece, after) = rest.split_at_checked(piece).unwrap_or((rest, &[]));
            rest = after;
            self.framer.push(piece);
            self.take_frames(&mut out)?;
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
            let last = self.framer.finish();
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
            if self.reader.is_whole() {
                self.reader.complete(&mut out);
                self.over = Some(Ending::Completed);
            } else {
                self.end_badly(Ending::Cut, &mut out);
            }
        }
        StreamEnd {
            bytes: out.freeze(),
            usage: self.usage,
            ending: self.over.unwrap_or(Ending::Cut),
            findings: findings(self.guard.map(|guard| guard.findings()).unwrap_or_default(), self.found),
        }
    }

    /// Passes the events at the beginning that are like one that was read, and returns what follows them.
    fn pass_alike<'a>(&mut self, bytes: &'a [u8], out: &mut BytesMut) -> &'a [u8] {
        // Until the caller sees something, each event may be the one that says so.
        let (true, true, Some(moulds)) = (self.visible, self.framer.between_events(), &mut self.moulds)
        else {
            return bytes;
        };
        let passed = moulds.pass(bytes, self.reader.as_mut(), out);
        bytes.get(passed..).unwrap_or_default()
    }

    /// Passes the next event that came in pieces if it is like one that was read.
    fn skip_alike(&mut self, out: &mut BytesMut) -> bool {
        let (true, Framer::Sse(framer), Some(moulds)) = (self.visible, &mut self.framer, &mut self.moulds)
        else {
            return false;
        };
        let fits = framer
            .peek()
            .ok()
            .flatten()
            .is_some_and(|event| moulds.pass(event, self.reader.as_mut(), out) == event.len());
        if fits {
            framer.skip();
        }
        fits
    }

    /// Takes the frames that are complete.
    fn take_frames(&mut self, out: &mut BytesMut) -> Result<(), StreamFault> {
        while self.over.is_none() {
            if self.skip_alike(out) {
                continue;
            }
            match self.framer.next_frame() {
                Ok(Some(frame)) => self.take(frame, out)?,
                Ok(None) => break,
                Err(fault) => self.fail(fault, out)?,
            }
        }
        Ok(())
    }

    /// Takes one frame.
    fn take(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), StreamFault> {
        let Some(data) = frame.data() else {
            self.queue.push(frame, None);
            self.leave(out);
            return Ok(());
        };
        match self.reader.read(frame.name(), data) {
            Read::Chunk(chunk) => {
                if let (Some(moulds), Frame::Sse(frame), true) =
                    (&mut self.moulds, &frame, self.visible || chunk.visible)
                {
                    moulds.keep(frame, &chunk, self.reader.as_ref());
                }
                self.take_chunk(frame, chunk, out)
            }
            Read::Error(code) => self.fail(StreamFault::Upstream { code }, out),
            Read::Garbage => self.fail(StreamFault::Garbage, out),
        }
    }

    fn take_chunk(&mut self, frame: Frame, chunk: Box<Chunk>, out: &mut BytesMut) -> Result<(), StreamFault> {
        self.usage = chunk.usage.or(self.usage);
        self.begun |= chunk.begins;
        let last = chunk.last;
        if last && !self.begun {
            return self.fail(StreamFault::Empty, out);
        }
        if chunk.unasked {
            return Ok(());
        }
        if last {
            self.flush(out);
        }
        if self.over.is_none() {
            self.queue_up(frame, chunk, out);
        }
        if last && self.over.is_none() {
            self.over = Some(Ending::Completed);
        }
        Ok(())
    }

    /// Puts a chunk behind those that wait, decides what can be decided, lets go what is.
    fn queue_up(&mut self, frame: Frame, chunk: Box<Chunk>, out: &mut BytesMut) {
        let texts: Vec<_> =
            chunk.texts.iter().map(|text| (text.channel, text.text.clone(), text.whole, text.kind)).collect();
        let ended: Vec<u32> =
            chunk.choices.iter().filter(|(_, ends)| *ends).map(|(index, _)| *index).collect();
        self.queue.push(frame, Some(chunk));
        for (index, (channel, text, whole, kind)) in texts.iter().enumerate() {
            if *whole {
                self.judge_whole(index, text, *kind, out);
            } else {
                self.judge(*channel, text, false, out);
            }
        }
        if !ended.is_empty() {
            self.end_channels(|channel| ended.contains(&channel.choice), out);
        }
        self.leave(out);
    }

    /// Lets the guard judge a text that is there at once, in the frame pushed last.
    fn judge_whole(&mut self, index: usize, text: &str, kind: Kind, out: &mut BytesMut) {
        let Some(guards) = self.guards.as_ref().filter(|_| self.over.is_none()) else { return };
        let judged = kind.judge(guards, Side::Output, text);
        let Evaluation { action, redacted, findings } = judged;
        for finding in findings {
            finding.add_to(&mut self.found);
        }
        if action == Action::Block {
            self.block(out);
        } else {
            self.queue.decide_whole(index, redacted);
        }
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
        if let Some(chunk) = &leaving.chunk {
            self.visible |= chunk.visible;
            self.reader.gave(chunk);
        }
    }

    /// Ends the stream by a guardrail: what stood before the block, and the format's end of a blocked answer.
    fn block(&mut self, out: &mut BytesMut) {
        self.leave(out);
        if let Some(leaving) = self.queue.give_up() {
            self.give(&leaving, out);
        }
        self.reader.blocked(out);
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
        self.reader.failed(ending, out);
        self.over = Some(ending);
    }
}

/// Adds what was found in whole texts to what was found in pieces. A format that repeats whole what it said in pieces has it
/// noted already, and a repetition is no second finding.
fn findings(mut pieces: Vec<Finding>, whole: Vec<Finding>) -> Vec<Finding> {
    let noted = pieces.clone();
    let is_noted = |finding: &Finding| {
        noted.iter().any(|other| Finding { count: other.count, ..finding.clone() } == *other)
    };
    pieces.extend(whole.into_iter().filter(|finding| !is_noted(finding)));
    pieces
}
