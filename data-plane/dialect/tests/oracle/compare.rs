//! When two answers say the same. All that may differ between formats stands here, with its reason.

use breakwater_dialect::Format;
use serde_json::{Value, json};

use crate::kit::semantics::{Answer, Choice, Stop};
use crate::tally::Verdict;

/// A caller that did not ask for several answers gets one: a format without `n` cannot have asked.
pub const SEVERAL: &str = "several choices, to a format that has one";
/// What no caller's format has a word for: each says it in its own way, and never as a clean end where it has another.
pub const FAILED: &str = "the model failed in the middle: each format has its own word";

/// Only OpenAI's formats have tools that take a text: elsewhere arguments are an object, and the text is its member `input`.
pub const CUSTOM: &str = "a call of a tool that takes a text, to a format without such tools";

/// Compares what a provider said with what the caller got.
pub fn answers(client: Format, said: &Answer, got: &Answer) -> Verdict {
    let several = matches!(client, Format::Chat | Format::Gemini);
    let wanted = if several { said.choices.len() } else { said.choices.len().min(1) };
    if got.choices.len() != wanted {
        return wrong("number of choices", &wanted, &got.choices.len());
    }
    for (said, got) in said.choices.iter().zip(&got.choices) {
        let verdict = choices(client, said, got);
        if verdict != Verdict::Pass {
            return verdict;
        }
    }
    let mut usage = said.usage;
    if client == Format::Converse {
        // Bedrock has no count of reasoning.
        usage.reasoning = 0;
    }
    if usage != got.usage {
        return wrong("usage", &usage, &got.usage);
    }
    if said.choices.len() > wanted { Verdict::Explained(SEVERAL.to_owned()) } else { Verdict::Pass }
}

fn choices(client: Format, said: &Choice, got: &Choice) -> Verdict {
    // Only OpenAI's formats have a place for a refusal; elsewhere it is text.
    let refusals = matches!(client, Format::Chat | Format::Responses);
    let (text, refusal) = match refusals {
        true => (said.text.clone(), said.refusal.clone()),
        false => (format!("{}{}", said.text, said.refusal), String::new()),
    };
    if text != got.text {
        return wrong("text", &text, &got.text);
    }
    if refusal != got.refusal {
        return wrong("refusal", &refusal, &got.refusal);
    }
    // Formats differ in how they part thinking into pieces: blanks between pieces are nobody's words.
    if bare(&said.thinking) != bare(&got.thinking) {
        return wrong("thinking", &said.thinking, &got.thinking);
    }
    if said.calls != got.calls {
        let object =
            |given: &Value| if given.is_string() { json!({ "input": given }) } else { given.clone() };
        let calls: Vec<_> = said.calls.iter().map(|(name, given)| (name.clone(), object(given))).collect();
        let has = matches!(client, Format::Chat | Format::Responses);
        return match !has && calls == got.calls {
            true => Verdict::Explained(CUSTOM.to_owned()),
            false => wrong("tool calls", &said.calls, &got.calls),
        };
    }
    // Anthropic takes no citation without a proof of its own, and Bedrock's are of documents.
    let cites = matches!(client, Format::Chat | Format::Responses | Format::Gemini);
    if cites && said.cited != got.cited {
        return wrong("citations", &said.cited, &got.cited);
    }
    match (said.stop, got.stop) {
        (said, got) if said == got => Verdict::Pass,
        // Cut by hand, or a kind of answer that has no reason: the caller's format demands one.
        (None, Some(_)) => Verdict::Explained("the provider said no reason to end".to_owned()),
        (Some(Stop::Failed), _) => Verdict::Explained(FAILED.to_owned()),
        (said, got) => wrong("stop", &said, &got),
    }
}

fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What differs, from shortly before the first difference.
pub fn differs(what: &str, said: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug) -> String {
    let (said, got) = (format!("{said:?}"), format!("{got:?}"));
    let same = said.chars().zip(got.chars()).take_while(|(said, got)| said == got).count();
    let near = |text: &str| text.chars().skip(same.saturating_sub(40)).take(160).collect::<String>();
    format!("{what} | said {} got {}", near(&said), near(&got))
}

fn wrong(what: &str, said: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug) -> Verdict {
    Verdict::Wrong(differs(what, said, got))
}
