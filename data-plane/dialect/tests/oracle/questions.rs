//! When two requests ask the same. All that may differ between formats stands here, or in `kit::asked`, which makes equal what
//! formats say in different words.

use std::fmt::Debug;

use breakwater_dialect::Format;
use serde_json::Value;

use crate::compare;
use crate::kit::asked::{Asked, Choice, Tool, Turn};
use crate::requests::MAX_OUTPUT_TOKENS;
use crate::tally::Verdict;

/// The parts of a request, in the order in which they are compared.
pub const PARTS: [&str; 8] =
    ["system", "turns", "tools", "tool choice", "max tokens", "temperature", "stop texts", "schema"];

/// Compares one part; what differs, or nothing.
pub fn part(part: &str, asked: &Asked, got: &Asked) -> Option<String> {
    let differs = |left: &dyn Debug, right: &dyn Debug| Some(compare::differs(part, left, right));
    match part {
        "system" if asked.system != got.system => differs(&asked.system, &got.system),
        "turns" if asked.turns != got.turns => differs(&asked.turns, &got.turns),
        "tools" if asked.tools != got.tools => differs(&asked.tools, &got.tools),
        "tool choice" if asked.choice != got.choice => differs(&asked.choice, &got.choice),
        "max tokens" if asked.max_tokens != got.max_tokens => differs(&asked.max_tokens, &got.max_tokens),
        "temperature" if asked.temperature != got.temperature => {
            differs(&asked.temperature, &got.temperature)
        }
        "stop texts" if asked.stops != got.stops => differs(&asked.stops, &got.stops),
        "schema" if asked.schema != got.schema => differs(&asked.schema, &got.schema),
        _ => None,
    }
}

/// Compares what a caller asked with what the provider is asked.
pub fn compare(provider: Format, asked: &Asked, got: &Asked, dropped: &[String]) -> Verdict {
    let mut explained = None;
    for name in PARTS {
        let Some(what) = part(name, asked, got) else { continue };
        match reason(provider, name, asked, got, dropped) {
            Some(reason) => explained = Some(reason.to_owned()),
            None => return Verdict::Wrong(what),
        }
    }
    explained.map_or(Verdict::Pass, Verdict::Explained)
}

/// Why a part may differ.
pub fn reason(
    provider: Format,
    part: &str,
    asked: &Asked,
    got: &Asked,
    dropped: &[String],
) -> Option<&'static str> {
    let noted = |words: &[&str]| dropped.iter().any(|name| words.iter().any(|word| name.contains(word)));
    match part {
        "system" | "turns" if moved(asked) == moved(got) => {
            Some("an instruction in the middle of the conversation stands in its place, as the user's words")
        }
        "max tokens" if provider == Format::Responses && asked.max_tokens.is_some_and(|bound| bound < 16) => {
            (got.max_tokens == Some(16)).then_some("max_tokens: OpenAI takes no bound below 16")
        }
        "max tokens" if provider == Format::Messages && asked.max_tokens.is_none() => {
            // Anthropic demands a bound: the model's own.
            (got.max_tokens == Some(MAX_OUTPUT_TOKENS))
                .then_some("max_tokens: demanded, so the model's own bound")
        }
        "temperature" if noted(&["temperature"]) => Some("temperature: dropped with a note"),
        "stop texts" if noted(&["stop"]) => Some("stop texts: dropped with a note"),
        "tool choice" | "tools" if asked.choice == Choice::None && leaves_out(provider) => {
            let whole = got.tools.is_empty() || got.tools == asked.tools;
            whole.then_some(
                "tool_choice none: no word for it, so the tools are left out, or the model is told",
            )
        }
        "system" if leaves_out(provider) && (asked.choice == Choice::None || asked.tools.is_empty()) => got
            .system
            .starts_with(&asked.system)
            .then_some("tool_choice none: no word for it, so the tools are left out, or the model is told"),
        "tools" if provider == Format::Converse && asked.tools.is_empty() => {
            let calls = || asked.turns.iter().flat_map(|turn| &turn.calls);
            got.tools.iter().all(|tool| calls().any(|(name, _)| *name == tool.name)).then_some(
                "calls without tools: Bedrock takes them only with their tools, of which the names are known",
            )
        }
        "tools" | "tool choice" => only_these(asked, got)
            .then_some("a choice of several tools: only these are offered, and one must be called"),
        "system" if provider == Format::Messages && asked.object => got
            .system
            .starts_with(&asked.system)
            .then_some("a JSON object without a schema: Anthropic has no word for it, so the model is told"),
        "schema" if provider == Format::Messages => {
            let (asked, got) = (asked.schema.as_ref()?, got.schema.as_ref()?);
            (skeleton(asked) == skeleton(got))
                .then_some("schema: Anthropic takes closed objects and no bounds, which are said in words")
        }
        "turns" if written_out(asked, got) => Some("a document of text: said in words"),
        "turns" if asked.turns.is_empty() => {
            let dot = Turn { user: true, text: ".".to_owned(), ..Turn::default() };
            (got.turns == [dot]).then_some("nobody speaks: the format demands a turn")
        }
        "turns" if provider == Format::Converse => {
            (asked.turns == without_dots(got)).then_some("a document: Bedrock takes it only beside a text")
        }
        _ => None,
    }
}

