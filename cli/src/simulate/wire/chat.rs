//! OpenAI's chat completions, whole and streamed, and what differs at Azure (the path's deployment is the model, and a
//! stream begins with results of a filter), Mistral and Ollama.
//!
//! Source of the shapes: openai-openapi 2.3.0 and recorded answers; `content`, `refusal` and `logprobs` are
//! required-nullable there and so always present.

use serde_json::{Value, json};

use super::super::{
    Dialect,
    answer::{Answer, Event, Framing, Part},
    ask::Ask,
    model::{Call, Stop, Utterance},
};
use super::{Door, Missing, Stamp, openai, say};

/// Reads what a call asks.
pub(super) fn ask(request: &Value, door: &Door) -> Result<Ask, Missing> {
    let messages = request["messages"].as_array().filter(|messages| !messages.is_empty());
    let messages = messages.ok_or(Missing("messages"))?;
    let model = door.model.as_deref().or_else(|| request["model"].as_str()).ok_or(Missing("model"))?;
    let mut ask = Ask {
        model: model.to_owned(),
        tools: openai::tools(request, |tool| &tool["function"]),
        choice: openai::choice(&request["tool_choice"], &["function", "name"]),
        schema: match request.pointer("/response_format/type").and_then(Value::as_str) {
            Some("json_object") => Some(Value::Null),
            Some("json_schema") => request.pointer("/response_format/json_schema/schema").cloned(),
            Some(_) | None => None,
        },
        limit: ["max_completion_tokens", "max_tokens"].iter().find_map(|key| request[*key].as_u64()),
        stream: request["stream"] == json!(true),
        usage: request.pointer("/stream_options/include_usage") == Some(&json!(true)),
        choices: request["n"].as_u64().unwrap_or(1),
        ..Ask::default()
    };
    ask.take_messages(messages, |message| message["role"] == "tool");
    Ok(ask)
}

/// Answers.
pub(super) fn write(dialect: Dialect, door: &Door, ask: &Ask, stamp: &Stamp) -> Answer {
    let said = say(ask);
    let pen = Pen { dialect, ask, stamp, said: &said };
    if ask.stream {
        return Answer::events(Framing::Sse, pen.stream(door.azure));
    }
    let choices: Vec<Value> = (0..ask.choices()).map(|index| pen.choice(index)).collect();
    let mut body = pen.head("chat.completion");
    body["choices"] = json!(choices);
    body["usage"] = pen.usage();
    Answer::json(200, &body)
}

/// Writes one answer.
struct Pen<'a> {
    dialect: Dialect,
    ask: &'a Ask,
    stamp: &'a Stamp,
    said: &'a Utterance,
}

