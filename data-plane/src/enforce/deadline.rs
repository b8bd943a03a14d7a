//! Layer 7: one budget of time for everything below. The head of the answer must be there within it; a stream that is still
//! running when it ends is ended by its body (see `live`).

use std::task::{Context, Poll};

use tokio::time::{Instant, timeout_at};
use tower::Service;

use crate::call::{CALL_END, Call, Pending, Reply};
use crate::fault::Fault;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Deadline<S> {
    inner: S,
}

impl<S> Deadline<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Call> for Deadline<S>
where
    S: Service<Call, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        call.deadline = Instant::now() + call.route.deadline;
        let deadline = call.deadline;
        // There is nobody to tell on a connection of HTTP/1.1.
        let _told = CALL_END.try_with(|end| end.set(deadline));
        let reply = self.inner.call(call);
        Box::pin(async move { timeout_at(deadline, reply).await.unwrap_or(Err(Fault::DeadlineExceeded)) })
    }
}
