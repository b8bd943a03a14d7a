//! Layer 5: at most so many calls at once. Beyond it a call is shed at once, the less urgent first: a queue in front of slow
//! upstreams only makes everybody late.

use std::task::{Context, Poll};

use breakwater_common::limit::Priority;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use tower::Service;

use super::held::Held;
use super::{Pinned, trace_of};
use crate::call::{Pending, Reply};
use crate::fault::Fault;
use crate::gate::Gate;

/// Says how urgent a call is.
const PRIORITY_HEADER: &str = "x-breakwater-priority";
/// Attribute of a key that says how urgent its calls are at most.
const PRIORITY_ATTRIBUTE: &str = "priority";

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Admit<S> {
    inner: S,
    gate: Gate,
}

impl<S> Admit<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, gate: Gate) -> Self {
        Self { inner, gate }
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
        let priority = match priority(&request) {
            Ok(priority) => priority,
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let Some(place) = self.gate.enter(priority) else {
            trace_of(&request).note().shed = Some(priority.as_str());
            return Box::pin(std::future::ready(Err(Fault::Shed)));
        };
        let reply = self.inner.call(request);
        Box::pin(async move {
            let reply = reply.await?;
            // The place lives as long as the body: a stream counts until its end.
            Ok(reply.map(|body| Held::new(body, place).boxed_unsync()))
        })
    }
}

/// Returns the priority that the call says, but no more than its key's. Errors: it says none that there is.
fn priority<B>(request: &Request<B>) -> Result<Priority, Fault> {
    let said = said(request.headers())?;
    let holder = request.extensions().get::<Pinned>().map(|pinned| &pinned.holder);
    let word = holder.and_then(|holder| holder.attributes.get(PRIORITY_ATTRIBUTE));
    // Attributes are the operator's own words: one that is no priority bounds none.
    let most = word.and_then(|word| Priority::parse(word)).unwrap_or(Priority::Interactive);
    Ok(said.map_or(most, |said| said.min(most)))
}

fn said(headers: &HeaderMap) -> Result<Option<Priority>, Fault> {
    let Some(value) = headers.get(PRIORITY_HEADER) else { return Ok(None) };
    let said = value.to_str().ok().and_then(Priority::parse);
    said.map(Some).ok_or_else(|| Fault::BadRequest {
        param: Some(PRIORITY_HEADER.to_owned()),
        message: format!("{PRIORITY_HEADER}: is none of {}", Priority::ALL.map(Priority::as_str).join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::full;

    fn request(priority: &str) -> Request<()> {
        let builder = Request::builder();
        let builder = if priority.is_empty() { builder } else { builder.header(PRIORITY_HEADER, priority) };
        builder.body(()).unwrap()
    }

    #[tokio::test]
    async fn calls_beyond_the_bound_are_shed_and_a_body_holds_its_place() {
        let inner = tower::service_fn(|_request: Request<()>| -> Pending<Reply, Fault> {
            Box::pin(std::future::ready(Ok(Reply::new(full("x")))))
        });
        let mut admit = Admit::new(inner, Gate::of(2));
        let first = admit.call(request("")).await.unwrap();
        assert_eq!(admit.call(request("eval")).await.unwrap_err(), Fault::Shed);
        let second = admit.call(request("interactive")).await.unwrap();
        assert_eq!(admit.call(request("")).await.unwrap_err(), Fault::Shed);
        drop((first, second));
        assert!(admit.call(request("eval")).await.is_ok());
    }

    #[test]
    fn a_priority_that_is_none_is_named() {
        let fault = priority(&request("urgent")).unwrap_err();
        assert!(fault.to_string().contains("interactive, batch, eval"), "{fault}");
    }
}