/// All words of a request, and whatever else it says, wherever they stand.
fn moved(asked: &Asked) -> (Vec<char>, Vec<String>) {
    let texts = asked.turns.iter().flat_map(|turn| turn.text.chars());
    let mut letters: Vec<char> = asked.system.chars().chain(texts).collect();
    letters.sort_unstable();
    let rest = asked.turns.iter().flat_map(|turn| {
        let said = turn.calls.iter().chain(&turn.results).map(|(name, value)| format!("{name} {value}"));
        said.chain(turn.media.iter().cloned()).collect::<Vec<_>>()
    });
    (letters, rest.collect())
}

/// Formats without a word for `none`.
fn leaves_out(provider: Format) -> bool {
    matches!(provider, Format::Converse | Format::Ollama)
}

fn only_these(asked: &Asked, got: &Asked) -> bool {
    let Choice::These(names) = &asked.choice else { return false };
    let wanted: Vec<&Tool> = asked.tools.iter().filter(|tool| names.contains(&tool.name)).collect();
    got.choice == Choice::Required && wanted == got.tools.iter().collect::<Vec<_>>()
}

fn without_dots(got: &Asked) -> Vec<Turn> {
    let mut turns = got.turns.clone();
    for turn in turns.iter_mut().filter(|turn| !turn.media.is_empty() && turn.text == ".") {
        turn.text.clear();
    }
    turns
}

/// A schema without what Anthropic's structured outputs do not take, and without words: what they cannot hold an answer to is
/// told in the description, and `oneOf` is held as `anyOf`.
fn skeleton(schema: &Value) -> Value {
    const WITHOUT: [&str; 15] = [
        "additionalProperties",
        "description",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "prefixItems",
        "uniqueItems",
        "pattern",
        "format",
    ];
    match schema {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, value)| {
                // A property may have such a name.
                !WITHOUT.contains(&key.as_str()) || value.get("type").is_some()
            });
            let any = |key: &String| if key == "oneOf" { "anyOf".to_owned() } else { key.clone() };
            Value::Object(kept.map(|(key, value)| (any(key), skeleton(value))).collect())
        }
        Value::Array(list) => list.iter().map(skeleton).collect(),
        other => other.clone(),
    }
}

/// Whether turns differ only in that documents of text became text.
fn written_out(asked: &Asked, got: &Asked) -> bool {
    asked.turns.len() == got.turns.len()
        && asked.turns.iter().zip(&got.turns).all(|(asked, got)| {
            let (texts, media): (Vec<&String>, Vec<&String>) =
                asked.media.iter().partition(|media| media.starts_with("text "));
            let said = |text: &str| {
                got.text.contains(text)
                    || got.results.iter().any(|(_, value)| value.to_string().contains(text))
            };
            let calls = asked.user == got.user && asked.calls == got.calls;
            let all = texts.iter().all(|text| said(&text["text ".len()..]));
            let words = asked.text.is_empty() || got.text.contains(&asked.text) || !texts.is_empty();
            calls
                && all
                && words
                && media == got.media.iter().collect::<Vec<_>>()
                && got.text.len() >= asked.text.len()
                && (!texts.is_empty() || asked == got)
        })
}
