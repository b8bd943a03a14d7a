//! What an upstream's head says beside its body, in the words of the caller's format. Nothing else of the head is read.

use breakwater_common::time::UnixMillis;
use breakwater_dialect::Format;
use breakwater_dialect::rates::Rates;
use http::{HeaderMap, HeaderName, HeaderValue};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// How much the provider's account may still ask, in headers of the caller's format.
    pub(crate) rates: HeaderMap,
    /// Whether the provider advises to ask again.
    pub(crate) should_retry: Option<bool>,
    /// Tokens that were read, which Bedrock says here alone for models of embeddings.
    pub(crate) input_tokens: Option<u64>,
}

impl Told {
    /// Reads a head for a caller of a format.
    pub(crate) fn of(headers: &HeaderMap, client: Format, now: UnixMillis) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let rates = Rates::read(text, now).write(client, now).into_iter();
        Self {
            rates: rates
                .filter_map(|(name, value)| {
                    Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
                })
                .collect(),
            should_retry: text("x-should-retry").and_then(|word| word.trim().parse().ok()),
            input_tokens: text("x-amzn-bedrock-input-token-count")
                .and_then(|count| count.trim().parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_callers_may_know_is_read() {
        let said = [
            ("x-ratelimit-remaining-requests", "7"),
            ("x-ratelimit-key", "gpt-5-nano"),
            ("x-should-retry", "false"),
            ("x-amzn-bedrock-input-token-count", "12"),
            ("openai-organization", "org"),
            ("anthropic-ratelimit-tokens-limit", "not a count"),
        ];
        let headers =
            said.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let told = Told::of(&headers.into_iter().collect(), Format::Messages, UnixMillis(0));
        let name = HeaderName::from_static("anthropic-ratelimit-requests-remaining");
        let rates = HeaderMap::from_iter([(name, HeaderValue::from_static("7"))]);
        assert_eq!(told, Told { rates, should_retry: Some(false), input_tokens: Some(12) });
        let odd = HeaderMap::from_iter([(
            HeaderName::from_static("x-should-retry"),
            HeaderValue::from_static("perhaps"),
        )]);
        assert_eq!(Told::of(&odd, Format::Chat, UnixMillis(0)), Told::default());
    }
}
