//! Streams, by hand: what is read of odd servers, what strict callers get.

use serde_json::{Value, json};

use super::schema::Schema;
use super::{caller, frames, request};
use crate::ir::{Accumulator, At, Block, Delta, Event, Opening, Stop, StopReason, Usage};
use crate::{Ending, Format, StreamFault, translate};

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

fn at(block: u32) -> At {
    At { choice: 0, block }
}

/// An answer with all that an answer can have.
fn events() -> Vec<Event> {
    let text = |text: &str| Delta::Text(text.to_owned());
    let input = |text: &str| Delta::Input(text.to_owned());
    let tool = |id: &str, signature: Option<&str>, custom| Opening::ToolUse {
        id: id.to_owned(),
        name: format!("tool_{id}"),
        signature: signature.map(str::to_owned),
        custom,
    };
    vec![
        Event::Start,
        Event::Open(at(0), Opening::Thinking { signed_by: Some(Format::Messages), id: String::new() }),
        Event::Delta(at(0), text("let me")),
        Event::Delta(at(0), text(" see")),
        Event::Delta(at(0), Delta::Signature("EqQB".to_owned())),
        Event::Delta(at(0), Delta::Signature("c+/=".to_owned())),
        Event::Close(at(0)),
        Event::Open(
            at(1),
            Opening::RedactedThinking { data: "Em==".to_owned(), signed_by: Some(Format::Messages) },
        ),
        Event::Close(at(1)),
        Event::Open(at(2), Opening::Text),
        Event::Delta(at(2), text("Hello \u{1f600}\"")),
        Event::Delta(
            at(2),
            Delta::Logprobs(r#"[{"token":"a","logprob":-0.5,"top_logprobs":[{"token":"\u00e9","bytes":null,"logprob":-1}]}]"#.to_owned()),
        ),
        Event::Close(at(2)),
        Event::Open(at(3), Opening::Text),
        Event::Delta(at(3), text("world")),
        Event::Delta(at(3), Delta::Signature("sig/text".to_owned())),
        Event::Close(at(3)),
        Event::Open(at(4), tool("1", Some("sig/call"), false)),
        Event::Delta(at(4), input("{\"a\"")),
        Event::Delta(at(4), input(":1}")),
        Event::Close(at(4)),
        Event::Open(at(5), tool("2", None, false)),
        Event::Close(at(5)),
        Event::Open(at(6), tool("3", None, true)),
        Event::Delta(at(6), input("x = 1")),
        Event::Close(at(6)),
        Event::Open(at(7), Opening::Refusal),
        Event::Delta(at(7), text("no")),
        Event::Close(at(7)),
        Event::Stop(0, Stop { reason: StopReason::ToolUse, ..Stop::default() }),
        Event::Usage(Usage {
            input: 5,
            cache_read: 3,
            cache_write: 2,
            output: 7,
            reasoning: 4,
            ..Usage::default()
        }),
        Event::End,
    ]
}

fn asked() -> Value {
    json!({"model": "m", "instructions": "be brief", "input": "hi", "temperature": 0.25, "max_output_tokens": 77,
        "tools": [{"type": "function", "name": "tool_1", "parameters": {"type": "object"}, "strict": true},
            {"type": "custom", "name": "tool_3"}],
        "tool_choice": {"type": "custom", "name": "tool_3"}, "metadata": {"k": "v"},
        "text": {"format": {"type": "json_object"}}, "reasoning": {"effort": "low"}})
}

#[test]
fn bug_22_every_event_has_its_number_and_places_and_the_last_has_all() {
    let caller = caller(request(&asked()));
    let events = events();
    let frames = frames(&caller, &events, None);
    let schema = Schema::load("openai-responses-stream-event.schema.json");
    let mut items: Vec<Value> = Vec::new();
    for (index, (kind, frame)) in frames.iter().enumerate() {
        assert_eq!(schema.offence(frame), None, "{frame}");
        assert_eq!(frame["sequence_number"], index);
        match kind.as_str() {
            "response.output_item.added" => {
                assert_eq!(frame["output_index"], items.len());
                items.push(frame["item"].clone());
            }
            "response.output_item.done" => {
                assert_eq!(frame["output_index"], items.len() - 1);
                assert_eq!(frame["item"]["id"], items.last().unwrap()["id"]);
                *items.last_mut().unwrap() = frame["item"].clone();
            }
            _ if frame.get("item_id").is_some() => {
                assert_eq!(frame["item_id"], items.last().unwrap()["id"], "{frame}");
                assert_eq!(frame["output_index"], items.len() - 1);
            }
            _ => assert!(frame["response"]["text"]["format"]["type"] == "json_object", "{frame}"),
        }
    }
    let kinds: Vec<_> = frames.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds[..3], ["response.created", "response.in_progress", "response.output_item.added"]);
    assert_eq!(kinds.last(), Some(&"response.completed"));
    whole_answer(&frames.last().unwrap().1["response"], &items);
}

