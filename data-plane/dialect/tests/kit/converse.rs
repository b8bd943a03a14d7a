//! Bedrock's Converse.

use serde_json::{Value, json};

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    let mut choice = Choice::default();
    for block in items(&body["output"]["message"]["content"]) {
        choice.text.push_str(text(&block["text"]));
        items(&block["citationsContent"]["content"])
            .for_each(|cited| choice.text.push_str(text(&cited["text"])));
        choice.thinking.push_str(text(&block["reasoningContent"]["reasoningText"]["text"]));
        let call = &block["toolUse"];
        // Nova says `tool_use` of a tool that the caller runs, and `server_tool_use` of one that Bedrock runs.
        if call.is_object() && call["type"] != "server_tool_use" {
            let given = if call["input"].is_null() { arguments("") } else { call["input"].clone() };
            choice.calls.push((text(&call["name"]).to_owned(), given));
        }
    }
    choice.stop = stop(&body["stopReason"]);
    Answer { choices: vec![choice.settle()], usage: usage(&body["usage"]) }
}

/// The message that the events build, read as a whole one. Text and reasoning begin with their first delta.
pub fn streamed(events: &[Value]) -> Answer {
    let mut blocks: Vec<(u64, Value, String)> = Vec::new();
    let (mut reason, mut counts) = (Value::Null, Value::Null);
    for event in events {
        if let Some(begun) = event.get("contentBlockStart") {
            blocks.push((count(&begun["contentBlockIndex"]), begun["start"].clone(), String::new()));
        }
        if let Some(piece) = event.get("contentBlockDelta") {
            let index = count(&piece["contentBlockIndex"]);
            if !blocks.iter().any(|(known, ..)| *known == index) {
                blocks.push((index, json!({}), String::new()));
            }
            let block = blocks.iter_mut().rev().find(|(known, ..)| *known == index);
            let (_, block, input) = block.expect("it is there now");
            let delta = &piece["delta"];
            if let Some(more) = delta["text"].as_str() {
                block["text"] = format!("{}{more}", text(&block["text"])).into();
            }
            if let Some(more) = delta["reasoningContent"]["text"].as_str() {
                let so_far = text(&block["reasoningContent"]["reasoningText"]["text"]).to_owned();
                block["reasoningContent"] = json!({ "reasoningText": { "text": so_far + more } });
            }
            input.push_str(text(&delta["toolUse"]["input"]));
        }
        if let Some(ended) = event.get("messageStop") {
            reason = ended["stopReason"].clone();
        }
        if let Some(last) = event.get("metadata") {
            counts = last["usage"].clone();
        }
    }
    let content: Vec<Value> = blocks
        .into_iter()
        .map(|(_, mut block, input)| {
            if block["toolUse"].is_object() {
                block["toolUse"]["input"] = arguments(&input);
            }
            block
        })
        .collect();
    whole(&json!({ "output": { "message": { "content": content } }, "stopReason": reason, "usage": counts }))
}

fn stop(word: &Value) -> Option<Stop> {
    Some(match word.as_str()? {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "tool_use" => Stop::Tool,
        "guardrail_intervened" | "content_filtered" => Stop::Filtered,
        "malformed_model_output" | "malformed_tool_use" => Stop::Failed,
        _ => Stop::End,
    })
}

/// What a cache gave and took is beside `inputTokens`; Bedrock does not say how much was thought.
fn usage(usage: &Value) -> Tokens {
    let cached = count(&usage["cacheReadInputTokens"]);
    Tokens {
        prompt: count(&usage["inputTokens"]) + cached + count(&usage["cacheWriteInputTokens"]),
        output: count(&usage["outputTokens"]),
        cached,
        reasoning: 0,
    }
}
