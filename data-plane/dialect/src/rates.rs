//! What a provider says of its rate limits, and how the caller's clients read it. Each vendor has names and ways of its own
//! to say the same, so names that a caller sees are those of the caller's format, whoever answered (source: recorded
//! headers of OpenAI, Azure, Anthropic, Mistral, Groq, xAI and Hugging Face).

use breakwater_common::time::UnixMillis;

use crate::Format;

/// Longest wait that is believed, in milliseconds: 31 days. Longer ones are no wait but something else.
const WAIT_MS_MAX: u64 = 31 * 24 * 3_600_000;
/// Largest count that is told. More means that there is no limit: Hugging Face says 2^63.
const COUNT_MAX: u64 = 1_000_000_000_000;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Bucket {
    limit: Option<u64>,
    remaining: Option<u64>,
    /// When it is full again.
    reset: Option<UnixMillis>,
}

/// What a provider says of its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    requests: Bucket,
    tokens: Bucket,
    input_tokens: Bucket,
    output_tokens: Bucket,
}

/// The names of one bucket's headers, each in the order in which they are looked for.
struct Names {
    limit: &'static [&'static str],
    remaining: &'static [&'static str],
    reset: &'static [&'static str],
}

const REQUESTS: Names = Names {
    limit: &[
        "x-ratelimit-limit-requests",
        "anthropic-ratelimit-requests-limit",
        "x-ratelimit-limit-req-minute",
    ],
    remaining: &[
        "x-ratelimit-remaining-requests",
        "anthropic-ratelimit-requests-remaining",
        "x-ratelimit-remaining-req-minute",
        "x-ratelimit-remaining-requests-minute",
    ],
    reset: &["x-ratelimit-reset-requests", "anthropic-ratelimit-requests-reset"],
};
const TOKENS: Names = Names {
    limit: &[
        "x-ratelimit-limit-tokens",
        "anthropic-ratelimit-tokens-limit",
        "x-ratelimit-limit-tokens-minute",
    ],
    remaining: &[
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-tokens-remaining",
        "x-ratelimit-remaining-tokens-minute",
    ],
    reset: &["x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset"],
};
const INPUT_TOKENS: Names = Names {
    limit: &["anthropic-ratelimit-input-tokens-limit"],
    remaining: &["anthropic-ratelimit-input-tokens-remaining"],
    reset: &["anthropic-ratelimit-input-tokens-reset"],
};
const OUTPUT_TOKENS: Names = Names {
    limit: &["anthropic-ratelimit-output-tokens-limit"],
    remaining: &["anthropic-ratelimit-output-tokens-remaining"],
    reset: &["anthropic-ratelimit-output-tokens-reset"],
};

impl Bucket {
    fn read<'a>(names: &Names, header: &impl Fn(&str) -> Option<&'a str>, now: UnixMillis) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| header(name)).map(str::trim);
        Self {
            limit: first(names.limit).and_then(count),
            remaining: first(names.remaining).and_then(count),
            reset: first(names.reset).and_then(|text| reset(text, now)),
        }
    }
}

impl Rates {
    /// Reads a provider's headers. What is not understood is left out.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>, now: UnixMillis) -> Self {
        Self {
            requests: Bucket::read(&REQUESTS, &header, now),
            tokens: Bucket::read(&TOKENS, &header, now),
            input_tokens: Bucket::read(&INPUT_TOKENS, &header, now),
            output_tokens: Bucket::read(&OUTPUT_TOKENS, &header, now),
        }
    }

    /// Returns the headers for a caller, by name and value: OpenAI's or Anthropic's; the clients of other formats know none.
    #[must_use]
    pub fn write(&self, client: Format, now: UnixMillis) -> Vec<(&'static str, String)> {
        match client {
            Format::Chat
            | Format::Responses
            | Format::Completions
            | Format::Embeddings
            | Format::Moderations => {
                let wait = |at| in_words(wait(at, now));
                [(&REQUESTS, self.requests), (&TOKENS, self.tokens)]
                    .into_iter()
                    .flat_map(|(names, bucket)| told(names, 0, bucket, wait))
                    .collect()
            }
            Format::Messages | Format::CountTokens => {
                let buckets = [
                    (&REQUESTS, 1, self.requests),
                    (&TOKENS, 1, self.tokens),
                    (&INPUT_TOKENS, 0, self.input_tokens),
                    (&OUTPUT_TOKENS, 0, self.output_tokens),
                ];
                buckets.into_iter().flat_map(|(names, at, bucket)| told(names, at, bucket, seconds)).collect()
            }
            Format::Gemini | Format::Converse | Format::Ollama => Vec::new(),
        }
    }
}

