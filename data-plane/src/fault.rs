//! How a call can fail, as its caller sees it. A fault says what happened; what is written about it is decided once, in
//! [`Fault::face`], and written once, in `edge::rescue`.

use std::time::Duration;

use breakwater_dialect::ErrorClass;

use crate::told::Told;

/// Whose doing a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The caller's.
    Client,
    /// A guardrail's.
    Guard,
    /// An upstream's.
    Upstream,
    /// Ours.
    Internal,
}

/// Why a call failed. Carries no prompt text, and of an upstream only what was scrubbed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// No key, or one that is not known, revoked or expired.
    #[error("incorrect API key provided; send \"Authorization: Bearer KEY\" with a key of this gateway")]
    InvalidApiKey,
    /// The path is not one of ours.
    #[error(
        "unknown path; this gateway serves /v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings, /v1/models and the paths of Azure OpenAI, Gemini and Bedrock Converse"
    )]
    UnknownPath,
    /// The path is ours and the method is not.
    #[error("method not allowed; use {allow}")]
    MethodNotAllowed {
        /// The methods that are.
        allow: &'static str,
    },
    /// The alias does not exist or the tenant may not use it.
    #[error("the model `{alias}` does not exist or you do not have access to it")]
    ModelNotFound {
        /// What was asked for, cut to a bound.
        alias: String,
    },
    /// The request is wrong whatever the state is.
    #[error("{message}")]
    BadRequest {
        /// The field; none if the whole is meant.
        param: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// The request's body has a coding that is not spoken here.
    #[error("content-encoding of the request is not supported; send gzip, br, zstd or the body as it is")]
    ContentEncoding,
    /// The request's body is not in the coding that its head says.
    #[error("the request body is not in the coding that content-encoding says")]
    BrokenCoding,
    /// The route does not let its callers use what its provider keeps.
    #[error(
        "this model does not give access to what its provider keeps; ask the operator for provider_state"
    )]
    StateForbidden,
    /// No provider of the route can be asked for what the request holds.
    #[error("{param} {reason}")]
    Unsupported {
        /// The field.
        param: String,
        /// Why.
        reason: String,
    },
    /// The body is over the limit.
    #[error("the request body is larger than {bytes_max} bytes")]
    BodyTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The body did not come in time.
    #[error("the request body stopped coming")]
    BodyTimeout,
    /// The body ended before it was whole.
    #[error("the request body ended before it was whole")]
    BodyIncomplete,
    /// An input guardrail blocked.
    #[error("the request was blocked by guardrail {guardrail}: {reason}")]
    ContentBlocked {
        /// Its name.
        guardrail: String,
        /// The reason code.
        reason: String,
    },
    /// Too many calls at once.
    #[error("the gateway is at its limit of concurrent calls; try again")]
    Shed,
    /// No configuration yet.
    #[error("the gateway has no configuration yet; try again")]
    NotReady,
    /// Every candidate is rate-limited.
    #[error("rate limit reached; try again later")]
    RateLimited {
        /// When.
        retry_after: Duration,
        /// What the upstreams said of their limits, and whether they advise to ask again.
        told: Box<Told>,
    },
    /// A limit of the route or the tenant is reached.
    #[error("rate limit reached: {limit} of the {subject}; try again in {} ms", .retry_after.as_millis().max(1))]
    Throttled {
        /// Whose limit.
        subject: &'static str,
        /// Which.
        limit: &'static str,
        /// When.
        retry_after: Duration,
    },
    /// The route has no fallback and its one candidate failed.
    #[error("the upstream failed")]
    UpstreamUnavailable {
        /// Whether it advises to ask again.
        should_retry: Option<bool>,
    },
    /// The whole chain is open or has failed.
    #[error("no provider is available for this model; try again later")]
    NoProviderAvailable {
        /// When.
        retry_after: Duration,
    },
    /// The call's own deadline.
    #[error("the call's deadline passed")]
    DeadlineExceeded,
    /// The upstream refused what the caller sent.
    #[error("{}", .0.message)]
    Rejected(Box<Rejection>),
    /// A defect of ours.
    #[error("internal error")]
    Internal,
}

/// What an upstream said about a request that it refused for the caller's fault, scrubbed of every name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// Its status, 400 to 499.
    pub(crate) status: u16,
    /// What it means in every format.
    pub(crate) class: ErrorClass,
    /// `type` of the envelope, if the caller's format is the upstream's.
    pub(crate) kind: Option<String>,
    /// `code`.
    pub(crate) code: Option<String>,
    /// `param`.
    pub(crate) param: Option<String>,
    /// `message`.
    pub(crate) message: String,
    /// Whether it advises to ask again.
    pub(crate) should_retry: Option<bool>,
}

/// What the caller gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Face {
    /// HTTP status.
    pub(crate) status: u16,
    /// What it means in every format.
    pub(crate) class: ErrorClass,
    /// OpenAI's `type`, where the class does not say it.
    pub(crate) kind: Option<String>,
    /// `code`.
    pub(crate) code: Option<String>,
    /// `param`.
    pub(crate) param: Option<String>,
    /// `Retry-After`.
    pub(crate) retry_after: Option<Duration>,
    /// `x-should-retry`, which the clients of OpenAI and Anthropic obey.
    pub(crate) should_retry: Option<bool>,
    /// `Allow`, of a 405.
    pub(crate) allow: Option<&'static str>,
}

const RETRY_SOON: Duration = Duration::from_secs(1);

