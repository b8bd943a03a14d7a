//! Recorded calls of Gemini and Vertex, read by the crate and by `serde_json`, and compared.

use std::sync::Arc;

use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::ir::{Block, Reply, Request, StopReason};
use breakwater_dialect::quirks::PLAIN;
use breakwater_dialect::{ErrorClass, Format, translate};
use bytes::BytesMut;
use serde_json::Value;

use crate::recordings;

fn all() -> Vec<Value> {
    let mut all = recordings("generateContent");
    all.extend(recordings("streamGenerateContent"));
    all
}

fn caller() -> Caller {
    Caller {
        alias: "smart".to_owned(),
        id: "req1".to_owned(),
        created: 1,
        include_usage: false,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(Request::default()),
    }
}

/// The chunks of a recorded answer, and its bytes if it came as a stream.
fn chunks(recording: &Value) -> (Vec<Value>, Option<Vec<u8>>) {
    match &recording["response"]["body"] {
        Value::String(text) => {
            let lines = text.lines().filter_map(|line| line.strip_prefix("data:"));
            let chunks = lines.map(|line| serde_json::from_str(line).unwrap());
            (chunks.collect(), Some(text.clone().into_bytes()))
        }
        Value::Array(list) => {
            // As Google prints it: over many lines.
            let printed = serde_json::to_string_pretty(list).unwrap().replace('\n', "\r\n");
            (list.clone(), Some(printed.into_bytes()))
        }
        body => (vec![body.clone()], None),
    }
}

fn parts(chunks: &[Value], index: usize) -> Vec<&Value> {
    let candidates = chunks.iter().filter_map(|chunk| chunk["candidates"].as_array()).flatten();
    let own = candidates.filter(|candidate| candidate["index"].as_u64().unwrap_or(0) == index as u64);
    own.filter_map(|candidate| candidate["content"]["parts"].as_array()).flatten().collect()
}

fn compare(id: &str, reply: &Reply, chunks: &[Value]) {
    for (index, choice) in reply.choices.iter().enumerate() {
        let parts = parts(chunks, index);
        let text = |thought: bool| -> String {
            let own = parts.iter().filter(|part| part["thought"].as_bool().unwrap_or(false) == thought);
            own.filter_map(|part| part["text"].as_str()).collect()
        };
        let (mut said, mut thought) = (String::new(), String::new());
        let (mut calls, mut signatures, mut others) = (Vec::new(), Vec::new(), 0);
        for block in &choice.blocks {
            match block {
                Block::Text { text, signature, .. } => {
                    said.push_str(text);
                    signatures.extend(signature.clone());
                }
                Block::Thinking { text, signature, signed_by, .. } => {
                    thought.push_str(text);
                    signatures.extend(signature.clone());
                    assert_eq!(*signed_by, Some(Format::Gemini), "{id}");
                }
                Block::ToolUse { id: call, name, input, signature, .. } => {
                    assert!(!call.is_empty(), "{id}");
                    calls.push((name.clone(), serde_json::from_str::<Value>(input).unwrap()));
                    signatures.extend(signature.clone());
                }
                Block::Foreign { json, .. } => {
                    others += 1;
                    let whole: Value = serde_json::from_str(json.get()).unwrap();
                    assert!(parts.iter().any(|part| **part == whole), "{id}: {whole}");
                    signatures.extend(whole["thoughtSignature"].as_str().map(str::to_owned));
                }
                Block::Media { .. } => others += 1,
                other => panic!("{id}: {other:?}"),
            }
        }
        assert_eq!((said, thought), (text(false), text(true)), "{id}");
        let expected: Vec<(String, Value)> = parts
            .iter()
            .filter_map(|part| part.get("functionCall"))
            .map(|call| (call["name"].as_str().unwrap().to_owned(), call["args"].clone()))
            .collect();
        assert_eq!(calls, expected, "{id}");
        let expected: Vec<&str> = parts.iter().filter_map(|part| part["thoughtSignature"].as_str()).collect();
        assert_eq!(signatures, expected, "bug 4 and 5, byte for byte: {id}");
        let kinds = ["text", "functionCall"];
        let expected = parts.iter().filter(|part| kinds.iter().all(|kind| part.get(kind).is_none())).count();
        assert_eq!(others, expected, "{id}");
        if !calls.is_empty() {
            let reason = choice.stop.reason;
            assert!(matches!(reason, StopReason::ToolUse | StopReason::Failed), "bug 12: {id}");
        }
    }
}

