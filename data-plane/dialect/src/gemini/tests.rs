//! Tests of the room, on cases made by hand; recorded ones are in `tests/corpus` and `tests/oracle`.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test names the one kind it wants and fails on any other"
)]

mod answers;
mod asked;
mod callers;
mod errors;
mod requests;

use std::sync::Arc;

use serde_json::Value;

use crate::Format;
use crate::codec::{Caller, Target};
use crate::ir::{Block, Refused, Request, Role, Turn};
use crate::quirks::PLAIN;

fn target(model: &str) -> Target {
    Target {
        format: Format::Gemini,
        model: model.to_owned(),
        max_output_tokens: None,
        embeddings: None,
        quirks: &PLAIN,
        reasons: None,
    }
}

fn caller() -> Caller {
    Caller {
        reveal_provider: false,
        alias: "smart".to_owned(),
        id: "req1".to_owned(),
        created: 1,
        include_usage: false,
        gemini_array: false,
        request: Arc::new(Request::default()),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn read(body: &Value) -> Result<Request, Refused> {
    super::read_request(&body.to_string())
}

/// Writes a request, and returns it with what was dropped.
fn written(request: &Request, model: &str) -> (Value, Vec<String>) {
    let written = super::write_request(request, &target(model)).unwrap();
    (json(&written.body), written.dropped)
}

fn turn(role: Role, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks }
}

fn call(id: &str, name: &str, input: &str, signature: Option<&str>) -> Block {
    Block::ToolUse {
        id: id.to_owned(),
        name: name.to_owned(),
        input: input.to_owned(),
        signature: signature.map(str::to_owned),
        custom: false,
        cache: None,
    }
}

fn result(id: &str, text: &str) -> Block {
    let content = vec![Block::text(text)];
    Block::ToolResult { id: id.to_owned(), name: String::new(), content, is_error: false, cache: None }
}
