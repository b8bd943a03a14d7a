//! Recorded calls of Ollama's own API, read by the crate and by `serde_json`, and compared.

use breakwater_dialect::ir::{Block, Reply, StopReason};
use breakwater_dialect::{ErrorClass, Format, translate};
use serde_json::Value;

use crate::recordings;

fn texts(reply: &Reply, thinking: bool) -> String {
    let blocks = reply.choices.iter().flat_map(|choice| &choice.blocks);
    let texts = blocks.filter_map(|block| match block {
        Block::Text { text, .. } if !thinking => Some(text.as_str()),
        Block::Thinking { text, .. } if thinking => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// What the lines of an answer say together, a whole answer being one line.
fn compare(id: &str, reply: &Reply, lines: &[Value]) {
    let all =
        |key: &str| -> String { lines.iter().filter_map(|line| line["message"][key].as_str()).collect() };
    assert_eq!(texts(reply, false), all("content"), "{id}");
    assert_eq!(texts(reply, true), all("thinking"), "{id}");
    let expected: Vec<(&str, &Value)> = lines
        .iter()
        .filter_map(|line| line["message"]["tool_calls"].as_array())
        .flatten()
        .map(|call| (call["function"]["name"].as_str().unwrap(), &call["function"]["arguments"]))
        .collect();
    let blocks = &reply.choices[0].blocks;
    let calls: Vec<(&str, &str, Value)> = blocks
        .iter()
        .filter_map(|block| match block {
            Block::ToolUse { id, name, input, .. } => {
                Some((id.as_str(), name.as_str(), serde_json::from_str(input).unwrap()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(calls.len(), expected.len(), "{id}");
    for ((call, name, input), (expected_name, expected_input)) in calls.iter().zip(&expected) {
        assert_eq!((name, input), (expected_name, *expected_input), "{id}");
        assert!(call.starts_with("call_"), "{id}: {call}");
    }
    let last = lines.last().unwrap();
    let reason = match (last["done_reason"].as_str(), calls.is_empty()) {
        (Some("length"), _) => StopReason::Length,
        (_, false) => StopReason::ToolUse,
        (_, true) => StopReason::End,
    };
    assert_eq!(reply.choices[0].stop.reason, reason, "{id}");
    let usage = reply.usage.unwrap_or_default();
    assert_eq!(usage.input, last["prompt_eval_count"].as_u64().unwrap_or_default(), "{id}");
    assert_eq!(usage.output, last["eval_count"].as_u64().unwrap_or_default(), "{id}");
}

#[test]
fn recorded_answers_and_streams_say_what_they_say() {
    let (mut whole, mut streams, mut errors, mut misnamed) = (0, 0, 0, 0);
    for recording in recordings("ollama.chat") {
        let id = recording["id"].as_str().unwrap();
        let body = &recording["response"]["body"];
        if recording["response"]["status"] != 200 {
            let error = translate::read_error(Format::Ollama, 404, &body.to_string());
            assert_eq!(error.class, ErrorClass::NotFound, "{id}");
            assert_eq!(error.message, body["error"].as_str().unwrap(), "{id}");
            errors += 1;
        } else if let Some(text) = body.as_str() {
            let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            for pieces in [1, 13, 1024, usize::MAX] {
                let read = translate::read_stream(Format::Ollama, text.as_bytes().chunks(pieces)).unwrap();
                assert!(read.is_whole(), "{id}");
                compare(id, read.reply(), &lines);
            }
            streams += 1;
        } else if body.get("choices").is_some() {
            // Answers of the compatible side, filed under the wrong name.
            assert!(translate::read_reply(Format::Ollama, body.to_string().as_bytes()).is_err(), "{id}");
            misnamed += 1;
        } else {
            let reply = translate::read_reply(Format::Ollama, body.to_string().as_bytes()).unwrap();
            compare(id, &reply, std::slice::from_ref(body));
            whole += 1;
        }
    }
    println!("{whole} answers, {streams} streams, {errors} errors, {misnamed} of another format");
    assert_eq!((whole, streams, errors, misnamed), (20, 18, 1, 2));
}