fn whole_answer(response: &Value, items: &[Value]) {
    assert_eq!(response["output"], json!(items));
    assert_eq!(
        response["usage"],
        json!({"input_tokens": 10, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 17})
    );
    for (member, expect) in [
        ("id", json!("resp_0AbC")),
        ("model", json!("fast")),
        ("instructions", json!("be brief")),
        ("temperature", json!(0.25)),
        ("top_p", json!(1.0)),
        ("max_output_tokens", json!(77)),
        ("tool_choice", json!({"type": "custom", "name": "tool_3"})),
        ("metadata", json!({"k": "v"})),
        ("reasoning", json!({"effort": "low", "summary": null})),
        ("status", json!("completed")),
        ("parallel_tool_calls", json!(true)),
        ("incomplete_details", Value::Null),
        ("error", Value::Null),
    ] {
        assert_eq!(response[member], expect, "{member}");
    }
    assert_eq!(response["tools"][0], asked()["tools"][0]);
    let types: Vec<_> = items.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        [
            "reasoning",
            "reasoning",
            "message",
            "reasoning",
            "reasoning",
            "function_call",
            "function_call",
            "custom_tool_call",
            "message"
        ]
    );
    assert_eq!(items[2]["content"][0]["text"], "Hello \u{1f600}\"");
    assert_eq!(items[2]["content"][1]["text"], "world");
    assert_eq!(
        items[2]["content"][0]["logprobs"],
        json!([{"token": "a", "bytes": [97], "logprob": -0.5,
            "top_logprobs": [{"token": "\u{e9}", "bytes": [195, 169], "logprob": -1}]}])
    );
    assert_eq!(items[6]["arguments"], "{}");
}

#[test]
fn a_stream_and_the_same_answer_whole_say_the_same() {
    let caller = caller(request(&asked()));
    let events = events();
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    let streamed = frames(&caller, &events, None).pop().unwrap().1["response"].take();
    let written: Value =
        serde_json::from_str(&translate::write_reply(Format::Responses, whole.reply(), &caller)).unwrap();
    assert_eq!(written, streamed);
    let schema = Schema::load("openai-responses-response.schema.json");
    assert_eq!(schema.offence(&written), None);
}

#[test]
fn bug_4_and_5_signatures_come_back_as_they_went() {
    let caller = caller(request(&asked()));
    let output = frames(&caller, &events(), None).pop().unwrap().1["response"]["output"].take();
    let turns = request(&json!({"model": "m", "input": output})).turns;
    assert_eq!(turns.len(), 1);
    let [thinking, redacted, hello, world, call, empty, custom, refusal] = turns[0].blocks.as_slice() else {
        panic!("{:#?}", turns[0])
    };
    assert!(
        matches!(thinking, Block::Thinking { text, signature: Some(signature), signed_by: Some(Format::Messages), .. }
        if text == "let me see" && signature == "EqQBc+/=")
    );
    assert!(
        matches!(redacted, Block::RedactedThinking { data, signed_by: Some(Format::Messages) } if data == "Em==")
    );
    assert!(matches!(hello, Block::Text { signature: None, .. }));
    assert!(
        matches!(world, Block::Text { text, signature: Some(signature), .. } if text == "world" && signature == "sig/text")
    );
    assert!(matches!(call, Block::ToolUse { signature: Some(signature), .. } if signature == "sig/call"));
    assert!(matches!(empty, Block::ToolUse { signature: None, input, .. } if input == "{}"));
    assert!(matches!(custom, Block::ToolUse { custom: true, .. }));
    assert!(matches!(refusal, Block::Refusal { text } if text == "no"));
}

#[test]
fn an_answer_says_how_it_ended() {
    let caller = caller(request(&json!({"input": "hi"})));
    let end = |reason, native: bool| {
        let mut events = events();
        events.truncate(if native { 17 } else { 29 });
        events.push(Event::Stop(0, Stop { reason, ..Stop::default() }));
        frames(&caller, &events, None).pop().unwrap()
    };
    for (reason, kind, detail) in [
        (StopReason::End, "response.completed", Value::Null),
        (StopReason::Sequence, "response.completed", Value::Null),
        (StopReason::Length, "response.incomplete", json!({"reason": "max_output_tokens"})),
        (StopReason::ContextWindow, "response.incomplete", json!({"reason": "max_output_tokens"})),
        (StopReason::Filtered, "response.incomplete", json!({"reason": "content_filter"})),
        (StopReason::Failed, "response.failed", Value::Null),
    ] {
        let (got, frame) = end(reason, true);
        assert_eq!((got.as_str(), &frame["response"]["incomplete_details"]), (kind, &detail), "{reason:?}");
    }
    // A model that says no has said all.
    assert_eq!(end(StopReason::Filtered, false).0, "response.completed");
}

#[test]
fn an_answer_that_broke_off_never_ends_well() {
    let caller = caller(request(&json!({"input": "hi"})));
    let schema = Schema::load("openai-responses-stream-event.schema.json");
    for (ending, code) in [(Ending::Cut, "upstream_cut"), (Ending::UpstreamError, "upstream_error")] {
        for events in [&events()[..11], &[]] {
            let mut frames = frames(&caller, events, Some(ending));
            let (kind, failed) = frames.pop().unwrap();
            assert_eq!((kind.as_str(), &failed["response"]["status"]), ("response.failed", &json!("failed")));
            let (kind, error) = frames.pop().unwrap();
            assert_eq!(
                (kind.as_str(), &error["error"]["code"], &error["code"]),
                ("error", &json!(code), &json!(code))
            );
            assert_eq!(schema.offence(&failed), None);
            assert_eq!(schema.offence(&error), None);
            assert_eq!(frames[0].0, "response.created");
        }
    }
    let (kind, blocked) = frames(&caller, &events()[..11], Some(Ending::Blocked)).pop().unwrap();
    assert_eq!(kind, "response.incomplete");
    assert_eq!(blocked["response"]["incomplete_details"]["reason"], "content_filter");
}
