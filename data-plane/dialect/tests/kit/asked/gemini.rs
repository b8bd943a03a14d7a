//! Gemini and Vertex, which take the members of the protocol buffer in either spelling.

use serde_json::Value;

use super::{Asked, Choice, bytes, plain};
use crate::kit::semantics::{items, text};

pub(super) fn read(body: &Value) -> Asked {
    let mut asked = Asked::default();
    let system = either(body, "systemInstruction", "system_instruction");
    items(&system["parts"]).for_each(|part| asked.instruct(text(&part["text"])));
    for content in items(&body["contents"]) {
        let user = content["role"] != "model";
        items(&content["parts"]).for_each(|part| take(&mut asked, user, part));
    }
    for tool in list(&body["tools"]) {
        for declared in items(either(tool, "functionDeclarations", "function_declarations")) {
            let schema = either(declared, "parametersJsonSchema", "parameters_json_schema");
            let schema = if schema.is_null() { &declared["parameters"] } else { schema };
            asked.tool(&declared["name"], &declared["description"], schema);
        }
    }
    let config = either(body, "generationConfig", "generation_config");
    asked.max_tokens = either(config, "maxOutputTokens", "max_output_tokens").as_u64();
    asked.temperature = config["temperature"].as_f64();
    let stops = items(either(config, "stopSequences", "stop_sequences"));
    asked.stops = stops.map(|stop| text(stop).to_owned()).collect();
    let schemas = [
        either(config, "responseJsonSchema", "response_json_schema"),
        either(config, "responseSchema", "response_schema"),
    ];
    asked.schema = schemas.into_iter().find(|schema| schema.is_object()).map(plain);
    let kind = either(config, "responseMimeType", "response_mime_type");
    asked.object = kind == "application/json" && asked.schema.is_none();
    let calling = either(body, "toolConfig", "tool_config");
    let calling = either(calling, "functionCallingConfig", "function_calling_config");
    let names = items(either(calling, "allowedFunctionNames", "allowed_function_names"));
    let names: Vec<String> = names.map(|name| text(name).to_owned()).collect();
    asked.choice = match text(&calling["mode"]).to_uppercase().as_str() {
        "NONE" => Choice::None,
        "ANY" if names.is_empty() => Choice::Required,
        "ANY" => Choice::These(names),
        _ => Choice::Auto,
    };
    asked
}

fn take(asked: &mut Asked, user: bool, part: &Value) {
    if part["thought"] == true {
        return;
    }
    asked.say(user, text(&part["text"]));
    media(asked, user, part);
    let call = either(part, "functionCall", "function_call");
    if call.is_object() {
        let given = if call["args"].is_null() { serde_json::json!({}) } else { call["args"].clone() };
        asked.call(text(&call["id"]), text(&call["name"]), given);
    }
    let result = either(part, "functionResponse", "function_response");
    if result.is_object() {
        asked.result("", text(&result["name"]), &result["response"]);
        items(&result["parts"]).for_each(|part| media(asked, true, part));
    }
}

fn media(asked: &mut Asked, user: bool, part: &Value) {
    let inline = either(part, "inlineData", "inline_data");
    if inline.is_object() {
        let kind = either(inline, "mimeType", "mime_type");
        asked.show(user, bytes(text(kind), text(&inline["data"])));
    }
    let file = either(part, "fileData", "file_data");
    if file.is_object() {
        asked.show(user, text(either(file, "fileUri", "file_uri")).to_owned());
    }
}

fn either<'a>(object: &'a Value, camel: &str, snake: &str) -> &'a Value {
    if object[camel].is_null() { &object[snake] } else { &object[camel] }
}

/// A repeated member may be said as one.
fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    match value {
        Value::Array(list) => list.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}
