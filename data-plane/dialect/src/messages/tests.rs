mod asked;
mod replies;
mod requests;
mod streams;
mod thinking;

use std::sync::Arc;

use serde_json::Value;

use crate::Format;
use crate::codec::{Caller, Target};
use crate::ir::{Block, Json, Request, Role, Turn};
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
        reasons: None,
    }
}

fn read(body: &Value) -> Request {
    super::read_request(&body.to_string()).unwrap_or_else(|refused| panic!("{refused}"))
}

fn write(request: &Request, model: &str) -> Value {
    let written = super::write_request(request, &target(model)).unwrap_or_else(|refused| panic!("{refused}"));
    serde_json::from_str(&written.body).unwrap()
}

const NEW: &str = "claude-opus-4-6";
const OLD: &str = "claude-sonnet-4-5";

fn raw(value: &Value) -> Json {
    serde_json::value::to_raw_value(value).unwrap()
}

fn turn(role: Role, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks }
}

fn said(role: Role, text: &str) -> Turn {
    turn(role, vec![Block::text(text)])
}

fn call(id: &str, input: &str) -> Block {
    let (id, name, input) = (id.to_owned(), "look".to_owned(), input.to_owned());
    Block::ToolUse { id, name, input, signature: None, custom: false, cache: None }
}

fn result(id: &str, text: &str) -> Block {
    let content = vec![Block::text(text)];
    Block::ToolResult { id: id.to_owned(), name: String::new(), content, is_error: false, cache: None }
}

fn thought(text: &str, signature: Option<&str>, signed_by: Option<Format>) -> Block {
    let signature = signature.map(str::to_owned);
    Block::Thinking { text: text.to_owned(), signature, signed_by, id: String::new() }
}

fn ask(turns: Vec<Turn>) -> Request {
    Request { turns, ..Request::default() }
}

fn hello() -> Request {
    ask(vec![said(Role::User, "hi")])
}

fn refused(request: &Request, model: &str) -> String {
    super::write_request(request, &target(model)).map(|it| it.body).unwrap_err().param
}

fn dropped(request: &Request, model: &str) -> Vec<String> {
    super::write_request(request, &target(model)).unwrap().dropped
}
