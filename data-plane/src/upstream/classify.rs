//! What an upstream's refusal means (source: fleet.md §2.2): for its breaker, for the chain, and for the caller.

use std::time::Duration;

use breakwater_common::breaker::cooldown::believed;
use breakwater_common::breaker::failure::{self, Said, Topic};
use breakwater_dialect::{ErrorClass, ProviderError, translate};
use http::{HeaderMap, header};

use super::scrub::Scrub;
use crate::call::{Attempt, AttemptFault};
use crate::fault::Rejection;

/// Characters of an upstream's message that a caller gets.
const MESSAGE_CHARS_MAX: usize = 2_048;

/// Classifies an answer whose status is not 200.
pub(super) fn refusal(attempt: &Attempt, status: u16, headers: &HeaderMap, body: &[u8]) -> AttemptFault {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut said = translate::read_error(attempt.exchange.provider, status, text);
    if said.kind.is_none() {
        // Bedrock names the exception here alone.
        let kind = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok());
        said.kind = kind.and_then(|kind| kind.split(':').next()).map(str::to_owned);
    }
    let class = failure::classify(
        &Said {
            status,
            code: said.code.as_deref().unwrap_or_default(),
            kind: said.kind.as_deref().unwrap_or_default(),
            topic: topic(said.class),
            stored: attempt.state.is_some(),
        },
        &attempt.upstream.provider.error_map,
    );
    let in_body = said.retry_after_ms.map(Duration::from_millis);
    AttemptFault {
        class,
        status: Some(status),
        retry_after: retry_after(headers).or(in_body).map(|asked| believed(Some(asked))),
        rejection: class.is_the_callers().then(|| Box::new(rejection(attempt, status, said))),
        told: Box::default(),
    }
}

/// Returns what an error speaks of, as far as it says more than the status.
fn topic(class: ErrorClass) -> Topic {
    match class {
        ErrorClass::Billing => Topic::Quota,
        ErrorClass::ContextLength => Topic::ContextLength,
        ErrorClass::ContentFilter => Topic::ContentFilter,
        ErrorClass::Invalid
        | ErrorClass::Authentication
        | ErrorClass::Permission
        | ErrorClass::NotFound
        | ErrorClass::TooLarge
        | ErrorClass::RateLimit
        | ErrorClass::Overloaded
        | ErrorClass::Timeout
        | ErrorClass::Server => Topic::Other,
    }
}

/// Reads `retry-after-ms` or `Retry-After` in seconds; a date is not read.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|millis| millis / 1_000.0)
        .or_else(|| number(header::RETRY_AFTER.as_str()))?;
    Duration::try_from_secs_f64(seconds).ok()
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
        should_retry: None,
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
    fn waits_are_read() {
        let check = |name: &'static str, value: &str, expect: Option<u64>| {
            let mut headers = HeaderMap::new();
            drop(headers.insert(name, value.parse().unwrap()));
            assert_eq!(retry_after(&headers), expect.map(Duration::from_millis), "{name}: {value}");
        };
        check("retry-after", "7", Some(7_000));
        check("retry-after", "0", Some(0));
        check("retry-after", "99999", Some(99_999_000));
        check("retry-after", "1.5", Some(1_500));
        check("retry-after-ms", "2500", Some(2_500));
        check("retry-after", "-1", None);
        check("retry-after", "NaN", None);
        check("retry-after", "inf", None);
        check("retry-after", "Fri, 20 Nov 2026 00:00:00 GMT", None);
    }
}
