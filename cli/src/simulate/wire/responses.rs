//! OpenAI's responses: items, and events that each have a number.

use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::Ask,
    model::{Call, Stop, Utterance},
};
use super::{Missing, Stamp, openai, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value) -> Result<Ask, Missing> {
    let mut ask = Ask {
        model: request["model"].as_str().ok_or(Missing("model"))?.to_owned(),
        tools: openai::tools(request, |tool| tool),
        choice: openai::choice(&request["tool_choice"], &["name"]),
        schema: match request.pointer("/text/format/type").and_then(Value::as_str) {
            Some("json_object") => Some(Value::Null),
            Some("json_schema") => request.pointer("/text/format/schema").cloned(),
            Some(_) | None => None,
        },
        limit: request["max_output_tokens"].as_u64(),
        stream: request["stream"] == json!(true),
        ..Ask::default()
    };
    match &request["input"] {
        Value::Array(items) if !items.is_empty() => {
            ask.take_messages(items, |item| item["type"] == "function_call_output");
        }
        Value::String(text) => ask.take_messages(&[json!(text)], |_| false),
        _ => return Err(Missing("input")),
    }
    Ok(ask)
}

/// Answers.
pub(super) fn write(ask: &Ask, stamp: &Stamp) -> Answer {
    let said = say(ask);
    let pen = Pen { ask, stamp, said: &said };
    if ask.stream { Answer::events(Framing::NamedSse, pen.stream()) } else { Answer::json(200, &pen.whole()) }
}

struct Pen<'a> {
    ask: &'a Ask,
    stamp: &'a Stamp,
    said: &'a Utterance,
}

impl Pen<'_> {
    fn object(&self, status: &str, output: &Value, usage: Value) -> Value {
        let cut = status == "incomplete";
        json!({"id": self.stamp.id("resp_"), "object": "response", "created_at": self.stamp.created, "status": status,
            "error": null, "incomplete_details": if cut { json!({"reason": "max_output_tokens"}) } else { Value::Null },
            "instructions": null, "max_output_tokens": self.ask.limit, "model": self.ask.model, "output": output,
            "parallel_tool_calls": true, "previous_response_id": null, "reasoning": {"effort": null, "summary": null},
            "store": true, "temperature": 1.0, "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [],
            "top_p": 1.0, "truncation": "disabled", "usage": usage, "user": null, "metadata": {}})
    }

    fn status(&self) -> &'static str {
        if self.said.stop == Stop::Limit { "incomplete" } else { "completed" }
    }

    fn usage(&self) -> Value {
        let (input, output) = (self.said.input_tokens, self.said.output_tokens);
        json!({"input_tokens": input, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": input.saturating_add(output)})
    }

    fn message(&self, status: &str, content: &Value) -> Value {
        json!({"id": self.stamp.id("msg_"), "type": "message", "status": status, "role": "assistant", "content": content})
    }

    fn call(&self, at: usize, call: &Call, status: &str, arguments: &str) -> Value {
        json!({"id": format!("{}{at:x}", self.stamp.id("fc_")), "type": "function_call", "status": status,
            "call_id": format!("{}{at:x}", self.stamp.id("call_")), "name": call.name, "arguments": arguments})
    }

    fn output(&self) -> Value {
        if self.said.calls.is_empty() {
            let part =
                json!([{"type": "output_text", "text": self.said.text(), "annotations": [], "logprobs": []}]);
            return json!([self.message(self.status(), &part)]);
        }
        let calls = self.said.calls.iter().enumerate();
        calls.map(|(at, call)| self.call(at, call, "completed", &call.arguments)).collect()
    }

    fn whole(&self) -> Value {
        self.object(self.status(), &self.output(), self.usage())
    }

    fn stream(&self) -> Vec<Event> {
        let mut script = Script::default();
        let begun = self.object("in_progress", &json!([]), Value::Null);
        script.add("response.created", json!({"response": begun}), Part::Start);
        script.add("response.in_progress", json!({"response": begun}), Part::Start);
        if self.said.calls.is_empty() {
            self.text(&mut script);
        }
        for (at, call) in self.said.calls.iter().enumerate() {
            self.stream_call(&mut script, at, call);
        }
        let last = if self.said.stop == Stop::Limit { "response.incomplete" } else { "response.completed" };
        script.add(last, json!({"response": self.whole()}), Part::End);
        script.events
    }

    fn text(&self, script: &mut Script) {
        let place = json!({"item_id": self.stamp.id("msg_"), "output_index": 0, "content_index": 0});
        let part =
            |text: &str| json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []});
        let item = |item: Value| json!({"output_index": 0, "item": item});
        let text = self.said.text();
        script.add("response.output_item.added", item(self.message("in_progress", &json!([]))), Part::Start);
        script.add("response.content_part.added", with(&place, "part", part("")), Part::Start);
        for token in &self.said.tokens {
            let delta = with(&with(&place, "delta", json!(token)), "logprobs", json!([]));
            script.add("response.output_text.delta", delta, Part::Content);
        }
        let done = with(&with(&place, "text", json!(text)), "logprobs", json!([]));
        script.add("response.output_text.done", done, Part::Close);
        script.add("response.content_part.done", with(&place, "part", part(&text)), Part::Close);
        let whole = self.message(self.status(), &json!([part(&text)]));
        script.add("response.output_item.done", item(whole), Part::Finish);
    }

    fn stream_call(&self, script: &mut Script, at: usize, call: &Call) {
        let place = json!({"item_id": format!("{}{at:x}", self.stamp.id("fc_")), "output_index": at});
        let item = |item: Value| json!({"output_index": at, "item": item});
        let part = Part::Call(at);
        script.add("response.output_item.added", item(self.call(at, call, "in_progress", "")), part);
        for piece in call.pieces() {
            script.add("response.function_call_arguments.delta", with(&place, "delta", json!(piece)), part);
        }
        let whole = with(&place, "arguments", json!(call.arguments));
        script.add("response.function_call_arguments.done", whole, part);
        script.add(
            "response.output_item.done",
            item(self.call(at, call, "completed", &call.arguments)),
            part,
        );
    }
}

/// Numbers events.
#[derive(Default)]
struct Script {
    events: Vec<Event>,
}

impl Script {
    fn add(&mut self, name: &'static str, data: Value, part: Part) {
        let data = with(&with(&data, "type", json!(name)), "sequence_number", json!(self.events.len()));
        self.events.push(Event::json(name, &data, part));
    }
}

fn with(object: &Value, key: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[key] = value;
    object
}
