//! What a recording says, read without the proxy's code: the text, the calls, the tokens.

use serde_json::{Value, json};

/// What one answer says, gathered over its events.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    /// Name and arguments, which may come in pieces.
    tools: Vec<(String, String)>,
    input: u64,
    output: u64,
}

impl Gathered {
    fn say(&mut self, text: &Value) {
        self.text.push_str(text.as_str().unwrap_or_default());
    }

    fn call(&mut self, name: &Value, arguments: &str) {
        self.tools.push((name.as_str().unwrap_or_default().to_owned(), arguments.to_owned()));
    }

    fn argue(&mut self, piece: &Value) {
        if let Some((_, arguments)) = self.tools.last_mut() {
            arguments.push_str(piece.as_str().unwrap_or_default());
        }
    }

    fn truth(self) -> Value {
        let tools = self.tools.into_iter().map(|(name, arguments)| {
            let arguments = if arguments.is_empty() { "{}" } else { arguments.as_str() };
            let arguments: Value = serde_json::from_str(arguments).expect("recorded arguments are JSON");
            json!({"name": name, "arguments": arguments})
        });
        json!({
            "text": self.text, "tools": tools.collect::<Vec<_>>(),
            "input_tokens": self.input, "output_tokens": self.output,
        })
    }
}

/// The truth of an answer of `format`: its whole body, or its events in order.
pub fn truth(format: &str, events: &[Value]) -> Value {
    let mut all = Gathered::default();
    for event in events {
        match format {
            "chat" => chat(&mut all, event),
            "messages" => messages(&mut all, event),
            "gemini" => gemini(&mut all, event),
            "converse" => converse(&mut all, event),
            other => panic!("no recordings of {other}"),
        }
    }
    let truth = all.truth();
    assert!(truth["output_tokens"].as_u64() > Some(0), "a recording with usage was chosen: {truth}");
    truth
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn chat(all: &mut Gathered, event: &Value) {
    for side in ["/choices/0/message", "/choices/0/delta"] {
        let Some(message) = event.pointer(side) else { continue };
        all.say(&message["content"]);
        for call in list(message, "/tool_calls") {
            if call["id"].is_string() {
                all.call(&call["function"]["name"], "");
            }
            all.argue(&call["function"]["arguments"]);
        }
    }
    if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
        (all.input, all.output) = (count(&usage["prompt_tokens"]), count(&usage["completion_tokens"]));
    }
}

fn messages(all: &mut Gathered, event: &Value) {
    let start = event.get("content_block").into_iter();
    for block in start.chain(list(event, "/content")) {
        match block["type"].as_str() {
            Some("text") => all.say(&block["text"]),
            // A stream starts a call with an empty object, and its arguments follow.
            Some("tool_use") if event.get("content_block").is_some() => all.call(&block["name"], ""),
            Some("tool_use") => all.call(&block["name"], &block["input"].to_string()),
            _ => {}
        }
    }
    all.say(&event["delta"]["text"]);
    all.argue(&event["delta"]["partial_json"]);
    for usage in ["/message/usage", "/usage"].iter().filter_map(|place| event.pointer(place)) {
        if let Some(input) = usage["input_tokens"].as_u64() {
            all.input = input;
        }
        all.output = count(&usage["output_tokens"]);
    }
}

fn gemini(all: &mut Gathered, event: &Value) {
    for part in list(event, "/candidates/0/content/parts") {
        if let Some(call) = part.get("functionCall") {
            let arguments = call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string);
            all.call(&call["name"], &arguments);
        } else if part["thought"] != json!(true) {
            all.say(&part["text"]);
        }
    }
    if let Some(usage) = event.get("usageMetadata") {
        all.input = count(&usage["promptTokenCount"]);
        // Thoughts are billed as output and not counted with the candidates (llm-api.md §1.7).
        all.output = count(&usage["candidatesTokenCount"]) + count(&usage["thoughtsTokenCount"]);
    }
}

fn converse(all: &mut Gathered, event: &Value) {
    for block in list(event, "/output/message/content") {
        all.say(&block["text"]);
        if let Some(call) = block.get("toolUse") {
            all.call(&call["name"], &call["input"].to_string());
        }
    }
    if let Some(call) = event.pointer("/start/toolUse") {
        all.call(&call["name"], "");
    }
    all.say(&event["delta"]["text"]);
    if let Some(piece) = event.pointer("/delta/toolUse/input") {
        all.argue(piece);
    }
    if let Some(usage) = event.get("usage") {
        (all.input, all.output) = (count(&usage["inputTokens"]), count(&usage["outputTokens"]));
    }
}

/// The JSON of the events of a text of server-sent events.
pub fn sse(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
    data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

/// The payloads of the frames of an AWS event stream: total length, length of the headers, their checksum, headers, payload,
/// checksum (source: botocore's eventstream.py).
pub fn frames(mut bytes: &[u8]) -> Vec<Value> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().expect("four bytes")) as usize;
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = bytes.split_at(number(bytes));
        let payload = &frame[12 + number(&frame[4..])..frame.len() - 4];
        found.push(serde_json::from_slice(payload).expect("Bedrock's payloads are JSON"));
        bytes = rest;
    }
    found
}
