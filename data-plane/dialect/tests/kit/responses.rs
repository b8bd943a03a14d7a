//! Responses.

use serde_json::Value;

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    answer(items(&body["output"]), body)
}

/// The items that the stream says are done; what the last event repeats is a second witness (see the streams' oracle).
pub fn streamed(events: &[Value]) -> Answer {
    let kind = |event: &Value, word: &str| event["type"] == word;
    let done: Vec<Value> = events
        .iter()
        .filter(|event| kind(event, "response.output_item.done"))
        .map(|event| event["item"].clone())
        .collect();
    let last = events.iter().rev().find(|event| event["response"].is_object() && !says_start(event));
    let response = last.map_or(Value::Null, |event| event["response"].clone());
    if done.is_empty() { whole(&response) } else { answer(done.iter(), &response) }
}

/// What the deltas of a stream say, joined: text, refusal, and arguments in the order of their items.
pub fn deltas(events: &[Value]) -> (String, String, Vec<Value>) {
    let (mut said, mut refused, mut calls) = (String::new(), String::new(), Vec::<(u64, String)>::new());
    for event in events {
        let delta = text(&event["delta"]);
        match text(&event["type"]) {
            "response.output_text.delta" => said.push_str(delta),
            "response.refusal.delta" => refused.push_str(delta),
            "response.function_call_arguments.delta" => {
                let index = count(&event["output_index"]);
                match calls.iter_mut().find(|(known, _)| *known == index) {
                    Some((_, given)) => given.push_str(delta),
                    None => calls.push((index, delta.to_owned())),
                }
            }
            _ => {}
        }
    }
    (said, refused, calls.into_iter().map(|(_, given)| arguments(&given)).collect())
}

fn says_start(event: &Value) -> bool {
    matches!(text(&event["type"]), "response.created" | "response.in_progress" | "response.queued")
}

fn answer<'a>(output: impl Iterator<Item = &'a Value>, response: &Value) -> Answer {
    let mut choice = Choice::default();
    for item in output {
        match text(&item["type"]) {
            "message" => items(&item["content"]).for_each(|part| {
                choice.text.push_str(text(&part["text"]));
                choice.refusal.push_str(text(&part["refusal"]));
                let of_web = |one: &&Value| one["type"] == "url_citation";
                items(&part["annotations"]).filter(of_web).for_each(|one| choice.cite(&one["url"]));
            }),
            "reasoning" => {
                let content: String = items(&item["content"]).map(|part| text(&part["text"])).collect();
                let summary: String = items(&item["summary"]).map(|part| text(&part["text"])).collect();
                choice.thinking.push_str(if summary.is_empty() { &content } else { &summary });
            }
            "function_call" => {
                choice.calls.push((text(&item["name"]).to_owned(), arguments(text(&item["arguments"]))));
            }
            "custom_tool_call" => choice.calls.push((text(&item["name"]).to_owned(), item["input"].clone())),
            _ => {}
        }
    }
    choice.stop = match text(&response["status"]) {
        "completed" | "complete" => Some(Stop::End),
        "failed" | "cancelled" => Some(Stop::Failed),
        "incomplete" if response["incomplete_details"]["reason"] == "content_filter" => Some(Stop::Filtered),
        "incomplete" => Some(Stop::Length),
        _ => None,
    };
    if !choice.refusal.is_empty() && choice.stop == Some(Stop::End) {
        choice.stop = Some(Stop::Filtered);
    }
    Answer { choices: vec![choice.settle()], usage: usage(&response["usage"]) }
}

fn usage(usage: &Value) -> Tokens {
    Tokens {
        prompt: count(&usage["input_tokens"]),
        output: count(&usage["output_tokens"]),
        cached: count(&usage["input_tokens_details"]["cached_tokens"]),
        reasoning: count(&usage["output_tokens_details"]["reasoning_tokens"]),
    }
}
