//! Whether bytes are what the official SDKs of a format take: their own types as JSON Schema; for Gemini and Converse, of which
//! there is none, the members that their SDKs demand.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use breakwater_dialect::Format;
use jsonschema::Validator;
use serde_json::{Value, json};

mod converse;
mod gemini;

use crate::kit::recordings;
use crate::kit::semantics::{items, text};

/// A whole answer.
pub fn reply(format: Format, body: &Value) -> Result<(), String> {
    match format {
        Format::Chat => {
            by_schema("openai-chat-response", None, body)?;
            for choice in items(&body["choices"]) {
                // Nullable, and yet demanded by strict clients (llm-api.md, 1.2).
                present(&choice["message"], &["content", "refusal"])?;
                present(choice, &["logprobs"])?;
                details(&choice["message"])?;
            }
            Ok(())
        }
        Format::Responses => {
            by_schema("openai-responses-response", None, body)?;
            present(body, &["status", "usage", "error", "incomplete_details", "text"])?;
            if body["usage"].is_null() {
                return Ok(());
            }
            present(&body["usage"], &["input_tokens_details", "output_tokens_details", "total_tokens"])
        }
        Format::Messages => {
            by_schema("anthropic-messages-response", None, body)?;
            present(body, &["stop_reason", "stop_sequence"])
        }
        Format::Gemini => gemini::answer(body, true),
        Format::Converse => converse::reply(body),
        Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => Err("nobody asks in this format".to_owned()),
    }
}

/// One event of a stream. Errors are judged where the stream is.
pub fn event(format: Format, event: &Value) -> Result<(), String> {
    match format {
        // The SDK's type of a chunk has no place for calls of custom tools, and OpenAI streams them.
        Format::Chat if event["choices"][0]["delta"]["tool_calls"][0]["custom"].is_object() => Ok(()),
        Format::Chat => {
            items(&event["choices"]).try_for_each(|choice| details(&choice["delta"]))?;
            by_schema("openai-chat-chunk", None, event)
        }
        Format::Responses => by_schema("openai-responses-stream-event", Some(text(&event["type"])), event),
        Format::Messages if event["type"] == "ping" => Ok(()),
        Format::Messages => by_schema("anthropic-stream-event", Some(text(&event["type"])), event),
        Format::Gemini => gemini::answer(event, false),
        Format::Converse => converse::event(event),
        Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => Err("nobody asks in this format".to_owned()),
    }
}

/// Details of reasoning, if there are any, each say something: who carries them back has something to carry.
fn details(message: &Value) -> Result<(), String> {
    let Some(details) = message.get("reasoning_details") else { return Ok(()) };
    let says = |detail: &Value| {
        ["text", "summary", "data", "signature"].iter().any(|key| !text(&detail[*key]).is_empty())
    };
    if items(details).len() == 0 || !items(details).all(says) {
        return Err(format!("reasoning_details say nothing | {details:.80}"));
    }
    Ok(())
}

/// A request.
pub fn request(format: Format, body: &Value) -> Result<(), String> {
    let streamed = body["stream"] == true;
    let variant = |plain: &'static str, streaming: &'static str| if streamed { streaming } else { plain };
    match format {
        Format::Chat => {
            let name = variant("CompletionCreateParamsNonStreaming", "CompletionCreateParamsStreaming");
            by_definition("openai-chat-request", name, body)
        }
        Format::Responses => {
            let name = variant("ResponseCreateParamsNonStreaming", "ResponseCreateParamsStreaming");
            by_definition("openai-responses-request", name, body)
        }
        Format::Messages => {
            let name = variant("MessageCreateParamsNonStreaming", "MessageCreateParamsStreaming");
            by_definition("anthropic-messages-request", name, body)
        }
        Format::Gemini => gemini::request(body),
        Format::Converse => converse::request(body),
        Format::Ollama => present(body, &["model", "messages", "stream"]),
        Format::Completions | Format::Embeddings | Format::Moderations | Format::CountTokens => {
            present(body, &["model", "prompt"])
        }
    }
}

/// A stream's event is judged by the schema of its type alone: the union of all says only that none fits.
fn by_schema(schema: &'static str, kind: Option<&str>, body: &Value) -> Result<(), String> {
    let Some(kind) = kind else { return judge(schema, "", body, || source(schema).clone()) };
    let source = source(schema);
    let is_it = |name: &&str| source["$defs"][*name]["properties"]["type"]["const"] == kind;
    let names = items(&source["anyOf"]).map(|one| text(&one["$ref"]).trim_start_matches("#/$defs/"));
    let Some(name) = names.into_iter().find(is_it) else {
        return Err(format!("event {kind} is in no schema"));
    };
    by_definition(schema, name, body)
}

fn by_definition(schema: &'static str, name: &str, body: &Value) -> Result<(), String> {
    judge(schema, name, body, || {
        let definitions = source(schema)["$defs"].clone();
        json!({ "$defs": definitions, "$ref": format!("#/$defs/{name}") })
    })
}

fn judge(schema: &'static str, name: &str, body: &Value, make: impl Fn() -> Value) -> Result<(), String> {
    static MADE: Mutex<BTreeMap<(&str, String), &Validator>> = Mutex::new(BTreeMap::new());
    let validator: &Validator = {
        let mut made = MADE.lock().expect("no test panics here");
        made.entry((schema, name.to_owned())).or_insert_with(|| {
            // Made once for each type, and used to the end of the test.
            Box::leak(Box::new(jsonschema::options().build(&make()).expect("the schema is one")))
        })
    };
    if validator.is_valid(body) {
        return Ok(());
    }
    let errors = validator.iter_errors(body).take(2);
    let errors: Vec<String> =
        errors.map(|error| format!("at {}: {:.160}", error.instance_path(), error.to_string())).collect();
    Err(errors.join("; "))
}

fn source(schema: &'static str) -> &'static Value {
    static READ: OnceLock<BTreeMap<&str, Value>> = OnceLock::new();
    const ALL: [&str; 8] = [
        "anthropic-messages-request",
        "anthropic-messages-response",
        "anthropic-stream-event",
        "openai-chat-chunk",
        "openai-chat-request",
        "openai-chat-response",
        "openai-responses-request",
        "openai-responses-response",
    ];
    let read = READ.get_or_init(|| {
        let all = ALL.into_iter().chain(["openai-responses-stream-event"]);
        all.map(|name| (name, recordings::json(&format!("corpus/schemas/{name}.schema.json")))).collect()
    });
    &read[schema]
}

fn present(object: &Value, keys: &[&str]) -> Result<(), String> {
    match keys.iter().find(|key| object.get(**key).is_none()) {
        Some(key) => Err(format!("{key} is missing")),
        None => Ok(()),
    }
}

fn known(what: &str, object: &Value, keys: &[&str]) -> Result<(), String> {
    let members = object.as_object().ok_or_else(|| format!("{what} is no object"))?;
    match members.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("{what} has an unknown member {key}")),
        None => Ok(()),
    }
}

/// The only member of a union.
fn only<'a>(what: &str, union: &'a Value, keys: &[&str]) -> Result<(&'a str, &'a Value), String> {
    known(what, union, keys)?;
    let members = union.as_object().ok_or_else(|| format!("{what} is no object"))?;
    match members.iter().next() {
        Some((key, value)) if members.len() == 1 => Ok((key, value)),
        _ => Err(format!("{what} is a union and has {} members", members.len())),
    }
}
