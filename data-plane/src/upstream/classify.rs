//! What an upstream's refusal means (source: fleet.md §2.2): for its breaker, for the chain, and for the caller.

use std::time::Duration;

use breakwater_dialect::{ErrorClass, ProviderError, translate};
use http::{HeaderMap, header};

use super::scrub::Scrub;
use crate::call::{Attempt, AttemptFault, Reason};
use crate::fault::Rejection;

/// Bounds of what an upstream may ask us to wait: below it helps nobody, above it a bad upstream would ban itself.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));
/// Characters of an upstream's message that a caller gets.
const MESSAGE_CHARS_MAX: usize = 2_048;

/// Classifies an answer whose status is not 200.
pub(super) fn refusal(attempt: &Attempt, status: u16, headers: &HeaderMap, body: &[u8]) -> AttemptFault {
    let reason = match status {
        408 | 500..=599 => Reason::Status,
        429 => Reason::RateLimited,
        401..=403 => Reason::CredentialRefused,
        // What the caller asked for is not kept there; else the operator's model is not.
        404 if attempt.state.is_some() => Reason::Rejected,
        404 => Reason::ModelRefused,
        400..=499 => Reason::Rejected,
        _ => Reason::UnexpectedStatus,
    };
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut said = translate::read_error(attempt.exchange.provider, status, text);
    if said.kind.is_none() {
        // Bedrock names the exception here alone.
        let kind = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
        said.kind = kind.and_then(|kind| kind.split(':').next()).map(str::to_owned);
    }
    let in_body = said.retry_after_ms.map(Duration::from_millis);
    AttemptFault {
        reason,
        status: Some(status),
        retry_after: retry_after(headers).or(in_body.map(clamped)),
        rejection: (reason == Reason::Rejected).then(|| Box::new(rejection(attempt, status, said))),
    }
}

fn clamped(wait: Duration) -> Duration {
    wait.clamp(RETRY_AFTER.0, RETRY_AFTER.1)
}

/// Reads `retry-after-ms` or `Retry-After` in seconds; a date is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number(header::RETRY_AFTER.as_str()))?;
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(clamped(wait))
}

/// Writes what an upstream said for the caller. Words of its format are kept where they are the caller's too.
fn rejection(attempt: &Attempt, status: u16, said: ProviderError) -> Rejection {
    let scrub = Scrub::of(attempt);
    let own = attempt.exchange.client == attempt.exchange.provider;
    let word = |word: Option<String>| word.map(|text| scrub.text(&text)).filter(|text| text.len() <= 128);
    let message = scrub.text(&said.message);
    let message = if message.is_empty() { "the request was refused upstream" } else { &message };
    Rejection {
        status,
        class: said.class,
        kind: word(said.kind.filter(|_| own)),
        code: word(said.code).or_else(|| code(said.class)),
        param: word(said.param),
        message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
    }
}

/// Codes that OpenAI has for what other providers say in words.
fn code(class: ErrorClass) -> Option<String> {
    let code = match class {
        ErrorClass::ContextLength => "context_length_exceeded",
        ErrorClass::ContentFilter => "content_filter",
        _ => return None,
    };
    Some(code.to_owned())
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
