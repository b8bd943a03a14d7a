use bytes::BytesMut;
use serde_json::{Value, json};

use super::caller;
use crate::codec::StreamWriter;
use crate::ir::{At, Block, Delta, Event, Opening, Stop, StopReason, Usage};
use crate::messages::write_stream::Writer;
use crate::translate::{Crossing, read_stream};
use crate::{Ending, Format, StreamFault};

fn sse(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}   \n\n", event["type"].as_str().unwrap()))
        .collect()
}

fn read(events: &[Value]) -> Result<crate::ir::Reply, StreamFault> {
    let text = sse(events);
    read_stream(Format::Messages, text.as_bytes().chunks(1)).map(crate::ir::Accumulator::into_reply)
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}})
}

fn block(index: u32, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u32, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop(index: u32) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    let usage = json!({"output_tokens": 9});
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": usage}),
        json!({"type": "message_stop"}),
    ]
}

fn stream(middle: &[Value], reason: &str) -> Vec<Value> {
    [start()].into_iter().chain(middle.iter().cloned()).chain(end(reason)).collect()
}

fn text(piece: &str) -> Value {
    json!({"type": "text_delta", "text": piece})
}

#[test]
fn bug_3_thinking_never_stands_in_a_text_and_a_second_start_is_none() {
    let empty = json!({"type": "text", "text": ""});
    let events = stream(
        &[
            start(),
            block(0, &empty),
            delta(0, &text("a")),
            delta(0, &json!({"type": "thinking_delta", "thinking": "b"})),
            delta(0, &json!({"type": "signature_delta", "signature": "s"})),
            delta(0, &text("c")),
            delta(0, &json!({"type": "dream_delta", "dream": 1})),
            stop(0),
        ],
        "end_turn",
    );
    let blocks = &read(&events).unwrap().choices[0].blocks;
    assert_eq!(blocks.len(), 3);
    assert!(matches!(&blocks[0], Block::Text { text, .. } if text == "a"));
    assert!(
        matches!(&blocks[1], Block::Thinking { text, signature: Some(it), .. } if text == "b" && it == "s")
    );
    assert!(matches!(&blocks[2], Block::Text { text, .. } if text == "c"));
}

#[test]
fn bug_2_and_25_arguments_are_whole_wherever_they_stand() {
    let tool = |input: Value| json!({"type": "tool_use", "id": "toolu_1", "name": "look", "input": input});
    let piece = |json: &str| json!({"type": "input_json_delta", "partial_json": json});
    let events = stream(
        &[
            block(0, &tool(json!({}))),
            delta(0, &piece("")),
            delta(0, &piece("{\"a\": ")),
            delta(0, &piece("1.0}")),
            stop(0),
            block(1, &tool(json!({"location": "Boston"}))),
            stop(1),
            block(2, &tool(json!({}))),
            delta(2, &piece("")),
            stop(2),
            block(3, &json!({"type": "tool_use", "id": "x", "name": "look"})),
            stop(3),
        ],
        "end_turn",
    );
    let reply = read(&events).unwrap();
    let inputs: Vec<_> = reply.choices[0]
        .blocks
        .iter()
        .map(|block| if let Block::ToolUse { input, .. } = block { input.as_str() } else { "" })
        .collect();
    assert_eq!(inputs, ["{\"a\": 1.0}", r#"{"location":"Boston"}"#, "{}", "{}"]);
    // Bug 11: the provider says that it ended, but it calls.
    assert_eq!(reply.choices[0].stop.reason, StopReason::ToolUse);
}

#[test]
fn bug_4_blocks_that_are_only_a_signature_or_a_secret_stay_apart() {
    let empty = json!({"type": "thinking", "thinking": "", "signature": ""});
    let events = stream(
        &[
            block(0, &empty),
            delta(0, &json!({"type": "signature_delta", "signature": "EqEk+/=="})),
            stop(0),
            block(1, &json!({"type": "redacted_thinking", "data": "r1"})),
            stop(1),
            block(2, &json!({"type": "redacted_thinking", "data": "r2"})),
            stop(2),
        ],
        "end_turn",
    );
    let blocks = &read(&events).unwrap().choices[0].blocks;
    assert_eq!(blocks.len(), 3);
    assert!(
        matches!(&blocks[0], Block::Thinking { text, signature: Some(it), signed_by: Some(Format::Messages), .. }
        if text.is_empty() && it == "EqEk+/==")
    );
    assert!(matches!(&blocks[1], Block::RedactedThinking { data, .. } if data == "r1"));
    assert!(matches!(&blocks[2], Block::RedactedThinking { data, .. } if data == "r2"));
}

#[test]
fn bug_17_the_last_word_on_usage_counts_and_nothing_is_added_up() {
    let start = json!({"type": "message_start", "message": {"usage": {
        "input_tokens": 7, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 2, "output_tokens": 1,
        "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3},
    }}});
    let middle = json!({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}});
    let last = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {
        "input_tokens": 8, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 3},
    }});
    let usage = read(&[start, middle, last, json!({"type": "message_stop"})]).unwrap().usage;
    let expected = Usage {
        input: 8,
        cache_read: 2,
        cache_write: 4,
        cache_write_1h: 3,
        output: 9,
        reasoning: 3,
        ..Usage::default()
    };
    assert_eq!(usage, Some(expected));
}

