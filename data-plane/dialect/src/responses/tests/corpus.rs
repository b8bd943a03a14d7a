//! Recorded traffic, and what the room makes of it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::schema::Schema;
use crate::ir::{Accumulator, Block, Reply, StopReason, Usage};
use crate::{Format, StreamFault, translate};

/// Where the corpus is.
#[allow(clippy::disallowed_methods, reason = "tests read the corpus where the environment says it is")]
pub(super) fn shared() -> PathBuf {
    let near = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    std::env::var("BREAKWATER_SHARED").map_or(near, PathBuf::from)
}

#[allow(clippy::disallowed_methods, reason = "tests read the corpus")]
pub(super) fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recorded call of this format.
pub(super) struct Call {
    pub(super) id: String,
    pub(super) request: Value,
    pub(super) status: u64,
    pub(super) body: Value,
}

impl Call {
    /// Returns the body of a stream.
    fn stream(&self) -> Option<&str> {
        self.body.as_str().filter(|body| body.contains("response.created"))
    }
}

/// Returns every recorded call of this format.
pub(super) fn calls() -> Vec<Call> {
    let packed = bytes(&shared().join("corpus/recordings.jsonl.zst"));
    let lines = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let mut calls = Vec::new();
    for line in lines.lines().filter(|line| line.contains("responses")) {
        let mut call: Value = serde_json::from_str(line).unwrap();
        if call["endpoint"] == "responses" {
            calls.push(Call {
                id: call["id"].as_str().unwrap().to_owned(),
                request: call["request"]["body"].take(),
                status: call["response"]["status"].as_u64().unwrap(),
                body: call["response"]["body"].take(),
            });
        }
    }
    assert!(calls.len() > 1000, "{}", calls.len());
    calls
}

fn read_stream(body: &str, size: usize) -> Result<Accumulator, StreamFault> {
    translate::read_stream(Format::Responses, body.as_bytes().chunks(size))
}

/// Returns what an answer says, in a form that can be compared.
fn said(reply: &Reply) -> Vec<String> {
    let mut said = Vec::new();
    for choice in &reply.choices {
        for block in &choice.blocks {
            said.push(match block {
                Block::ToolUse { id, name, input, custom, .. } => {
                    let input = if input.trim().is_empty() && !custom { "{}" } else { input };
                    format!("call {id} {name} {input} {custom}")
                }
                // OpenAI encrypts anew for its last event: the two differ in 31 recorded items.
                Block::Thinking { text, signature, .. } => {
                    format!("thinking {text} {}", signature.is_some())
                }
                Block::Foreign { kind, json, .. } => format!("foreign {kind} {}", json.get().len()),
                other => format!("{other:?}"),
            });
        }
        said.push(format!("{:?}", choice.stop));
    }
    said.push(format!("{:?}", reply.usage));
    said
}

#[test]
fn every_recorded_request_is_read_or_refused_for_a_reason() {
    let (mut read, mut refused) = (0, std::collections::BTreeMap::<String, u32>::new());
    for call in calls().iter().filter(|call| call.request.is_object() && call.status == 200) {
        match translate::read_request(Format::Responses, &call.request.to_string()) {
            Ok(request) => {
                read += 1;
                let has_input = call.request["input"].as_array().is_none_or(|input| !input.is_empty());
                assert!(!request.turns.is_empty() || !request.system.is_empty() || !has_input, "{}", call.id);
            }
            Err(error) => {
                // What is refused is what only the provider that keeps it can give.
                let param = error.param.split('[').next().unwrap().to_owned();
                let known = ["previous_response_id", "conversation", "background", "moderation", "input"];
                assert!(known.contains(&param.as_str()), "{}: {error}", call.id);
                *refused.entry(param).or_default() += 1;
            }
        }
    }
    println!("read {read}, refused {refused:?}");
    assert!(read > 880, "{read}");
}

/// What a real client sent.
pub(super) fn client(name: &str) -> Value {
    let path = shared().join(format!("corpus/client-requests/{name}.json"));
    let client: Value = serde_json::from_slice(&bytes(&path)).unwrap();
    client["body"].clone()
}

#[test]
fn every_request_of_a_real_client_is_read() {
    let mut read = 0;
    for name in ["codex_001", "npm_003", "npm_004", "npm_008", "npm_009", "npm_020", "npm_021"] {
        let request = translate::read_request(Format::Responses, &client(name).to_string()).unwrap();
        assert!(!request.turns.is_empty(), "{name}");
        read += 1;
    }
    println!("read {read}");
}

#[test]
fn every_recorded_answer_is_read() {
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    let mut count = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
    for call in calls().iter().filter(|call| call.status == 200 && call.body["output"].is_array()) {
        let reply = translate::read_reply(Format::Responses, call.body.to_string().as_bytes()).unwrap();
        count("answers");
        let choice = reply.choices.first().unwrap();
        choice.blocks.iter().for_each(|block| {
            count(match block {
                Block::Text { .. } => "text",
                Block::Thinking { signature: Some(_), .. } => "thinking, signed",
                Block::Thinking { .. } => "thinking",
                Block::ToolUse { custom: true, .. } => "custom call",
                Block::ToolUse { .. } => "call",
                Block::Foreign { .. } => "foreign",
                _ => "other",
            });
        });
        count(&format!("{:?}", choice.stop.reason));
        let texts: String = call.body["output"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item["type"] == "message")
            .flat_map(|item| item["content"].as_array().unwrap())
            .filter_map(|part| part["text"].as_str())
            .collect();
        let read: String = choice
            .blocks
            .iter()
            .filter_map(|block| if let Block::Text { text, .. } = block { Some(text.as_str()) } else { None })
            .collect();
        assert_eq!(texts, read, "{}", call.id);
        let usage = &call.body["usage"];
        if let (Some(input), Some(output)) = (usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64())
        {
            let read = reply.usage.unwrap();
            assert_eq!((read.prompt(), read.output), (input, output), "{}", call.id);
            assert!(read.reasoning <= read.output, "{}", call.id);
            count("usage");
        }
    }
    println!("{counts:?}");
    assert!(counts["answers"] > 680, "{counts:?}");
}

