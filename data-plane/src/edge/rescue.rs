//! Layer 2: the only writer of error bodies. A fault becomes an error in the envelope of the caller's format.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::limits::RETRY_AFTER_S_MAX;
use breakwater_dialect::{ErrorClass, Format, GatewayError, translate};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use tower::Service;

use super::{full, trace_of};
use crate::call::{Pending, Reply};
use crate::fault::{Fault, Origin};
use crate::metrics::Metrics;
use crate::trace::{Ending, Trace};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Rescue<S> {
    inner: S,
    metrics: Metrics,
}

impl<S> Rescue<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, metrics: Metrics) -> Self {
        Self { inner, metrics }
    }
}

impl<S, B> Service<Request<B>> for Rescue<S>
where
    S: Service<Request<B>, Response = Reply, Error = Fault, Future = Pending<Reply, Fault>>,
{
    type Response = Reply;
    type Error = Infallible;
    type Future = Pending<Reply, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let trace = trace_of(&request);
        let reply = self.inner.call(request);
        let metrics = self.metrics.clone();
        Box::pin(async move {
            Ok(match reply.await {
                Ok(reply) => reply,
                Err(fault) => {
                    note(&trace, &fault, &metrics);
                    let facts = trace.note();
                    write(&fault, facts.format.unwrap_or(Format::Chat), &facts.request_id)
                }
            })
        })
    }
}

fn note(trace: &Trace, fault: &Fault, metrics: &Metrics) {
    if let Some(cause) = bad_input(fault) {
        metrics.bad_input(cause);
    }
    let mut facts = trace.note();
    facts.code = fault.face().code.unwrap_or_default();
    facts.not_the_callers = matches!(fault.origin(), Origin::Upstream | Origin::Internal);
    facts.ending = if fault.origin() == Origin::Guard { Ending::Blocked } else { Ending::Failed };
}

/// Returns what a fault of the caller counts as; none for those that are no bad input.
fn bad_input(fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::InvalidApiKey => Some("invalid_api_key"),
        Fault::UnknownPath => Some("unknown_path"),
        Fault::MethodNotAllowed { .. } => Some("method_not_allowed"),
        Fault::ModelNotFound { .. } => Some("model_not_found"),
        Fault::BadRequest { .. } => Some("bad_request"),
        Fault::ContentEncoding | Fault::BrokenCoding => Some("content_encoding"),
        Fault::Unsupported { .. } => Some("unsupported_parameter"),
        Fault::StateForbidden => Some("state_forbidden"),
        Fault::BodyTooLarge { .. } => Some("body_too_large"),
        Fault::BodyTimeout => Some("slow_body"),
        Fault::BodyIncomplete => Some("incomplete_body"),
        Fault::Rejected(_) => Some("rejected_by_upstream"),
        Fault::ContentBlocked { .. }
        | Fault::Shed
        | Fault::NotReady
        | Fault::RateLimited { .. }
        | Fault::Throttled { .. }
        | Fault::UpstreamUnavailable { .. }
        | Fault::NoProviderAvailable { .. }
        | Fault::DeadlineExceeded
        | Fault::Internal => None,
    }
}

fn write(fault: &Fault, format: Format, request_id: &str) -> Reply {
    let face = fault.face();
    let error = GatewayError {
        status: face.status,
        class: face.class,
        message: fault.to_string(),
        kind: face.kind,
        code: face.code,
        param: face.param,
        request_id: request_id.to_owned(),
    };
    let mut reply = Response::new(full(translate::write_error(format, &error)));
    *reply.status_mut() = StatusCode::from_u16(face.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    drop(reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json")));
    if format == Format::Converse {
        // Its clients choose the exception by this header.
        let kind = HeaderValue::from_static(exception(face.class));
        drop(reply.headers_mut().insert("x-amzn-errortype", kind));
    }
    advise(face.retry_after, face.should_retry, format, reply.headers_mut());
    if let Fault::RateLimited { told, .. } = fault {
        reply.headers_mut().extend(told.rates.clone());
    }
    if let Some(allow) = face.allow {
        drop(reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow)));
    }
    reply
}

/// Says when and whether to ask again, in the headers that the format's own clients read.
fn advise(
    retry_after: Option<Duration>,
    should_retry: Option<bool>,
    format: Format,
    headers: &mut HeaderMap,
) {
    let anthropic = matches!(format, Format::Messages | Format::CountTokens);
    let openai = !anthropic && !matches!(format, Format::Gemini | Format::Converse);
    if let Some(retry_after) = retry_after {
        drop(headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(retry_after))));
        if openai {
            drop(headers.insert(RETRY_AFTER_MS, HeaderValue::from(milliseconds(retry_after))));
        }
    }
    if let Some(should_retry) = should_retry.filter(|_| openai || anthropic) {
        let word = HeaderValue::from_static(if should_retry { "true" } else { "false" });
        drop(headers.insert(SHOULD_RETRY, word));
    }
}

/// The exceptions of Bedrock's runtime (source: botocore 1.44.5, bedrock-runtime).
fn exception(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Invalid
        | ErrorClass::ContextLength
        | ErrorClass::TooLarge
        | ErrorClass::ContentFilter => "ValidationException",
        ErrorClass::Authentication | ErrorClass::Permission | ErrorClass::Billing => "AccessDeniedException",
        ErrorClass::NotFound => "ResourceNotFoundException",
        ErrorClass::RateLimit => "ThrottlingException",
        ErrorClass::Overloaded => "ServiceUnavailableException",
        ErrorClass::Timeout => "ModelTimeoutException",
        ErrorClass::Server => "InternalServerException",
    }
}

/// Rounds up to whole seconds, at least one and at most what clients obey.
fn seconds(retry_after: Duration) -> u64 {
    let rounded = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    rounded.clamp(1, RETRY_AFTER_S_MAX)
}

/// The same in milliseconds, which OpenAI's clients look for first.
fn milliseconds(retry_after: Duration) -> u64 {
    u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).clamp(1, RETRY_AFTER_S_MAX * 1_000)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::told::Told;

    #[tokio::test]
    async fn the_envelope_has_all_four_keys() {
        for fault in [Fault::InvalidApiKey, Fault::Internal, Fault::BodyTooLarge { bytes_max: 1 }] {
            let reply = write(&fault, Format::Chat, "bwr-1");
            let bytes = reply.into_body().collect().await.unwrap().to_bytes();
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let keys: Vec<_> = value["error"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["message", "type", "param", "code"], "{fault:?}");
        }
    }

    #[test]
    fn retry_after_is_whole_seconds_that_clients_obey() {
        let check = |millis, expect| assert_eq!(seconds(Duration::from_millis(millis)), expect);
        check(0, 1);
        check(1_001, 2);
        check(3_600_000, 60);
    }

    #[test]
    fn bug_21_each_format_s_clients_are_told_when_to_come_back_in_their_own_headers() {
        let told = Told { should_retry: Some(false), ..Told::default() };
        let fault = Fault::RateLimited { retry_after: Duration::from_millis(1_500), told: Box::new(told) };
        for (format, millis, should_retry) in [
            (Format::Chat, Some("1500"), Some("false")),
            (Format::Responses, Some("1500"), Some("false")),
            (Format::Messages, None, Some("false")),
            (Format::Gemini, None, None),
            (Format::Converse, None, None),
        ] {
            let reply = write(&fault, format, "bwr-1");
            let said = |name: &str| reply.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(said("retry-after"), Some("2"), "{format:?}");
            assert_eq!(
                (said("retry-after-ms"), said("x-should-retry")),
                (millis, should_retry),
                "{format:?}"
            );
        }
    }
}