/// The headers of one bucket; `at` is where the format's own names stand in the lists.
fn told(
    names: &Names,
    at: usize,
    bucket: Bucket,
    time: impl Fn(UnixMillis) -> String,
) -> impl Iterator<Item = (&'static str, String)> {
    let named = |names: &'static [&'static str], value: Option<String>| names.get(at).copied().zip(value);
    [
        named(names.limit, bucket.limit.map(|limit| limit.to_string())),
        named(names.remaining, bucket.remaining.map(|left| left.to_string())),
        named(names.reset, bucket.reset.map(time)),
    ]
    .into_iter()
    .flatten()
}

fn count(text: &str) -> Option<u64> {
    text.parse().ok().filter(|count| *count <= COUNT_MAX)
}

/// Reads when a bucket is full again: a time (Anthropic), a wait in words (`6m0s`, `12ms`: OpenAI, Groq), seconds (Azure).
fn reset(text: &str, now: UnixMillis) -> Option<UnixMillis> {
    let at = if text.contains('T') {
        UnixMillis::from_rfc3339(text)?
    } else {
        let millis =
            text.parse::<u64>().ok().map_or_else(|| words(text), |seconds| seconds.checked_mul(1_000))?;
        UnixMillis(now.0.checked_add(millis)?)
    };
    (wait(at, now) <= WAIT_MS_MAX).then_some(at)
}

fn wait(at: UnixMillis, now: UnixMillis) -> u64 {
    at.0.saturating_sub(now.0)
}

