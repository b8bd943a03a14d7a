//! Chat completions, and Ollama's own API, which differs in little.

use serde_json::Value;

use super::{Asked, Choice, address, bytes, plain};
use crate::kit::semantics::{arguments, items, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked::default();
    for message in items(&body["messages"]) {
        turn(&mut asked, message);
    }
    for tool in items(&body["tools"]) {
        let inner = if tool["custom"].is_object() { &tool["custom"] } else { &tool["function"] };
        if inner.is_object() {
            asked.tool(&inner["name"], &inner["description"], &inner["parameters"]);
        }
    }
    for tool in items(&body["functions"]) {
        asked.tool(&tool["name"], &tool["description"], &tool["parameters"]);
    }
    let of = |key: &str| if body[key].is_null() { &body["options"][key] } else { &body[key] };
    let limit = [of("max_completion_tokens"), of("max_tokens"), of("num_predict")];
    asked.max_tokens = limit.into_iter().find_map(Value::as_u64);
    asked.temperature = of("temperature").as_f64();
    asked.stops = match of("stop") {
        Value::String(stop) => vec![stop.clone()],
        stops => items(stops).map(|stop| text(stop).to_owned()).collect(),
    };
    asked.choice = choice(&body["tool_choice"]);
    asked.object = body["response_format"]["type"] == "json_object" || body["format"] == "json";
    let schema = &body["response_format"]["json_schema"]["schema"];
    let schema = if schema.is_object() { schema } else { &body["format"] };
    asked.schema = schema.is_object().then(|| plain(schema));
    asked
}

fn turn(asked: &mut Asked, message: &Value) {
    match text(&message["role"]) {
        "system" | "developer" => {
            pieces(&message["content"]).for_each(|part| asked.instruct(text(part_text(part))))
        }
        "tool" | "function" => {
            let content: String = pieces(&message["content"]).map(|part| text(part_text(part))).collect();
            let name = message["name"].as_str().or(message["tool_name"].as_str()).unwrap_or_default();
            asked.result(text(&message["tool_call_id"]), name, &Value::String(content));
            pieces(&message["content"]).for_each(|part| media(asked, true, part));
        }
        role => {
            let user = role != "assistant";
            for part in pieces(&message["content"]) {
                asked.say(user, text(part_text(part)));
                media(asked, user, part);
            }
            asked.say(user, text(&message["refusal"]));
            items(&message["images"]).for_each(|image| asked.show(user, bytes("image", text(image))));
            for call in items(&message["tool_calls"]) {
                let function = &call["function"];
                let given = match &function["arguments"] {
                    Value::String(given) => arguments(given),
                    Value::Null if call["custom"].is_object() => call["custom"]["input"].clone(),
                    given => given.clone(),
                };
                let name = function["name"].as_str().or(call["custom"]["name"].as_str()).unwrap_or_default();
                asked.call(text(&call["id"]), name, given);
            }
        }
    }
}

/// The parts of a content: a text is one.
fn pieces(content: &Value) -> std::slice::Iter<'_, Value> {
    match content {
        Value::Array(parts) => parts.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn part_text(part: &Value) -> &Value {
    if part["refusal"].is_string() {
        return &part["refusal"];
    }
    if part.is_string() { part } else { &part["text"] }
}

fn media(asked: &mut Asked, user: bool, part: &Value) {
    let shown = match text(&part["type"]) {
        "input_audio" => bytes("audio", text(&part["input_audio"]["data"])),
        "file" => match part["file"]["file_data"].as_str() {
            Some(data) => address(data),
            None => text(&part["file"]["file_id"]).to_owned(),
        },
        kind @ ("image_url" | "document_url" | "file_url" | "video_url") => {
            let url = &part[kind];
            address(url.as_str().or(url["url"].as_str()).unwrap_or_default())
        }
        _ => return,
    };
    asked.show(user, shown);
}

fn choice(choice: &Value) -> Choice {
    match choice {
        Value::String(word) if word == "none" => Choice::None,
        Value::String(word) if word == "required" || word == "any" => Choice::Required,
        Value::Object(_) if choice["type"] == "allowed_tools" => {
            let allowed = &choice["allowed_tools"];
            let names = items(&allowed["tools"]).map(|tool| text(&tool["function"]["name"]).to_owned());
            if allowed["mode"] == "required" { Choice::These(names.collect()) } else { Choice::Auto }
        }
        Value::Object(_) => {
            let name = choice["function"]["name"].as_str().or(choice["custom"]["name"].as_str());
            Choice::These(vec![name.unwrap_or_default().to_owned()])
        }
        _ => Choice::Auto,
    }
}
