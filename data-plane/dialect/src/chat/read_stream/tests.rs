#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at one kind of block")]

use super::*;
use crate::codec::Garbage;
use crate::ir::{Accumulator, Block, Reply, Stop, StopReason};
use crate::{Format, chat, translate};

/// Reads a stream in pieces of every size and demands the same each time.
fn read(body: &str) -> Result<Accumulator, StreamFault> {
    let once = translate::read_stream(Format::Chat, [body.as_bytes()]);
    for size in [1, 2, 3, 7, 61] {
        let again = translate::read_stream(Format::Chat, body.as_bytes().chunks(size));
        assert_eq!(format!("{once:?}"), format!("{again:?}"), "in pieces of {size}");
    }
    once
}

fn events(body: &str) -> Vec<Event> {
    let mut reader = Reader::default();
    let mut events = Vec::new();
    reader.push(body.as_bytes(), &mut events).expect("a stream");
    reader.finish(&mut events).expect("an end");
    events
}

/// A stream of chunks with one choice each: `(delta, finish_reason)` in source.
fn stream(chunks: &[(&str, &str)]) -> String {
    let mut body = String::new();
    for (delta, finish) in chunks {
        body += &format!(
            "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        );
    }
    body + "data: [DONE]\n\n"
}

/// `(id, name, arguments)` of the calls.
fn calls(reply: &Reply) -> Vec<(String, String, String)> {
    let blocks = reply.choices.iter().flat_map(|choice| &choice.blocks);
    blocks
        .filter_map(|block| match block {
            Block::ToolUse { id, name, input, .. } => Some((id.clone(), name.clone(), input.clone())),
            _ => None,
        })
        .collect()
}

fn text(reply: &Reply) -> String {
    let blocks = reply.choices.iter().flat_map(|choice| &choice.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn thinking(reply: &Reply) -> Vec<(String, Option<String>)> {
    let blocks = reply.choices.iter().flat_map(|choice| &choice.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Thinking { text, signature, .. } => Some((text.clone(), signature.clone())),
            _ => None,
        })
        .collect()
}

fn stop(reply: &Reply) -> &Stop {
    &reply.choices[0].stop
}

#[test]
fn bug_16_azures_first_chunk_has_no_choice() {
    let first = r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#;
    let rest = stream(&[
        (r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        (r#"{"content":"hi"}"#, "null"),
        ("{}", r#""stop""#),
    ]);
    let read = read(&format!("{first}\n\n{rest}")).unwrap();
    assert!(read.is_whole());
    assert_eq!(text(read.reply()), "hi");
    assert_eq!(stop(read.reply()).reason, StopReason::End);
}

#[test]
fn usage_comes_alone_or_with_the_last_choice() {
    let usage = r#""usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}"#;
    let with = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"stop\"}}],{usage}}}\n\ndata: [DONE]\n\n"
    );
    let alone = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"stop\"}}]}}\n\ndata: {{\"choices\":[],{usage}}}\n\ndata: [DONE]\n\n"
    );
    let groq = with.replace(usage, &format!("\"x_groq\":{{\"id\":\"r\",{usage}}}"));
    for body in [with, alone, groq] {
        let usage = read(&body).unwrap().reply().usage.unwrap();
        assert_eq!((usage.prompt(), usage.output), (3, 2), "{body}");
    }
}

#[test]
fn a_finish_reason_that_is_said_twice_stops_once() {
    let body = stream(&[
        (r#"{"content":"a"}"#, "null"),
        (r#"{"content":""}"#, r#""length""#),
        (r#"{"content":""}"#, r#""length""#),
        (r#"{"content":""}"#, "null"),
    ]);
    let events = events(&body);
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Stop(..))).count(), 1);
    assert_eq!(events.last(), Some(&Event::End));
    assert_eq!(stop(read(&body).unwrap().reply()).reason, StopReason::Length);
}

#[test]
fn bug_29_comments_and_crlf_and_a_missing_marker_are_met() {
    let body = stream(&[(r#"{"content":"Grüße"}"#, "null"), ("{}", r#""stop""#)]);
    let body = format!(": OPENROUTER PROCESSING\n\n{}", body.replace("data: [DONE]\n\n", ""));
    for body in [body.clone(), body.replace('\n', "\r\n"), body.replace("\n\n", "\n\n: x\n\n")] {
        let read = read(&body).unwrap();
        assert!(read.is_whole(), "{body}");
        assert_eq!(text(read.reply()), "Grüße");
    }
}

#[test]
fn a_cut_stream_has_no_stop() {
    let whole = stream(&[(r#"{"content":"abc"}"#, "null"), (r#"{"content":"def"}"#, r#""stop""#)]);
    for cut in 0..whole.len() {
        let Some(body) = whole.get(..cut) else { continue };
        let read = translate::read_stream(Format::Chat, [body.as_bytes()]).unwrap();
        assert_eq!(read.is_whole(), body.contains(r#""stop"}]}"#), "{body}");
    }
    let silent = stream(&[(r#"{"content":"abc"}"#, "null")]);
    assert!(!read(&silent).unwrap().is_whole(), "the marker alone is no end where the vendor says ends");
}

#[test]
fn snowflake_never_says_that_it_finished() {
    let body = stream(&[(r#"{"content":"4","refusal":"","tool_calls":null}"#, "null")])
        .replace(r#","finish_reason":null"#, "");
    let read = read(&body).unwrap();
    assert!(read.is_whole());
    assert_eq!((text(read.reply()).as_str(), stop(read.reply()).reason), ("4", StopReason::End));
}

#[test]
fn bug_2_and_25_arguments_come_at_once_or_in_pieces_or_not_at_all() {
    let open = |arguments: &str| {
        format!(
            r#"{{"tool_calls":[{{"index":0,"id":"a1","type":"function","function":{{"name":"f","arguments":{arguments}}}}}]}}"#
        )
    };
    let more = |arguments: &str| {
        format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{arguments}}}}}]}}"#)
    };
    let finish = ("{}", r#""tool_calls""#);
    let whole = open(r#""{\"a\":1}""#);
    let (empty, first, second) = (open(r#""""#), more(r#""{\"a\"""#), more(r#"":1}""#));
    let null = open("null");
    let object = open(r#"{"a":1}"#);
    for (chunks, arguments) in [
        (vec![(whole.as_str(), "null"), finish], r#"{"a":1}"#),
        (vec![(&empty, "null"), (&first, "null"), (&second, "null"), finish], r#"{"a":1}"#),
        (vec![(&null, "null"), (&first, "null"), (&second, "null"), finish], r#"{"a":1}"#),
        (vec![(&object, "null"), finish], r#"{"a":1}"#),
        (vec![(&empty, "null"), finish], ""),
    ] {
        let read = read(&stream(&chunks)).unwrap();
        assert_eq!(calls(read.reply()), [("a1".into(), "f".into(), arguments.into())]);
        assert_eq!(stop(read.reply()).reason, StopReason::ToolUse);
    }
}

#[test]
fn bug_14_empty_pieces_between_fragments_end_nothing() {
    let body = stream(&[
        (
            r#"{"content":null,"tool_calls":[{"index":0,"id":"a1","type":"function","function":{"name":"f","arguments":""}}]}"#,
            "null",
        ),
        (r#"{"content":"","tool_calls":[]}"#, "null"),
        (r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}"#, "null"),
        (
            r#"{"content":null,"refusal":"","reasoning":null,"reasoning_content":"","reasoning_details":[]}"#,
            "null",
        ),
        (r#"{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}"#, "null"),
        (r#"{"content":""}"#, r#""tool_calls""#),
    ]);
    let read = read(&body).unwrap();
    assert_eq!(read.reply().choices[0].blocks.len(), 1);
    assert_eq!(calls(read.reply()), [("a1".into(), "f".into(), r#"{"a":1}"#.into())]);
}

#[test]
fn bug_13_parallel_calls_are_told_apart() {
    let call = |index: &str, id: &str, name: &str, arguments: &str| {
        let arguments = crate::json::quote(arguments);
        format!(r#"{{{index}"id":"{id}","function":{{"name":"{name}","arguments":{arguments}}}}}"#)
    };
    let delta = |calls: &[String]| format!(r#"{{"tool_calls":[{}]}}"#, calls.join(","));
    let want =
        [("a1".to_owned(), "f".to_owned(), r#"{"x":1}"#.to_owned()), ("b2".into(), "g".into(), "{}".into())];
    let (zero, one) = (r#""index":0,"#, r#""index":1,"#);
    let tail = |index: &str, arguments: &str| {
        format!(r#"{{{index}"function":{{"arguments":{}}}}}"#, crate::json::quote(arguments))
    };
    let cases: [Vec<String>; 7] = [
        // One after the other; interleaved; together in one chunk.
        vec![
            delta(&[call(zero, "a1", "f", "{\"x\"")]),
            delta(&[tail(zero, ":1}")]),
            delta(&[call(one, "b2", "g", "{}")]),
        ],
        vec![
            delta(&[call(zero, "a1", "f", "{\"x\"")]),
            delta(&[call(one, "b2", "g", "{")]),
            delta(&[tail(zero, ":1}"), tail(one, "}")]),
        ],
        vec![delta(&[call(zero, "a1", "f", "{\"x\":1}"), call(one, "b2", "g", "{}")])],
        // Mistral: no index. All of them on index 0.
        vec![delta(&[call("", "a1", "f", "{\"x\":1}"), call("", "b2", "g", "{}")])],
        vec![delta(&[call(zero, "a1", "f", "{\"x\":1}")]), delta(&[call(zero, "b2", "g", "{}")])],
        // llama-cpp-python: name and id on every fragment.
        vec![
            delta(&[call(zero, "a1", "f", "{\"x\"")]),
            delta(&[call(zero, "a1", "f", ":1}")]),
            delta(&[call(one, "b2", "g", "{}")]),
        ],
        // Without index, fragment by fragment.
        vec![
            delta(&[call("", "a1", "f", "{\"x\"")]),
            delta(&[tail("", ":1}")]),
            delta(&[call("", "b2", "g", "{}")]),
        ],
    ];
    for case in cases {
        let mut chunks: Vec<(&str, &str)> = case.iter().map(|delta| (delta.as_str(), "null")).collect();
        chunks.push(("{}", r#""tool_calls""#));
        assert_eq!(calls(read(&stream(&chunks)).unwrap().reply()), want, "{chunks:?}");
    }
}

#[test]
fn a_call_without_a_name_of_its_own_gets_one() {
    let call = r#"{"index":0,"id":"","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"S/+="}}}"#;
    let chunk = format!(r#"{{"tool_calls":[{call}]}}"#);
    let read = read(&stream(&[(&chunk, "null"), (&chunk, "null"), ("{}", r#""stop""#)])).unwrap();
    let calls = calls(read.reply());
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls[0].0.starts_with("call_") && calls[0].0 != calls[1].0, "{calls:?}");
    let Block::ToolUse { signature, .. } = &read.reply().choices[0].blocks[0] else { panic!("a call") };
    assert_eq!(signature.as_deref(), Some("S/+="));
}

#[test]
fn the_legacy_function_call_is_a_call() {
    let first = r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":""}}"#;
    let both = r#"{"function_call":{"name":"f","arguments":"{}"},"tool_calls":[{"index":0,"id":"a1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
    let finish = ("{}", r#""function_call""#);
    let read_one =
        read(&stream(&[(first, "null"), (r#"{"function_call":{"arguments":"{}"}}"#, "null"), finish]))
            .unwrap();
    assert_eq!(calls(read_one.reply())[0].2, "{}");
    assert_eq!(stop(read_one.reply()).reason, StopReason::ToolUse);
    let read_both =
        read(&stream(&[(both, "null"), (both.replace("{}", "").as_str(), "null"), finish])).unwrap();
    assert_eq!(calls(read_both.reply()), [("a1".into(), "f".into(), "{}".into())]);
    let empty = r#"{"content":"x","function_call":{"name":"","arguments":""}}"#;
    assert!(calls(read(&stream(&[(empty, r#""stop""#)])).unwrap().reply()).is_empty());
}

#[test]
fn thinking_is_read_under_all_its_names() {
    let end = (r#"{"content":"x"}"#, r#""stop""#);
    let details = r#"{"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"anthropic-claude-v1","index":0}]}"#;
    let seal = r#"{"content":"","reasoning_details":[{"type":"reasoning.text","signature":"Sig==","format":"anthropic-claude-v1","index":0}]}"#;
    let sealed = Some("text:YW50aHJvcGljLWNsYXVkZS12MQ::Sig==".to_owned());
    for (chunks, want) in [
        (vec![(r#"{"reasoning_content":"hm"}"#, "null"), end], ("hm", None)),
        (vec![(r#"{"reasoning":"hm","channel":"analysis"}"#, "null"), end], ("hm", None)),
        (vec![(r#"{"reasoning":"hm","reasoning_content":"hm"}"#, "null"), end], ("hm", None)),
        (
            vec![
                (r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}"#, "null"),
                end,
            ],
            ("hm", None),
        ),
        (vec![(details, "null"), (seal, "null"), end], ("hm", sealed)),
    ] {
        let read = read(&stream(&chunks)).unwrap();
        assert_eq!(thinking(read.reply()), [(want.0.to_owned(), want.1)], "{chunks:?}");
        assert_eq!(text(read.reply()), "x");
    }
    let late = r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"gAAA","id":"rs_1","format":"openai-responses-v1","index":0}]}"#;
    let read = read(&stream(&[(r#"{"content":"x"}"#, "null"), (late, "null"), ("{}", r#""stop""#)])).unwrap();
    assert_eq!(
        thinking(read.reply()),
        [(String::new(), Some("encrypted:b3BlbmFpLXJlc3BvbnNlcy12MQ:cnNfMQ:gAAA".into()))]
    );
}

#[test]
fn choices_are_kept_apart() {
    let chunk = |index: u32, text: &str, finish: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let body = [
        chunk(0, "a", "null"),
        chunk(1, "x", "null"),
        chunk(0, "b", r#""stop""#),
        chunk(1, "y", r#""length""#),
    ]
    .concat();
    let read = read(&body).unwrap();
    let reply = read.reply();
    assert!(read.is_whole());
    assert_eq!(reply.choices.len(), 2);
    assert_eq!(
        (reply.choices[0].stop.reason, reply.choices[1].stop.reason),
        (StopReason::End, StopReason::Length)
    );
    assert!(matches!(&reply.choices[1].blocks[..], [Block::Text { text, .. }] if text == "xy"));
}

#[test]
fn bug_9_an_error_event_is_a_fault() {
    for (event, code) in [
        (r#"{"error":{"message":"no","type":"server_error","code":null}}"#, "server_error"),
        (
            r#"{"error":{"code":502,"message":"Provider returned error"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
            "502",
        ),
        (r#"{"error":"overloaded"}"#, ""),
        (r#"{"object":"error","message":"no","type":"x"}"#, ""),
    ] {
        for named in ["", "event: error\n"] {
            let body = format!("{named}data: {event}\n\n");
            assert_eq!(read(&body).err(), Some(StreamFault::Upstream { code: code.into() }), "{event}");
        }
    }
    assert_eq!(read("data: <html>\n\n").err(), Some(StreamFault::Garbage));
    assert_eq!(read("data: 17\n\n").err(), Some(StreamFault::Garbage));
}

#[test]
fn odd_json_is_read() {
    let twice = r#"{"content":"a","content":"b"}"#;
    assert_eq!(text(read(&stream(&[(twice, r#""stop""#)])).unwrap().reply()), "b");
    let lone = r#"{"content":"\ud83d"}"#;
    assert_eq!(text(read(&stream(&[(lone, r#""stop""#)])).unwrap().reply()), "\u{fffd}");
}

#[test]
fn whole_answers_of_all_shapes_are_read() {
    let body = |message: &str, finish: &str| {
        format!(
            r#"{{"id":"c1","choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":{finish}}}]}}"#
        )
    };
    let read = |message: &str, finish: &str| chat::read_reply(&body(message, finish)).unwrap();
    let object = read(r#"{"content":{"title":"Apples"}}"#, r#""stop""#);
    assert_eq!(text(&object), r#"{"title":"Apples"}"#);
    let parts = read(
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}],"closed":true},{"type":"text","text":"144"}]}"#,
        r#""stop""#,
    );
    assert_eq!((text(&parts).as_str(), thinking(&parts).len()), ("144", 1));
    let no_arguments = read(
        r#"{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]}"#,
        r#""stop""#,
    );
    assert_eq!(calls(&no_arguments)[0].2, "{}");
    assert_eq!(stop(&no_arguments).reason, StopReason::ToolUse);
    let custom = read(
        r#"{"tool_calls":[{"id":"a","type":"custom","custom":{"name":"f","input":"plain"}}]}"#,
        r#""tool_calls""#,
    );
    assert!(
        matches!(&custom.choices[0].blocks[0], Block::ToolUse { custom: true, input, .. } if input == "plain")
    );
    let refusal = read(r#"{"content":null,"refusal":"no"}"#, r#""stop""#);
    assert_eq!(stop(&refusal).reason, StopReason::Filtered);
    let gemini = read(
        r#"{"extra_content":{"google":{"thought_signature":"AV=="}},"tool_calls":[{"id":"","type":"function","function":{"name":"f","arguments":"{}"}}]}"#,
        r#""tool_calls""#,
    );
    assert!(
        matches!(&gemini.choices[0].blocks[..], [Block::ToolUse { signature: Some(signed), .. }] if signed == "AV==")
    );
    assert!(matches!(chat::read_reply(r#"{"error":"x"}"#), Err(Garbage)));
}
