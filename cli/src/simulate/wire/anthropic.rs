//! Anthropic's messages: blocks one after another, each opened and closed.

use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::{Ask, Choice, Tool, text_of, tokens_of},
    model::{Call, Stop, Utterance},
};
use super::{Missing, Stamp, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value) -> Result<Ask, Missing> {
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or(Missing("messages"))?;
    let tools = request["tools"].as_array().into_iter().flatten();
    let mut ask = Ask {
        model: request["model"].as_str().ok_or(Missing("model"))?.to_owned(),
        tools: tools
            .filter_map(|tool| {
                Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: tool["input_schema"].clone() })
            })
            .collect(),
        choice: match (
            request.pointer("/tool_choice/type").and_then(Value::as_str),
            &request["tool_choice"]["name"],
        ) {
            (Some("tool"), Value::String(name)) => Choice::Named(name.clone()),
            (Some("any"), _) => Choice::Always,
            (Some("none"), _) => Choice::Never,
            _ => Choice::Auto,
        },
        schema: request.pointer("/output_config/format/schema").cloned(),
        limit: request["max_tokens"].as_u64(),
        stream: request["stream"] == json!(true),
        input_tokens: tokens_of(&text_of(&request["system"])),
        ..Ask::default()
    };
    ask.take_messages(messages, |message| {
        message["content"]
            .as_array()
            .is_some_and(|blocks| blocks.iter().any(|block| block["type"] == "tool_result"))
    });
    Ok(ask)
}

/// Answers.
pub(super) fn write(ask: &Ask, stamp: &Stamp) -> Answer {
    let said = say(ask);
    let pen = Pen { ask, stamp, said: &said };
    let answer = if ask.stream {
        Answer::events(Framing::NamedSse, pen.stream())
    } else {
        Answer::json(200, &pen.whole())
    };
    answer.with("request-id", stamp.id("req_"))
}

/// Makes the error body.
pub(super) fn error(status: u16, code: Option<&str>, message: &str) -> Answer {
    let kind = match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    let mut error = json!({"type": kind, "message": message});
    if let Some(code) = code {
        error["details"] = json!({"error_code": code});
    }
    Answer::json(status, &json!({"type": "error", "error": error, "request_id": "req_sim"}))
}

struct Pen<'a> {
    ask: &'a Ask,
    stamp: &'a Stamp,
    said: &'a Utterance,
}

impl Pen<'_> {
    fn message(&self, content: &Value, stop: Option<&str>, output_tokens: u64) -> Value {
        json!({"id": self.stamp.id("msg_"), "type": "message", "role": "assistant", "model": self.ask.model,
            "content": content, "stop_reason": stop, "stop_sequence": null,
            "usage": {"input_tokens": self.said.input_tokens, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "output_tokens": output_tokens, "service_tier": "standard"}})
    }

    fn whole(&self) -> Value {
        let calls = self.said.calls.iter().enumerate();
        let content: Vec<Value> = if self.said.calls.is_empty() {
            vec![json!({"type": "text", "text": self.said.text()})]
        } else {
            calls.map(|(at, call)| self.block(at, call, call.value())).collect()
        };
        self.message(&json!(content), Some(self.stop()), self.said.output_tokens)
    }

    fn block(&self, at: usize, call: &Call, input: Value) -> Value {
        json!({"type": "tool_use", "id": format!("{}{at:x}", self.stamp.id("toolu_")), "name": call.name, "input": input})
    }

    fn stop(&self) -> &'static str {
        match self.said.stop {
            Stop::Said => "end_turn",
            Stop::Limit => "max_tokens",
            Stop::Call => "tool_use",
        }
    }

    fn stream(&self) -> Vec<Event> {
        let begun = json!({"type": "message_start", "message": self.message(&json!([]), None, 1)});
        let mut events = vec![Event::json("message_start", &begun, Part::Start)];
        if self.said.calls.is_empty() {
            events.push(opened(0, &json!({"type": "text", "text": ""}), Part::Start));
            events.push(super::ping(Framing::NamedSse));
            let texts = self.said.tokens.iter();
            let delta = |token| delta(0, &json!({"type": "text_delta", "text": token}), Part::Content);
            events.extend(texts.map(delta));
            events.push(closed(0, Part::Close));
        }
        for (at, call) in self.said.calls.iter().enumerate() {
            let part = Part::Call(at);
            events.push(opened(at, &self.block(at, call, json!({})), part));
            let more = |piece| delta(at, &json!({"type": "input_json_delta", "partial_json": piece}), part);
            events.extend(std::iter::once("").chain(call.pieces()).map(more));
            events.push(closed(at, part));
        }
        let last = json!({"type": "message_delta", "delta": {"stop_reason": self.stop(), "stop_sequence": null},
            "usage": {"input_tokens": self.said.input_tokens, "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0, "output_tokens": self.said.output_tokens}});
        events.push(Event::json("message_delta", &last, Part::Finish));
        events.push(Event::json("message_stop", &json!({"type": "message_stop"}), Part::End));
        events
    }
}

fn opened(index: usize, block: &Value, part: Part) -> Event {
    let data = json!({"type": "content_block_start", "index": index, "content_block": block});
    Event::json("content_block_start", &data, part)
}

fn delta(index: usize, delta: &Value, part: Part) -> Event {
    let data = json!({"type": "content_block_delta", "index": index, "delta": delta});
    Event::json("content_block_delta", &data, part)
}

fn closed(index: usize, part: Part) -> Event {
    Event::json("content_block_stop", &json!({"type": "content_block_stop", "index": index}), part)
}
