//! What a model says, written as each format's stream and whole answer would bring it.

use breakwater_dialect::Format;
use breakwater_dialect::eventstream::{self, MessageType};
use bytes::BytesMut;
use serde_json::{Value, json};

/// Thinking, a text and the arguments of one call, each in the pieces in which it comes.
#[derive(Debug, Clone)]
pub struct Spoken {
    pub thinking: Vec<String>,
    pub text: Vec<String>,
    pub arguments: Vec<String>,
}

pub const FORMATS: [Format; 6] = [
    Format::Chat,
    Format::Completions,
    Format::Messages,
    Format::Responses,
    Format::Gemini,
    Format::Converse,
];

fn chunk(choice: &Value) -> String {
    let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [choice]});
    format!("data: {chunk}\n\n")
}

fn delta(delta: &Value) -> String {
    chunk(&json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}))
}

fn named(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().expect("a type"))
}

impl Spoken {
    pub fn stream(&self, format: Format) -> Vec<u8> {
        match format {
            Format::Chat => self.chat().into_bytes(),
            Format::Completions => self.completions().into_bytes(),
            Format::Messages => self.messages().into_bytes(),
            Format::Responses => self.responses().into_bytes(),
            Format::Gemini => self.gemini().into_bytes(),
            Format::Converse => self.converse(),
            other => panic!("{other:?} has no streams"),
        }
    }

