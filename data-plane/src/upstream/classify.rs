//! What an upstream's refusal means (source: fleet.md §2.2): for its breaker, for the chain, and for the caller.

use std::time::Duration;

use http::{HeaderMap, header};
use serde::Deserialize;

use super::scrub::Scrub;
use crate::call::{Attempt, AttemptFault, Reason};
use crate::fault::Rejection;

/// Bounds of what an upstream may ask us to wait: below it helps nobody, above it a bad upstream would ban itself.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Characters of an upstream's message that a caller gets.
const MESSAGE_CHARS_MAX: usize = 2_048;

/// OpenAI's envelope, read leniently: a code may be a number.
#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    error: Option<serde_json::Value>,
}

/// Classifies an answer whose status is not 200.
pub(super) fn refusal(attempt: &Attempt, status: u16, headers: &HeaderMap, body: &[u8]) -> AttemptFault {
    let reason = match status {
        408 | 500..=599 => Reason::Status,
        429 => Reason::RateLimited,
        401..=403 => Reason::CredentialRefused,
        404 => Reason::ModelRefused,
        400..=499 => Reason::Rejected,
        _ => Reason::UnexpectedStatus,
    };
    AttemptFault {
        reason,
        status: Some(status),
        retry_after: retry_after(headers),
        rejection: (reason == Reason::Rejected).then(|| Box::new(rejection(attempt, status, body))),
    }
}

/// Reads `retry-after-ms` or `Retry-After` in seconds; a date is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number(header::RETRY_AFTER.as_str()))?;
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(wait.clamp(RETRY_AFTER.0, RETRY_AFTER.1))
}

fn rejection(attempt: &Attempt, status: u16, body: &[u8]) -> Rejection {
    let scrub = Scrub::of(attempt);
    let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| -> Option<String> {
        match envelope.error.as_ref()?.get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    };
    let word = |name: &str| field(name).map(|text| scrub.text(&text)).filter(|text| text.len() <= 128);
    let message = field("message").map(|text| scrub.text(&text));
    let message = message.unwrap_or_else(|| "the request was refused upstream".to_owned());
    Rejection {
        status,
        kind: word("type").unwrap_or_else(|| "invalid_request_error".to_owned()),
        code: word("code"),
        param: word("param"),
        message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_and_clamped() {
        let check = |name: &'static str, value: &str, expect: Option<u64>| {
            let mut headers = HeaderMap::new();
            drop(headers.insert(name, value.parse().unwrap()));
            assert_eq!(retry_after(&headers), expect.map(Duration::from_millis), "{name}: {value}");
        };
        check("retry-after", "7", Some(7_000));
        check("retry-after", "0", Some(1_000));
        check("retry-after", "99999", Some(300_000));
        check("retry-after", "1.5", Some(1_500));
        check("retry-after-ms", "2500", Some(2_500));
        check("retry-after", "-1", None);
        check("retry-after", "NaN", None);
        check("retry-after", "inf", None);
        check("retry-after", "Fri, 20 Nov 2026 00:00:00 GMT", None);
    }
}
