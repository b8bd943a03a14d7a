//! What the simulated model says. It understands nothing; it answers so that a newcomer sees each part work.
//!
//! | in the last user message | answer |
//! |---|---|
//! | anything | the message back, in a sentence |
//! | `#pii` | a sentence with an invented e-mail address, phone number and card number: for output redaction |
//! | `#secret` | a sentence with an invented access key: for output blocking |
//! | `#words=N` | N words (at most 10,000): for long streams |
//! | `#say TEXT` | TEXT and nothing else |
//! | `#calls=N` | the tool is called N times (at most 16) |
//!
//! With tools it calls one if the call demands it, or if the message has a word of a tool's name ("weather" calls
//! `get_weather`); the arguments are made up by the tool's schema. Asked for JSON it answers JSON. A limit of tokens cuts
//! the answer and says so; a token is a word and its space.

use serde_json::{Map, Value, json};

use super::ask::{Ask, Choice, Tool};

/// Most words of `#words=N`.
const WORDS_MAX: usize = 10_000;
/// Most calls of `#calls=N`.
const CALLS_MAX: usize = 16;
/// Depth to which a schema is followed when a value is made up.
const SCHEMA_DEPTH_MAX: usize = 8;

/// What the model says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Utterance {
    /// The text in tokens; empty with a tool call.
    pub(super) tokens: Vec<String>,
    /// The calls of tools.
    pub(super) calls: Vec<Call>,
    /// Why it ends.
    pub(super) stop: Stop,
    /// Tokens that were read.
    pub(super) input_tokens: u64,
    /// Tokens that were written.
    pub(super) output_tokens: u64,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// The tool.
    pub(super) name: String,
    /// Its arguments, as JSON text.
    pub(super) arguments: String,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// All is said.
    Said,
    /// The limit of tokens.
    Limit,
    /// A tool is to be called.
    Call,
}

impl Utterance {
    /// Returns all of the text.
    pub(super) fn text(&self) -> String {
        self.tokens.concat()
    }
}

impl Call {
    /// Returns the arguments as JSON.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(&self.arguments).unwrap_or_default()
    }

    /// Returns the arguments in pieces, as a stream has them.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.arguments.split_inclusive([',', ':'])
    }
}

/// Answers.
pub(super) fn answer(ask: &Ask) -> Utterance {
    let prompt = ask.prompt.as_str();
    if !ask.after_tool
        && let Some(tool) = chosen_tool(ask)
    {
        let arguments = sample(&tool.schema, prompt, SCHEMA_DEPTH_MAX).to_string();
        let call = Call { name: tool.name.clone(), arguments };
        let calls = vec![call; number_in(prompt, "#calls=").unwrap_or(1).clamp(1, CALLS_MAX)];
        let written: usize = calls.iter().map(|call| call.arguments.len().div_ceil(4)).sum();
        let output_tokens = count(written).saturating_mul(ask.choices());
        return Utterance {
            tokens: Vec::new(),
            calls,
            stop: Stop::Call,
            input_tokens: ask.input_tokens,
            output_tokens,
        };
    }
    let text = match &ask.schema {
        Some(Value::Null) => json!({"answer": prompt}).to_string(),
        Some(schema) => sample(schema, prompt, SCHEMA_DEPTH_MAX).to_string(),
        None if ask.after_tool => format!("The tool said: {prompt}"),
        None => text_answer(prompt),
    };
    let mut tokens: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    let limit = ask.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let stop = if tokens.len() > limit { Stop::Limit } else { Stop::Said };
    tokens.truncate(limit);
    let output_tokens = count(tokens.len()).saturating_mul(ask.choices());
    Utterance { tokens, calls: Vec::new(), stop, input_tokens: ask.input_tokens, output_tokens }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Returns the number behind a word of the prompt.
fn number_in(prompt: &str, word: &str) -> Option<usize> {
    let (_, after) = prompt.split_once(word)?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn text_answer(prompt: &str) -> String {
    if let Some((_, text)) = prompt.split_once("#say ") {
        return text.to_owned();
    }
    if prompt.contains("#words=") {
        return words(number_in(prompt, "#words=").unwrap_or(100));
    }
    if prompt.contains("#pii") {
        return "Of course. Write to jane.doe@example.com, call +1 415 555 0132, or charge 4111 1111 1111 1111."
            .to_owned();
    }
    if prompt.contains("#secret") {
        return format!("Of course. The access key is {} and nobody must know.", fake_secret());
    }
    format!(
        "You said: \"{prompt}\". I am a simulated model: I understand nothing, but every word of this went the whole way."
    )
}

/// An invented key in the format of GitHub's personal access tokens. Put together here, so that no scanner of source
/// code takes it for a real one.
fn fake_secret() -> String {
    ["gh", "p_", "R4nd0mL00k1ngButInvent3d", "T0kenZ1x9"].concat() + "q7B"
}

fn words(count: usize) -> String {
    const WORDS: [&str; 8] = ["waves", "break", "on", "the", "wall", "and", "boats", "rest"];
    WORDS.into_iter().cycle().take(count.min(WORDS_MAX)).collect::<Vec<_>>().join(" ")
}

/// The tool that the call demands or the prompt suggests.
fn chosen_tool(ask: &Ask) -> Option<&Tool> {
    let suggested = || ask.tools.iter().find(|tool| suggests(&ask.prompt, &tool.name));
    match &ask.choice {
        Choice::Never => None,
        Choice::Always => suggested().or_else(|| ask.tools.first()),
        Choice::Named(name) => ask.tools.iter().find(|tool| tool.name == *name),
        Choice::Auto => suggested(),
    }
}

fn suggests(prompt: &str, name: &str) -> bool {
    let (prompt, name) = (prompt.to_lowercase(), name.to_lowercase());
    name.split(['_', '-', '.']).any(|word| word.len() >= 4 && prompt.contains(word))
}

/// Makes up a value of a JSON schema. Texts take the first name-like word of the prompt.
fn sample(schema: &Value, prompt: &str, depth: usize) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        other => other.as_str(),
    };
    match kind {
        _ if depth == 0 => Value::Null,
        Some("string") => Value::String(name_in(prompt)),
        Some("integer") => schema["minimum"].as_i64().map_or(json!(1), Value::from),
        Some("number") => schema["minimum"].as_f64().map_or(json!(1.5), Value::from),
        Some("boolean") => Value::Bool(true),
        Some("array") => json!([sample(&schema["items"], prompt, depth - 1)]),
        Some("object") => Value::Object(sample_object(schema, prompt, depth)),
        Some(_) => Value::Null,
        None if schema["properties"].is_object() => Value::Object(sample_object(schema, prompt, depth)),
        None => json!({}),
    }
}

