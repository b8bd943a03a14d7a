//! What the simulated model says. It understands nothing; it answers so that a newcomer sees each part work.
//!
//! | in the last user message | answer |
//! |---|---|
//! | anything | the message back, in a sentence |
//! | `#pii` | a sentence with an invented e-mail address, phone number and card number: for output redaction |
//! | `#secret` | a sentence with an invented access key: for output blocking |
//! | `#words=N` | N words (at most 10,000): for long streams |
//! | `#say TEXT` | TEXT and nothing else |
//!
//! With `tools` it calls one if `tool_choice` demands it, or if the message has a word of a tool's name
//! ("weather" calls `get_weather`); the arguments are made up by the tool's schema. With a `response_format` of JSON it
//! answers JSON. `max_tokens` cuts the answer, with `finish_reason` "length"; a token is a word and its space.

use serde_json::{Map, Value, json};

/// Most words of `#words=N`.
const WORDS_MAX: usize = 10_000;
/// Depth to which a schema is followed when a value is made up.
const SCHEMA_DEPTH_MAX: usize = 8;

/// What the model says.
#[derive(Debug, PartialEq)]
pub(super) struct Utterance {
    /// The text in tokens; empty with a tool call.
    pub(super) tokens: Vec<String>,
    /// Name and arguments (JSON text) of the called tool.
    pub(super) tool: Option<(String, String)>,
    /// "stop", "length" or "tool_calls".
    pub(super) finish_reason: &'static str,
}

/// Answers a chat completions request.
pub(super) fn answer(request: &Value) -> Utterance {
    let last = request["messages"].as_array().and_then(|messages| messages.last()).unwrap_or(&Value::Null);
    let prompt = text_of(&last["content"]);
    let role = last["role"].as_str().unwrap_or("user");
    if role != "tool"
        && let Some(tool) = chosen_tool(request, &prompt)
    {
        let name = tool["name"].as_str().unwrap_or("tool").to_owned();
        let arguments = sample(&tool["parameters"], &prompt, SCHEMA_DEPTH_MAX).to_string();
        return Utterance { tokens: Vec::new(), tool: Some((name, arguments)), finish_reason: "tool_calls" };
    }
    let text = match request.pointer("/response_format/type").and_then(Value::as_str) {
        Some("json_object") => json!({"answer": prompt}).to_string(),
        Some("json_schema") => {
            let schema = request.pointer("/response_format/json_schema/schema").unwrap_or(&Value::Null);
            sample(schema, &prompt, SCHEMA_DEPTH_MAX).to_string()
        }
        Some(_) | None if role == "tool" => format!("The tool said: {prompt}"),
        Some(_) | None => text_answer(&prompt),
    };
    let mut tokens: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
    let limit = ["max_completion_tokens", "max_tokens"].iter().find_map(|key| request[*key].as_u64());
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let finish_reason = if tokens.len() > limit { "length" } else { "stop" };
    tokens.truncate(limit);
    Utterance { tokens, tool: None, finish_reason }
}

/// Estimates the tokens of a request's messages: four bytes a token, as vendors advise for English.
pub(super) fn prompt_tokens(request: &Value) -> usize {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    messages.iter().map(|message| 4 + text_of(&message["content"]).len().div_ceil(4)).sum()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            texts.join(" ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

fn text_answer(prompt: &str) -> String {
    if let Some((_, text)) = prompt.split_once("#say ") {
        return text.to_owned();
    }
    if let Some((_, count)) = prompt.split_once("#words=") {
        let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
        return words(digits.parse().unwrap_or(100));
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

/// The tool that the request demands or the prompt suggests: its `function` object.
fn chosen_tool<'a>(request: &'a Value, prompt: &str) -> Option<&'a Value> {
    let tools = request["tools"].as_array()?;
    let functions =
        || tools.iter().map(|tool| &tool["function"]).filter(|function| function["name"].is_string());
    let named = request.pointer("/tool_choice/function/name");
    match request["tool_choice"].as_str() {
        Some("none") => None,
        Some("required") => functions().find(|tool| suggests(prompt, tool)).or_else(|| functions().next()),
        Some(_) | None if named.is_some() => functions().find(|tool| Some(&tool["name"]) == named),
        Some(_) | None => functions().find(|tool| suggests(prompt, tool)),
    }
}

fn suggests(prompt: &str, tool: &Value) -> bool {
    let prompt = prompt.to_lowercase();
    let name = tool["name"].as_str().unwrap_or_default().to_lowercase();
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

    fn says(request: &Value) -> String {
        answer(request).tokens.concat()
    }

    fn asks(prompt: &str) -> Value {
        json!({"messages": [{"role": "user", "content": prompt}]})
    }

    #[test]
    fn commands_in_the_prompt_are_followed() {
        assert!(says(&asks("hello there")).contains("\"hello there\""));
        assert_eq!(says(&asks("please #say exactly this")), "exactly this");
        assert!(says(&asks("#pii")).contains("jane.doe@example.com"));
        assert!(says(&asks("#secret")).contains(&fake_secret()));
        assert_eq!(answer(&asks("#words=12 please")).tokens.len(), 12);
        assert_eq!(answer(&asks("#words=20000")).tokens.len(), WORDS_MAX);
        let parts =
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "#say parts"}]}]});
        assert_eq!(says(&parts), "parts");
    }

    #[test]
    fn a_limit_cuts_the_answer_and_says_so() {
        let mut request = asks("#words=10");
        request["max_tokens"] = json!(3);
        let said = answer(&request);
        assert_eq!((said.tokens.len(), said.finish_reason), (3, "length"));
    }

    #[test]
    fn tools_are_called_when_demanded_or_suggested() {
        let tools = json!([{"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "required": ["city", "unit", "days"], "properties": {
                "city": {"type": "string"}, "unit": {"enum": ["celsius"]}, "days": {"type": "integer"},
                "unused": {"type": "string"}}}}}]);
        let check = |prompt: &str, choice: Value, expect: Option<&str>| {
            let mut request = asks(prompt);
            request["tools"] = tools.clone();
            request["tool_choice"] = choice;
            assert_eq!(answer(&request).tool.map(|tool| tool.1).as_deref(), expect, "{prompt}");
        };
        let paris = Some(r#"{"city":"Paris","unit":"celsius","days":1}"#);
        check("What is the weather in Paris?", Value::Null, paris);
        check("What is the weather in Paris?", json!("none"), None);
        check("hello", json!("auto"), None);
        check("Is it nice in Paris?", json!("required"), paris);
        check("in Paris", json!({"type": "function", "function": {"name": "get_weather"}}), paris);
    }

    #[test]
    fn a_tool_result_and_a_json_format_are_answered_in_kind() {
        let result = json!({"messages": [{"role": "tool", "content": "21 degrees"}], "tools": []});
        assert_eq!(says(&result), "The tool said: 21 degrees");
        let mut request = asks("hi");
        request["response_format"] = json!({"type": "json_object"});
        assert_eq!(says(&request), r#"{"answer":"hi"}"#);
    }
}
