//! Ollama's `/api/chat`.

use serde_json::Value;

use super::semantics::{Answer, Choice, Stop, Tokens, arguments, count, items, text};

pub fn whole(body: &Value) -> Answer {
    streamed(std::slice::from_ref(body))
}

pub fn streamed(events: &[Value]) -> Answer {
    let mut choice = Choice::default();
    let mut usage = Tokens::default();
    for event in events {
        let message = &event["message"];
        choice.text.push_str(text(&message["content"]));
        choice.thinking.push_str(text(&message["thinking"]));
        for call in items(&message["tool_calls"]) {
            let given = &call["function"]["arguments"];
            let given = if given.is_null() { arguments("") } else { given.clone() };
            choice.calls.push((text(&call["function"]["name"]).to_owned(), given));
        }
        if event["done"] == true {
            choice.stop = Some(if event["done_reason"] == "length" { Stop::Length } else { Stop::End });
            usage.prompt = count(&event["prompt_eval_count"]);
            usage.output = count(&event["eval_count"]);
        }
    }
    Answer { choices: vec![choice.settle()], usage }
}
