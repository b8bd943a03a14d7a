//! Recorded calls of Anthropic's messages: read by the crate and by `serde_json`, written again, and judged by the schemas of
//! the official SDK.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::ir::{Accumulator, Block, Reply, Request};
use breakwater_dialect::{Format, messages, quirks, translate};
use bytes::BytesMut;
use jsonschema::Validator;
use serde_json::Value;

use crate::recordings;

fn file(path: &str) -> Value {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = std::env::var_os("BREAKWATER_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    serde_json::from_str(&std::fs::read_to_string(folder.join(path)).unwrap()).unwrap()
}

fn schema(name: &str) -> Validator {
    jsonschema::validator_for(&file(&format!("corpus/schemas/anthropic-{name}.schema.json"))).unwrap()
}

fn assert_valid(schema: &Validator, value: &Value, id: &Value) {
    let wrong: Vec<_> = schema.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(wrong.is_empty(), "{id}: {wrong:?}");
}

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

fn read(body: &Value, id: &Value) -> Request {
    translate::read_request(Format::Messages, &body.to_string())
        .unwrap_or_else(|refused| panic!("{id}: {refused}"))
}

fn target(model: &str) -> Target {
    let model = model.to_owned();
    Target {
        format: Format::Messages,
        model,
        max_output_tokens: None,
        embeddings: None,
        quirks: &quirks::PLAIN,
        reasons: None,
    }
}

/// What must survive in any case: texts, calls with their arguments, signatures.
fn essence<'a>(blocks: impl IntoIterator<Item = &'a Block>) -> Vec<String> {
    blocks
        .into_iter()
        .filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.trim_end().to_owned()).filter(|text| !text.is_empty()),
            Block::Thinking { text, signature, .. } => Some(format!("{text}|{signature:?}")),
            Block::RedactedThinking { data, .. } => Some(data.clone()),
            Block::ToolUse { name, input, .. } => Some(format!("{name} {input}")),
            Block::ToolResult { content, is_error, .. } => Some(format!("{is_error} {:?}", essence(content))),
            Block::Media { media, source, .. } => Some(format!("{media:?} {source:?}")),
            Block::Refusal { text } => Some(text.clone()),
            Block::Foreign { json, .. } => Some(json.get().to_owned()),
        })
        .collect()
}

/// As [`essence`] of a request; results of tools move to the front of their turn and later instructions to the start, so the
/// order is not compared.
fn essence_of(request: &Request) -> Vec<String> {
    let mut essence =
        essence(request.system.iter().chain(request.turns.iter().flat_map(|turn| &turn.blocks)));
    essence.sort();
    essence
}

#[test]
fn every_recorded_request_is_read_and_can_be_written_again() {
    let schema = schema("messages-request");
    let (mut read_count, mut written) = (0, 0);
    let mut refused = BTreeMap::new();
    let all = recordings("messages").into_iter().chain(recordings("messages.count_tokens"));
    for recording in all.filter(|it| it["request"]["body"].is_object()) {
        let (id, body) = (&recording["id"], &recording["request"]["body"]);
        let request = read(body, id);
        let (before, tools) = (essence_of(&request), request.tools.len());
        read_count += 1;
        let again = match translate::write_request(request, &target(body["model"].as_str().unwrap())) {
            Ok(again) => serde_json::from_slice::<Value>(&again.body).unwrap(),
            Err(refusal) => {
                *refused.entry(refusal.param).or_insert(0) += 1;
                continue;
            }
        };
        written += 1;
        assert_valid(&schema, &again, id);
        let again = read(&again, id);
        assert_eq!(before, essence_of(&again), "{id}");
        assert_eq!(again.tools.len(), tools, "{id}");
        let roles: Vec<_> = again.turns.iter().map(|turn| turn.role).collect();
        assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "{id}");
    }
    println!("requests: {read_count} read, {written} written again, refused: {refused:?}");
    assert!(read_count >= 679 && written >= 643, "{read_count} {written}");
}

#[test]
fn what_claude_code_sends_is_read() {
    let request = read(&file("corpus/client-requests/cc_002.json")["body"], &Value::Null);
    assert_eq!(request.tools.len(), 24);
    // Bug 19: three blocks, of which one is the billing line.
    assert_eq!(request.system.len(), 2);
    assert_eq!(request.turns.len(), 2);
    let written = translate::write_request(request, &target("claude-opus-4-8")).unwrap();
    assert_eq!(written.dropped, ["context_management"]);
}

/// What two answers must share. Ids of calls are made anew for callers.
fn comparable(reply: &Reply) -> (Vec<String>, String) {
    let choice = &reply.choices[0];
    let rest = format!("{:?} {:?} {:?}", choice.stop.reason, choice.stop.sequence, reply.usage);
    (essence(&choice.blocks), rest)
}

