//! Layer 11: writes the upstream's request: its address and the provider's credential. Nothing of the caller's head goes
//! with it: not the key, not a cookie, not a header that names the caller.

use std::task::{Context, Poll};

use breakwater_common::resource::ProviderType;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use tower::Service;

use super::{Arrived, Signed};
use crate::call::{Attempt, AttemptFault, Pending, Reason};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Sign<S> {
    inner: S,
}

/// Who calls, as upstreams see it.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("breakwater/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Our rewriters read the bytes: an upstream must not compress them.
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

impl<S> Sign<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner }
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
        match sign(&attempt) {
            Some(request) => self.inner.call(Signed { attempt, request }),
            None => Box::pin(std::future::ready(Err(AttemptFault::new(Reason::BadConfiguration)))),
        }
    }
}

/// Returns the request; none if the provider's configuration makes no address or no header.
fn sign(attempt: &Attempt) -> Option<Request<Full<bytes::Bytes>>> {
    let provider = &attempt.upstream.provider;
    let api_key = &provider.credentials.first()?.api_key;
    let accept = if attempt.stream { HeaderValue::from_static("text/event-stream") } else { JSON };
    let mut request = Request::new(Full::new(attempt.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = address(attempt)?;
    let (name, mut credential) = match provider.provider_type {
        ProviderType::AzureOpenAi => {
            (header::HeaderName::from_static("api-key"), HeaderValue::from_str(api_key).ok()?)
        }
        ProviderType::OpenAi
        | ProviderType::OpenAiCompatible
        | ProviderType::Anthropic
        | ProviderType::Mistral
        | ProviderType::Ollama
        | ProviderType::Gemini
        | ProviderType::Bedrock => {
            (header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {api_key}")).ok()?)
        }
    };
    credential.set_sensitive(true);
    let headers = [
        (name, credential),
        (header::CONTENT_TYPE, JSON),
        (header::ACCEPT, accept),
        (header::ACCEPT_ENCODING, IDENTITY),
        (header::USER_AGENT, USER_AGENT),
    ];
    request.headers_mut().extend(headers);
    Some(request)
}

/// Returns where completions are asked for. Source of Azure's form: Azure OpenAI REST API reference, data plane inference.
fn address(attempt: &Attempt) -> Option<Uri> {
    let provider = &attempt.upstream.provider;
    let base = provider.base_url.trim_end_matches('/');
    let address = if provider.provider_type == ProviderType::AzureOpenAi {
        let deployment = if attempt.deployment.is_empty() { &attempt.model } else { &attempt.deployment };
        let base = base.strip_suffix("/openai").unwrap_or(base);
        let (deployment, version) = (escaped(deployment), escaped(&provider.api_version));
        format!("{base}/openai/deployments/{deployment}/chat/completions?api-version={version}")
    } else {
        format!("{base}/chat/completions")
    };
    address.parse().ok()
}

/// Escapes everything but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
