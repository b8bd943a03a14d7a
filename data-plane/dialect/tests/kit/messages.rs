//! Anthropic's messages.

use serde_json::{Map, Value};

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    let mut choice = Choice::default();
    for block in items(&body["content"]) {
        match text(&block["type"]) {
            "text" => {
                choice.text.push_str(text(&block["text"]));
                let of_web = |one: &&Value| one["type"] == "web_search_result_location";
                items(&block["citations"]).filter(of_web).for_each(|one| choice.cite(&one["url"]));
            }
            "thinking" => choice.thinking.push_str(text(&block["thinking"])),
            "tool_use" => {
                let given = if block["input"].is_null() { arguments("") } else { block["input"].clone() };
                choice.calls.push((text(&block["name"]).to_owned(), given));
            }
            _ => {}
        }
    }
    choice.stop = stop(&body["stop_reason"]);
    Answer { choices: vec![choice.settle()], usage: usage(&body["usage"]) }
}

/// The message that the events build, read as a whole one.
pub fn streamed(events: &[Value]) -> Answer {
    let mut blocks: Vec<(u64, Value, String)> = Vec::new();
    let mut counts = Map::new();
    let mut reason = Value::Null;
    for event in events {
        match text(&event["type"]) {
            "message_start" => counts.extend(said(&event["message"]["usage"])),
            "content_block_start" => {
                blocks.push((count(&event["index"]), event["content_block"].clone(), String::new()));
            }
            "content_block_delta" => {
                let index = count(&event["index"]);
                let Some((_, block, json)) = blocks.iter_mut().rev().find(|(known, ..)| *known == index)
                else {
                    continue;
                };
                let delta = &event["delta"];
                append(block, "text", text(&delta["text"]));
                append(block, "thinking", text(&delta["thinking"]));
                if delta["type"] == "citations_delta" {
                    let so_far = items(&block["citations"]).cloned();
                    block["citations"] = so_far.chain([delta["citation"].clone()]).collect();
                }
                json.push_str(text(&delta["partial_json"]));
            }
            "message_delta" => {
                counts.extend(said(&event["usage"]));
                if !event["delta"]["stop_reason"].is_null() {
                    reason = event["delta"]["stop_reason"].clone();
                }
            }
            _ => {}
        }
    }
    let content: Vec<Value> = blocks
        .into_iter()
        .map(|(_, mut block, json)| {
            if !json.is_empty() {
                block["input"] = arguments(&json);
            }
            block
        })
        .collect();
    whole(&serde_json::json!({ "content": content, "stop_reason": reason, "usage": counts }))
}

fn said(usage: &Value) -> Map<String, Value> {
    let fields = usage.as_object().into_iter().flatten();
    fields.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn append(block: &mut Value, key: &str, more: &str) {
    if !more.is_empty() {
        block[key] = Value::String(format!("{}{more}", text(&block[key])));
    }
}

fn stop(word: &Value) -> Option<Stop> {
    Some(match word.as_str()? {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "tool_use" => Stop::Tool,
        "refusal" => Stop::Filtered,
        _ => Stop::End,
    })
}

fn usage(usage: &Value) -> Tokens {
    let cached = count(&usage["cache_read_input_tokens"]);
    Tokens {
        prompt: count(&usage["input_tokens"]) + cached + count(&usage["cache_creation_input_tokens"]),
        output: count(&usage["output_tokens"]),
        cached,
        reasoning: count(&usage["output_tokens_details"]["thinking_tokens"]),
    }
}
