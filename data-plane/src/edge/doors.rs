//! Layer 3: which of our paths is asked for. Probes are answered here, before admission and without a key: a proxy that
//! sheds calls is still alive. Everything unknown ends here, so that nothing below sees it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_runtime::{Readiness, metrics};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;
use tower::Service;

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

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Root,
    Ping,
    Healthz,
    Readyz,
    Metrics,
    Call(Door),
}

const GET: &str = "GET, HEAD";

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
        match find(request.method(), request.uri().path()) {
            Err(fault) => done(Err(fault)),
            // The operators' port has no TLS and is reached by other people: no call and no key goes in there.
            Ok(Found::Call(_)) if self.probes.audience == Audience::Operators => {
                done(Err(Fault::UnknownPath))
            }
            Ok(Found::Call(door)) => {
                trace_of(&request).note().is_call = door == Door::Chat;
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

fn find(method: &Method, path: &str) -> Result<Found, Fault> {
    let (found, allow) = match path {
        "/" => (Found::Root, GET),
        "/api/health/ping" => (Found::Ping, GET),
        "/healthz" => (Found::Healthz, GET),
        "/readyz" => (Found::Readyz, GET),
        "/metrics" => (Found::Metrics, GET),
        "/v1/models" => (Found::Call(Door::Models), "GET"),
        "/v1/chat/completions" => (Found::Call(Door::Chat), "POST"),
        _ => match path.strip_prefix("/v1/models/").filter(|id| !id.is_empty()) {
            Some(id) => (Found::Call(Door::Model(percent_decoded(id))), "GET"),
            None => return Err(Fault::UnknownPath),
        },
    };
    if allow.split(", ").any(|allowed| allowed == method.as_str()) {
        Ok(found)
    } else {
        Err(Fault::MethodNotAllowed { allow })
    }
}

/// Decodes `%2F` and its like; what is no such escape, or no UTF-8, stays or becomes the replacement character, and then
/// names no model.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_lead_where_they_should() {
        let check = |method: Method, path: &str, expect: Result<Found, Fault>| {
            assert_eq!(find(&method, path), expect, "{method} {path}");
        };
        check(Method::HEAD, "/", Ok(Found::Root));
        check(Method::GET, "/api/health/ping", Ok(Found::Ping));
        check(Method::POST, "/v1/chat/completions", Ok(Found::Call(Door::Chat)));
        check(Method::GET, "/v1/models/a%2Fb", Ok(Found::Call(Door::Model("a/b".into()))));
        check(Method::GET, "/v1/chat/completions", Err(Fault::MethodNotAllowed { allow: "POST" }));
        check(Method::DELETE, "/v1/models", Err(Fault::MethodNotAllowed { allow: "GET" }));
        check(Method::GET, "/v1/models/", Err(Fault::UnknownPath));
        check(Method::POST, "/v1/embeddings", Err(Fault::UnknownPath));
        check(Method::GET, "/../etc/passwd", Err(Fault::UnknownPath));
    }

    #[test]
    fn bad_escapes_do_not_panic() {
        for text in ["%", "%2", "%zz", "a%", "%ff", "%2f%2"] {
            assert!(!percent_decoded(text).is_empty());
        }
        assert_eq!(percent_decoded("%41b%2"), "Ab%2");
    }
}
