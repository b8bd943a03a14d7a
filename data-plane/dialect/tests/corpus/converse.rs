//! Recorded calls of Bedrock's Converse and ConverseStream.

mod answers;
mod requests;
mod streams;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use breakwater_dialect::codec::Caller;
use serde_json::Value;

use crate::recordings;

/// One recorded call.
struct Recorded {
    file: String,
    model: String,
    /// What was asked; null if it is no JSON.
    request: Value,
    status: u16,
    answer: Answer,
}

enum Answer {
    Whole(Value),
    Stream(Vec<u8>),
}

fn recorded() -> Vec<Recorded> {
    let all = recordings("converse").into_iter().chain(recordings("converseStream"));
    all.map(|value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let response = &value["response"];
        let answer = match response["body_kind"].as_str() {
            Some("base64") => Answer::Stream(STANDARD.decode(text(&response["body"])).unwrap()),
            _ => Answer::Whole(response["body"].clone()),
        };
        Recorded {
            file: text(&value["file"]),
            model: text(&value["model"]).replace("%3A", ":").replace("%2F", "/"),
            request: Some(&value["request"]["body"])
                .filter(|body| body.is_object())
                .cloned()
                .unwrap_or_default(),
            status: response["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap(),
            answer,
        }
    })
    .collect()
}

fn caller() -> Caller {
    Caller {
        alias: "alias".to_owned(),
        id: "0123".to_owned(),
        created: 1_700_000_000,
        include_usage: false,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::default(),
    }
}
