//! OpenAI's wire format, spoken: chat completions (whole and streamed), embeddings, models, errors. Azure's deployment
//! paths too, with what differs there: the deployment is the model, and a stream begins with a chunk of filter results.
//!
//! Source of the shapes: openai-openapi 2.3.0 and recorded answers; `content`, `refusal` and `logprobs` are
//! required-nullable there and so always present.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::model::{self, Utterance};

/// Models that the listing shows.
const MODELS: [&str; 3] = ["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"];
/// Choices of one call at most.
const CHOICES_MAX: u64 = 8;
/// Length of a vector if the request names none: that of text-embedding-3-small.
const DIMENSIONS: u64 = 1536;

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    /// `.../chat/completions`, with the deployment of an Azure path.
    Chat(Option<String>),
    /// `.../embeddings`, likewise.
    Embeddings(Option<String>),
    /// `.../models`
    Models,
    /// `.../models/{id}`
    Model(String),
}

/// An answer before faults are applied: its chunks, and whether they are events.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// The chunks of the body: one for a plain answer, one for each event of a stream.
    pub(super) chunks: Vec<Bytes>,
    /// The chunks are server-sent events.
    pub(super) stream: bool,
}

/// Who and when, on each answer.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// `chatcmpl-...`
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) created: u64,
}

impl Operation {
    /// Reads the path; none if nothing of ours is there. Prefixes do not matter (`/v1`, `/openai/v1`), except that an
    /// Azure deployment is read.
    pub(super) fn of(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let deployment = segments
            .iter()
            .position(|segment| *segment == "deployments")
            .and_then(|at| segments.get(at + 1))
            .map(|name| (*name).to_owned());
        match segments.as_slice() {
            [.., "chat", "completions"] => Some(Self::Chat(deployment)),
            [.., "embeddings"] => Some(Self::Embeddings(deployment)),
            [.., "models"] => Some(Self::Models),
            [.., "models", id] => Some(Self::Model((*id).to_owned())),
            _ => None,
        }
    }
}

/// Makes OpenAI's error body.
pub(super) fn error(status: u16, kind: &str, code: Option<&str>, message: &str) -> Answer {
    let body = json!({"error": {"message": message, "type": kind, "param": null, "code": code}});
    plain(status, &body)
}

/// Makes the error body of a simulated status.
pub(super) fn fault_error(status: u16) -> Answer {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        400..=499 => ("invalid_request_error", None),
        _ => ("server_error", None),
    };
    error(status, kind, code, &format!("simulated fault: status {status}"))
}

/// The event by which a stream says that it failed.
pub(super) fn error_event() -> Bytes {
    event(
        &json!({"error": {"message": "simulated fault: error event", "type": "server_error", "param": null, "code": null}}),
    )
}

/// The models listing.
pub(super) fn models() -> Answer {
    plain(200, &json!({"object": "list", "data": MODELS.map(model_entry)}))
}

/// One model; 404 for one that is not listed.
pub(super) fn model(id: &str) -> Answer {
    if MODELS.contains(&id) {
        return plain(200, &model_entry(id));
    }
    let message = format!("The model '{id}' does not exist");
    error(404, "invalid_request_error", Some("model_not_found"), &message)
}

/// Answers a chat completions request.
pub(super) fn chat(request: &Value, deployment: Option<&str>, stamp: &Stamp) -> Answer {
    if request["messages"].as_array().is_none_or(Vec::is_empty) {
        return missing("messages");
    }
    let Some(model) = deployment.or_else(|| request["model"].as_str()) else {
        return missing("model");
    };
    let said = model::answer(request);
    let choices = request["n"].as_u64().unwrap_or(1).clamp(1, CHOICES_MAX);
    let usage = usage(request, &said, choices);
    if request["stream"].as_bool().unwrap_or(false) {
        let frame = Frame {
            model,
            stamp,
            usage_wanted: request.pointer("/stream_options/include_usage") == Some(&Value::Bool(true)),
        };
        return Answer {
            status: 200,
            chunks: stream(&frame, &said, choices, &usage, deployment),
            stream: true,
        };
    }
    let choices: Vec<Value> = (0..choices).map(|index| choice(index, &said, stamp)).collect();
    plain(
        200,
        &json!({"id": stamp.id, "object": "chat.completion", "created": stamp.created, "model": model,
            "choices": choices, "usage": usage, "service_tier": "default", "system_fingerprint": "fp_simulated"}),
    )
}

