//! Layer 3: which of our paths is asked for. Probes are answered here, before admission and without a key: a proxy that
//! sheds calls is still alive. Everything unknown ends here, so that nothing below sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_runtime::{Readiness, metrics};
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use tower::Service;

use super::paths::{self, Found};
use super::{Door, empty, full, json, trace_of};
use crate::breakers::Breakers;
use crate::call::{Pending, Reply};
use crate::fault::Fault;
use crate::metrics::Metrics;
use crate::server::Peer;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Doors<S> {
    inner: S,
    probes: Arc<Probes>,
}

/// What the probes answer from.
#[derive(Debug)]
pub(crate) struct Probes {
    readiness: Readiness,
    metrics: Metrics,
    breakers: Breakers,
    audience: Audience,
}

/// Who may read the metrics: they name providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The traffic port: callers everywhere, metrics for this machine alone.
    Callers,
    /// The operators' port.
    Operators,
}

impl<S> Doors<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, probes: Arc<Probes>) -> Self {
        Self { inner, probes }
    }
}

impl<S, B> Service<Request<B>> for Doors<S>
where
    S: Service<Request<B>, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let done = |result| -> Self::Future { Box::pin(std::future::ready(result)) };
        match paths::find(request.method(), request.uri()) {
            Err(fault) => done(Err(fault)),
            // The operators' port has no TLS and is reached by other people: no call and no key goes in there.
            Ok(Found::Call(_)) if self.probes.audience == Audience::Operators => {
                done(Err(Fault::UnknownPath))
            }
            Ok(Found::Call(door)) => {
                let trace = trace_of(&request);
                let mut facts = trace.note();
                facts.is_call = matches!(door, Door::Call { .. } | Door::State(_));
                facts.format = Some(door.format(request.headers()));
                drop(facts);
                drop(request.extensions_mut().insert(door));
                self.inner.call(request)
            }
            Ok(found) => {
                let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
                done(self.probes.answer(&found, peer))
            }
        }
    }
}

impl Probes {
    /// Makes the probes of a port.
    pub(crate) fn new(
        readiness: Readiness,
        metrics: Metrics,
        breakers: Breakers,
        audience: Audience,
    ) -> Self {
        Self { readiness, metrics, breakers, audience }
    }

    fn answer(&self, found: &Found, peer: Option<SocketAddr>) -> Result<Reply, Fault> {
        Ok(match found {
            Found::Root => Response::new(empty()),
            Found::Ping | Found::Healthz => json(StatusCode::OK, &json!({ "status": "ok" })),
            Found::Readyz => self.readyz(),
            Found::Metrics if self.may_read_metrics(peer) => {
                let mut reply = Response::new(full(self.metrics.encode(&self.breakers)));
                let content_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
                drop(reply.headers_mut().insert(header::CONTENT_TYPE, content_type));
                reply
            }
            Found::Metrics | Found::Call(_) => return Err(Fault::UnknownPath),
        })
    }

    fn may_read_metrics(&self, peer: Option<SocketAddr>) -> bool {
        match self.audience {
            Audience::Operators => true,
            Audience::Callers => peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback()),
        }
    }

    fn readyz(&self) -> Reply {
        let missing = self.readiness.missing();
        if missing.is_empty() {
            return json(StatusCode::OK, &json!({ "status": "ready" }));
        }
        json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "status": "not ready", "missing": missing }))
    }
}
