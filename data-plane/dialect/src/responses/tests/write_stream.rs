//! Streams, by hand: what strict callers get.

use serde_json::{Value, json};

use super::schema::Schema;
use super::{caller, frames, request};
use crate::ir::{Accumulator, At, Block, Delta, Event, Opening, Stop, StopReason, Usage};
use crate::{Ending, Format, translate};

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
