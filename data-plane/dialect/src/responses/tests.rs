//! Shared by the tests of this room.

#![allow(clippy::print_stdout, reason = "tests print what they counted")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at what it is about")]

mod corpus;
mod offers;
mod read;
mod read_stream;
mod schema;
mod write;
mod write_stream;

use std::sync::Arc;

use crate::codec::{Caller, Target};
use crate::ir::{Reply, Request};
use crate::quirks::PLAIN;
use crate::{Ending, Format, translate};

/// Reads a caller's request.
fn request(body: &serde_json::Value) -> Request {
    translate::read_request(Format::Responses, &body.to_string()).unwrap()
}

/// Writes a request for a provider.
fn written(request: Request) -> serde_json::Value {
    serde_json::from_slice(&translate::write_request(request, &target()).unwrap().body).unwrap()
}

fn target() -> Target {
    Target {
        format: Format::Responses,
        model: "gpt-5".to_owned(),
        max_output_tokens: None,
        embeddings: None,
        quirks: &PLAIN,
        reasons: None,
    }
}

fn caller(request: Request) -> Caller {
    Caller {
        alias: "fast".to_owned(),
        id: "0AbC".to_owned(),
        created: 1_790_000_000,
        include_usage: false,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(request),
    }
}

/// Reads a provider's whole answer.
fn reply(body: &serde_json::Value) -> Reply {
    translate::read_reply(Format::Responses, body.to_string().as_bytes()).unwrap()
}

/// Writes a stream of events for a caller and returns what its frames hold.
fn frames(
    caller: &Caller,
    events: &[crate::ir::Event],
    ending: Option<Ending>,
) -> Vec<(String, serde_json::Value)> {
    let mut writer = super::stream_writer(caller).unwrap();
    let mut out = bytes::BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    match ending {
        None => writer.complete(&mut out),
        Some(ending) => writer.fail(ending, &mut out),
    }
    let text = std::str::from_utf8(&out).unwrap();
    assert!(text.ends_with("\n\n"));
    let frame = |frame: &str| {
        let (event, data) = frame.split_once('\n').unwrap();
        let value: serde_json::Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        let kind = event.strip_prefix("event: ").unwrap().to_owned();
        assert_eq!(value["type"], kind.as_str());
        (kind, value)
    };
    text.split_terminator("\n\n").map(frame).collect()
}
