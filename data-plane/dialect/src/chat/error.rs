//! Errors: what vendors of this format say, and what its callers get.

use serde_json::Value;

use crate::json::quote;
use crate::{ErrorClass, GatewayError, ProviderError};

/// Reads an error body of any vendor of this format.
pub(crate) fn read_error(status: u16, body: &str) -> ProviderError {
    let mut error = ProviderError::of_status(status);
    let said = serde_json::from_str::<Value>(body).ok();
    match said.as_ref().and_then(Value::as_object) {
        Some(object) => envelope(object, &mut error),
        None => match &said {
            Some(Value::Array(list)) => {
                if let Some(Value::Object(first)) = list.first() {
                    envelope(first, &mut error);
                }
            }
            Some(Value::String(text)) => error.message.clone_from(text),
            Some(_) => {}
            None => error.message = plain(body),
        },
    }
    let stands = status >= 400;
    let told = error.code.as_deref().and_then(|code| code.parse::<u16>().ok());
    let status = if stands { status } else { told.filter(|code| *code >= 400).unwrap_or(500) };
    // OpenRouter says in `metadata.raw` what the provider behind it said. Its words tell the class; they name the provider,
    // so nobody else sees them.
    let raw = said.as_ref().and_then(|said| said.pointer("/error/metadata/raw"));
    let raw =
        raw.map_or(String::new(), |raw| raw.as_str().map_or_else(|| raw.to_string(), ToOwned::to_owned));
    error.class = class(status, &error, &raw);
    error.retry_after_ms = error.retry_after_ms.or_else(|| wait(&error.message));
    error
}

type Object = serde_json::Map<String, Value>;

/// `{"error": {...}}`, `{"error": "text"}`, `{"errors": [...]}` (Cloudflare), `{"detail": ...}` and the bare error (Mistral,
/// vLLM).
fn envelope(object: &Object, error: &mut ProviderError) {
    match (object.get("error"), object.get("errors")) {
        (Some(Value::Object(inner)), _) => fields(inner, error),
        (Some(Value::String(text)), _) => {
            fields(object, error);
            error.message.clone_from(text);
        }
        (_, Some(Value::Array(list))) => match list.first() {
            Some(Value::Object(inner)) => fields(inner, error),
            Some(Value::String(text)) => error.message.clone_from(text),
            _ => {}
        },
        _ => fields(object, error),
    }
}

fn fields(object: &Object, error: &mut ProviderError) {
    error.message = match object.get("message").or_else(|| object.get("detail")) {
        Some(message) => message_of(message),
        None => String::new(),
    };
    error.kind = word(object.get("type")).or_else(|| word(object.get("status")));
    error.code = word(object.get("code"));
    error.param = word(object.get("param")).or_else(|| place_of(object.get("detail")));
    // Gemini's compatible way says in `details` when to come back: "17s".
    for detail in object.get("details").and_then(Value::as_array).into_iter().flatten() {
        let delay = detail.get("retryDelay").and_then(Value::as_str).and_then(seconds_and_unit);
        error.retry_after_ms = error.retry_after_ms.or(delay);
    }
}

