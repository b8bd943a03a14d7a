//! Layer 8: the guardrails. What goes in is judged here, before any upstream sees it; what comes out is judged by the
//! rewriters that the layer below drives. Outside of the attempts, because a blocked answer is an answer: no other upstream
//! is asked for a laxer one.

use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::guard::Side;
use breakwater_common::limits::GUARD_INLINE_BYTES_MAX;
use breakwater_common::resource::Action;
use tower::Service;

use crate::call::{Call, Pending, Reply};
use crate::fault::Fault;
use breakwater_dialect::pass::Inspection;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Guard<S> {
    inner: S,
}

impl<S> Guard<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S> Service<Call> for Guard<S>
where
    S: Service<Call, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>
        + Clone
        + Send
        + 'static,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut call: Call) -> Self::Future {
        if !call.route.guards.inspects(Side::Input) {
            return self.inner.call(call);
        }
        let mut inner = self.inner.clone();
        Box::pin(async move {
            let inspection = inspect(&call).await?;
            call.trace.findings(Side::Input, inspection.findings.iter().cloned());
            match inspection.action {
                Action::Allow | Action::Warn => {}
                Action::Redact => call.redactions = inspection.redactions,
                Action::Block => return Err(blocked(&inspection)),
            }
            inner.call(call).await
        })
    }
}

async fn inspect(call: &Call) -> Result<Inspection, Fault> {
    let bytes: usize = call.request.texts().map(str::len).sum();
    if bytes <= GUARD_INLINE_BYTES_MAX {
        return Ok(call.request.inspect(&call.route.guards));
    }
    let (request, route) = (Arc::clone(&call.request), Arc::clone(&call.route));
    let judged = tokio::task::spawn_blocking(move || request.inspect(&route.guards)).await;
    // A guardrail that panicked has not decided: closed.
    judged.map_err(|_panicked| Fault::Internal)
}

fn blocked(inspection: &Inspection) -> Fault {
    let blocks = |finding: &&_| {
        let finding: &breakwater_common::guard::Finding = finding;
        finding.enforced && finding.action == Action::Block
    };
    let finding = inspection.findings.iter().find(blocks);
    Fault::ContentBlocked {
        guardrail: finding.map(|finding| finding.guardrail.to_string()).unwrap_or_default(),
        reason: finding.map_or("blocked", |finding| finding.category).to_owned(),
    }
}