/// Answers an embeddings request: vectors of length one that depend on the text alone.
pub(super) fn embeddings(request: &Value, deployment: Option<&str>) -> Answer {
    let Some(model) = deployment.or_else(|| request["model"].as_str()) else {
        return missing("model");
    };
    let inputs: Vec<&Value> = match &request["input"] {
        Value::Array(items) if items.iter().all(Value::is_number) => vec![&request["input"]],
        Value::Array(items) => items.iter().collect(),
        one @ Value::String(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return missing("input"),
    };
    let dimensions = request["dimensions"].as_u64().unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS);
    let base64 = request["encoding_format"] == json!("base64");
    let data: Vec<Value> = inputs
        .iter()
        .enumerate()
        .map(|(index, input)| {
            let vector = vector(&input.to_string(), dimensions);
            let embedding = if base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
                json!(STANDARD.encode(bytes))
            } else {
                json!(vector)
            };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens: usize = inputs.iter().map(|input| input.to_string().len().div_ceil(4)).sum();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    plain(200, &json!({"object": "list", "data": data, "model": model, "usage": usage}))
}

// ===== parts =====

/// What every chunk of a stream repeats.
struct Frame<'a> {
    model: &'a str,
    stamp: &'a Stamp,
    usage_wanted: bool,
}

impl Frame<'_> {
    fn chunk(&self, choices: &Value, usage: &Value) -> Bytes {
        let chunk = json!({"id": self.stamp.id, "object": "chat.completion.chunk", "created": self.stamp.created,
            "model": self.model, "service_tier": "default", "system_fingerprint": "fp_simulated", "choices": choices});
        event(&if self.usage_wanted { with(chunk, "usage", usage.clone()) } else { chunk })
    }

    fn delta(&self, index: u64, delta: &Value, finish_reason: Option<&str>) -> Bytes {
        let choice =
            json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish_reason}]);
        self.chunk(&choice, &Value::Null)
    }
}

fn stream(
    frame: &Frame<'_>,
    said: &Utterance,
    choices: u64,
    usage: &Value,
    deployment: Option<&str>,
) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    if deployment.is_some() {
        chunks.push(event(&json!({"choices": [], "created": 0, "id": "", "model": "", "object": "",
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]})));
    }
    for index in 0..choices {
        if let Some((name, arguments)) = &said.tool {
            let call = json!({"index": 0, "id": call_id(frame.stamp, index), "type": "function",
                "function": {"name": name, "arguments": ""}});
            let first = json!({"role": "assistant", "content": null, "tool_calls": [call], "refusal": null});
            chunks.push(frame.delta(index, &first, None));
            for part in arguments.split_inclusive([',', ':']) {
                let more = json!({"tool_calls": [{"index": 0, "function": {"arguments": part}}]});
                chunks.push(frame.delta(index, &more, None));
            }
        } else {
            let first = json!({"role": "assistant", "content": "", "refusal": null});
            chunks.push(frame.delta(index, &first, None));
            chunks
                .extend(said.tokens.iter().map(|token| frame.delta(index, &json!({"content": token}), None)));
        }
        chunks.push(frame.delta(index, &json!({}), Some(said.finish_reason)));
    }
    if frame.usage_wanted {
        chunks.push(frame.chunk(&json!([]), usage));
    }
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
}

fn choice(index: u64, said: &Utterance, stamp: &Stamp) -> Value {
    let content = if said.tool.is_some() { Value::Null } else { Value::String(said.tokens.concat()) };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if let Some((name, arguments)) = &said.tool {
        let calls = json!([{"id": call_id(stamp, index), "type": "function",
            "function": {"name": name, "arguments": arguments}}]);
        message = with(message, "tool_calls", calls);
    }
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": said.finish_reason})
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
    object
}

fn call_id(stamp: &Stamp, index: u64) -> String {
    format!("call_{}{index}", stamp.id.trim_start_matches("chatcmpl-"))
}

