//! Ollama's own chat: a line of JSON for each piece, streamed unless asked otherwise.

use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::Ask,
    model::{Stop, Utterance},
};
use super::{Missing, openai, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value) -> Result<Ask, Missing> {
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or(Missing("messages"))?;
    let mut ask = Ask {
        model: request["model"].as_str().ok_or(Missing("model"))?.to_owned(),
        tools: openai::tools(request, |tool| &tool["function"]),
        schema: match &request["format"] {
            Value::Null => None,
            Value::String(_) => Some(Value::Null),
            schema => Some(schema.clone()),
        },
        limit: request.pointer("/options/num_predict").and_then(Value::as_u64),
        stream: request["stream"] != json!(false),
        ..Ask::default()
    };
    ask.take_messages(messages, |message| message["role"] == "tool");
    Ok(ask)
}

/// Answers.
pub(super) fn write(ask: &Ask) -> Answer {
    let said = say(ask);
    let line = |message: Value| json!({"model": ask.model, "created_at": "2026-01-01T00:00:00.000000Z", "message": message, "done": false});
    if !ask.stream {
        let content = if said.calls.is_empty() { said.text() } else { String::new() };
        let mut message = json!({"role": "assistant", "content": content});
        if !said.calls.is_empty() {
            message["tool_calls"] = calls(&said);
        }
        return Answer::json(200, &last(line(message), &said));
    }
    let text = |token: &str| json!({"role": "assistant", "content": token});
    let tokens = said.tokens.iter();
    let mut events: Vec<Event> =
        tokens.map(|token| Event::json("", &line(text(token)), Part::Content)).collect();
    if !said.calls.is_empty() {
        let mut message = text("");
        message["tool_calls"] = calls(&said);
        events.push(Event::json("", &line(message), Part::Call(0)));
    }
    events.push(Event::json("", &last(line(text("")), &said), Part::End));
    Answer::events(Framing::Lines, events)
}

fn calls(said: &Utterance) -> Value {
    said.calls
        .iter()
        .map(|call| json!({"function": {"name": call.name, "arguments": call.value()}}))
        .collect()
}

fn last(mut line: Value, said: &Utterance) -> Value {
    line["done"] = json!(true);
    line["done_reason"] = json!(if said.stop == Stop::Limit { "length" } else { "stop" });
    line["total_duration"] = json!(1_000_000);
    line["prompt_eval_count"] = json!(said.input_tokens);
    line["eval_count"] = json!(said.output_tokens);
    line
}
