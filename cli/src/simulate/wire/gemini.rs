//! Gemini's content: each event is an answer of its own with the next parts. Streams have CR LF; without `alt=sse` they are
//! one JSON array.

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{
    answer::{Answer, Event, Framing, Part},
    ask::{Ask, Choice, Tool, text_of, tokens_of},
    model::{Stop, Utterance},
};
use super::{Door, Missing, Stamp, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value, door: &Door) -> Result<Ask, Missing> {
    let contents = request["contents"].as_array().filter(|contents| !contents.is_empty());
    let contents = contents.ok_or(Missing("contents"))?;
    let config = &request["generationConfig"];
    let mode = &request["toolConfig"]["functionCallingConfig"];
    let mut ask = Ask {
        model: door.model.clone().unwrap_or_default(),
        tools: declared(request),
        choice: match (mode["mode"].as_str(), mode.pointer("/allowedFunctionNames/0").and_then(Value::as_str))
        {
            (Some("ANY"), Some(name)) => Choice::Named(name.to_owned()),
            (Some("ANY"), None) => Choice::Always,
            (Some("NONE"), _) => Choice::Never,
            _ => Choice::Auto,
        },
        schema: (config["responseMimeType"] == "application/json").then(|| {
            let schemas = ["responseJsonSchema", "responseSchema"].map(|key| &config[key]);
            schemas.into_iter().find(|schema| !schema.is_null()).cloned().unwrap_or_default()
        }),
        limit: config["maxOutputTokens"].as_u64(),
        stream: door.stream,
        input_tokens: tokens_of(&text_of(&request["systemInstruction"])),
        ..Ask::default()
    };
    ask.take_messages(contents, |content| {
        content["parts"]
            .as_array()
            .is_some_and(|parts| parts.iter().any(|part| !part["functionResponse"].is_null()))
    });
    Ok(ask)
}

fn declared(request: &Value) -> Vec<Tool> {
    let tools = request["tools"].as_array().into_iter().flatten();
    let declared = tools.filter_map(|tool| tool["functionDeclarations"].as_array()).flatten();
    declared
        .filter_map(|tool| {
            let schema = ["parametersJsonSchema", "parameters"].map(|key| &tool[key]);
            let schema = schema.into_iter().find(|schema| !schema.is_null()).cloned();
            Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: schema.unwrap_or_default() })
        })
        .collect()
}

/// Answers.
pub(super) fn write(ask: &Ask, door: &Door, stamp: &Stamp) -> Answer {
    let said = say(ask);
    let pen = Pen { ask, stamp, said: &said };
    if !ask.stream {
        return Answer::json(200, &pen.piece(&pen.parts(), true));
    }
    if door.array {
        return Answer::events(Framing::AsIs, members(pen.stream()));
    }
    Answer::events(Framing::SseCrLf, pen.stream())
}

/// Makes the error body.
pub(super) fn error(status: u16, code: Option<&str>, message: &str) -> Answer {
    let word = match status {
        400 | 413 | 422 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        402 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        408 | 504 => "DEADLINE_EXCEEDED",
        503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let mut error = json!({"code": status, "message": message, "status": word});
    if let Some(code) = code {
        error["details"] = json!([{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}]);
    }
    Answer::json(status, &json!({ "error": error }))
}

struct Pen<'a> {
    ask: &'a Ask,
    stamp: &'a Stamp,
    said: &'a Utterance,
}

impl Pen<'_> {
    fn piece(&self, parts: &[Value], last: bool) -> Value {
        let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
        if last {
            let cut = self.said.stop == Stop::Limit;
            candidate["finishReason"] = json!(if cut { "MAX_TOKENS" } else { "STOP" });
        }
        let input = self.said.input_tokens;
        let output = if last { self.said.output_tokens } else { 0 };
        json!({"candidates": [candidate], "modelVersion": self.ask.model, "responseId": self.stamp.id(""),
            "usageMetadata": {"promptTokenCount": input, "candidatesTokenCount": output,
                "totalTokenCount": input.saturating_add(output)}})
    }

    fn parts(&self) -> Vec<Value> {
        if self.said.calls.is_empty() {
            return vec![json!({"text": self.said.text()})];
        }
        self.calls().collect()
    }

    fn calls(&self) -> impl Iterator<Item = Value> {
        self.said.calls.iter().map(|call| json!({"functionCall": {"name": call.name, "args": call.value()}}))
    }

    fn stream(&self) -> Vec<Event> {
        let event = |parts: &[Value], part| Event::json("", &self.piece(parts, false), part);
        let tokens = self.said.tokens.iter();
        let mut events: Vec<Event> =
            tokens.map(|token| event(&[json!({"text": token})], Part::Content)).collect();
        events.extend(self.calls().enumerate().map(|(at, call)| event(&[call], Part::Call(at))));
        // The last event is the end: it alone has a reason.
        events.push(Event::json("", &self.piece(&[json!({"text": ""})], true), Part::Finish));
        events
    }
}

/// Writes events as the members of an array.
fn members(events: Vec<Event>) -> Vec<Event> {
    let mut members: Vec<Event> = events
        .into_iter()
        .enumerate()
        .map(|(at, event)| {
            let before: &[u8] = if at == 0 { b"[" } else { b",\r\n" };
            Event { data: Bytes::from([before, event.data.as_ref()].concat()), ..event }
        })
        .collect();
    members.push(Event { name: "", data: Bytes::from_static(b"]"), part: Part::End });
    members
}
