use serde_json::Value;

use super::super::{read_reply, write_reply};
use super::*;
use crate::ir::{Block, Choice, Reply, Stop, StopReason, Usage};

#[test]
fn reasons_are_taken_by_their_meaning() {
    for (word, call, reason, native) in [
        ("end_turn", false, StopReason::End, None),
        ("end_turn", true, StopReason::ToolUse, None),
        ("tool_use", true, StopReason::ToolUse, None),
        ("tool_use", false, StopReason::End, None),
        ("max_tokens", true, StopReason::Length, None),
        ("stop_sequence", false, StopReason::Sequence, None),
        ("guardrail_intervened", false, StopReason::Filtered, Some("guardrail_intervened")),
        ("content_filtered", false, StopReason::Filtered, None),
        ("malformed_tool_use", false, StopReason::Failed, Some("malformed_tool_use")),
        ("model_context_window_exceeded", false, StopReason::ContextWindow, None),
        ("brand_new", false, StopReason::End, Some("brand_new")),
    ] {
        let block =
            if call { r#"{"toolUse":{"toolUseId":"a","name":"b","input":{}}}"# } else { r#"{"text":"a"}"# };
        let body = format!(r#"{{"output":{{"message":{{"content":[{block}]}}}},"stopReason":"{word}"}}"#);
        let stop = read_reply(&body).unwrap().choices.remove(0).stop;
        assert_eq!((stop.reason, stop.native.as_deref()), (reason, native), "{word}");
    }
}

#[test]
fn bug_17_tokens_of_a_cache_stand_beside_the_input() {
    let body = r#"{"output":{"message":{"content":[]}},"stopReason":"end_turn","usage":{"inputTokens":10,"outputTokens":5,
        "totalTokens":118,"cacheReadInputTokens":100,"cacheReadInputTokenCount":100,"cacheWriteInputTokens":3,
        "cacheDetails":[{"ttl":"1h","inputTokens":2},{"ttl":"5m","inputTokens":1}]}}"#;
    let reply = read_reply(body).unwrap();
    let usage = Usage {
        input: 10,
        cache_read: 100,
        cache_write: 3,
        cache_write_1h: 2,
        output: 5,
        ..Usage::default()
    };
    assert_eq!(reply.usage, Some(usage));
    let written: Value = serde_json::from_str(&write_reply(&reply, &caller())).unwrap();
    let asked: Value = serde_json::from_str(body).unwrap();
    for key in ["inputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "cacheDetails"]
    {
        assert_eq!(written["usage"][key], asked["usage"][key], "{key}");
    }
}

#[test]
fn garbage_is_no_answer() {
    for body in
        ["[]", "{}", r#"{"output":{}}"#, r#"{"output":{"message":{"content":{}}}}"#, r#"{"message":"no"}"#]
    {
        assert!(read_reply(body).is_err(), "{body}");
    }
}

#[test]
fn bug_4_signatures_of_others_come_back_to_their_makers() {
    let thinking = |signed_by, signature: &str| Block::Thinking {
        text: "t".to_owned(),
        signature: Some(signature.to_owned()),
        signed_by: Some(signed_by),
        id: "rs_1".to_owned(),
    };
    let blocks = vec![
        thinking(Format::Converse, "c+/="),
        thinking(Format::Gemini, "g+/="),
        thinking(Format::Messages, "m.with.dots"),
        Block::RedactedThinking { data: "r+/=".to_owned(), signed_by: Some(Format::Messages) },
        Block::RedactedThinking { data: "YWI=".to_owned(), signed_by: Some(Format::Converse) },
        Block::ToolUse {
            id: "call_1".to_owned(),
            name: "f".to_owned(),
            input: r#"{"b":1.0,"a":10000000000000000001}"#.to_owned(),
            signature: Some("s+/=".to_owned()),
            custom: false,
            cache: None,
        },
    ];
    let choice = Choice {
        blocks: blocks.clone(),
        stop: Stop { reason: StopReason::ToolUse, ..Stop::default() },
        ..Choice::default()
    };
    let written = write_reply(&Reply { choices: vec![choice], usage: None }, &caller());
    let body: Value = serde_json::from_str(&written).unwrap();
    let request = format!(r#"{{"messages":[{}]}}"#, body["output"]["message"]);
    let back = crate::converse::read_request(&request).unwrap().turns.remove(0).blocks;
    assert_eq!(back.len(), blocks.len());
    for (back, block) in back.iter().zip(&blocks) {
        match (back, block) {
            (
                Block::Thinking { signature, signed_by, .. },
                Block::Thinking { signature: wanted, signed_by: by, .. },
            ) => assert_eq!((signature, signed_by), (wanted, by)),
            (
                Block::RedactedThinking { data, signed_by },
                Block::RedactedThinking { data: wanted, signed_by: by },
            ) => assert_eq!((data, signed_by), (wanted, by)),
            (Block::ToolUse { signature, .. }, Block::ToolUse { signature: wanted, .. }) => {
                assert_eq!(signature, wanted);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        written.contains(r#""input":{"b":1.0,"a":10000000000000000001}"#),
        "arguments stay what they were"
    );
}
