use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::ir::{Request, StopReason};
use crate::{Format, chat, translate};

fn caller(include_usage: bool) -> Caller {
    Caller {
        alias: "fast\"1".into(),
        id: "abc123".into(),
        created: 7,
        include_usage,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(Request::default()),
    }
}

fn at(block: u32) -> At {
    At { choice: 0, block }
}

fn stop(reason: StopReason) -> Event {
    Event::Stop(0, Stop { reason, ..Stop::default() })
}

fn write(events: &[Event], caller: &Caller) -> String {
    let mut writer = Writer::new(caller);
    let mut out = BytesMut::new();
    events.iter().for_each(|event| writer.write(event, &mut out));
    writer.complete(&mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

fn chunks(body: &str) -> Vec<Value> {
    let frames: Vec<&str> = body.split_terminator("\n\n").collect();
    assert_eq!(frames.last(), Some(&"data: [DONE]"), "{body}");
    let frames = &frames[..frames.len() - 1];
    frames.iter().map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

fn deltas(chunks: &[Value]) -> Vec<Value> {
    chunks.iter().filter_map(|chunk| chunk.pointer("/choices/0/delta").cloned()).collect()
}

fn thinking() -> Vec<Event> {
    vec![
        Event::Open(at(0), Opening::Thinking { signed_by: Some(Format::Messages), id: String::new() }),
        Event::Delta(at(0), Delta::Text("hm ".into())),
        Event::Delta(at(0), Delta::Text("hm".into())),
        Event::Delta(at(0), Delta::Signature("S/".into())),
        Event::Delta(at(0), Delta::Signature("+==".into())),
        Event::Close(at(0)),
    ]
}

fn tool(id: &str) -> Opening {
    Opening::ToolUse { id: id.into(), name: "f".into(), signature: None, custom: false }
}

#[test]
fn bug_15_the_role_comes_first_and_all_text_after_it() {
    let events = [
        Event::Start,
        Event::Open(at(0), Opening::Text),
        Event::Delta(at(0), Delta::Text("a\n\"\\\u{1}ü".into())),
        Event::Close(at(0)),
        stop(StopReason::End),
        Event::Usage(Usage { input: 3, output: 2, ..Usage::default() }),
    ];
    let silent = chunks(&write(&events, &caller(false)));
    assert_eq!(
        deltas(&silent),
        [
            json!({"role": "assistant", "content": "", "refusal": null}),
            json!({"content": "a\n\"\\\u{1}ü"}),
            json!({})
        ]
    );
    assert!(silent.iter().all(|chunk| chunk.get("usage").is_none()), "usage was not asked for");
    let last = &silent[2];
    assert_eq!(
        (&last["id"], &last["model"], &last["created"]),
        (&json!("chatcmpl-abc123"), &json!("fast\"1"), &json!(7))
    );
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    let asked = chunks(&write(&events, &caller(true)));
    assert_eq!(asked.len(), 4);
    assert!(asked[..3].iter().all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some()));
    assert_eq!(
        (asked[3]["choices"].clone(), asked[3]["usage"]["total_tokens"].clone()),
        (json!([]), json!(5))
    );
}

#[test]
fn bug_13_and_25_calls_have_their_own_index_and_their_name_once() {
    let events = [
        Event::Open(at(0), tool("toolu_1")),
        Event::Delta(at(0), Delta::Input("{\"x\"".into())),
        Event::Delta(at(0), Delta::Input(":1}".into())),
        Event::Close(at(0)),
        Event::Open(at(1), tool("toolu_2")),
        Event::Close(at(1)),
        stop(StopReason::ToolUse),
    ];
    let chunks = chunks(&write(&events, &caller(false)));
    let deltas = deltas(&chunks);
    let (one, two) = (call_id("toolu_1"), call_id("toolu_2"));
    assert_eq!(
        deltas,
        [
            json!({"role": "assistant", "content": null, "refusal": null}),
            json!({"tool_calls": [{"index": 0, "id": one, "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"x\""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
            json!({"tool_calls": [{"index": 1, "id": two, "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}),
            json!({})
        ]
    );
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn bug_4_thinking_goes_out_with_its_seal_whole() {
    let mut events = thinking();
    events.push(Event::Open(
        at(1),
        Opening::RedactedThinking { data: "R==".into(), signed_by: Some(Format::Messages) },
    ));
    events.push(Event::Close(at(1)));
    events.push(stop(StopReason::End));
    assert_eq!(
        deltas(&chunks(&write(&events, &caller(false)))),
        [
            json!({"role": "assistant", "content": "", "refusal": null}),
            json!({"reasoning_content": "hm ", "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm "}]}),
            json!({"reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "hm"}]}),
            json!({"reasoning_details": [{"type": "reasoning.text", "signature": "S/+==", "format": "bwseal.f", "index": 0}]}),
            json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "R==", "format": "bwseal.f", "index": 1}]}),
            json!({})
        ]
    );
}

#[test]
fn bug_5_geminis_signature_stands_on_the_call() {
    let opening =
        Opening::ToolUse { id: "1".into(), name: "f".into(), signature: Some("S".into()), custom: false };
    let events = [
        Event::Open(at(0), opening),
        Event::Delta(at(0), Delta::Input("{}".into())),
        Event::Close(at(0)),
        stop(StopReason::ToolUse),
    ];
    let deltas = deltas(&chunks(&write(&events, &caller(false))));
    assert_eq!(deltas[1]["tool_calls"][0]["extra_content"]["breakwater"]["signature"], "bwseal.z1..S");
}

#[test]
fn a_caller_of_functions_gets_a_function_call() {
    let request = Request { legacy_functions: true, ..Request::default() };
    let caller = Caller { request: Arc::new(request), ..caller(false) };
    let events = [
        Event::Open(at(0), tool("1")),
        Event::Delta(at(0), Delta::Input("{}".into())),
        Event::Close(at(0)),
        stop(StopReason::ToolUse),
    ];
    let chunks = chunks(&write(&events, &caller));
    let deltas = deltas(&chunks);
    assert_eq!(deltas[1], json!({"function_call": {"name": "f", "arguments": ""}}));
    assert_eq!(deltas[2], json!({"function_call": {"arguments": "{}"}}));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "function_call");
    let whole = translate::read_stream(Format::Chat, [write(&events, &caller).as_bytes()]).unwrap();
    let reply: Value = serde_json::from_str(&chat::write_reply(whole.reply(), &caller)).unwrap();
    assert_eq!(reply["choices"][0]["message"]["function_call"], json!({"name": "f", "arguments": "{}"}));
    assert_eq!(reply["choices"][0]["finish_reason"], "function_call");
}

#[test]
fn what_fails_never_ends_well() {
    let mut writer = Writer::new(&caller(true));
    let mut out = BytesMut::new();
    writer.write(&Event::Open(at(0), Opening::Text), &mut out);
    writer.fail(Ending::Cut, &mut out);
    let body = String::from_utf8(out.to_vec()).unwrap();
    assert!(body.ends_with("\"code\":\"upstream_cut\"}}\n\n") && !body.contains("[DONE]"), "{body}");
    let events = [Event::Open(at(0), Opening::Text), Event::Close(at(0)), stop(StopReason::Failed)];
    assert!(!write(&events, &caller(true)).contains("[DONE]"));
}

#[test]
fn what_was_written_is_read_again() {
    let mut events = thinking();
    events.extend([
        Event::Open(at(1), Opening::Text),
        Event::Delta(at(1), Delta::Text("x".into())),
        Event::Close(at(1)),
        Event::Open(at(2), tool("1")),
        Event::Delta(at(2), Delta::Input("{}".into())),
        Event::Close(at(2)),
        stop(StopReason::ToolUse),
        Event::Usage(Usage { input: 3, output: 2, ..Usage::default() }),
    ]);
    let whole = translate::read_stream(Format::Chat, [write(&events, &caller(true)).as_bytes()]).unwrap();
    assert!(whole.is_whole());
    assert_eq!(whole.reply().choices[0].blocks.len(), 3, "{:?}", whole.reply());
    let again = chat::read_reply(&chat::write_reply(whole.reply(), &caller(true))).unwrap();
    assert_eq!(again.choices[0].stop, whole.reply().choices[0].stop);
    assert_eq!(again.usage, whole.reply().usage);
    assert_eq!(again.choices[0].blocks.len(), 3, "{again:?}");
}
