//! A stream that has begun: pulls the upstream's bytes, lets the rewriter judge them, and ends well-formed whatever
//! happens: silence, a cut, a block, the deadline. Exactly one outcome is reported, also when the client leaves.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use breakwater_common::breaker::Outcome;
use breakwater_common::guard::Side;
use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use memchr::memmem;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::breakers::Permit;
use crate::call::Call;
use crate::tokens::Unsaid;
use crate::trace::{Ending, Trace};
use breakwater_dialect as dialect;
use breakwater_dialect::exchange::AnswerStream;

/// A stream whose first content is there.
#[derive(Debug)]
pub(super) struct Begun {
    /// The rest of the upstream's body.
    pub(super) source: Incoming,
    /// Judge and rewriter.
    pub(super) rewriter: AnswerStream,
    /// Bytes for the caller so far.
    pub(super) held: Bytes,
    /// The bytes hold the stream's end.
    pub(super) over: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Live {
    source: Option<Incoming>,
    rewriter: Option<AnswerStream>,
    held: Bytes,
    permit: Permit,
    trace: Trace,
    /// None for a call that has no tokens of its own.
    unsaid: Option<Unsaid>,
    /// Events that went to the caller: about as many tokens, if nobody says how many.
    pieces: u64,
    idle: Duration,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Live {
    /// Makes the body. `idle` is the longest silence.
    pub(super) fn new(begun: Begun, permit: Permit, call: &Call, idle: Duration) -> Self {
        let deadline = call.deadline;
        let mut live = Self {
            source: Some(begun.source),
            rewriter: Some(begun.rewriter),
            held: begun.held,
            permit,
            trace: call.trace.clone(),
            unsaid: call.is_settled().then(|| Unsaid::of(&call.request)),
            pieces: 0,
            idle,
            deadline,
            timer: Box::pin(sleep_until(deadline)),
        };
        live.rest();
        if begun.over {
            live.source = None;
        }
        live
    }

    /// Starts the silence anew.
    fn rest(&mut self) {
        let until = (Instant::now() + self.idle).min(self.deadline);
        self.timer.as_mut().reset(until);
    }

    /// Takes the next piece of the source. `None`: there is nothing more to take.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(source) = &mut self.source else { return Poll::Ready(None) };
        match Pin::new(source).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => return Poll::Ready(Some(frame.into_data().unwrap_or_default())),
            Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        ready!(self.timer.as_mut().poll(context));
        if Instant::now() >= self.deadline {
            "deadline_exceeded".clone_into(&mut self.trace.note().code);
        } else {
            "idle_timeout".clone_into(&mut self.trace.note().code);
        }
        Poll::Ready(None)
    }

    /// Ends the stream and reports; returns the last bytes. Only the first time does anything.
    fn end(&mut self, left: bool) -> Bytes {
        // Dropping the source closes the connection to an upstream that is still talking.
        self.source = None;
        let Some(rewriter) = self.rewriter.take() else { return Bytes::new() };
        let end = rewriter.finish();
        self.trace.findings(Side::Output, end.findings);
        let whole = !left && end.ending == dialect::Ending::Completed;
        if let Some(unsaid) = &self.unsaid {
            let (usage, estimated) = unsaid.settle(end.usage, whole, self.pieces);
            let mut facts = self.trace.note();
            facts.usage = Some(usage);
            facts.usage_estimated = estimated;
        }
        if left {
            return Bytes::new();
        }
        let (outcome, ending) = match end.ending {
            dialect::Ending::Completed => (Outcome::Success, Ending::Completed),
            dialect::Ending::Blocked => (Outcome::Success, Ending::Blocked),
            dialect::Ending::Cut | dialect::Ending::UpstreamError => (Outcome::Failure, Ending::Cut),
        };
        let mut facts = self.trace.note();
        facts.ending = ending;
        // A deadline is the caller's bound, not the provider's fault.
        let outcome = if facts.code == "deadline_exceeded" { Outcome::Neutral } else { outcome };
        drop(facts);
        self.permit.report(outcome);
        end.bytes
    }
}

impl Body for Live {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let live = self.get_mut();
        loop {
            if !live.held.is_empty() {
                live.pieces += pieces(&live.held);
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut live.held)))));
            }
            if live.rewriter.is_none() {
                return Poll::Ready(None);
            }
            let Some(data) = ready!(live.poll_source(context)) else {
                live.held = live.end(false);
                continue;
            };
            // A comment keeps the connection, not the patience: only events count as progress. It begins with a colon.
            if data.first() != Some(&b':') || memmem::find(&data, b"data:").is_some() {
                live.rest();
            }
            match live.rewriter.as_mut().map(|rewriter| rewriter.push(&data)) {
                Some(Ok(step)) => {
                    live.held = step.bytes;
                    if step.over {
                        live.source = None;
                    }
                }
                Some(Err(_)) | None => live.held = live.end(false),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rewriter.is_none() && self.held.is_empty()
    }
}

/// Counts the events in bytes of a stream; those of the binary one by their size, which is about 128 bytes.
fn pieces(bytes: &[u8]) -> u64 {
    let events = memmem::find_iter(bytes, b"data:").count();
    let events = if events == 0 { bytes.len() / 128 } else { events };
    u64::try_from(events).unwrap_or(u64::MAX)
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.end(true));
    }
}
