//! Tokens as Anthropic counts them: `input_tokens` without those of caches, `output_tokens` with those of thinking.

use serde::Serialize;

use crate::ir::Usage;
use crate::json::Place;

/// Takes over what a `usage` object says; what it does not say stays. Streams say the input at their start and again at
/// their end, always as sums so far, so the last word counts and nothing is added up (bug 17).
pub(super) fn read(object: Place<'_>, usage: &mut Usage) {
    for member in object.members() {
        let count = member.value.source().parse::<u64>().ok();
        let inner = |key: &str| member.value.get(key).and_then(|count| count.source().parse::<u64>().ok());
        match (member.key.as_ref(), count) {
            ("input_tokens", Some(count)) => usage.input = count,
            ("output_tokens", Some(count)) => usage.output = count,
            ("cache_read_input_tokens", Some(count)) => usage.cache_read = count,
            ("cache_creation_input_tokens", Some(count)) => usage.cache_write = count,
            ("cache_creation", None) => {
                usage.cache_write_1h = inner("ephemeral_1h_input_tokens").unwrap_or(usage.cache_write_1h);
            }
            ("output_tokens_details", None) => {
                usage.reasoning = inner("thinking_tokens").unwrap_or(usage.reasoning);
            }
            _ => {}
        }
    }
}

/// `usage` of an answer and of the last event of a stream.
#[derive(Debug, Serialize)]
pub(super) struct Out {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_creation: Option<Lives>,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens_details: Option<Details>,
}

#[derive(Debug, Serialize)]
struct Lives {
    ephemeral_5m_input_tokens: u64,
    ephemeral_1h_input_tokens: u64,
}

#[derive(Debug, Serialize)]
struct Details {
    thinking_tokens: u64,
}

impl Out {
    /// `lives` tells apart how long caches live; the events of a stream do so at its start only.
    pub(super) fn new(usage: Usage, lives: bool) -> Self {
        let one_hour = usage.cache_write_1h.min(usage.cache_write);
        Self {
            input_tokens: usage.input,
            cache_creation_input_tokens: usage.cache_write,
            cache_read_input_tokens: usage.cache_read,
            cache_creation: lives.then(|| Lives {
                ephemeral_5m_input_tokens: usage.cache_write.saturating_sub(one_hour),
                ephemeral_1h_input_tokens: one_hour,
            }),
            output_tokens: usage.output,
            output_tokens_details: (usage.reasoning > 0)
                .then_some(Details { thinking_tokens: usage.reasoning }),
        }
    }
}