#[test]
fn every_recorded_answer_is_read_and_written() {
    let schema = schema("messages-response");
    let (mut answers, mut errors) = (0, 0);
    for recording in recordings("messages") {
        let (id, body) = (&recording["id"], &recording["response"]["body"]);
        let text = body.to_string();
        let status = u16::try_from(recording["response"]["status"].as_u64().unwrap()).unwrap();
        if status >= 400 {
            let error = translate::read_error(Format::Messages, status, &text);
            assert!(!error.message.is_empty() && error.kind.is_some(), "{id}");
            errors += 1;
        } else if body.is_object() {
            let reply = translate::read_reply(Format::Messages, text.as_bytes())
                .unwrap_or_else(|garbage| panic!("{id}: {garbage}"));
            let choice = &reply.choices[0];
            assert_eq!(choice.blocks.len(), body["content"].as_array().unwrap().len(), "{id}");
            let said = body["stop_reason"].as_str().unwrap();
            assert_eq!(choice.stop.native.as_deref().unwrap_or(said), said, "{id}");
            let usage = reply.usage.unwrap();
            assert_eq!(Some(usage.input), body["usage"]["input_tokens"].as_u64(), "{id}");
            assert_eq!(Some(usage.output), body["usage"]["output_tokens"].as_u64(), "{id}");
            let written = translate::write_reply(Format::Messages, &reply, &caller());
            assert_valid(&schema, &serde_json::from_str(&written).unwrap(), id);
            let again = translate::read_reply(Format::Messages, written.as_bytes()).unwrap();
            assert_eq!(comparable(&reply), comparable(&again), "{id}");
            assert!(!written.contains(body["id"].as_str().unwrap()), "{id}");
            answers += 1;
        }
    }
    println!("answers: {answers} read and written, {errors} errors read");
    assert!(answers >= 555 && errors >= 5);
}

fn whole(text: &[u8], size: usize) -> Accumulator {
    translate::read_stream(Format::Messages, text.chunks(size)).unwrap()
}

fn events(text: &str) -> impl Iterator<Item = Value> {
    text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| serde_json::from_str(data).unwrap())
}

/// Texts, thinking and signatures of a stream, read as plainly as can be, and how many blocks it has.
fn plainly(text: &str) -> (String, usize) {
    let (mut said, mut blocks) = (String::new(), 0);
    for event in events(text) {
        blocks += usize::from(event["type"] == "content_block_start");
        for key in ["text", "thinking", "signature"] {
            said.push_str(event["delta"][key].as_str().unwrap_or_default());
        }
    }
    (said, blocks)
}

fn heard(reply: &Reply) -> String {
    let mut heard = String::new();
    for block in &reply.choices[0].blocks {
        if let Block::Text { text, .. } | Block::Thinking { text, .. } = block {
            heard.push_str(text);
        }
        if let Block::Thinking { signature: Some(signature), .. } = block {
            heard.push_str(signature);
        }
    }
    heard
}

#[test]
fn every_recorded_stream_is_read_in_any_pieces_and_written() {
    let schema = schema("stream-event");
    let (mut streams, mut written) = (0, 0);
    for recording in recordings("messages") {
        let Some(text) = recording["response"]["body"].as_str() else { continue };
        let id = &recording["id"];
        let read = whole(text.as_bytes(), usize::MAX);
        for size in [1, 7] {
            assert_eq!(format!("{read:?}"), format!("{:?}", whole(text.as_bytes(), size)), "{id}");
        }
        assert!(read.is_whole(), "{id}");
        let reply = read.into_reply();
        assert_eq!((heard(&reply), reply.choices[0].blocks.len()), plainly(text), "{id}");

        let mut crossing = translate::Crossing::new(Format::Messages, Format::Messages, &caller()).unwrap();
        let mut out = BytesMut::new();
        for byte in text.as_bytes().chunks(1) {
            crossing.push(byte, &mut out).unwrap();
        }
        crossing.finish(&mut out);
        let out = String::from_utf8(out.to_vec()).unwrap();
        for event in events(&out) {
            assert_valid(&schema, &event, id);
            written += 1;
        }
        assert_eq!(comparable(&reply), comparable(&whole(out.as_bytes(), 5).into_reply()), "{id}");
        streams += 1;
    }
    println!("streams: {streams} read and written, in {written} events");
    assert!(streams >= 156);
}

#[test]
fn every_recorded_count_is_read() {
    let mut counts = 0;
    for recording in recordings("messages.count_tokens").iter().filter(|it| it["response"]["status"] == 200) {
        let body = &recording["response"]["body"];
        assert_eq!(messages::read_count(&body.to_string()), body["input_tokens"].as_u64());
        counts += 1;
    }
    println!("counts: {counts} read");
    assert!(counts >= 13);
}
