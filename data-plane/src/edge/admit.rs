//! Layer 4: at most so many calls at once. Beyond it a call is shed at once: a queue in front of slow upstreams only makes
//! everybody late.

use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::limits::PROXY_CALLS_MAX;
use http::Request;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tower::Service;

use super::held::Held;
use crate::call::{Pending, Reply};
use crate::fault::Fault;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Admit<S> {
    inner: S,
    slots: Arc<Semaphore>,
}

impl<S> Admit<S> {
    /// Wraps a service with room for [`PROXY_CALLS_MAX`] calls.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, slots: Arc::new(Semaphore::new(PROXY_CALLS_MAX)) }
    }
}

impl<S, B> Service<Request<B>> for Admit<S>
where
    S: Service<Request<B>, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return Box::pin(std::future::ready(Err(Fault::Shed)));
        };
        let reply = self.inner.call(request);
        Box::pin(async move {
            let reply = reply.await?;
            // The slot lives as long as the body: a stream counts until its end.
            Ok(reply.map(|body| Held::new(body, slot).boxed_unsync()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::full;

    #[tokio::test]
    async fn calls_beyond_the_bound_are_shed_and_a_body_holds_its_slot() {
        let inner = tower::service_fn(|_request: Request<()>| -> Pending<Reply, Fault> {
            Box::pin(std::future::ready(Ok(Reply::new(full("x")))))
        });
        let mut admit = Admit { inner, slots: Arc::new(Semaphore::new(1)) };
        let first = admit.call(Request::new(())).await.unwrap();
        assert_eq!(admit.call(Request::new(())).await.unwrap_err(), Fault::Shed);
        drop(first);
        assert!(admit.call(Request::new(())).await.is_ok());
    }
}