impl Pen<'_> {
    fn head(&self, object: &str) -> Value {
        let mut head = json!({"id": self.stamp.id("chatcmpl-"), "object": object, "created": self.stamp.created,
            "model": self.ask.model});
        if self.dialect == Dialect::OpenAi {
            head["service_tier"] = json!("default");
            head["system_fingerprint"] = json!("fp_simulated");
        }
        head
    }

    fn chunk(&self, choices: &Value, usage: Value, part: Part) -> Event {
        let mut chunk = self.head("chat.completion.chunk");
        chunk["choices"] = choices.clone();
        // Mistral says its usage unasked, with the last choice.
        if (self.ask.usage && self.dialect != Dialect::Mistral) || !usage.is_null() {
            chunk["usage"] = usage;
        }
        Event::json("", &chunk, part)
    }

    fn delta(&self, index: u64, delta: &Value, part: Part) -> Event {
        let choice = json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": null}]);
        self.chunk(&choice, Value::Null, part)
    }

    fn stream(&self, azure: bool) -> Vec<Event> {
        let mut events = Vec::new();
        if azure {
            let filtered = json!({"choices": [], "created": 0, "id": "", "model": "", "object": "",
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]});
            events.push(Event::json("", &filtered, Part::Start));
        }
        for index in 0..self.ask.choices() {
            let content = if self.said.calls.is_empty() { json!("") } else { Value::Null };
            let first = json!({"role": "assistant", "content": content, "refusal": null});
            events.push(self.delta(index, &first, Part::Start));
            for (at, call) in self.said.calls.iter().enumerate() {
                events.extend(self.call(index, at, call));
            }
            let texts = self.said.tokens.iter();
            events.extend(texts.map(|token| self.delta(index, &json!({"content": token}), Part::Content)));
            let usage = if self.dialect == Dialect::Mistral { self.usage() } else { Value::Null };
            let last = json!([{"index": index, "delta": {}, "logprobs": null, "finish_reason": self.stop()}]);
            events.push(self.chunk(&last, usage, Part::Finish));
        }
        if self.ask.usage && self.dialect != Dialect::Mistral {
            events.push(self.chunk(&json!([]), self.usage(), Part::Usage));
        }
        events.push(openai::done());
        events
    }

    fn call(&self, index: u64, at: usize, call: &Call) -> Vec<Event> {
        let delta = |call: Value| self.delta(index, &json!({"tool_calls": [call]}), Part::Call(at));
        let (id, name) = (self.call_id(index, at), &call.name);
        let first = |arguments: &str| {
            delta(
                json!({"index": at, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}),
            )
        };
        if self.dialect != Dialect::OpenAi {
            return vec![first(&call.arguments)];
        }
        let more = |part| delta(json!({"index": at, "function": {"arguments": part}}));
        std::iter::once(first("")).chain(call.pieces().map(more)).collect()
    }

    fn choice(&self, index: u64) -> Value {
        let content = if self.said.calls.is_empty() { json!(self.said.text()) } else { Value::Null };
        let mut message =
            json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
        if !self.said.calls.is_empty() {
            let calls = self.said.calls.iter().enumerate().map(|(at, call)| {
                json!({"id": self.call_id(index, at), "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments}})
            });
            message["tool_calls"] = calls.collect();
        }
        json!({"index": index, "message": message, "logprobs": null, "finish_reason": self.stop()})
    }

    /// Mistral's ids are nine letters and digits.
    fn call_id(&self, index: u64, at: usize) -> String {
        if self.dialect == Dialect::Mistral {
            format!("{:07x}{index}{at:x}", self.stamp.number & 0x0fff_ffff)
        } else {
            format!("{}{index}{at:x}", self.stamp.id("call_"))
        }
    }

    fn stop(&self) -> &'static str {
        match self.said.stop {
            Stop::Said => "stop",
            Stop::Limit => "length",
            Stop::Call => "tool_calls",
        }
    }

    fn usage(&self) -> Value {
        let (input, output) = (self.said.input_tokens, self.said.output_tokens);
        let mut usage = json!({"prompt_tokens": input, "completion_tokens": output,
            "total_tokens": input.saturating_add(output)});
        if self.dialect == Dialect::OpenAi {
            usage["prompt_tokens_details"] = json!({"cached_tokens": 0, "audio_tokens": 0});
            usage["completion_tokens_details"] = json!({"reasoning_tokens": 0, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0});
        }
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(azure: bool) -> Door {
        let path =
            if azure { "/openai/deployments/gpt-4o-prod/chat/completions" } else { "/v1/chat/completions" };
        Door::of(Dialect::OpenAi, path, None).unwrap()
    }

    fn text(answer: &Answer) -> Vec<String> {
        answer.chunks().iter().map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect()
    }

    fn chat(request: &Value, azure: bool) -> Vec<String> {
        let ask = ask(request, &door(azure)).unwrap();
        text(&write(Dialect::OpenAi, &door(azure), &ask, &Stamp { number: 1, created: 7 }))
    }

    #[test]
    fn a_stream_carries_the_words_of_the_plain_answer_and_usage_only_if_asked() {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "one two"}]});
        let whole: Value = serde_json::from_str(&chat(&request, false)[0]).unwrap();
        request["stream"] = json!(true);
        let streamed = chat(&request, false);
        let values: Vec<Value> = streamed
            .iter()
            .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap().trim()).ok())
            .collect();
        let said: String =
            values.iter().filter_map(|value| value["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(said, whole["choices"][0]["message"]["content"].as_str().unwrap());
        assert_eq!(streamed.last().unwrap(), "data: [DONE]\n\n");
        assert!(values.iter().all(|value| value.get("usage").is_none()));
        request["stream_options"] = json!({"include_usage": true});
        let with_usage = chat(&request, false);
        let last = &with_usage[with_usage.len() - 2];
        assert!(last.contains(r#""choices":[],"usage":{"prompt_tokens""#), "{last}");
    }

    #[test]
    fn an_azure_stream_begins_with_filter_results_and_names_the_deployment() {
        let request = json!({"messages": [{"role": "user", "content": "hi"}], "stream": true});
        let chunks = chat(&request, true);
        assert!(chunks[0].contains("prompt_filter_results"));
        assert!(chunks[1].contains(r#""model":"gpt-4o-prod""#));
    }

    #[test]
    fn a_request_without_its_fields_is_refused_by_name() {
        assert_eq!(ask(&json!({"model": "m"}), &door(false)).unwrap_err(), Missing("messages"));
        assert_eq!(ask(&json!({"messages": [{}]}), &door(false)).unwrap_err(), Missing("model"));
    }
}