impl Fault {
    /// Returns whose doing it is.
    pub(crate) fn origin(&self) -> Origin {
        match self {
            Self::InvalidApiKey
            | Self::UnknownPath
            | Self::MethodNotAllowed { .. }
            | Self::ModelNotFound { .. }
            | Self::BadRequest { .. }
            | Self::ContentEncoding
            | Self::BrokenCoding
            | Self::StateForbidden
            | Self::Unsupported { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTimeout
            | Self::BodyIncomplete
            | Self::Throttled { .. }
            | Self::Rejected(_) => Origin::Client,
            Self::ContentBlocked { .. } => Origin::Guard,
            Self::RateLimited { .. }
            | Self::UpstreamUnavailable { .. }
            | Self::NoProviderAvailable { .. }
            | Self::DeadlineExceeded => Origin::Upstream,
            Self::Shed | Self::NotReady | Self::Internal => Origin::Internal,
        }
    }

    /// Whether the same call may succeed later without a change by the caller.
    #[cfg(test)]
    pub(crate) fn retryable(&self) -> bool {
        match self.origin() {
            Origin::Client => {
                matches!(self, Self::BodyTimeout | Self::BodyIncomplete | Self::Throttled { .. })
            }
            Origin::Guard => false,
            Origin::Upstream | Origin::Internal => true,
        }
    }

    /// Returns what the caller gets. The statuses and codes are those of contract/rest.md; what it does not name follows
    /// the codes that OpenAI sends.
    pub(crate) fn face(&self) -> Face {
        use ErrorClass::{Invalid, Overloaded, RateLimit, Server, Timeout};
        let face = |status, class: ErrorClass, code: &str| Face {
            status,
            class,
            kind: None,
            code: (!code.is_empty()).then(|| code.to_owned()),
            param: None,
            retry_after: None,
            should_retry: None,
            allow: None,
        };
        match self {
            Self::InvalidApiKey => face(401, ErrorClass::Authentication, "invalid_api_key"),
            Self::UnknownPath => face(404, ErrorClass::NotFound, "unknown_url"),
            Self::MethodNotAllowed { allow } => {
                Face { allow: Some(allow), ..face(405, Invalid, "method_not_allowed") }
            }
            Self::ModelNotFound { .. } => {
                Face { param: Some("model".to_owned()), ..face(404, ErrorClass::NotFound, "model_not_found") }
            }
            Self::BadRequest { param, .. } => {
                Face { param: param.clone(), ..face(400, Invalid, "invalid_value") }
            }
            Self::ContentEncoding => face(415, Invalid, "unsupported_content_encoding"),
            Self::BrokenCoding => face(400, Invalid, "invalid_content_encoding"),
            Self::StateForbidden => face(403, ErrorClass::Permission, "state_forbidden"),
            Self::Unsupported { param, .. } => {
                Face { param: Some(param.clone()), ..face(400, Invalid, "unsupported_parameter") }
            }
            Self::BodyTooLarge { .. } => face(413, ErrorClass::TooLarge, "request_too_large"),
            Self::BodyTimeout => face(408, Invalid, "request_timeout"),
            Self::BodyIncomplete => face(400, Invalid, "incomplete_body"),
            Self::ContentBlocked { .. } => face(400, Invalid, "content_blocked"),
            Self::Shed => Face { retry_after: Some(RETRY_SOON), ..face(503, Overloaded, "overloaded") },
            Self::NotReady => Face { retry_after: Some(RETRY_SOON), ..face(503, Overloaded, "not_ready") },
            Self::Throttled { retry_after, .. } => {
                Face { retry_after: Some(*retry_after), ..face(429, RateLimit, "rate_limited") }
            }
            Self::RateLimited { retry_after, told } => Face {
                retry_after: Some(*retry_after),
                should_retry: told.should_retry,
                ..face(429, RateLimit, "rate_limited")
            },
            Self::UpstreamUnavailable { should_retry } => {
                Face { should_retry: *should_retry, ..face(502, Server, "upstream_unavailable") }
            }
            Self::NoProviderAvailable { retry_after } => {
                Face { retry_after: Some(*retry_after), ..face(503, Overloaded, "no_provider_available") }
            }
            Self::DeadlineExceeded => face(504, Timeout, "deadline_exceeded"),
            Self::Rejected(rejection) => Face {
                code: rejection.code.clone(),
                param: rejection.param.clone(),
                kind: rejection.kind.clone(),
                should_retry: rejection.should_retry,
                ..face(rejection.status, rejection.class, "")
            },
            Self::Internal => face(500, Server, "internal_error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_codes_are_those_of_the_contract() {
        let check = |fault: Fault, status: u16, code: &str| {
            let face = fault.face();
            assert_eq!((face.status, face.code.as_deref()), (status, Some(code)), "{fault:?}");
        };
        let retry_after = Duration::from_secs(3);
        check(Fault::InvalidApiKey, 401, "invalid_api_key");
        check(Fault::ModelNotFound { alias: "x".into() }, 404, "model_not_found");
        check(Fault::RateLimited { retry_after, told: Box::default() }, 429, "rate_limited");
        check(
            Fault::ContentBlocked { guardrail: "secrets".into(), reason: "secrets".into() },
            400,
            "content_blocked",
        );
        check(Fault::UpstreamUnavailable { should_retry: None }, 502, "upstream_unavailable");
        check(Fault::NoProviderAvailable { retry_after }, 503, "no_provider_available");
        check(Fault::DeadlineExceeded, 504, "deadline_exceeded");
        assert_eq!(Fault::NoProviderAvailable { retry_after }.face().retry_after, Some(retry_after));
    }

    #[test]
    fn only_faults_that_time_can_mend_are_retryable() {
        let failed = Fault::UpstreamUnavailable { should_retry: None };
        assert!(Fault::Shed.retryable() && failed.retryable());
        assert!(!Fault::InvalidApiKey.retryable() && !Fault::UnknownPath.retryable());
    }
}
