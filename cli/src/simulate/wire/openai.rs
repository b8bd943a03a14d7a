//! What all operations of OpenAI's API share: errors, models, tools, the end of streams; and its embeddings.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{
    Dialect,
    answer::{Answer, Event, Part},
    ask::{Choice, Tool, tokens_of},
};
use super::Missing;

/// Length of a vector if the request names none: that of text-embedding-3-small.
const DIMENSIONS: u64 = 1536;

/// The models that a listing shows.
fn listed(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAi => &["gpt-4o", "gpt-4o-mini", "text-embedding-3-small"],
        Dialect::Anthropic => &["claude-sonnet-4-5"],
        Dialect::Mistral => &["mistral-large-latest"],
        Dialect::Gemini => &["gemini-2.5-flash"],
        Dialect::Bedrock => &["anthropic.claude-sonnet-4-5"],
        Dialect::Ollama => &["llama3.2"],
    }
}

/// Makes OpenAI's error body.
pub(super) fn error(status: u16, code: Option<&str>, message: &str) -> Answer {
    let (kind, usual) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let kind = code.filter(|_| status == 429).unwrap_or(kind);
    let body = json!({"error": {"message": message, "type": kind, "param": null, "code": code.or(usual)}});
    Answer::json(status, &body)
}

/// Makes Mistral's: of three shapes, by status.
pub(super) fn mistral_error(status: u16, code: Option<&str>, message: &str) -> Answer {
    let body = match status {
        401 | 403 => json!({"detail": message}),
        422 => json!({"detail": [{"loc": ["body"], "msg": message, "type": "value_error"}]}),
        _ => {
            json!({"object": "error", "message": message, "type": code.unwrap_or("simulated"), "param": null,
            "code": code, "raw_status_code": status})
        }
    };
    Answer::json(status, &body)
}

/// Makes the error of a field that is not there.
pub(super) fn missing(field: &str) -> Answer {
    let body = json!({"error": {"message": format!("Missing required parameter: '{field}'."),
        "type": "invalid_request_error", "param": field, "code": "missing_required_parameter"}});
    Answer::json(400, &body)
}

/// The marker that says that all is there.
pub(super) fn done() -> Event {
    Event { name: "", data: Bytes::from_static(b"[DONE]"), part: Part::End }
}

/// Reads the tools that have a name; `of` finds what holds it.
pub(super) fn tools<'a>(request: &'a Value, of: impl Fn(&'a Value) -> &'a Value) -> Vec<Tool> {
    let tools = request["tools"].as_array().into_iter().flatten().map(of);
    tools
        .filter_map(|tool| {
            Some(Tool { name: tool["name"].as_str()?.to_owned(), schema: tool["parameters"].clone() })
        })
        .collect()
}

/// Reads a choice of tools: a word, or the name at a place.
pub(super) fn choice(choice: &Value, name: &[&str]) -> Choice {
    let named = name.iter().fold(choice, |value, key| &value[*key]);
    match (choice.as_str(), named.as_str()) {
        (_, Some(name)) => Choice::Named(name.to_owned()),
        (Some("none"), _) => Choice::Never,
        (Some("required" | "any"), _) => Choice::Always,
        _ => Choice::Auto,
    }
}

/// The models listing.
pub(super) fn models(dialect: Dialect) -> Answer {
    let entries: Vec<Value> = listed(dialect).iter().map(|id| model_entry(dialect, id)).collect();
    let body = match dialect {
        Dialect::Gemini => json!({ "models": entries }),
        Dialect::Anthropic => json!({"data": entries, "has_more": false}),
        Dialect::OpenAi | Dialect::Mistral | Dialect::Bedrock | Dialect::Ollama => {
            json!({"object": "list", "data": entries})
        }
    };
    Answer::json(200, &body)
}

/// One model; 404 for one that is not listed.
pub(super) fn model(dialect: Dialect, id: &str) -> Answer {
    if listed(dialect).contains(&id) {
        return Answer::json(200, &model_entry(dialect, id));
    }
    super::error(dialect, 404, None, &format!("The model '{id}' does not exist"))
}

fn model_entry(dialect: Dialect, id: &str) -> Value {
    match dialect {
        Dialect::Gemini => json!({"name": format!("models/{id}"), "displayName": id}),
        Dialect::Anthropic => {
            json!({"type": "model", "id": id, "display_name": id, "created_at": "2025-09-29T00:00:00Z"})
        }
        Dialect::OpenAi | Dialect::Mistral | Dialect::Bedrock | Dialect::Ollama => {
            json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "simulated"})
        }
    }
}

/// Answers a call for embeddings: vectors of length one that depend on the text alone.
pub(super) fn embeddings(request: &Value, deployment: Option<&str>) -> Result<Answer, Missing> {
    let model = deployment.or_else(|| request["model"].as_str()).ok_or(Missing("model"))?;
    let inputs: Vec<&Value> = match &request["input"] {
        Value::Array(items) if items.iter().all(Value::is_number) => vec![&request["input"]],
        Value::Array(items) => items.iter().collect(),
        one @ Value::String(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(Missing("input")),
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
    let tokens: u64 = inputs.iter().map(|input| tokens_of(&input.to_string())).sum();
    let usage = json!({"prompt_tokens": tokens, "total_tokens": tokens});
    Ok(Answer::json(200, &json!({"object": "list", "data": data, "model": model, "usage": usage})))
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

    #[test]
    fn embeddings_have_length_one_and_both_encodings_agree() {
        let mut request = json!({"model": "m", "input": ["a", "b"], "dimensions": 8});
        let body: Value = serde_json::from_slice(&embeddings(&request, None).unwrap().chunks()[0]).unwrap();
        let floats: Vec<f64> =
            body["data"][0]["embedding"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert!((floats.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-5);
        assert_ne!(body["data"][0]["embedding"], body["data"][1]["embedding"]);
        assert_eq!(embeddings(&json!({"model": "m"}), None).unwrap_err(), Missing("input"));
        request["encoding_format"] = json!("base64");
        let body: Value = serde_json::from_slice(&embeddings(&request, None).unwrap().chunks()[0]).unwrap();
        let bytes = STANDARD.decode(body["data"][0]["embedding"].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
    }
}
