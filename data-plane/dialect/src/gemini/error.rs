//! Errors in Google's envelope: `{"error":{code,message,status,details}}`, alone or as an array of one.

use super::form::{Object, list};
use crate::json::{self, Place};
use crate::{ErrorClass, GatewayError, ProviderError};

/// Bytes of a code that are kept for traces.
const CODE_BYTES_MAX: usize = 64;

/// Google's words, their class, and whether they say it alone (source: google.rpc.Code).
const STATUSES: &[(&str, ErrorClass)] = &[
    ("INVALID_ARGUMENT", ErrorClass::Invalid),
    ("FAILED_PRECONDITION", ErrorClass::Invalid),
    ("OUT_OF_RANGE", ErrorClass::Invalid),
    ("UNAUTHENTICATED", ErrorClass::Authentication),
    ("PERMISSION_DENIED", ErrorClass::Permission),
    ("NOT_FOUND", ErrorClass::NotFound),
    ("RESOURCE_EXHAUSTED", ErrorClass::RateLimit),
    ("UNAVAILABLE", ErrorClass::Overloaded),
    ("DEADLINE_EXCEEDED", ErrorClass::Timeout),
    ("INTERNAL", ErrorClass::Server),
    ("UNKNOWN", ErrorClass::Server),
    ("DATA_LOSS", ErrorClass::Server),
];

pub(crate) fn read_error(status: u16, body: &str) -> ProviderError {
    let mut read = ProviderError::of_status(status);
    let Ok(body) = json::check(body.as_bytes()) else { return read };
    let root = Place::root(body);
    let envelope = if root.is_array() { root.elements().next() } else { Some(root) };
    let Some(error) = envelope.and_then(|envelope| envelope.get("error")) else { return read };
    let text = |place: Place<'_>, key: &str| {
        place.get(key).and_then(|value| value.as_str()).map(|text| text.into_owned())
    };
    read.message =
        text(error, "message").or(error.as_str().map(|text| text.into_owned())).unwrap_or_default();
    read.kind = text(error, "status");
    read.code = error
        .get("code")
        .filter(|code| !code.is_null())
        .map(|code| code.as_str().map_or_else(|| code.source().to_owned(), |text| text.into_owned()));
    if let Some((_, class)) = STATUSES.iter().find(|(word, _)| Some(*word) == read.kind.as_deref()) {
        read.class = *class;
    }
    let mut reason = String::new();
    for detail in error.get("details").iter().flat_map(Place::elements) {
        let kind = text(detail, "@type").unwrap_or_default();
        match kind.rsplit('.').next().unwrap_or_default() {
            "RetryInfo" => {
                read.retry_after_ms = text(detail, "retryDelay").as_deref().and_then(milliseconds);
            }
            "ErrorInfo" => reason = text(detail, "reason").unwrap_or_default(),
            "BadRequest" => {
                let first = detail.get("fieldViolations").and_then(|list| list.elements().next());
                read.param = first.and_then(|violation| text(violation, "field"));
            }
            _ => {}
        }
    }
    read.class = by_words(read.class, &reason, &read.message);
    if read.class == ErrorClass::RateLimit && read.retry_after_ms.is_none() {
        read.retry_after_ms =
            read.message.split_once("retry in ").and_then(|(_, rest)| milliseconds(rest.split_once('s')?.0));
    }
    read
}

/// Google says `INVALID_ARGUMENT` of much that has a class of its own; the reasons and the words are recorded ones.
fn by_words(class: ErrorClass, reason: &str, message: &str) -> ErrorClass {
    let says = |words: &str| message.contains(words);
    if reason == "API_KEY_INVALID" || says("API key not valid") || says("API key expired") {
        return ErrorClass::Authentication;
    }
    let invalid = class == ErrorClass::Invalid;
    if invalid && (says("exceeds the maximum number of tokens") || says("input token count")) {
        ErrorClass::ContextLength
    } else if (invalid && says("billing"))
        || (class == ErrorClass::RateLimit && says("prepayment credits are depleted"))
    {
        ErrorClass::Billing
    } else if class == ErrorClass::Permission && says("unregistered callers") {
        ErrorClass::Authentication
    } else {
        class
    }
}

/// Reads a duration in proto3's JSON, `48.9s`: whole milliseconds, none too few.
fn milliseconds(duration: &str) -> Option<u64> {
    let digits = duration.strip_suffix('s').unwrap_or(duration);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: u64 = whole.parse().ok()?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: String = part.chars().chain("000".chars()).take(3).collect();
    let more = part.bytes().skip(3).any(|digit| digit != b'0');
    whole.checked_mul(1000)?.checked_add(thousandths.parse().ok()?)?.checked_add(u64::from(more))
}

/// Returns what traces name an error within a stream.
pub(super) fn code(error: Place<'_>) -> String {
    let status = error.get("status").and_then(|status| status.as_str());
    let code = error.get("code").map(|code| code.source().to_owned());
    let mut code = status.map(|status| status.into_owned()).or(code).unwrap_or_default();
    let mut len = code.len().min(CODE_BYTES_MAX);
    while !code.is_char_boundary(len) {
        len -= 1;
    }
    code.truncate(len);
    code
}

pub(crate) fn write_error(error: &GatewayError) -> String {
    let mut details = Vec::new();
    if let Some(code) = &error.code {
        let mut detail = Object::new();
        detail
            .text("@type", "type.googleapis.com/google.rpc.ErrorInfo")
            .text("reason", &code.to_ascii_uppercase());
        details.push(detail.text("domain", "breakwater").end());
    }
    if let Some(param) = &error.param {
        let violation = Object::new().text("field", param).text("description", &error.message).end();
        let mut detail = Object::new();
        detail.text("@type", "type.googleapis.com/google.rpc.BadRequest");
        details.push(detail.raw("fieldViolations", list([violation])).end());
    }
    if !error.request_id.is_empty() {
        let mut detail = Object::new();
        detail.text("@type", "type.googleapis.com/google.rpc.RequestInfo");
        details.push(detail.text("requestId", &error.request_id).end());
    }
    envelope(error.status, &error.message, status_word(error.class), &details)
}

/// Writes the envelope.
pub(super) fn envelope(code: u16, message: &str, status: &str, details: &[String]) -> String {
    let mut error = Object::new();
    error.plain("code", code).text("message", message).text("status", status);
    if !details.is_empty() {
        error.raw("details", list(details));
    }
    Object::new().raw("error", error.end()).end()
}

fn status_word(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Invalid
        | ErrorClass::ContextLength
        | ErrorClass::TooLarge
        | ErrorClass::ContentFilter => "INVALID_ARGUMENT",
        ErrorClass::Authentication => "UNAUTHENTICATED",
        ErrorClass::Billing => "FAILED_PRECONDITION",
        ErrorClass::Permission => "PERMISSION_DENIED",
        ErrorClass::NotFound => "NOT_FOUND",
        ErrorClass::RateLimit => "RESOURCE_EXHAUSTED",
        ErrorClass::Overloaded => "UNAVAILABLE",
        ErrorClass::Timeout => "DEADLINE_EXCEEDED",
        ErrorClass::Server => "INTERNAL",
    }
}
