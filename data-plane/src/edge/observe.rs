//! Layer 1: gives the request its id and its notes, and leaves exactly one outcome, also when the client goes away in the
//! middle of a stream: whatever holds the notes last, the future or the body, leaves them when it is dropped.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::time::MonoMillis;
use breakwater_dialect::Format;
use breakwater_runtime::SharedClock;
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use ring::rand::{SecureRandom, SystemRandom};
use tower::Service;

use crate::call::{Pending, Reply, ReplyBody};
use crate::outcomes::Outcomes;
use crate::trace::{Ending, Trace};

/// Name of the header that carries the request id.
const ID_HEADER: &str = "x-breakwater-request-id";

/// Returns the name of its twin, which is what the clients of a format read.
fn twin(format: Option<Format>) -> &'static str {
    match format {
        Some(Format::Messages | Format::CountTokens) => "request-id",
        Some(Format::Converse) => "x-amzn-requestid",
        _ => "x-request-id",
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Observe<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    outcomes: Outcomes,
    random: SystemRandom,
}

/// Leaves the outcome when dropped.
struct Observation {
    shared: Arc<Shared>,
    trace: Trace,
    start: MonoMillis,
}

/// A reply's body that knows when its first byte and its end went by.
struct Observed {
    inner: ReplyBody,
    observation: Observation,
    begun: bool,
}

impl<S> Observe<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, clock: SharedClock, outcomes: Outcomes) -> Self {
        Self { inner, shared: Arc::new(Shared { clock, outcomes, random: SystemRandom::new() }) }
    }
}

impl<S, B> Service<Request<B>> for Observe<S>
where
    S: Service<Request<B>, Response = Reply, Error = Infallible, Future = Pending<Reply, Infallible>>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = Pending<Reply, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let id = self.shared.request_id();
        let trace = Trace::new(id.clone(), self.shared.clock.wall());
        let start = self.shared.clock.mono();
        let observation = Observation { shared: self.shared.clone(), trace: trace.clone(), start };
        drop(request.extensions_mut().insert(trace));
        let reply = self.inner.call(request);
        Box::pin(async move {
            let Ok(mut reply) = reply.await;
            // Hexadecimal digits and a dash are always a header value.
            if let Ok(value) = HeaderValue::from_str(&id) {
                let format = observation.trace.note().format;
                drop(reply.headers_mut().insert(twin(format), value.clone()));
                drop(reply.headers_mut().insert(ID_HEADER, value));
            }
            observation.trace.note().status = reply.status().as_u16();
            Ok(reply.map(|inner| {
                let observed = Observed { inner, observation, begun: false };
                if observed.inner.is_end_stream() {
                    observed.observation.end();
                }
                observed.boxed_unsync()
            }))
        })
    }
}

impl Shared {
    /// Makes an id that nobody guesses: it is what opens a call's explanation.
    fn request_id(&self) -> String {
        let mut bytes = [0_u8; 12];
        if self.random.fill(&mut bytes).is_err() {
            // The system gives no randomness: an id from the clock is unique enough to go on with.
            tracing::error!("no randomness for request ids");
            bytes[..8].copy_from_slice(&self.clock.wall().0.to_be_bytes());
        }
        let mut id = String::with_capacity(28);
        id.push_str("bwr-");
        for byte in bytes {
            for nibble in [byte >> 4, byte & 15] {
                id.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        id
    }
}

impl Observation {
    /// Notes that the body went out whole. Whoever knew better (cut, blocked, failed) said so before.
    fn end(&self) {
        let mut facts = self.trace.note();
        if facts.ending == Ending::ClientLeft {
            facts.ending = Ending::Completed;
        }
    }

    fn elapsed_ms(&self) -> u64 {
        self.shared.clock.mono().0.saturating_sub(self.start.0)
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        let mut facts = self.trace.take();
        facts.duration_ms = self.elapsed_ms();
        self.shared.outcomes.leave(facts);
    }
}

impl Body for Observed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(_frame))) => {
                if !std::mem::replace(&mut self.begun, true) {
                    let elapsed = self.observation.elapsed_ms();
                    self.observation.trace.note().first_byte_ms = Some(elapsed);
                }
                // hyper does not poll again a body that says it has ended.
                if self.inner.is_end_stream() {
                    self.observation.end();
                }
            }
            Poll::Ready(None) => self.observation.end(),
            Poll::Ready(Some(Err(never))) => match *never {},
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
