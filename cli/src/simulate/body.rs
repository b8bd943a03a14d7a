//! The body of a simulated answer: chunks with pauses between them, and an end that may be no good end.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Time between the last chunk and a cut. hyper drops what it has not flushed when a body fails; this lets it flush.
const FLUSH_BEFORE_CUT: Duration = Duration::from_millis(20);

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As the format says.
    Clean,
    /// The connection ends in the middle.
    Cut,
    /// Nothing more comes, and the connection stays.
    Stall,
}

/// The connection was meant to end here.
#[derive(Debug, thiserror::Error)]
#[error("cut by a simulated fault")]
pub(super) struct Cut;

/// Chunks with pauses between them.
pub(super) struct PacedBody {
    chunks: VecDeque<Bytes>,
    pause: Duration,
    end: End,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    /// Makes a body. `pause` lies between two chunks, not before the first.
    pub(super) fn new(chunks: impl IntoIterator<Item = Bytes>, pause: Duration, end: End) -> Self {
        Self { chunks: chunks.into_iter().collect(), pause, end, waiting: None }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        if let Some(chunk) = self.chunks.pop_front() {
            if !self.chunks.is_empty() && !self.pause.is_zero() {
                self.waiting = Some(Box::pin(sleep(self.pause)));
            } else if self.chunks.is_empty() && self.end == End::Cut {
                self.waiting = Some(Box::pin(sleep(FLUSH_BEFORE_CUT)));
            }
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        match self.end {
            End::Clean => Poll::Ready(None),
            End::Cut => Poll::Ready(Some(Err(Cut))),
            // No waker: the caller's leaving, seen by the connection, ends it.
            End::Stall => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty() && self.end == End::Clean
    }

    fn size_hint(&self) -> SizeHint {
        match (self.end, self.chunks.len()) {
            (End::Clean, 0) => SizeHint::with_exact(0),
            (End::Clean, 1) => SizeHint::with_exact(
                self.chunks.iter().map(|chunk| u64::try_from(chunk.len()).unwrap_or(0)).sum(),
            ),
            (End::Clean | End::Cut | End::Stall, _) => SizeHint::default(),
        }
    }
}
