//! The body of a simulated answer: chunks with pauses between them.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// Chunks with pauses between them.
pub(super) struct PacedBody {
    chunks: VecDeque<Bytes>,
    pause: Duration,
    completed: Option<Arc<AtomicU64>>,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl PacedBody {
    /// Makes a body. `pause` lies between two chunks, not before the first; the last chunk counts one in `completed`.
    pub(super) fn new(
        chunks: impl IntoIterator<Item = Bytes>,
        pause: Duration,
        completed: Option<Arc<AtomicU64>>,
    ) -> Self {
        let chunks = chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect();
        Self { chunks, pause, completed, waiting: None }
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        let chunk = self.chunks.pop_front();
        if self.chunks.is_empty() {
            if let Some(completed) = self.completed.take() {
                let _before = completed.fetch_add(1, Ordering::Relaxed);
            }
        } else if !self.pause.is_zero() {
            self.waiting = Some(Box::pin(sleep(self.pause)));
        }
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.chunks.is_empty() && self.completed.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match self.chunks.len() {
            0 | 1 => SizeHint::with_exact(
                self.chunks.iter().map(|chunk| u64::try_from(chunk.len()).unwrap_or(0)).sum(),
            ),
            _ => SizeHint::default(),
        }
    }
}
