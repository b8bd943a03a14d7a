//! Streams, by hand: what is read of odd servers.

use serde_json::{Value, json};

use crate::ir::{Accumulator, Block, StopReason};
use crate::{Format, StreamFault, translate};

fn read(events: &[Value]) -> Result<Accumulator, StreamFault> {
    let body: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    translate::read_stream(Format::Responses, body.as_bytes().chunks(3))
}

fn blocks(events: &[Value]) -> Vec<Block> {
    read(events).unwrap().into_reply().choices.remove(0).blocks
}

fn calls(events: &[Value]) -> Vec<(String, String)> {
    let call = |block| match block {
        Block::ToolUse { name, input, .. } => (name, input),
        other => panic!("{other:?}"),
    };
    blocks(events).into_iter().map(call).collect()
}

fn added(index: u32, item: Value) -> Value {
    json!({"type": "response.output_item.added", "output_index": index, "item": item})
}

fn done(index: u32, item: Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": index, "item": item})
}

fn call(name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{name}"), "call_id": format!("call_{name}"), "name": name, "arguments": arguments})
}

fn more(index: u32, delta: &str) -> Value {
    json!({"type": "response.function_call_arguments.delta", "output_index": index, "delta": delta})
}

fn completed(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"status": "completed", "output": output}})
}

