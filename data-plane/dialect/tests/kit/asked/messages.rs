//! Anthropic's messages.

use serde_json::Value;

use super::{Asked, Choice, bytes, plain, plain_text};
use crate::kit::semantics::{items, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked::default();
    blocks(&body["system"]).for_each(|block| asked.instruct(block.as_str().unwrap_or(text(&block["text"]))));
    for message in items(&body["messages"]) {
        let role = text(&message["role"]);
        for block in blocks(&message["content"]) {
            if role == "system" {
                asked.instruct(block.as_str().unwrap_or(text(&block["text"])));
            } else {
                take(&mut asked, role != "assistant", block);
            }
        }
    }
    for tool in items(&body["tools"]).filter(|tool| tool["input_schema"].is_object()) {
        asked.tool(&tool["name"], &tool["description"], &tool["input_schema"]);
    }
    asked.max_tokens = body["max_tokens"].as_u64();
    asked.temperature = body["temperature"].as_f64();
    asked.stops = items(&body["stop_sequences"]).map(|stop| text(stop).to_owned()).collect();
    asked.choice = match text(&body["tool_choice"]["type"]) {
        "none" => Choice::None,
        "any" => Choice::Required,
        "tool" => Choice::These(vec![text(&body["tool_choice"]["name"]).to_owned()]),
        _ => Choice::Auto,
    };
    let schema = &body["output_config"]["format"]["schema"];
    let schema = if schema.is_object() { schema } else { &body["output_format"]["schema"] };
    asked.schema = schema.is_object().then(|| plain(schema));
    asked
}

fn blocks(content: &Value) -> std::slice::Iter<'_, Value> {
    match content {
        Value::Array(blocks) => blocks.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn take(asked: &mut Asked, user: bool, block: &Value) {
    if let Some(said) = block.as_str() {
        return asked.say(user, said);
    }
    match text(&block["type"]) {
        "text" => asked.say(user, text(&block["text"])),
        "tool_use" => asked.call(text(&block["id"]), text(&block["name"]), block["input"].clone()),
        "tool_result" => {
            let content = &block["content"];
            let said: String =
                blocks(content).map(|one| one.as_str().unwrap_or(text(&one["text"]))).collect();
            asked.result(text(&block["tool_use_id"]), "", &Value::String(said));
            blocks(content)
                .filter(|one| one.is_object() && one["type"] != "text")
                .for_each(|one| take(asked, true, one));
        }
        "image" | "document" => {
            let source = &block["source"];
            let shown = match text(&source["type"]) {
                "base64" => bytes(text(&source["media_type"]), text(&source["data"])),
                "text" => plain_text(text(&source["data"])),
                "url" => text(&source["url"]).to_owned(),
                "content" => {
                    let parts = blocks(&source["content"]);
                    let said: String = parts.map(|one| one.as_str().unwrap_or(text(&one["text"]))).collect();
                    plain_text(&said)
                }
                _ => text(&source["file_id"]).to_owned(),
            };
            asked.show(user, shown);
        }
        _ => {}
    }
}