#[test]
fn bug_9_an_error_event_is_a_fault() {
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    assert_eq!(
        read(&[start(), error]).unwrap_err(),
        StreamFault::Upstream { code: "overloaded_error".to_owned() }
    );
    let garbage = b"event: message_start\ndata: {\n\n";
    assert_eq!(read_stream(Format::Messages, [garbage.as_slice()]).unwrap_err(), StreamFault::Garbage);
}

#[test]
fn blocks_of_the_format_alone_come_whole() {
    let events = stream(
        &[
            block(0, &json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}})),
            delta(0, &json!({"type": "input_json_delta", "partial_json": "{\"query\":\"x\"}"})),
            stop(0),
            block(1, &json!({"type": "compaction", "content": null})),
            delta(1, &json!({"type": "compaction_delta", "content": "short"})),
            stop(1),
            json!({"type": "dream"}),
        ],
        "pause_turn",
    );
    let reply = read(&events).unwrap();
    let sources: Vec<Value> = reply.choices[0]
        .blocks
        .iter()
        .map(|block| if let Block::Foreign { json, .. } = block { json.get() } else { "null" })
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
    let search = json!({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}});
    assert_eq!(sources, [search, json!({"type": "compaction", "content": "short"})]);
    assert_eq!(reply.choices[0].stop.reason, StopReason::Paused);
}

#[test]
fn a_stream_that_breaks_off_has_no_stop() {
    let text = sse(&[start(), block(0, &json!({"type": "text", "text": ""})), delta(0, &text("hal"))]);
    let whole = read_stream(Format::Messages, [text.as_bytes()]).unwrap();
    assert!(!whole.is_whole());
    let mut crossing = Crossing::new(Format::Messages, Format::Messages, &caller()).unwrap();
    let mut out = BytesMut::new();
    crossing.push(text.as_bytes(), &mut out).unwrap();
    crossing.finish(&mut out);
    assert_eq!(crossing.over(), Some(Ending::Cut));
    let out = String::from_utf8(out.to_vec()).unwrap();
    assert!(
        out.ends_with("\n\n") && out.contains("event: error\n") && out.contains("\"api_error\""),
        "{out}"
    );
    assert!(!out.contains("message_stop"));
}

fn at(block: u32) -> At {
    At { choice: 0, block }
}

fn piece(block: u32, delta: impl Into<String>) -> Event {
    Event::Delta(at(block), Delta::Text(delta.into()))
}

fn written(events: &[Event], ending: Option<Ending>) -> Vec<Value> {
    let mut writer = Writer::new(&caller());
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    match ending {
        None => writer.complete(&mut out),
        Some(ending) => writer.fail(ending, &mut out),
    }
    let out = String::from_utf8(out.to_vec()).unwrap();
    out.split_terminator("\n\n")
        .map(|frame| {
            let (event, data) = frame.split_once("\ndata: ").unwrap();
            let data: Value = serde_json::from_str(data).unwrap();
            assert_eq!(event, format!("event: {}", data["type"].as_str().unwrap()));
            data
        })
        .collect()
}

