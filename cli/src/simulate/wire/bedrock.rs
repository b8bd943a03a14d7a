//! Bedrock's Converse: whole answers in JSON, streams in AWS's binary framing.

use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::{Ask, Choice, Tool, text_of, tokens_of},
    model::{Stop, Utterance},
};
use super::{Door, Missing, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value, door: &Door) -> Result<Ask, Missing> {
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or(Missing("messages"))?;
    let tools = request.pointer("/toolConfig/tools").and_then(Value::as_array).into_iter().flatten();
    let choice = &request["toolConfig"]["toolChoice"];
    let mut ask = Ask {
        model: door.model.clone().unwrap_or_default(),
        tools: tools
            .filter_map(|tool| {
                let (name, schema) =
                    (tool["toolSpec"]["name"].as_str()?, &tool["toolSpec"]["inputSchema"]["json"]);
                Some(Tool { name: name.to_owned(), schema: schema.clone() })
            })
            .collect(),
        choice: match choice["tool"]["name"].as_str() {
            Some(name) => Choice::Named(name.to_owned()),
            None if !choice["any"].is_null() => Choice::Always,
            None => Choice::Auto,
        },
        limit: request.pointer("/inferenceConfig/maxTokens").and_then(Value::as_u64),
        stream: door.stream,
        input_tokens: tokens_of(&text_of(&request["system"])),
        ..Ask::default()
    };
    ask.take_messages(messages, |message| {
        message["content"]
            .as_array()
            .is_some_and(|blocks| blocks.iter().any(|block| !block["toolResult"].is_null()))
    });
    Ok(ask)
}

/// Answers.
pub(super) fn write(ask: &Ask) -> Answer {
    let said = say(ask);
    if ask.stream {
        return Answer::events(Framing::Binary, stream(&said));
    }
    let content: Value = if said.calls.is_empty() {
        json!([{"text": said.text()}])
    } else {
        let calls = said.calls.iter().enumerate();
        calls.map(|(at, call)| json!({"toolUse": {"toolUseId": id(at), "name": call.name, "input": call.value()}})).collect()
    };
    Answer::json(
        200,
        &json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop(&said),
            "usage": usage(&said), "metrics": {"latencyMs": 1}}),
    )
}

/// Makes the error body; the exception's name goes into a header.
pub(super) fn error(status: u16, code: Option<&str>, message: &str) -> Answer {
    let exception = match status {
        401..=403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        400..=499 => "ValidationException",
        503 | 529 => "ServiceUnavailableException",
        _ => "InternalServerException",
    };
    Answer::json(status, &json!({"message": message})).with("x-amzn-errortype", code.unwrap_or(exception))
}

fn stream(said: &Utterance) -> Vec<Event> {
    let mut events = vec![Event::json("messageStart", &json!({"role": "assistant"}), Part::Start)];
    let delta = |at: usize, delta: Value, part| {
        Event::json("contentBlockDelta", &json!({"contentBlockIndex": at, "delta": delta, "p": "abc"}), part)
    };
    let closed = |at: usize, part| Event::json("contentBlockStop", &json!({"contentBlockIndex": at}), part);
    if said.calls.is_empty() {
        events.extend(said.tokens.iter().map(|token| delta(0, json!({"text": token}), Part::Content)));
        events.push(closed(0, Part::Close));
    }
    for (at, call) in said.calls.iter().enumerate() {
        let part = Part::Call(at);
        let start =
            json!({"contentBlockIndex": at, "start": {"toolUse": {"toolUseId": id(at), "name": call.name}}});
        events.push(Event::json("contentBlockStart", &start, part));
        events.extend(call.pieces().map(|piece| delta(at, json!({"toolUse": {"input": piece}}), part)));
        events.push(closed(at, part));
    }
    events.push(Event::json("messageStop", &json!({"stopReason": stop(said)}), Part::Finish));
    let last = json!({"usage": usage(said), "metrics": {"latencyMs": 1}});
    events.push(Event::json("metadata", &last, Part::End));
    events
}

fn id(at: usize) -> String {
    format!("tooluse_sim{at:020x}")
}

fn stop(said: &Utterance) -> &'static str {
    match said.stop {
        Stop::Said => "end_turn",
        Stop::Limit => "max_tokens",
        Stop::Call => "tool_use",
    }
}

fn usage(said: &Utterance) -> Value {
    let (input, output) = (said.input_tokens, said.output_tokens);
    json!({"inputTokens": input, "outputTokens": output, "totalTokens": input.saturating_add(output)})
}
