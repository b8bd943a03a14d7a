use breakwater_dialect::eventstream::{Frame, Framer};
use breakwater_dialect::ir::{Accumulator, Block, Reply, StopReason, Usage};
use breakwater_dialect::translate::{Crossing, read_stream};
use breakwater_dialect::{Ending, Format};
use bytes::BytesMut;
use serde_json::Value;

use super::{Answer, caller, recorded};

fn read(stream: &[u8], piece: usize) -> Accumulator {
    read_stream(Format::Converse, stream.chunks(piece)).unwrap()
}

fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut framer = Framer::default();
    framer.push(stream);
    let mut frames = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        frames.push(frame);
    }
    assert!(!framer.holds_rest());
    frames
}

#[test]
fn recorded_streams_say_the_same_in_any_pieces() {
    let (mut streams, mut messages) = (0, 0);
    for call in recorded() {
        let Answer::Stream(bytes) = &call.answer else { continue };
        let whole = read(bytes, bytes.len());
        assert!(whole.is_whole(), "{}", call.file);
        for piece in [1, 13] {
            let pieces = read(bytes, piece);
            assert_eq!(format!("{:?}", pieces.reply()), format!("{:?}", whole.reply()), "{}", call.file);
        }
        let frames = frames(bytes);
        for frame in &frames {
            let payload = std::str::from_utf8(frame.payload()).unwrap();
            assert_eq!(frame.with_payload(payload), frame.bytes, "bug 10: {}", call.file);
        }
        streams += 1;
        messages += frames.len();
        says_what_was_recorded(&frames, whole.reply(), &call.file);
    }
    println!("{streams} streams, {messages} messages");
    assert_eq!((streams, messages), (58, 2483));
}

#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thinking: String,
    signatures: String,
    tools: Vec<String>,
    input: String,
}

/// Compares with a reading of its own: all texts, arguments and numbers put together.
fn says_what_was_recorded(frames: &[Frame], reply: &Reply, file: &str) {
    let mut want = Said::default();
    let (mut own, mut stop, mut usage) = (None, Value::Null, Value::Null);
    for frame in frames {
        let event: Value = serde_json::from_slice(frame.payload()).unwrap();
        let add = |to: &mut String, value: &Value| to.push_str(value.as_str().unwrap_or_default());
        let start = &event["start"]["toolUse"];
        if start.is_object() {
            own = (start["type"] == "server_tool_use").then_some(event["contentBlockIndex"].clone());
            want.tools.extend(own.is_none().then(|| start["name"].as_str().unwrap().to_owned()));
        }
        add(&mut want.text, &event["delta"]["text"]);
        add(&mut want.thinking, &event["delta"]["reasoningContent"]["text"]);
        add(&mut want.signatures, &event["delta"]["reasoningContent"]["signature"]);
        if own.as_ref() != Some(&event["contentBlockIndex"]) {
            add(&mut want.input, &event["delta"]["toolUse"]["input"]);
        }
        match &*frame.kind {
            "messageStop" => stop = event["stopReason"].clone(),
            "metadata" => usage = event["usage"].clone(),
            _ => {}
        }
    }
    let mut got = Said::default();
    for block in &reply.choices[0].blocks {
        match block {
            Block::Text { text, .. } => got.text.push_str(text),
            Block::Thinking { text, signature, .. } => {
                got.thinking.push_str(text);
                got.signatures.push_str(signature.as_deref().unwrap_or_default());
            }
            Block::ToolUse { name, input, .. } => {
                got.tools.push(name.clone());
                got.input.push_str(input);
            }
            Block::Foreign { json, .. } => drop(serde_json::from_str::<Value>(json.get()).unwrap()),
            _ => {}
        }
    }
    assert_eq!(got, want, "{file}");
    let expected = match stop.as_str().unwrap() {
        "max_tokens" => StopReason::Length,
        _ if want.tools.is_empty() => StopReason::End,
        _ => StopReason::ToolUse,
    };
    assert_eq!(reply.choices[0].stop.reason, expected, "bug 11: {file}");
    assert_eq!(reply.usage.unwrap().total(), usage["totalTokens"].as_u64().unwrap(), "bug 17: {file}");
}

/// What an answer says, without the names of calls, and without what a caller does not get.
fn said(reply: &Reply) -> (Vec<String>, StopReason, Option<Usage>) {
    let blocks = reply.choices[0].blocks.iter().filter_map(|block| match block {
        Block::Text { text, .. } => (!text.is_empty()).then(|| format!("text {text}")),
        Block::Foreign { .. } => None,
        Block::Thinking { text, signature, .. } => Some(format!("thinking {text} {signature:?}")),
        Block::ToolUse { name, input, .. } => {
            Some(format!("call {name} {}", if input.is_empty() { "{}" } else { input }))
        }
        other => Some(format!("{other:?}")),
    });
    (blocks.collect(), reply.choices[0].stop.reason, reply.usage)
}

#[test]
fn recorded_streams_survive_being_written() {
    let mut streams = 0;
    for call in recorded() {
        let Answer::Stream(bytes) = &call.answer else { continue };
        let mut crossing = Crossing::new(Format::Converse, Format::Converse, &caller()).unwrap();
        let mut again = BytesMut::new();
        bytes.chunks(100).for_each(|piece| crossing.push(piece, &mut again).unwrap());
        crossing.finish(&mut again);
        assert_eq!(crossing.over(), Some(Ending::Completed), "{}", call.file);
        assert_eq!(said(read(&again, 5).reply()), said(read(bytes, bytes.len()).reply()), "{}", call.file);
        in_order(&frames(&again), &call.file);
        streams += 1;
    }
    println!("{streams} streams written again");
    assert_eq!(streams, 58);
}

/// Checks what Bedrock's streams keep: a start first, blocks one after another from 0, a stop, the usage last.
fn in_order(frames: &[Frame], file: &str) {
    let kinds: Vec<_> = frames.iter().map(|frame| &*frame.kind).collect();
    assert_eq!(kinds.first(), Some(&"messageStart"), "{file}");
    assert_eq!(kinds[kinds.len() - 2..], ["messageStop", "metadata"], "{file}");
    let mut index = 0;
    for frame in &frames[1..frames.len() - 2] {
        let event: Value = serde_json::from_slice(frame.payload()).unwrap();
        assert_eq!(event["contentBlockIndex"], index, "{file}");
        index += u64::from(frame.kind == "contentBlockStop");
    }
}
