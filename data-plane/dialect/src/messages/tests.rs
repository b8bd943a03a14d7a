mod asked;
mod replies;
mod requests;
mod streams;

use std::sync::Arc;

use serde_json::Value;

use crate::Format;
use crate::codec::{Caller, Target};
use crate::ir::Request;
use crate::quirks::PLAIN;

fn caller() -> Caller {
    Caller {
        alias: "clever".to_owned(),
        id: "0123abcd".to_owned(),
        created: 1_700_000_000,
        include_usage: false,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(Request::default()),
    }
}

fn target(model: &str) -> Target {
    Target {
        format: Format::Messages,
        model: model.to_owned(),
        max_output_tokens: None,
        embeddings: None,
        quirks: &PLAIN,
    }
}

fn read(body: &Value) -> Request {
    super::read_request(&body.to_string()).unwrap_or_else(|refused| panic!("{refused}"))
}

fn write(request: &Request, model: &str) -> Value {
    let written = super::write_request(request, &target(model)).unwrap_or_else(|refused| panic!("{refused}"));
    serde_json::from_str(&written.body).unwrap()
}
