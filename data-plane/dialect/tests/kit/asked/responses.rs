//! Responses.

use serde_json::Value;

use super::{Asked, Choice, address, plain};
use crate::kit::semantics::{arguments, items, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked::default();
    asked.instruct(text(&body["instructions"]));
    match &body["input"] {
        Value::String(input) => asked.say(true, input),
        input => items(input).for_each(|item| take(&mut asked, item)),
    }
    for tool in items(&body["tools"]).filter(|tool| matches!(text(&tool["type"]), "function" | "custom")) {
        asked.tool(&tool["name"], &tool["description"], &tool["parameters"]);
    }
    asked.max_tokens = body["max_output_tokens"].as_u64();
    asked.temperature = body["temperature"].as_f64();
    asked.choice = choice(&body["tool_choice"]);
    asked.object = body["text"]["format"]["type"] == "json_object";
    let schema = &body["text"]["format"]["schema"];
    asked.schema = schema.is_object().then(|| plain(schema));
    asked
}

fn take(asked: &mut Asked, item: &Value) {
    match text(&item["type"]) {
        "" | "message" => {
            let role = text(&item["role"]);
            let instructs = matches!(role, "system" | "developer");
            for part in parts(&item["content"]) {
                let said =
                    part.as_str().or(part["text"].as_str()).or(part["refusal"].as_str()).unwrap_or_default();
                if instructs {
                    asked.instruct(said);
                } else {
                    asked.say(role != "assistant", said);
                    media(asked, role != "assistant", part);
                }
            }
        }
        "function_call" => {
            asked.call(text(&item["call_id"]), text(&item["name"]), arguments(text(&item["arguments"])));
        }
        "custom_tool_call" => asked.call(text(&item["call_id"]), text(&item["name"]), item["input"].clone()),
        "function_call_output" | "custom_tool_call_output" => {
            let output = &item["output"];
            let said = |part: &Value| part.as_str().or(part["text"].as_str()).unwrap_or_default().to_owned();
            let content: String = parts(output).map(said).collect();
            asked.result(text(&item["call_id"]), "", &Value::String(content));
            parts(output).for_each(|part| media(asked, true, part));
        }
        _ => {}
    }
}

fn parts(content: &Value) -> std::slice::Iter<'_, Value> {
    match content {
        Value::Array(parts) => parts.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn media(asked: &mut Asked, user: bool, part: &Value) {
    let places = ["image_url", "file_data", "file_url", "file_id"];
    let shown = match text(&part["type"]) {
        "input_image" | "input_file" => places.iter().find_map(|place| part[*place].as_str()).map(address),
        "input_audio" => part["input_audio"]["data"].as_str().map(|data| super::bytes("audio", data)),
        _ => None,
    };
    if let Some(shown) = shown {
        asked.show(user, shown);
    }
}

fn choice(choice: &Value) -> Choice {
    match choice {
        Value::String(word) if word == "none" => Choice::None,
        Value::String(word) if word == "required" => Choice::Required,
        Value::Object(_) if choice["tools"].is_array() => {
            let names = items(&choice["tools"]).map(|tool| text(&tool["name"]).to_owned());
            if choice["mode"] == "required" { Choice::These(names.collect()) } else { Choice::Auto }
        }
        Value::Object(_) if choice["name"].is_string() => {
            Choice::These(vec![text(&choice["name"]).to_owned()])
        }
        _ => Choice::Auto,
    }
}
