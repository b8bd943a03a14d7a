//! Layer 11: writes the upstream's request: its address and the provider's credential. Nothing of the caller's head goes
//! with it but what `Call::headers` holds: not the key, not a cookie, not a header that names the caller.

use std::task::{Context, Poll};

use breakwater_common::breaker::failure::Class;
use breakwater_common::resource::ProviderType;
use breakwater_dialect::Format;
use breakwater_runtime::SharedClock;
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::Full;
use tower::Service;

use super::address::address;
use super::sigv4::{self, AccessKey, Parts, Scope};
use super::{Arrived, Signed};
use crate::call::{Attempt, AttemptFault, Pending};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Sign<S> {
    inner: S,
    clock: SharedClock,
}

/// Who calls, as upstreams see it.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("breakwater/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The only version that Anthropic has (source: anthropic SDK 2.11).
const ANTHROPIC_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");
/// Our rewriters read the bytes: an upstream must not compress them.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

impl<S> Sign<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, clock: SharedClock) -> Self {
        Self { inner, clock }
    }
}

impl<S> Service<Attempt> for Sign<S>
where
    S: Service<Signed, Response = Arrived, Error = AttemptFault, Future = Pending<Arrived, AttemptFault>>,
{
    type Response = Arrived;
    type Error = AttemptFault;
    type Future = Pending<Arrived, AttemptFault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), AttemptFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, attempt: Attempt) -> Self::Future {
        match sign(&attempt, self.clock.wall().0 / 1_000) {
            Some(request) => self.inner.call(Signed { attempt, request }),
            None => Box::pin(std::future::ready(Err(AttemptFault::new(Class::BadConfiguration)))),
        }
    }
}

/// Returns the request; none if the provider's configuration makes no address or no header.
fn sign(attempt: &Attempt, unix_seconds: u64) -> Option<Request<Full<bytes::Bytes>>> {
    let mut request = Request::new(Full::new(attempt.body.clone()));
    *request.method_mut() = attempt.state.as_ref().map_or(Method::POST, |state| state.method.clone());
    if request.method() != Method::POST {
        *request.body_mut() = Full::default();
    }
    *request.uri_mut() = address(attempt)?;
    let headers = request.headers_mut();
    headers.extend(attempt.headers.clone());
    headers.extend([
        (header::CONTENT_TYPE, JSON),
        (header::ACCEPT, accept(attempt)),
        (header::ACCEPT_ENCODING, IDENTITY),
        (header::USER_AGENT, USER_AGENT),
    ]);
    if attempt.exchange.provider == Format::Messages || attempt.exchange.provider == Format::CountTokens {
        let _given = headers.entry("anthropic-version").or_insert(ANTHROPIC_VERSION);
    }
    let api_key = attempt.credential().map(|credential| credential.api_key.as_str());
    match api_key.and_then(AccessKey::parse) {
        Some(key) if attempt.upstream.provider.provider_type == ProviderType::Bedrock => {
            sign_for_aws(attempt, key, unix_seconds, &mut request)?;
        }
        Some(_) | None => credential(attempt, &mut request)?,
    }
    Some(request)
}

/// What the answer is to be.
fn accept(attempt: &Attempt) -> HeaderValue {
    match (attempt.stream, attempt.exchange.provider) {
        (false, _) => JSON,
        (true, Format::Converse) => HeaderValue::from_static("application/vnd.amazon.eventstream"),
        (true, Format::Ollama) => HeaderValue::from_static("application/x-ndjson"),
        (true, _) => HeaderValue::from_static("text/event-stream"),
    }
}

/// Signs with an access key. A credential of Bedrock that is none is one of its API keys, which goes as a bearer token.
fn sign_for_aws(
    attempt: &Attempt,
    key: AccessKey<'_>,
    unix_seconds: u64,
    request: &mut Request<Full<bytes::Bytes>>,
) -> Option<()> {
    let uri = request.uri().clone();
    let host = uri.authority()?.as_str();
    let parts = Parts {
        method: request.method().as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: &[("content-type", "application/json"), ("host", host)],
        body: &attempt.body,
    };
    let region = sigv4::region_of(host).unwrap_or(&attempt.upstream.provider.region);
    let scope = Scope { region, service: sigv4::BEDROCK, unix_seconds };
    let made = sigv4::sign(key, &parts, scope);
    drop(request.headers_mut().insert(header::HOST, HeaderValue::from_str(host).ok()?));
    for (name, value) in made {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(name == "authorization" || name == "x-amz-security-token");
        drop(request.headers_mut().insert(HeaderName::from_static(name), value));
    }
    Some(())
}

/// Puts the provider's credential where the provider looks for it. Ollama needs none.
fn credential(attempt: &Attempt, request: &mut Request<Full<bytes::Bytes>>) -> Option<()> {
    let provider = &attempt.upstream.provider;
    let Some(credential) = attempt.credential() else {
        return (provider.provider_type == ProviderType::Ollama).then_some(());
    };
    let api_key = &credential.api_key;
    let named =
        |name: &'static str| Some((HeaderName::from_static(name), HeaderValue::from_str(api_key).ok()?));
    let (name, mut value) = match provider.provider_type {
        ProviderType::AzureOpenAi => named("api-key")?,
        ProviderType::Anthropic => named("x-api-key")?,
        ProviderType::Gemini => named("x-goog-api-key")?,
        ProviderType::OpenAi
        | ProviderType::OpenAiCompatible
        | ProviderType::Mistral
        | ProviderType::Ollama
        | ProviderType::Bedrock => {
            (header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {api_key}")).ok()?)
        }
    };
    value.set_sensitive(true);
    drop(request.headers_mut().insert(name, value));
    Some(())
}