/// What Google counts, if its own sum is right: some recordings were cut by hand.
fn compare_usage(reply: &Reply, chunks: &[Value]) -> bool {
    let said = |key: &str| {
        let counts = chunks.iter().rev().filter_map(|chunk| chunk["usageMetadata"][key].as_u64());
        counts.into_iter().next().unwrap_or(0)
    };
    let sum = said("promptTokenCount")
        + said("candidatesTokenCount")
        + said("thoughtsTokenCount")
        + said("toolUsePromptTokenCount");
    let usage = reply.usage.unwrap_or_default();
    assert_eq!(usage.total(), sum);
    assert_eq!(usage.reasoning, said("thoughtsTokenCount"));
    assert_eq!(usage.cache_read, said("cachedContentTokenCount"));
    assert_eq!(usage.prompt(), said("promptTokenCount") + said("toolUsePromptTokenCount"));
    sum == said("totalTokenCount")
}

#[test]
fn recorded_answers_and_streams_say_what_they_say() {
    let (mut whole, mut streams, mut errors, mut none, mut sums) = (0, 0, 0, 0, 0);
    for recording in all() {
        let id = recording["id"].as_str().unwrap();
        let status = u16::try_from(recording["response"]["status"].as_u64().unwrap()).unwrap();
        let (chunks, stream) = chunks(&recording);
        if status != 200 {
            let body = recording["response"]["body"].to_string();
            let error = translate::read_error(Format::Gemini, status, &body);
            assert!(!error.message.is_empty() && error.kind.is_some(), "{id}");
            assert_ne!(error.class, ErrorClass::Server, "{id}");
            errors += 1;
            continue;
        }
        let reply = match stream {
            None => {
                let body = recording["response"]["body"].to_string();
                let Ok(reply) = translate::read_reply(Format::Gemini, body.as_bytes()) else {
                    assert!(chunks[0].get("candidates").is_none(), "{id}");
                    none += 1;
                    continue;
                };
                whole += 1;
                reply
            }
            Some(bytes) => {
                let one = translate::read_stream(Format::Gemini, [bytes.as_slice()]).unwrap();
                let cut = translate::read_stream(Format::Gemini, bytes.chunks(1)).unwrap();
                assert_eq!(format!("{one:?}"), format!("{cut:?}"), "bug 29: {id}");
                assert!(one.is_whole(), "{id}");
                streams += 1;
                one.into_reply()
            }
        };
        compare(id, &reply, &chunks);
        sums += usize::from(compare_usage(&reply, &chunks));
    }
    println!(
        "{whole} answers, {streams} streams, {errors} errors, {none} other bodies, {sums} sums as Google says"
    );
    assert!(whole > 700 && streams > 120 && errors > 15 && none < 5);
    assert!(sums + 15 > whole + streams);
}