/// Reads `1d2h3m4.5s` and `12ms` as milliseconds.
fn words(text: &str) -> Option<u64> {
    const TEXT_BYTES_MAX: usize = 32;
    let mut rest = text;
    let mut millis = 0.0;
    if rest.is_empty() || rest.len() > TEXT_BYTES_MAX {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let unit = match unit {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        millis += number.parse::<f64>().ok()? * unit;
        rest = next;
    }
    u64::try_from(std::time::Duration::try_from_secs_f64(millis / 1_000.0).ok()?.as_millis()).ok()
}

/// Writes a wait as OpenAI does: `12ms`, `1.5s`, `6m0s`, `1h0m0s`.
fn in_words(millis: u64) -> String {
    if (1..1_000).contains(&millis) {
        return format!("{millis}ms");
    }
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, rest) = (millis / 1_000 % 60, millis % 1_000);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
    let fraction = fraction.trim_end_matches('0');
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

/// Writes a time as Anthropic does, in whole seconds, rounded up: who comes back then does not come too early.
fn seconds(at: UnixMillis) -> String {
    let up = UnixMillis(at.0.div_ceil(1_000) * 1_000).to_rfc3339();
    up.replace(".000Z", "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_780_944_340_000);

    fn crossed(headers: &[(&str, &str)], client: Format) -> Vec<(&'static str, String)> {
        let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        Rates::read(header, NOW).write(client, NOW)
    }

    fn owned(headers: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    const OPENAI: [(&str, &str); 6] = [
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-limit-tokens", "2000000"),
        ("x-ratelimit-remaining-tokens", "1999235"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    const ANTHROPIC: [(&str, &str); 12] = [
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", "999"),
        ("anthropic-ratelimit-requests-reset", "2026-06-08T18:45:44Z"),
        ("anthropic-ratelimit-tokens-limit", "540000"),
        ("anthropic-ratelimit-tokens-remaining", "540000"),
        ("anthropic-ratelimit-tokens-reset", "2026-06-08T18:47:00Z"),
        ("anthropic-ratelimit-input-tokens-limit", "450000"),
        ("anthropic-ratelimit-input-tokens-remaining", "450000"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-06-08T18:45:44Z"),
        ("anthropic-ratelimit-output-tokens-limit", "90000"),
        ("anthropic-ratelimit-output-tokens-remaining", "90000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-06-08T18:45:44Z"),
    ];

    #[test]
    fn bug_21_within_a_format_the_providers_own_names_pass() {
        assert_eq!(crossed(&OPENAI, Format::Chat), owned(&OPENAI));
        assert_eq!(crossed(&ANTHROPIC, Format::Messages), owned(&ANTHROPIC));
    }

    #[test]
    fn opaque_by_alias_the_names_are_the_callers_whoever_answered() {
        let chat = [
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "999"),
            ("x-ratelimit-reset-requests", "4s"),
            ("x-ratelimit-limit-tokens", "540000"),
            ("x-ratelimit-remaining-tokens", "540000"),
            ("x-ratelimit-reset-tokens", "1m20s"),
        ];
        assert_eq!(crossed(&ANTHROPIC, Format::Responses), owned(&chat));
        let messages = [
            ("anthropic-ratelimit-requests-limit", "5000"),
            ("anthropic-ratelimit-requests-remaining", "4999"),
            ("anthropic-ratelimit-requests-reset", "2026-06-08T18:45:41Z"),
            ("anthropic-ratelimit-tokens-limit", "2000000"),
            ("anthropic-ratelimit-tokens-remaining", "1999235"),
            ("anthropic-ratelimit-tokens-reset", "2026-06-08T18:51:40Z"),
        ];
        assert_eq!(crossed(&OPENAI, Format::Messages), owned(&messages));
        let mistral = [
            ("x-ratelimit-limit-req-minute", "360"),
            ("x-ratelimit-remaining-req-minute", "358"),
            ("x-ratelimit-limit-tokens-minute", "200000"),
            ("x-ratelimit-tokens-query-cost", "210"),
        ];
        assert_eq!(
            crossed(&mistral, Format::Chat),
            owned(&[
                ("x-ratelimit-limit-requests", "360"),
                ("x-ratelimit-remaining-requests", "358"),
                ("x-ratelimit-limit-tokens", "200000"),
            ])
        );
        for client in [Format::Gemini, Format::Converse] {
            assert!(crossed(&OPENAI, client).is_empty(), "{client:?}");
        }
    }

    #[test]
    fn only_counts_and_waits_are_told() {
        let said = |name: &'static str, value: &str| crossed(&[(name, value)], Format::Chat);
        let bad = ["", "-1", "1e3", "9223372036854767616", "X-RATELIMIT-LIMIT-REQUESTS-XXX", "gpt-5", "1 2"];
        for value in bad {
            assert!(said("x-ratelimit-limit-requests", value).is_empty(), "{value}");
        }
        for value in
            ["", "soon", "5x", "s", "1.2.3s", "1754667660000", "99999999h", "9T9", "2036-06-08T18:45:44Z"]
        {
            assert!(said("x-ratelimit-reset-tokens", value).is_empty(), "{value}");
        }
        for (value, expect) in [
            ("0", "0s"),
            ("60", "1m0s"),
            ("2m59.56s", "2m59.56s"),
            ("1h", "1h0m0s"),
            ("1d", "24h0m0s"),
            ("0s", "0s"),
            ("2026-06-08T18:45:39Z", "0s"),
        ] {
            let expect = owned(&[("x-ratelimit-reset-tokens", expect)]);
            assert_eq!(said("x-ratelimit-reset-tokens", value), expect, "{value}");
        }
    }
}
