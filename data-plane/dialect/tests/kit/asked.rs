//! What a request asks, whatever its format. All that formats may say differently is made equal here:
//!
//! - where instructions stand: all of them, in order, are `system`;
//! - turns of one role that follow each other are one; within a turn texts are joined, and what is called, given and shown
//!   stands apart, each in its order;
//! - blanks: texts are compared without them, since formats part texts in different places;
//! - ids: a result is tied to its call by the name of the tool;
//! - results: a text that is JSON is that JSON, and an object with one member that only wraps (`result`, `output`...) is what
//!   it wraps, since Gemini takes no bare text;
//! - arguments that are no object: some formats take only objects, so they are wrapped in one (`input`, `INVALID_JSON`);
//! - media: their bytes or their address, whatever they are called and wherever in the turn they stand (chat completions have
//!   no pictures in results: they follow in the user's turn);
//! - a tool without arguments has an empty schema; schemas are in JSON Schema's words;
//! - no choice of tools is `auto`;
//! - thinking is not compared: only the format that signed it takes it back.

use base64::Engine;
use breakwater_dialect::Format;
use serde_json::{Map, Value, json};

use super::semantics::text;

mod chat;
mod converse;
mod gemini;
mod messages;
mod responses;

/// A request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Asked {
    pub system: String,
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    pub max_tokens: Option<u64>,
    pub temperature: Option<f64>,
    pub stops: Vec<String>,
    pub schema: Option<Value>,
    /// Some JSON object, whatever its schema.
    pub object: bool,
    /// Names of the calls by their ids, to tie results to them.
    calls: Vec<(String, String)>,
}

/// What one side says before the other does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    pub user: bool,
    pub text: String,
    pub media: Vec<String>,
    pub calls: Vec<(String, Value)>,
    pub results: Vec<(String, Value)>,
}

/// A tool of the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    pub name: String,
    pub description: String,
    pub schema: Value,
}

/// Whether the model must call one.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Choice {
    #[default]
    Auto,
    None,
    Required,
    These(Vec<String>),
}

/// What a request asks.
pub fn read(format: Format, body: &Value) -> Asked {
    let mut asked = match format {
        Format::Responses => responses::read(body),
        Format::Messages => messages::read(body),
        Format::Gemini => gemini::read(body),
        Format::Converse => converse::read(body),
        Format::Chat
        | Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => chat::read(body),
    };
    if asked.tools.is_empty() {
        asked.choice = Choice::Auto;
    }
    asked
}

impl Asked {
    fn instruct(&mut self, text: &str) {
        self.system.push_str(&bare(text));
    }

    fn turn(&mut self, user: bool) -> &mut Turn {
        if self.turns.last().is_none_or(|last| last.user != user) {
            self.turns.push(Turn { user, ..Turn::default() });
        }
        self.turns.last_mut().expect("one was pushed")
    }

    fn say(&mut self, user: bool, text: &str) {
        let text = bare(text);
        if !text.is_empty() {
            self.turn(user).text.push_str(&text);
        }
    }

    fn show(&mut self, user: bool, media: String) {
        self.turn(user).media.push(media);
    }

    fn call(&mut self, id: &str, name: &str, given: Value) {
        self.calls.push((id.to_owned(), name.to_owned()));
        self.turn(false).calls.push((name.to_owned(), unwrapped(given)));
    }

    /// A result, with the name of its call if the format says it.
    fn result(&mut self, id: &str, name: &str, content: &Value) {
        let known = self.calls.iter().rev().find(|(known, _)| known == id && !id.is_empty());
        let name = known.map_or(name, |(_, name)| name).to_owned();
        let content = settle(content.clone());
        self.turn(true).results.push((name, content));
    }

    fn tool(&mut self, name: &Value, description: &Value, schema: &Value) {
        let (name, description) = (text(name).to_owned(), bare(text(description)));
        self.tools.push(Tool { name, description, schema: plain(schema) });
    }
}

/// Arguments without what wraps a text where only objects go.
fn unwrapped(given: Value) -> Value {
    let wrapped = given.as_object().filter(|members| members.len() == 1).and_then(|members| {
        let text = ["input", "INVALID_JSON"].iter().find_map(|key| members.get(*key));
        text.filter(|text| text.is_string()).cloned()
    });
    wrapped.unwrap_or(given)
}