/// What our reader reads, written for a caller of Gemini, is what came, apart from what names the provider.
#[test]
fn recorded_answers_and_streams_come_back_as_they_came() {
    let (mut whole, mut streams) = (0, 0);
    for recording in all() {
        let id = recording["id"].as_str().unwrap();
        if recording["response"]["status"] != 200 {
            continue;
        }
        match chunks(&recording).1 {
            None => {
                let body = recording["response"]["body"].to_string();
                let Ok(before) = translate::read_reply(Format::Gemini, body.as_bytes()) else { continue };
                let written = translate::write_reply(Format::Gemini, &before, &caller());
                let after = translate::read_reply(Format::Gemini, written.as_bytes()).unwrap();
                let bare = |reply: &Reply| format!("{:?}", without_ids(reply.clone()));
                assert_eq!(bare(&before), bare(&after), "{id}");
                whole += 1;
            }
            Some(bytes) => {
                let mut crossing =
                    translate::Crossing::new(Format::Gemini, Format::Gemini, &caller()).unwrap();
                let mut out = BytesMut::new();
                bytes.chunks(7).for_each(|piece| crossing.push(piece, &mut out).unwrap());
                crossing.finish(&mut out);
                let events = String::from_utf8(out.to_vec()).unwrap();
                let elements: Vec<&str> =
                    events.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                let array = format!("[{}]", elements.join(",\r\n"));
                let texts = [events, array].map(|written| {
                    let read = translate::read_stream(Format::Gemini, [written.as_bytes()]).unwrap();
                    assert!(read.is_whole(), "{id}");
                    format!("{:?}", without_ids(read.into_reply()))
                });
                let before = translate::read_stream(Format::Gemini, [bytes.as_slice()]).unwrap().into_reply();
                assert_eq!(texts[0], format!("{:?}", without_ids(before)), "{id}");
                assert_eq!(texts[0], texts[1], "{id}");
                streams += 1;
            }
        }
    }
    println!("{whole} answers and {streams} streams there and back");
    assert!(whole > 700 && streams > 120);
}

fn without_ids(mut reply: Reply) -> Reply {
    for block in reply.choices.iter_mut().flat_map(|choice| &mut choice.blocks) {
        if let Block::ToolUse { id, signature, .. } = block {
            id.clear();
            // The one recorded signature that is no base64 goes wrapped, and is unwrapped when a caller sends it back.
            if signature.as_deref() == Some("YndzZWFsLnoxLi50aG91Z2h0X2FiYzEyMw==") {
                *signature = Some("thought_abc123".to_owned());
            }
        }
    }
    // An answer always says its tokens.
    reply.usage = reply.usage.or(Some(breakwater_dialect::ir::Usage::default()));
    reply
}

/// A request that was read and written for Google is, read again, the same; and what was written first stays as it is.
#[test]
fn recorded_requests_come_back() {
    let (mut count, mut skipped) = (0, 0);
    for recording in all() {
        let id = recording["id"].as_str().unwrap();
        let body = &recording["request"]["body"];
        if !body.is_object() {
            skipped += 1;
            continue;
        }
        let request = match translate::read_request(Format::Gemini, &body.to_string()) {
            Ok(request) => request,
            Err(refused) => {
                let known = body["contents"].is_null() || recording["response"]["status"] == 400;
                assert!(known, "{id}: {refused}");
                skipped += 1;
                continue;
            }
        };
        let model = recording["model"].as_str().unwrap().to_owned();
        let target = Target {
            format: Format::Gemini,
            model,
            max_output_tokens: None,
            embeddings: None,
            quirks: &PLAIN,
            reasons: None,
        };
        let first =
            translate::write_request(request, &target).unwrap_or_else(|refused| panic!("{id}: {refused}"));
        let text = std::str::from_utf8(&first.body).unwrap();
        let again = translate::read_request(Format::Gemini, text).unwrap();
        let second = translate::write_request(again, &target).unwrap();
        assert_eq!(text, std::str::from_utf8(&second.body).unwrap(), "{id}");
        let written: Value = serde_json::from_str(text).unwrap();
        let own = |key: &str| written["generationConfig"][key].clone();
        for key in ["maxOutputTokens", "temperature", "topP", "seed", "stopSequences"] {
            let asked = &body["generationConfig"][key];
            if !asked.is_null() {
                assert_eq!(&own(key), asked, "{id}: {key}");
            }
        }
        count += 1;
    }
    println!("{count} requests there and back, {skipped} without a body of their own or wrong");
    assert!(count > 800);
}