/// Streams whose pieces say something else than their last event.
const STREAMS_APART: &[(&str, &str)] =
    &[("aa5f5353142e", "two of three items are never done; they come last here")];

#[test]
fn bug_2_every_recorded_stream_adds_up_to_its_last_event() {
    let (mut whole, mut failed, mut apart) = (0, 0, Vec::new());
    for call in calls().iter().filter(|call| call.status == 200) {
        let Some(body) = call.stream() else { continue };
        let last = body.lines().rev().filter_map(|line| line.strip_prefix("data:")).find_map(|data| {
            let event: Value = serde_json::from_str(data).ok()?;
            event.get("response").cloned()
        });
        let streamed = match read_stream(body, usize::MAX) {
            Ok(streamed) => streamed,
            Err(fault) => {
                assert!(
                    matches!(&fault, StreamFault::Upstream { code } if !code.is_empty()),
                    "{}: {fault}",
                    call.id
                );
                failed += 1;
                continue;
            }
        };
        assert!(streamed.is_whole(), "{}", call.id);
        let at_once = translate::read_reply(Format::Responses, last.unwrap().to_string().as_bytes()).unwrap();
        if said(streamed.reply()) == said(&at_once) {
            whole += 1;
        } else {
            apart.push(call.id.clone());
        }
    }
    println!("streams: {whole} add up, {failed} failed, apart {apart:?}");
    assert_eq!(apart, STREAMS_APART.iter().map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>());
    assert!(whole > 290, "{whole}");
}

#[test]
fn bug_29_pieces_of_any_size_read_the_same() {
    let mut read = 0;
    for call in calls().iter().filter(|call| call.status == 200) {
        let Some(body) = call.stream() else { continue };
        let at_once = read_stream(body, usize::MAX).map(|whole| said(whole.reply()));
        for size in [1, 7, 4096] {
            assert_eq!(
                read_stream(body, size).map(|whole| said(whole.reply())),
                at_once,
                "{} {size}",
                call.id
            );
        }
        read += 1;
    }
    println!("streams: {read}");
}

#[test]
fn every_recorded_answer_is_written_by_the_schema() {
    let schema = Schema::load("openai-responses-response.schema.json");
    let (mut good, mut kept) = (0, 0);
    for call in calls().iter().filter(|call| call.status == 200) {
        let reply = match call.stream() {
            Some(body) => match read_stream(body, usize::MAX) {
                Ok(streamed) => streamed.into_reply(),
                Err(_) => continue,
            },
            None if call.body["output"].is_array() => super::reply(&call.body),
            None => continue,
        };
        if reply.choices.iter().any(|choice| choice.stop.reason == StopReason::Failed) {
            continue;
        }
        let Ok(request) = translate::read_request(Format::Responses, &call.request.to_string()) else {
            continue;
        };
        // Items and tools of the provider's own pass as they came: they are not ours to mend.
        let ours = reply
            .choices
            .iter()
            .flat_map(|choice| &choice.blocks)
            .all(|block| !matches!(block, Block::Foreign { .. }));
        let tools =
            request.tools.iter().all(|tool| !matches!(tool.kind, crate::ir::ToolKind::Foreign { .. }));
        let written = translate::write_reply(Format::Responses, &reply, &super::caller(request));
        let written: Value = serde_json::from_str(&written).unwrap();
        if ours && tools {
            assert_eq!(schema.offence(&written), None, "{}: {written:#}", call.id);
            good += 1;
        }
        let again = super::reply(&written);
        let names = |reply: &Reply| {
            let mut said = said(reply);
            // Names of calls are made anew.
            said.iter_mut().filter(|line| line.starts_with("call ")).for_each(|line| {
                *line = line.splitn(3, ' ').last().unwrap().to_owned();
            });
            said
        };
        let mut before = names(&reply);
        before.iter_mut().for_each(|line| {
            if line.starts_with("Stop ") {
                *line = without_native(line);
            }
        });
        let mut after = names(&again);
        if reply.usage.is_none() {
            // Counts that nobody said are written as none.
            assert_eq!(
                (before.pop(), after.pop()),
                (Some("None".to_owned()), Some(format!("{:?}", Some(Usage::default()))))
            );
        }
        assert_eq!(before, after, "{}", call.id);
        kept += 1;
    }
    println!("by the schema {good}, read back the same {kept}");
    assert!(good > 700 && kept > 850, "{good} {kept}");
}

/// Returns what is said of a stop without the provider's own word, which a caller does not get.
fn without_native(stop: &str) -> String {
    match (stop.find("native: Some"), stop.find(", sequence")) {
        (Some(from), Some(to)) => format!("{}native: None{}", &stop[..from], &stop[to..]),
        _ => stop.to_owned(),
    }
}