    fn chat(&self) -> String {
        let mut out = delta(&json!({"role": "assistant", "content": ""}));
        self.thinking.iter().for_each(|piece| out += &delta(&json!({"reasoning_content": piece})));
        self.text.iter().for_each(|piece| out += &delta(&json!({"content": piece})));
        out += &delta(&json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "f", "arguments": ""}}]}));
        for piece in &self.arguments {
            out += &delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}));
        }
        out += &chunk(&json!({"index": 0, "delta": {}, "logprobs": null, "finish_reason": "tool_calls"}));
        out + "data: [DONE]\n\n"
    }

    fn completions(&self) -> String {
        let chunk = |text: &str, reason: Value| {
            let choice = json!({"index": 0, "text": text, "logprobs": null, "finish_reason": reason});
            let chunk = json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
                "choices": [choice]});
            format!("data: {chunk}\n\n")
        };
        let pieces: String = self.text.iter().map(|piece| chunk(piece, Value::Null)).collect();
        pieces + &chunk("", json!("stop")) + "data: [DONE]\n\n"
    }

    fn messages(&self) -> String {
        let mut out = named(&json!({"type": "message_start", "message": {"id": "msg_1", "type": "message",
            "role": "assistant", "model": "m", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": {"input_tokens": 3, "output_tokens": 1}}}));
        let blocks = [
            (json!({"type": "thinking", "thinking": "", "signature": ""}), "thinking", &self.thinking),
            (json!({"type": "text", "text": ""}), "text", &self.text),
            (
                json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
                "partial_json",
                &self.arguments,
            ),
        ];
        for (index, (block, member, pieces)) in blocks.into_iter().enumerate() {
            let kind = match member {
                "partial_json" => "input_json_delta".to_owned(),
                member => format!("{member}_delta"),
            };
            out += &named(&json!({"type": "content_block_start", "index": index, "content_block": block}));
            out += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
            let mut delta = |delta: Value| {
                out += &named(&json!({"type": "content_block_delta", "index": index, "delta": delta}));
            };
            for piece in pieces {
                delta(json!({"type": kind, member: piece}));
            }
            if member == "thinking" {
                delta(json!({"type": "signature_delta", "signature": "c2ln"}));
            }
            out += &named(&json!({"type": "content_block_stop", "index": index}));
        }
        out += &named(
            &json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null},
            "usage": {"output_tokens": 9}}),
        );
        out + &named(&json!({"type": "message_stop"}))
    }

    fn gemini(&self) -> String {
        let chunk = |parts: Value, reason: Option<&str>| {
            let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
            if let Some(reason) = reason {
                candidate["finishReason"] = json!(reason);
            }
            let chunk = json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 12},
                "modelVersion": "m", "responseId": "r"});
            format!("data: {chunk}\r\n\r\n")
        };
        let mut out = String::new();
        for piece in &self.thinking {
            out += &chunk(json!([{"text": piece, "thought": true}]), None);
        }
        for piece in &self.text {
            out += &chunk(json!([{"text": piece}]), None);
        }
        out + &chunk(json!([self.gemini_call()]), Some("STOP"))
    }

    fn gemini_call(&self) -> Value {
        let arguments: Value = serde_json::from_str(&self.arguments.concat()).expect("JSON");
        json!({"functionCall": {"name": "f", "args": arguments}, "thoughtSignature": "c2ln"})
    }

    fn converse(&self) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mut event = |kind: &str, data: Value| {
            eventstream::write(MessageType::Event, kind, &data.to_string(), &mut out);
        };
        event("messageStart", json!({"role": "assistant"}));
        for piece in &self.thinking {
            let delta = json!({"reasoningContent": {"text": piece}});
            event("contentBlockDelta", json!({"contentBlockIndex": 0, "delta": delta, "p": "ab"}));
        }
        event("contentBlockStop", json!({"contentBlockIndex": 0}));
        for piece in &self.text {
            event("contentBlockDelta", json!({"contentBlockIndex": 1, "delta": {"text": piece}}));
        }
        event("contentBlockStop", json!({"contentBlockIndex": 1}));
        let start = json!({"toolUse": {"toolUseId": "tooluse_1", "name": "f"}});
        event("contentBlockStart", json!({"contentBlockIndex": 2, "start": start}));
        for piece in &self.arguments {
            let delta = json!({"toolUse": {"input": piece}});
            event("contentBlockDelta", json!({"contentBlockIndex": 2, "delta": delta}));
        }
        event("contentBlockStop", json!({"contentBlockIndex": 2}));
        event("messageStop", json!({"stopReason": "tool_use"}));
        let usage = json!({"inputTokens": 3, "outputTokens": 9, "totalTokens": 12});
        event("metadata", json!({"usage": usage, "metrics": {"latencyMs": 1}}));
        out.to_vec()
    }

    fn responses(&self) -> String {
        let mut out = Numbered::default();
        let begun = response("in_progress", &json!([]));
        out.event("response.created", json!({"response": begun}));
        out.event("response.in_progress", json!({"response": begun}));
        let items = self.items();
        let pieces = [&self.thinking, &self.text, &self.arguments];
        for (index, (item, pieces)) in items.iter().zip(pieces).enumerate() {
            let mut opened = item.clone();
            for (member, empty) in [("summary", json!([])), ("content", json!([])), ("arguments", json!(""))]
            {
                if opened.get(member).is_some() {
                    opened[member] = empty;
                }
            }
            out.event("response.output_item.added", json!({"output_index": index, "item": opened}));
            let at = At { id: &item["id"], index };
            match index {
                0 => at.thinking(pieces, &mut out),
                1 => at.text(pieces, &mut out),
                _ => at.arguments(pieces, &mut out),
            }
            out.event("response.output_item.done", json!({"output_index": index, "item": item}));
        }
        out.event("response.completed", json!({"response": response("completed", &json!(items))}));
        out.text
    }

    fn items(&self) -> [Value; 3] {
        let (thinking, text, arguments) =
            (self.thinking.concat(), self.text.concat(), self.arguments.concat());
        [
            json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": thinking}]}),
            json!({"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": text}]}),
            json!({"id": "fc_1", "type": "function_call", "status": "completed", "arguments": arguments,
                "call_id": "call_1", "name": "f"}),
        ]
    }

    /// The answer that comes whole.
    pub fn whole(&self, format: Format) -> Value {
        let (thinking, text, arguments) =
            (self.thinking.concat(), self.text.concat(), self.arguments.concat());
        let usage = json!({"prompt_tokens": 3, "completion_tokens": 9, "total_tokens": 12});
        let input = || serde_json::from_str::<Value>(&arguments).expect("JSON");
        match format {
            Format::Chat => {
                let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}});
                let message = json!({"role": "assistant", "reasoning_content": thinking, "content": text,
                    "refusal": null, "tool_calls": [call]});
                json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
                    "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "tool_calls"}]})
            }
            Format::Completions => {
                json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
                "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": "stop"}], "usage": usage})
            }
            Format::Messages => json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m",
                "content": [{"type": "thinking", "thinking": thinking, "signature": "c2ln"}, {"type": "text", "text": text},
                    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": input()}],
                "stop_reason": "tool_use", "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 9}}),
            Format::Responses => response("completed", &json!(self.items())),
            Format::Gemini => {
                let parts = json!([{"text": thinking, "thought": true}, {"text": text}, self.gemini_call()]);
                json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}],
                    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 9, "totalTokenCount": 12},
                    "modelVersion": "m", "responseId": "r"})
            }
            Format::Converse => {
                let thought =
                    json!({"reasoningContent": {"reasoningText": {"text": thinking, "signature": "c2ln"}}});
                let call = json!({"toolUse": {"toolUseId": "tooluse_1", "name": "f", "input": input()}});
                json!({"output": {"message": {"role": "assistant", "content": [thought, {"text": text}, call]}},
                    "stopReason": "tool_use", "usage": {"inputTokens": 3, "outputTokens": 9, "totalTokens": 12},
                    "metrics": {"latencyMs": 1}})
            }
            other => panic!("{other:?} has no answers of a model"),
        }
    }
}