fn usage(request: &Value, said: &Utterance, choices: u64) -> Value {
    let prompt = u64::try_from(model::prompt_tokens(request)).unwrap_or(u64::MAX);
    let arguments = said.tool.as_ref().map_or(0, |tool| tool.1.len().div_ceil(4));
    let completion = u64::try_from(said.tokens.len() + arguments).unwrap_or(u64::MAX).saturating_mul(choices);
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt.saturating_add(completion),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
            "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}})
}

fn missing(field: &str) -> Answer {
    let body = json!({"error": {"message": format!("Missing required parameter: '{field}'."),
        "type": "invalid_request_error", "param": field, "code": "missing_required_parameter"}});
    plain(400, &body)
}

fn model_entry(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "simulated"})
}

fn plain(status: u16, body: &Value) -> Answer {
    Answer { status, chunks: vec![Bytes::from(body.to_string())], stream: false }
}

fn event(data: &Value) -> Bytes {
    Bytes::from(format!("data: {data}\n\n"))
}

/// A vector of length one from SplitMix64 over the text (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators").
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let mut state = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u16::try_from((mixed >> 48) & 0xffff).unwrap_or(0);
        f32::from(bits) / 32_768.0 - 1.0
    };
    let raw: Vec<f32> = (0..dimensions).map(|_| next()).collect();
    let length = raw.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.into_iter().map(|value| value / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp { id: "chatcmpl-1".to_owned(), created: 7 }
    }

    fn text(answer: &Answer) -> Vec<String> {
        answer.chunks.iter().map(|chunk| String::from_utf8(chunk.to_vec()).unwrap()).collect()
    }

    #[test]
    fn paths_lead_to_operations() {
        let check = |path: &str, expect| assert_eq!(Operation::of(path), expect, "{path}");
        check("/v1/chat/completions", Some(Operation::Chat(None)));
        check("/openai/deployments/prod/chat/completions", Some(Operation::Chat(Some("prod".to_owned()))));
        check("/openai/deployments/e/embeddings", Some(Operation::Embeddings(Some("e".to_owned()))));
        check("/v1/models", Some(Operation::Models));
        check("/v1/models/gpt-4o", Some(Operation::Model("gpt-4o".to_owned())));
        check("/v1/responses", None);
    }

    #[test]
    fn a_stream_carries_the_words_of_the_plain_answer_and_usage_only_if_asked() {
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "one two"}]});
        let whole: Value = serde_json::from_slice(&chat(&request, None, &stamp()).chunks[0]).unwrap();
        request["stream"] = json!(true);
        let streamed = text(&chat(&request, None, &stamp()));
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
        let with_usage = text(&chat(&request, None, &stamp()));
        let last = &with_usage[with_usage.len() - 2];
        assert!(last.contains(r#""choices":[],"usage":{"prompt_tokens""#), "{last}");
    }

    #[test]
    fn an_azure_stream_begins_with_filter_results_and_names_the_deployment() {
        let request = json!({"messages": [{"role": "user", "content": "hi"}], "stream": true});
        let chunks = text(&chat(&request, Some("gpt-4o-prod"), &stamp()));
        assert!(chunks[0].contains("prompt_filter_results"));
        assert!(chunks[1].contains(r#""model":"gpt-4o-prod""#));
    }

    #[test]
    fn a_request_without_its_fields_is_refused_by_name() {
        for (request, field) in [(json!({"model": "m"}), "messages"), (json!({"messages": [{}]}), "model")] {
            let answer = chat(&request, None, &stamp());
            assert_eq!(answer.status, 400);
            assert!(text(&answer)[0].contains(field));
        }
        assert_eq!(embeddings(&json!({"model": "m"}), None).status, 400);
    }

    #[test]
    fn embeddings_have_length_one_and_both_encodings_agree() {
        let mut request = json!({"model": "m", "input": ["a", "b"], "dimensions": 8});
        let body: Value = serde_json::from_slice(&embeddings(&request, None).chunks[0]).unwrap();
        let floats: Vec<f64> =
            body["data"][0]["embedding"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert!((floats.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-5);
        assert_ne!(body["data"][0]["embedding"], body["data"][1]["embedding"]);
        request["encoding_format"] = json!("base64");
        let body: Value = serde_json::from_slice(&embeddings(&request, None).chunks[0]).unwrap();
        let bytes = STANDARD.decode(body["data"][0]["embedding"].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
    }
}