#[test]
fn bug_2_arguments_come_in_pieces_or_at_once() {
    let expect = [("f".to_owned(), r#"{"a":1}"#.to_owned())];
    let arguments =
        json!({"type": "response.function_call_arguments.done", "output_index": 0, "arguments": "{\"a\":1}"});
    let whole = call("f", "{\"a\":1}");
    let begin = added(0, call("f", ""));
    for stream in [
        vec![begin.clone(), more(0, "{\"a"), more(0, "\":1}"), completed(json!([]))],
        vec![begin.clone(), arguments.clone(), completed(json!([]))],
        vec![
            begin.clone(),
            more(0, "{\"a"),
            arguments.clone(),
            done(0, whole.clone()),
            completed(json!([whole])),
        ],
        vec![begin.clone(), done(0, whole.clone()), completed(json!([whole]))],
        vec![done(0, whole.clone()), completed(json!([]))],
        vec![more(0, "{\"a\":1}"), done(0, whole.clone()), completed(json!([]))],
        vec![begin.clone(), more(0, "{\"a\":"), completed(json!([whole]))],
        vec![completed(json!([whole]))],
    ] {
        assert_eq!(calls(&stream), expect, "{stream:?}");
        assert_eq!(read(&stream).unwrap().reply().choices[0].stop.reason, StopReason::ToolUse);
    }
}

#[test]
fn bug_13_calls_side_by_side_stay_apart() {
    let expect = [("f".to_owned(), r#"{"a":1}"#.to_owned()), ("g".to_owned(), r#"{"b":2}"#.to_owned())];
    let (f, g) = (call("f", "{\"a\":1}"), call("g", "{\"b\":2}"));
    for stream in [
        // One after the other, as the vendor does.
        vec![
            added(0, call("f", "")),
            more(0, "{\"a\":1}"),
            done(0, f.clone()),
            added(1, call("g", "")),
            more(1, "{\"b\":2}"),
            done(1, g.clone()),
            completed(json!([f, g])),
        ],
        // All ends at the end, as llama.cpp does.
        vec![
            added(0, call("f", "")),
            more(0, "{\"a\":1}"),
            added(1, call("g", "")),
            more(1, "{\"b\":2}"),
            done(0, f.clone()),
            done(1, g.clone()),
            completed(json!([f, g])),
        ],
        // Piece by piece in turn.
        vec![
            added(0, call("f", "")),
            added(1, call("g", "")),
            more(0, "{\"a\""),
            more(1, "{\"b\""),
            more(0, ":1}"),
            more(1, ":2}"),
            done(1, g.clone()),
            done(0, f.clone()),
            completed(json!([f, g])),
        ],
        vec![
            added(0, call("f", "")),
            added(1, call("g", "")),
            more(1, "{\"b\":2}"),
            more(0, "{\"a\":1}"),
            completed(json!([])),
        ],
    ] {
        assert_eq!(calls(&stream), expect, "{stream:?}");
    }
}

#[test]
fn items_without_index_number_or_done_are_read() {
    let stream = [
        json!({"type": "response.created", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.added", "item": {"type": "reasoning", "id": "rs_1", "summary": []}}),
        json!({"type": "response.reasoning_text.delta", "item_id": "rs_1", "delta": "hm"}),
        json!({"type": "response.output_item.added", "item": {"type": "message", "id": "msg_1", "content": []}}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "Hel"}),
        json!({"type": "response.some_new_thing.delta", "item_id": "msg_1", "delta": "?"}),
        json!({"type": "keepalive", "sequence_number": 3}),
        json!({"type": "response.output_text.delta", "item_id": "msg_1", "delta": "lo"}),
        json!({"type": "response.output_item.done", "item": {"type": "reasoning", "id": "rs_1", "summary": [],
            "content": [{"type": "reasoning_text", "text": "hm"}], "encrypted_content": ""}}),
        completed(json!([])),
    ];
    let read = blocks(&stream);
    assert!(matches!(&read[0], Block::Thinking { text, signature: None, .. } if text == "hm"), "{read:?}");
    assert!(matches!(&read[1], Block::Text { text, .. } if text == "Hello"), "{read:?}");
    assert_eq!(read.len(), 2);
}

#[test]
fn bug_4_the_signature_is_the_one_of_the_item_that_is_done() {
    let item = |content: &str| json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": content});
    let stream = [added(0, item("early")), done(0, item("gAA+/=")), completed(json!([item("anew")]))];
    let read = blocks(&stream);
    assert!(
        matches!(read.as_slice(), [Block::Thinking { text, signature: Some(signature), signed_by: Some(Format::Responses), .. }]
            if text.is_empty() && signature == "gAA+/="),
        "{read:?}"
    );
}

#[test]
fn a_part_that_is_counted_wrong_is_given_once() {
    let item = json!({"type": "message", "id": "m", "content": [{"type": "output_text", "text": "Hi"}]});
    let more =
        json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 1, "delta": "Hi"});
    let two = json!({"type": "message", "id": "m", "content": [
        {"type": "output_text", "text": "Hi"}, {"type": "output_text", "text": "there"}]});
    for (last, expect) in [(&item, &["Hi"][..]), (&two, &["Hi", "there"])] {
        let stream = [
            added(0, json!({"type": "message", "id": "m"})),
            more.clone(),
            done(0, last.clone()),
            completed(json!([last])),
        ];
        let read = blocks(&stream);
        let texts: Vec<_> = read
            .iter()
            .map(|block| match block {
                Block::Text { text, .. } => text.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, expect);
    }
}

#[test]
fn errors_in_the_stream_are_errors_in_every_shape() {
    let error = json!({"type": "tokens", "code": "rate_limit_exceeded", "message": "no", "param": null});
    for (event, expect) in [
        (json!({"type": "error", "sequence_number": 2, "error": error}), "rate_limit_exceeded"),
        (json!({"type": "error", "code": "server_error", "message": "no", "param": null}), "server_error"),
        (
            json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded"}}}),
            "rate_limit_exceeded",
        ),
        (json!({"error": {"message": "no", "type": "server_error", "code": null}}), "server_error"),
    ] {
        let fault = read(&[json!({"type": "response.created", "response": {}}), event.clone()]).unwrap_err();
        assert_eq!(fault, StreamFault::Upstream { code: expect.to_owned() }, "{event}");
    }
    assert_eq!(
        translate::read_stream(Format::Responses, [b"data: {oops\n\n".as_slice()]).unwrap_err(),
        StreamFault::Garbage
    );
    // Cut in the middle of an event: no fault, and no end.
    let cut =
        translate::read_stream(Format::Responses, [b"data: {\"type\":\"response.out".as_slice()]).unwrap();
    assert!(!cut.is_whole());
}