/// A text without its blanks.
pub fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Media that are here: a text by its letters, all else by its base64.
pub fn bytes(kind: &str, data: &str) -> String {
    if kind.starts_with("text/") {
        let decoded = base64::engine::general_purpose::STANDARD.decode(data).unwrap_or_default();
        return plain_text(&String::from_utf8_lossy(&decoded));
    }
    let data = bare(data).replace('-', "+").replace('_', "/");
    format!("{} bytes {}", data.len(), data.get(..32).unwrap_or(&data))
}

/// A document that is plain text.
pub fn plain_text(text: &str) -> String {
    format!("text {}", bare(text))
}

/// An address, or the bytes in it.
pub fn address(url: &str) -> String {
    match url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((kind, data)) => bytes(kind, data),
        // Perplexity takes bare base64.
        None if url.len() > 100 && !url.contains(':') => bytes("", url),
        None => url.to_owned(),
    }
}

fn settle(content: Value) -> Value {
    const WRAPS: [&str; 6] = ["result", "output", "content", "error", "response", "return_value"];
    match content {
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => settle(inner),
            _ => Value::String(bare(&text)),
        },
        Value::Object(members) if members.is_empty() => Value::String(String::new()),
        Value::Object(members) if members.len() == 1 => {
            let (key, inner) = members.iter().next().expect("there is one");
            if WRAPS.contains(&key.as_str()) { settle(inner.clone()) } else { Value::Object(members) }
        }
        number @ (Value::Number(_) | Value::Bool(_)) => Value::String(number.to_string()),
        other => other,
    }
}

/// A schema with types in lower case, and an empty one where there is none.
pub fn plain(schema: &Value) -> Value {
    let mut schema = lower(schema);
    if schema.as_object().is_none_or(Map::is_empty) {
        schema = json!({ "type": "object" });
    }
    if schema["type"] == "object" && schema["properties"].is_null() {
        schema["properties"] = json!({});
    }
    // An empty list and an absent one demand the same.
    if schema["required"].as_array().is_some_and(Vec::is_empty) || schema["required"].is_null() {
        schema.as_object_mut().expect("an object").shift_remove("required");
    }
    schema
}

/// The subset of OpenAPI that Gemini took first says in other words what JSON Schema says: types in capitals, `nullable` beside
/// the type, and, from Python, members with underscores.
fn lower(schema: &Value) -> Value {
    const CAMELS: [(&str, &str); 3] = [
        ("any_of", "anyOf"),
        ("additional_properties", "additionalProperties"),
        ("property_ordering", "propertyOrdering"),
    ];
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(list) => return list.iter().map(lower).collect(),
        other => return other.clone(),
    };
    let camel =
        |key: &str| CAMELS.iter().find(|(snake, _)| *snake == key).map_or(key, |(_, camel)| camel).to_owned();
    let nullable = members.get("nullable") == Some(&Value::Bool(true));
    // The order of properties is a hint of Gemini's alone.
    let hints = |key: &str| matches!(camel(key).as_str(), "nullable" | "propertyOrdering");
    let lowered = members.iter().filter(|(key, _)| !hints(key)).map(|(key, value)| match value {
        Value::Array(words) if key == "enum" && nullable && !words.contains(&Value::Null) => {
            (key.clone(), words.iter().cloned().chain([Value::Null]).collect())
        }
        Value::String(kind) if key == "type" && nullable => {
            (key.clone(), json!([kind.to_lowercase(), "null"]))
        }
        // The numbers of the protocol buffer.
        Value::Number(kind) if key == "type" => {
            let kinds = ["", "string", "number", "integer", "boolean", "array", "object"];
            let kind = kind.as_u64().and_then(|kind| kinds.get(usize::try_from(kind).ok()?));
            (key.clone(), kind.copied().unwrap_or_default().into())
        }
        Value::String(kind) if key == "type" => (key.clone(), kind.to_lowercase().into()),
        value => (camel(key), lower(value)),
    });
    Value::Object(lowered.collect())
}