fn sample_object(schema: &Value, prompt: &str, depth: usize) -> Map<String, Value> {
    let required = schema["required"].as_array();
    let wanted = |name: &str| required.is_none_or(|names| names.iter().any(|one| one == name));
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .filter(|(name, _)| wanted(name))
        .map(|(name, schema)| (name.clone(), sample(schema, prompt, depth - 1)))
        .collect()
}

fn name_in(prompt: &str) -> String {
    let words = prompt.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1);
    let named = words.skip(1).find(|word| word.starts_with(char::is_uppercase));
    named.unwrap_or("example").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(prompt: &str) -> Ask {
        Ask { prompt: prompt.to_owned(), ..Ask::default() }
    }

    fn says(prompt: &str) -> String {
        answer(&asks(prompt)).text()
    }

    #[test]
    fn commands_in_the_prompt_are_followed() {
        assert!(says("hello there").contains("\"hello there\""));
        assert_eq!(says("please #say exactly this"), "exactly this");
        assert!(says("#pii").contains("jane.doe@example.com"));
        assert!(says("#secret").contains(&fake_secret()));
        assert_eq!(answer(&asks("#words=12 please")).tokens.len(), 12);
        assert_eq!(answer(&asks("#words=20000")).tokens.len(), WORDS_MAX);
    }

    #[test]
    fn a_limit_cuts_the_answer_and_says_so() {
        let said = answer(&Ask { limit: Some(3), ..asks("#words=10") });
        assert_eq!((said.tokens.len(), said.stop, said.output_tokens), (3, Stop::Limit, 3));
    }

    #[test]
    fn tools_are_called_when_demanded_or_suggested() {
        let schema = json!({"type": "object", "required": ["city", "unit", "days"], "properties": {
            "city": {"type": "string"}, "unit": {"enum": ["celsius"]}, "days": {"type": "integer"},
            "unused": {"type": "string"}}});
        let tools = vec![Tool { name: "get_weather".to_owned(), schema }];
        let check = |prompt: &str, choice: Choice, expect: &[&str]| {
            let said = answer(&Ask { tools: tools.clone(), choice, ..asks(prompt) });
            let calls: Vec<&str> = said.calls.iter().map(|call| call.arguments.as_str()).collect();
            assert_eq!(calls, expect, "{prompt}");
        };
        let paris = r#"{"city":"Paris","unit":"celsius","days":1}"#;
        check("What is the weather in Paris?", Choice::Auto, &[paris]);
        check("What is the weather in Paris? #calls=2", Choice::Auto, &[paris, paris]);
        check("What is the weather in Paris?", Choice::Never, &[]);
        check("hello", Choice::Auto, &[]);
        check("Is it nice in Paris?", Choice::Always, &[paris]);
        check("in Paris", Choice::Named("get_weather".to_owned()), &[paris]);
    }

    #[test]
    fn a_tool_result_and_a_schema_are_answered_in_kind() {
        assert_eq!(
            answer(&Ask { after_tool: true, ..asks("21 degrees") }).text(),
            "The tool said: 21 degrees"
        );
        assert_eq!(answer(&Ask { schema: Some(Value::Null), ..asks("hi") }).text(), r#"{"answer":"hi"}"#);
    }
}
