//! Errors: `{"type":"error","error":{"type","message"},"request_id"}`.

use std::borrow::Cow;

use super::field::member;
use crate::json::{self, Place};
use crate::{ErrorClass, GatewayError, ProviderError};

/// Words in the messages of `invalid_request_error` that say more than the type (sources: recorded answers; Anthropic's
/// page of errors).
const CONTEXT_LENGTH: &[&str] =
    &["prompt is too long", "exceed context limit", "exceeds the maximum number of tokens", "context window"];
const BILLING: &[&str] = &["credit balance is too low"];

/// Reads a provider's error body. Servers that only speak Anthropic's format half answer errors in OpenAI's envelope.
pub(crate) fn read_error(status: u16, body: &str) -> ProviderError {
    let mut read = ProviderError::of_status(status);
    if json::check(body.as_bytes()).is_err() {
        return read;
    }
    let root = Place::root(body);
    let error = member(root, "error").filter(Place::is_object).unwrap_or(root);
    let text = |object: Place<'_>, key: &str| {
        let value = member(object, key)?;
        Some(value.as_str().map_or_else(|| value.source().to_owned(), Cow::into_owned))
    };
    read.message = text(error, "message").unwrap_or_default();
    read.kind = text(error, "type").filter(|kind| kind != "error");
    read.code = member(error, "details")
        .and_then(|details| text(details, "error_code"))
        .or_else(|| text(error, "code"));
    read.param = text(error, "param");
    match read.kind.as_deref().and_then(class_of) {
        // The status says more.
        Some(ErrorClass::Invalid) | None => {}
        Some(class) => read.class = class,
    }
    if read.class == ErrorClass::Invalid {
        let message = read.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if says(CONTEXT_LENGTH) {
            read.class = ErrorClass::ContextLength;
        } else if says(BILLING) {
            read.class = ErrorClass::Billing;
        }
    }
    read
}

fn class_of(kind: &str) -> Option<ErrorClass> {
    Some(match kind {
        "invalid_request_error" => ErrorClass::Invalid,
        "authentication_error" => ErrorClass::Authentication,
        "billing_error" => ErrorClass::Billing,
        "permission_error" => ErrorClass::Permission,
        "not_found_error" => ErrorClass::NotFound,
        "request_too_large" => ErrorClass::TooLarge,
        "rate_limit_error" => ErrorClass::RateLimit,
        "timeout_error" => ErrorClass::Timeout,
        "api_error" => ErrorClass::Server,
        "overloaded_error" => ErrorClass::Overloaded,
        _ => return None,
    })
}

/// Returns the `type` of an error.
pub(super) fn kind_of(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Invalid | ErrorClass::ContextLength | ErrorClass::ContentFilter => {
            "invalid_request_error"
        }
        ErrorClass::Authentication => "authentication_error",
        ErrorClass::Billing => "billing_error",
        ErrorClass::Permission => "permission_error",
        ErrorClass::NotFound => "not_found_error",
        ErrorClass::TooLarge => "request_too_large",
        ErrorClass::RateLimit => "rate_limit_error",
        ErrorClass::Overloaded => "overloaded_error",
        ErrorClass::Timeout => "timeout_error",
        ErrorClass::Server => "api_error",
    }
}

/// Writes an error body for a caller. The code, which Anthropic's errors do not have, stands where theirs say more.
pub(crate) fn write_error(error: &GatewayError) -> String {
    let details = error.code.as_deref().map_or_else(
        || "null".to_owned(),
        |code| {
            let param = error.param.as_deref().map(|param| format!(",\"param\":{}", json::quote(param)));
            format!("{{\"error_code\":{}{}}}", json::quote(code), param.unwrap_or_default())
        },
    );
    format!(
        r#"{{"type":"error","error":{{"details":{details},"type":"{kind}","message":{message}}},"request_id":{id}}}"#,
        kind = kind_of(error.class),
        message = json::quote(&error.message),
        id = json::quote(&error.request_id),
    )
}
