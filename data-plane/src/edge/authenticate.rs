//! Layer 4: whose key it is. Keys are 256 random bits, so a digest is looked up and no comparison of secret bytes takes
//! place: time tells at most how digests sort. Here the ruleset is pinned, for this call and once.

use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_dialect::Format;
use breakwater_runtime::SharedClock;
use http::{HeaderMap, Request, header};
use ring::digest;
use tower::Service;

use super::paths::percent_decoded;
use super::{Door, Pinned, trace_of};
use crate::call::{Pending, Reply};
use crate::fault::Fault;
use crate::ruleset_cell::RulesetCell;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Authenticate<S> {
    inner: S,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cell: RulesetCell,
    clock: SharedClock,
}

impl<S> Authenticate<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, cell: RulesetCell, clock: SharedClock) -> Self {
        Self { inner, shared: Arc::new(Shared { cell, clock }) }
    }
}

impl<S, B> Service<Request<B>> for Authenticate<S>
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
        // Google's older clients put the key into the URL, and no other format's do.
        let gemini = request
            .extensions()
            .get::<Door>()
            .is_some_and(|door| door.format(request.headers()) == Format::Gemini);
        let in_url = request.uri().query().filter(|_| gemini).and_then(key_in_query);
        match self.shared.pin(request.headers(), in_url.as_deref()) {
            Err(fault) => Box::pin(std::future::ready(Err(fault))),
            Ok(pinned) => {
                let trace = trace_of(&request);
                let mut facts = trace.note();
                facts.tenant.clone_from(&pinned.holder.tenant);
                facts.revision = pinned.ruleset.revision();
                drop(facts);
                drop(request.extensions_mut().insert(pinned));
                self.inner.call(request)
            }
        }
    }
}

impl Shared {
    fn pin(&self, headers: &HeaderMap, in_url: Option<&str>) -> Result<Pinned, Fault> {
        let ruleset = self.cell.pin().ok_or(Fault::NotReady)?;
        let key = key(headers).or(in_url.map(str::as_bytes)).ok_or(Fault::InvalidApiKey)?;
        let mut sha256 = [0_u8; 32];
        sha256.copy_from_slice(digest::digest(&digest::SHA256, key).as_ref());
        let holder = ruleset.authenticate(&sha256, self.clock.wall()).ok_or(Fault::InvalidApiKey)?;
        Ok(Pinned { ruleset, holder })
    }
}

/// Returns the key, where the clients of each format put it: `Authorization: Bearer` (OpenAI, Bedrock's API keys), `api-key`
/// (Azure), `x-api-key` (Anthropic), `x-goog-api-key` (Gemini).
fn key(headers: &HeaderMap) -> Option<&[u8]> {
    let named = |name: &str| headers.get(name).map(|value| value.as_bytes().trim_ascii());
    bearer(headers)
        .or_else(|| ["x-api-key", "api-key", "x-goog-api-key"].into_iter().find_map(named))
        .filter(|key| !key.is_empty())
}

/// Returns the key of a query: `?key=`. Nothing of a query is logged or goes on to a provider of such a call.
fn key_in_query(query: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("key="))?;
    Some(percent_decoded(value)).filter(|key| !key.is_empty())
}

/// Returns the token of `Authorization: Bearer`. The scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_where_the_clients_of_each_format_put_it() {
        for name in ["x-api-key", "api-key", "x-goog-api-key"] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(" bw-1 "),
            )]);
            assert_eq!(key(&headers), Some(b"bw-1".as_slice()), "{name}");
        }
        assert_eq!(key(&HeaderMap::new()), None);
    }

    #[test]
    fn a_key_in_the_url_is_read_as_google_s_clients_write_it() {
        for (query, expect) in [
            ("key=bw-1", Some("bw-1")),
            ("alt=sse&key=bw%2D1", Some("bw-1")),
            ("key=", None),
            ("monkey=1&alt=key", None),
        ] {
            assert_eq!(key_in_query(query).as_deref(), expect, "{query}");
        }
    }

    #[test]
    fn only_a_bearer_token_is_a_key() {
        let check = |value: &'static str, expect: Option<&str>| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(bearer(&headers), expect.map(str::as_bytes), "{value}");
        };
        check("Bearer bw-1", Some("bw-1"));
        check("bearer  bw-1 ", Some("bw-1"));
        check("Basic bw-1", None);
        check("Bearer ", None);
        check("Bearer", None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
