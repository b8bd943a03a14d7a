//! Layer 10: asks the breakers of the provider and of its deployment, and whether the credential may be used. Inside of the
//! attempts, so that each try asks its own. The permit comes back whatever happens: with an outcome, or as abandoned when the
//! future is dropped.

use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::ruleset::Upstream;
use tower::Service;

use super::Arrived;
use crate::breakers::{Breakers, Refusal, Target};
use crate::call::{Answer, Attempt, AttemptFault, Pending};

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
        let upstream = Arc::clone(&attempt.upstream);
        let (model, index) = (attempt.model.clone(), attempt.credential);
        let target = Target { upstream: &upstream, model: &model, credential: credential(&upstream, index) };
        let mut permit = match self.breakers.ask(target) {
            Ok(permit) => permit,
            Err(Refusal { class, retry_after }) => {
                let fault = AttemptFault { retry_after: Some(retry_after), ..AttemptFault::new(class) };
                return Box::pin(std::future::ready(Err(fault)));
            }
        };
        let arrived = self.inner.call(attempt);
        Box::pin(async move {
            match arrived.await {
                Ok(Arrived { upstream, exchange, body, told, sent, first_byte, first_content_by }) => {
                    Ok(Answer { upstream, exchange, body, told, permit, sent, first_byte, first_content_by })
                }
                Err(fault) => {
                    permit.failed((credential(&upstream, index), &model), fault.class, fault.retry_after);
                    Err(fault)
                }
            }
        })
    }
}

/// Returns the name of a credential; empty if the provider has none.
fn credential(upstream: &Upstream, index: usize) -> &str {
    upstream.provider.credentials.get(index).map_or("", |credential| &credential.name)
}