fn response(status: &str, output: &Value) -> Value {
    let usage = (status == "completed").then(|| {
        json!({"input_tokens": 3, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 12})
    });
    json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "error": null,
        "incomplete_details": null, "instructions": null, "metadata": {}, "model": "m", "output": output,
        "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "text": {"format": {"type": "text"}}, "usage": usage})
}

/// Events with their numbers.
#[derive(Default)]
struct Numbered {
    text: String,
    next: u64,
}

impl Numbered {
    fn event(&mut self, kind: &str, mut event: Value) {
        event["type"] = json!(kind);
        event["sequence_number"] = json!(self.next);
        self.next += 1;
        self.text += &named(&event);
    }
}

/// An item of a response's stream.
struct At<'a> {
    id: &'a Value,
    index: usize,
}

impl At<'_> {
    fn event(&self, kind: &str, mut event: Value, out: &mut Numbered) {
        event["item_id"] = self.id.clone();
        event["output_index"] = json!(self.index);
        out.event(&format!("response.{kind}"), event);
    }

    fn thinking(&self, pieces: &[String], out: &mut Numbered) {
        let part = |text: &str| json!({"summary_index": 0, "part": {"type": "summary_text", "text": text}});
        let whole = pieces.concat();
        self.event("reasoning_summary_part.added", part(""), out);
        for piece in pieces {
            self.event("reasoning_summary_text.delta", json!({"summary_index": 0, "delta": piece}), out);
        }
        self.event("reasoning_summary_text.done", json!({"summary_index": 0, "text": whole}), out);
        self.event("reasoning_summary_part.done", part(&whole), out);
    }

    fn text(&self, pieces: &[String], out: &mut Numbered) {
        let part = |text: &str| {
            let part = json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
            json!({"content_index": 0, "part": part})
        };
        let whole = pieces.concat();
        self.event("content_part.added", part(""), out);
        for piece in pieces {
            let delta = json!({"content_index": 0, "delta": piece, "logprobs": [], "obfuscation": "x"});
            self.event("output_text.delta", delta, out);
        }
        self.event("output_text.done", json!({"content_index": 0, "text": whole, "logprobs": []}), out);
        self.event("content_part.done", part(&whole), out);
    }

    fn arguments(&self, pieces: &[String], out: &mut Numbered) {
        for piece in pieces {
            self.event("function_call_arguments.delta", json!({"delta": piece}), out);
        }
        let whole = json!({"arguments": pieces.concat(), "name": "f"});
        self.event("function_call_arguments.done", whole, out);
    }
}
