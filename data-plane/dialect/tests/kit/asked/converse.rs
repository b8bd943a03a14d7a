//! Bedrock's Converse.

use serde_json::Value;

use super::{Asked, Choice, bytes, plain, plain_text};
use crate::kit::semantics::{items, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked::default();
    items(&body["system"]).for_each(|block| asked.instruct(text(&block["text"])));
    for message in items(&body["messages"]) {
        let role = text(&message["role"]);
        for block in items(&message["content"]) {
            if role == "system" {
                asked.instruct(text(&block["text"]));
            } else {
                take(&mut asked, role != "assistant", block);
            }
        }
    }
    for tool in
        items(&body["toolConfig"]["tools"]).map(|tool| &tool["toolSpec"]).filter(|tool| tool.is_object())
    {
        asked.tool(&tool["name"], &tool["description"], &tool["inputSchema"]["json"]);
    }
    let config = &body["inferenceConfig"];
    asked.max_tokens = config["maxTokens"].as_u64();
    asked.temperature = config["temperature"].as_f64();
    asked.stops = items(&config["stopSequences"]).map(|stop| text(stop).to_owned()).collect();
    let choice = &body["toolConfig"]["toolChoice"];
    asked.choice = if choice["any"].is_object() {
        Choice::Required
    } else if let Some(name) = choice["tool"]["name"].as_str() {
        Choice::These(vec![name.to_owned()])
    } else {
        Choice::Auto
    };
    let schema = &body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"];
    let schema = schema.as_str().and_then(|schema| serde_json::from_str::<Value>(schema).ok());
    asked.schema = schema.as_ref().map(plain);
    asked
}

fn take(asked: &mut Asked, user: bool, block: &Value) {
    asked.say(user, text(&block["text"]));
    items(&block["citationsContent"]["content"]).for_each(|cited| asked.say(user, text(&cited["text"])));
    for kind in ["image", "document", "video", "audio"] {
        let source = &block[kind]["source"];
        let format = text(&block[kind]["format"]);
        let plain = matches!(format, "txt" | "md" | "html" | "csv");
        if let Some(data) = source["bytes"].as_str() {
            asked.show(user, bytes(if plain { "text/" } else { kind }, data));
        } else if let Some(said) = source["text"].as_str() {
            asked.show(user, plain_text(said));
        } else if source["content"].is_array() {
            let said: String = items(&source["content"]).map(|one| text(&one["text"])).collect();
            asked.show(user, plain_text(&said));
        } else if let Some(uri) = source["s3Location"]["uri"].as_str() {
            asked.show(user, uri.to_owned());
        }
    }
    let call = &block["toolUse"];
    if call.is_object() && call["type"] != "server_tool_use" {
        asked.call(text(&call["toolUseId"]), text(&call["name"]), call["input"].clone());
    }
    let result = &block["toolResult"];
    if result.is_object() && user {
        let json =
            items(&result["content"]).find(|one| !one["json"].is_null()).map(|one| one["json"].clone());
        let said: String = items(&result["content"]).map(|one| text(&one["text"])).collect();
        asked.result(text(&result["toolUseId"]), "", &json.unwrap_or(Value::String(said)));
        items(&result["content"]).filter(|one| one["text"].is_null()).for_each(|one| take(asked, true, one));
    }
}