/// A message is a text, an object with a text in it, or a list of what is wrong with each field (FastAPI's).
fn message_of(message: &Value) -> String {
    match message {
        Value::String(text) => text.clone(),
        Value::Object(object) => ["message", "detail", "error"]
            .iter()
            .find_map(|key| object.get(*key))
            .map_or(String::new(), message_of),
        Value::Array(list) => {
            let texts: Vec<String> = list
                .iter()
                .map(|wrong| match wrong.get("msg").and_then(Value::as_str) {
                    Some(text) => {
                        place_of(Some(wrong)).map_or(text.to_owned(), |place| format!("{place}: {text}"))
                    }
                    None => message_of(wrong),
                })
                .filter(|text| !text.is_empty())
                .collect();
            texts.join("; ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// The field that FastAPI names in `loc`: `["body", "messages", 0, "role"]`.
fn place_of(wrong: Option<&Value>) -> Option<String> {
    let wrong = wrong?;
    let wrong = if let Value::Array(list) = wrong { list.first()? } else { wrong };
    let mut place = String::new();
    for step in wrong.get("loc")?.as_array()? {
        let Some(name) = step.as_str() else {
            place.push_str(&format!("[{step}]"));
            continue;
        };
        if name == "body" && place.is_empty() {
            continue;
        }
        if !place.is_empty() {
            place.push('.');
        }
        place.push_str(name);
    }
    (!place.is_empty()).then_some(place)
}

/// A word, or a number written out: `code` comes as either.
fn word(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let number = || value.is_number().then(|| value.to_string());
    value.as_str().filter(|word| !word.is_empty()).map(ToOwned::to_owned).or_else(number)
}

/// A body that is no JSON: a line of text is a message, a page is not.
fn plain(body: &str) -> String {
    const CHARS_MAX: usize = 500;
    let body = body.trim();
    if body.starts_with('<') { String::new() } else { body.chars().take(CHARS_MAX).collect() }
}

/// Words and what they mean, the first that fits. Each is looked for in code, type and message, lower case. Sources: the
/// recorded errors of 14 vendors, OpenAI's and Azure's documented codes.
const WORDS: &[(ErrorClass, &[&str])] = &[
    (
        ErrorClass::ContextLength,
        &[
            "context_length_exceeded",
            "too_many_prompt_tokens",
            "maximum context length",
            "max context length",
            "context window",
            "context length",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "length of all messages is too long",
            "reduce the length of the messages",
        ],
    ),
    (
        ErrorClass::Billing,
        &[
            "insufficient_quota",
            "billing_not_active",
            "billing_hard_limit",
            "exceeded your current quota",
            "insufficient balance",
            "insufficient credits",
            "credit balance",
        ],
    ),
    (
        ErrorClass::ContentFilter,
        &[
            "content_filter",
            "content_policy_violation",
            "responsibleaipolicyviolation",
            "content management policy",
            "moderation_blocked",
            "data_inspection_failed",
        ],
    ),
    (ErrorClass::Authentication, &["invalid_api_key", "authentication_error", "incorrect api key"]),
    (ErrorClass::NotFound, &["model_not_found", "deploymentnotfound", "model_decommissioned"]),
    (ErrorClass::RateLimit, &["rate_limit_exceeded", "ratelimitreached", "too_many_requests"]),
    (ErrorClass::Overloaded, &["overloaded", "service_unavailable", "at capacity"]),
    (ErrorClass::Permission, &["permission_denied", "unsupported_country_region_territory"]),
    (ErrorClass::TooLarge, &["request_too_large", "payload too large"]),
];

fn class(status: u16, error: &ProviderError, raw: &str) -> ErrorClass {
    let by_status = ErrorClass::of_status(status);
    let said = [error.code.as_deref(), error.kind.as_deref(), Some(error.message.as_str()), Some(raw)]
        .map(|word| word.unwrap_or_default().to_lowercase())
        .join("\n");
    let found = WORDS.iter().find(|(_, words)| words.iter().any(|word| said.contains(word)));
    match found.map(|(class, _)| *class) {
        // Words tell a call's fault more closely; that a server failed is the status's to say.
        Some(ErrorClass::ContextLength | ErrorClass::ContentFilter | ErrorClass::TooLarge)
            if status >= 500 =>
        {
            by_status
        }
        // A limit of tokens a minute speaks of requests that are too long as well.
        Some(ErrorClass::ContextLength) if status == 429 => by_status,
        // A status of its own is clearer than a word in a message.
        Some(ErrorClass::NotFound | ErrorClass::Permission | ErrorClass::Authentication)
            if !matches!(status, 400 | 401 | 403 | 404 | 422) =>
        {
            by_status
        }
        Some(class) => class,
        None => by_status,
    }
}

/// "Please try again in 1.5s", "in 20ms", "in 1m30s".
fn wait(message: &str) -> Option<u64> {
    let (_, after) = message.split_once("try again in ")?;
    seconds_and_unit(after)
}

/// Reads `6m0s`, `1.5s`, `20ms` at the start of a text, in milliseconds.
fn seconds_and_unit(text: &str) -> Option<u64> {
    let mut total = None;
    let mut rest = text;
    loop {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at_checked(digits)?;
        let Some(amount) = thousandths(number) else { return total };
        let (ms, after) = if let Some(after) = unit.strip_prefix("ms") {
            (amount / 1000, after)
        } else if let Some(after) = unit.strip_prefix('s') {
            (amount, after)
        } else if let Some(after) = unit.strip_prefix('m') {
            (amount.saturating_mul(60), after)
        } else if let Some(after) = unit.strip_prefix('h') {
            (amount.saturating_mul(3600), after)
        } else {
            return total;
        };
        total = Some(total.unwrap_or(0_u64).saturating_add(ms));
        rest = after;
    }
}

/// Reads a decimal number in thousandths: `1.5` is 1500.
fn thousandths(number: &str) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
    let digits: String = part.chars().chain("000".chars()).take(3).collect();
    Some(whole.saturating_mul(1000).saturating_add(digits.parse().ok()?))
}

/// Writes an error: the envelope's four members always, null where there is nothing to say.
pub(crate) fn write_error(error: &GatewayError) -> String {
    let (kind, code) = words(error.class);
    let code = error.code.as_deref().or(code);
    let or_null = |word: Option<&str>| word.map_or_else(|| "null".to_owned(), quote);
    format!(
        r#"{{"error":{{"message":{},"type":{},"param":{},"code":{}}}}}"#,
        quote(&error.message),
        quote(error.kind.as_deref().unwrap_or(kind)),
        or_null(error.param.as_deref()),
        or_null(code)
    )
}

/// OpenAI's `type` and `code` of a class. It calls a wrong key an invalid request (recorded).
fn words(class: ErrorClass) -> (&'static str, Option<&'static str>) {
    const INVALID: &str = "invalid_request_error";
    match class {
        ErrorClass::Invalid | ErrorClass::TooLarge => (INVALID, None),
        ErrorClass::ContextLength => (INVALID, Some("context_length_exceeded")),
        ErrorClass::Authentication => (INVALID, Some("invalid_api_key")),
        ErrorClass::Billing => ("insufficient_quota", Some("insufficient_quota")),
        ErrorClass::Permission => (INVALID, Some("permission_denied")),
        ErrorClass::NotFound => (INVALID, Some("model_not_found")),
        ErrorClass::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorClass::Overloaded | ErrorClass::Timeout | ErrorClass::Server => ("server_error", None),
        ErrorClass::ContentFilter => (INVALID, Some("content_filter")),
    }
}

#[cfg(test)]
mod tests;
