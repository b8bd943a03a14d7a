//! Layer 10: asks the provider's breaker. Inside of the attempts, so that each try asks its own provider. The permit comes
//! back whatever happens: with an outcome, or as abandoned when the future is dropped.

use std::task::{Context, Poll};

use tower::Service;

use super::Arrived;
use crate::breakers::Breakers;
use crate::call::{Answer, Attempt, AttemptFault, Pending, Reason};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Breaker<S> {
    inner: S,
    breakers: Breakers,
}

impl<S> Breaker<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, breakers: Breakers) -> Self {
        Self { inner, breakers }
    }
}

impl<S> Service<Attempt> for Breaker<S>
where
    S: Service<Attempt, Response = Arrived, Error = AttemptFault, Future = Pending<Arrived, AttemptFault>>,
{
    type Response = Answer;
    type Error = AttemptFault;
    type Future = Pending<Answer, AttemptFault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), AttemptFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        let mut permit = match self.breakers.ask(&attempt.upstream.name, attempt.upstream.provider.breaker) {
            Ok(permit) => permit,
            Err(retry_after) => {
                let fault =
                    AttemptFault { retry_after: Some(retry_after), ..AttemptFault::new(Reason::BreakerOpen) };
                return Box::pin(std::future::ready(Err(fault)));
            }
        };
        let arrived = self.inner.call(attempt);
        Box::pin(async move {
            match arrived.await {
                Ok(Arrived { upstream, exchange, body, first_byte, first_content_by }) => {
                    Ok(Answer { upstream, exchange, body, permit, first_byte, first_content_by })
                }
                Err(fault) => {
                    permit.report(fault.outcome());
                    Err(fault)
                }
            }
        })
    }
}