#[test]
fn bug_2_3_14_and_15_blocks_follow_one_another_and_lose_nothing() {
    let tool = |signature: Option<&str>| Opening::ToolUse {
        id: "call_1".to_owned(),
        name: "look".to_owned(),
        signature: signature.map(str::to_owned),
        custom: false,
    };
    let thinking = Opening::Thinking { signed_by: Some(Format::Gemini), id: String::new() };
    let frames = written(
        &[
            Event::Start,
            Event::Usage(Usage { input: 3, output: 1, ..Usage::default() }),
            Event::Open(at(0), thinking),
            piece(0, "hm"),
            Event::Delta(at(0), Delta::Signature("s1".to_owned())),
            Event::Delta(at(0), Delta::Signature("s2".to_owned())),
            Event::Close(at(0)),
            Event::Open(at(1), Opening::Text),
            piece(1, ""),
            Event::Close(at(1)),
            Event::Open(at(2), Opening::Text),
            piece(2, "first "),
            piece(2, ""),
            piece(2, "word"),
            Event::Close(at(2)),
            Event::Open(at(3), tool(Some("g"))),
            Event::Delta(at(3), Delta::Input("{\"a\":".to_owned())),
            Event::Delta(at(3), Delta::Input("1}".to_owned())),
            Event::Close(at(3)),
            Event::Open(at(4), tool(None)),
            Event::Close(at(4)),
            Event::Stop(0, Stop { reason: StopReason::End, ..Stop::default() }),
            Event::Usage(Usage { input: 5, cache_read: 2, output: 9, ..Usage::default() }),
            Event::End,
        ],
        None,
    );
    let id = frames[12]["content_block"]["id"].as_str().unwrap().to_owned();
    let start = |index: u32, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let empty = json!({"type": "thinking", "thinking": "", "signature": ""});
    let call = json!({"type": "tool_use", "id": id, "name": "look", "input": {}});
    let expected = [
        start(0, empty.clone()),
        delta(0, &json!({"type": "thinking_delta", "thinking": "hm"})),
        delta(0, &json!({"type": "signature_delta", "signature": "bwseal.z1..s1s2"})),
        stop(0),
        start(1, json!({"type": "text", "text": ""})),
        delta(1, &text("first ")),
        delta(1, &text("word")),
        stop(1),
        start(2, empty),
        delta(2, &json!({"type": "signature_delta", "signature": "bwseal.z3..g"})),
        stop(2),
        start(3, call.clone()),
        delta(3, &json!({"type": "input_json_delta", "partial_json": "{\"a\":"})),
        delta(3, &json!({"type": "input_json_delta", "partial_json": "1}"})),
        stop(3),
        start(4, call),
        stop(4),
    ];
    assert_eq!(frames[0]["message"]["usage"]["input_tokens"], 3);
    assert_eq!(frames[0]["message"]["usage"]["output_tokens"], 0);
    assert_eq!(frames[1..frames.len() - 2], expected);
    let last = json!({
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": null, "stop_details": null},
        "usage": {"input_tokens": 5, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2, "output_tokens": 9},
    });
    assert_eq!(frames[frames.len() - 2], last);
    assert_eq!(frames[frames.len() - 1], json!({"type": "message_stop"}));
}

#[test]
fn the_text_of_a_custom_tool_becomes_an_object() {
    let opening =
        Opening::ToolUse { id: "c".to_owned(), name: "run".to_owned(), signature: None, custom: true };
    let piece = |text: &str| Event::Delta(at(0), Delta::Input(text.to_owned()));
    let frames = written(
        &[Event::Start, Event::Open(at(0), opening), piece("print(\""), piece("hi\")"), Event::Close(at(0))],
        None,
    );
    let input: String = frames.iter().filter_map(|frame| frame["delta"]["partial_json"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&input).unwrap(), json!({"input": "print(\"hi\")"}));
}

#[test]
fn a_failure_is_an_error_event_and_a_block_of_a_guardrail_is_a_refusal() {
    let begun = [Event::Start, Event::Open(at(0), Opening::Text), piece(0, "hi")];
    let failed = written(&begun, Some(Ending::UpstreamError));
    assert_eq!(failed.last().unwrap()["error"]["type"], "overloaded_error");
    let blocked = written(&begun, Some(Ending::Blocked));
    assert_eq!(blocked[3], json!({"type": "content_block_stop", "index": 0}));
    assert_eq!(blocked[4]["delta"]["stop_reason"], "refusal");
    assert_eq!(blocked[5]["type"], "message_stop");
    // Nothing at all is a whole message, too.
    let kinds: Vec<_> = written(&[Event::Start], None).iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["message_start", "message_delta", "message_stop"]);
    let refusal = written(&[Event::Open(at(0), Opening::Refusal), piece(0, "no"), Event::Close(at(0))], None);
    assert_eq!(refusal[4]["delta"]["stop_details"]["explanation"], "no");
}
