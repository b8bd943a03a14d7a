//! Between layers 6 and 7: the limits of the call's route and tenant. Before guardrails and attempts, so that a refused
//! call costs nothing but its reading; all limits are asked before any is charged.

use std::task::{Context, Poll};

use http_body_util::BodyExt;
use tower::Service;

use super::held::Held;
use crate::call::{Call, Pending, Reply};
use crate::fault::Fault;
use crate::limiters::{Limiters, Refused};
use crate::tokens;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Limit<S> {
    inner: S,
    limiters: Limiters,
}

impl<S> Limit<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, limiters: Limiters) -> Self {
        Self { inner, limiters }
    }
}

impl<S> Service<Call> for Limit<S>
where
    S: Service<Call, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let tokens = || if call.is_settled() { tokens::reserved(&call.request) } else { 0 };
        let admitted = self.limiters.admit(&call.route.name, &call.holder.tenant, &call.trace, tokens);
        let permit = match admitted {
            Ok(None) => return self.inner.call(call),
            Ok(Some(permit)) => permit,
            Err(refused) => return Box::pin(std::future::ready(Err(refuse(&call, refused)))),
        };
        let reply = self.inner.call(call);
        Box::pin(async move {
            // Settled after everything below has noted what was used: when the body is dropped, or here on a failure.
            let permit = permit;
            let reply = reply.await?;
            Ok(reply.map(|body| Held::new(body, permit).boxed_unsync()))
        })
    }
}

fn refuse(call: &Call, refused: Refused) -> Fault {
    let Refused { subject, limit, retry_after } = refused;
    let (subject, limit) = (subject.as_str(), limit.as_str());
    call.trace.note().limit = Some((subject, limit));
    Fault::Throttled { subject, limit, retry_after }
}
