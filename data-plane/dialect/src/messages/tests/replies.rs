use serde_json::{Value, json};

use super::caller;
use crate::ir::{Block, Choice, Reply, Stop, StopReason, Usage};
use crate::{ErrorClass, Format, GatewayError};

fn written(reply: &Reply) -> Value {
    serde_json::from_str(&super::super::write_reply(reply, &caller())).unwrap()
}

fn reply(blocks: Vec<Block>, reason: StopReason) -> Reply {
    let stop = Stop { reason, ..Stop::default() };
    Reply { choices: vec![Choice { blocks, stop, ..Choice::default() }], usage: None }
}

fn call(signature: Option<&str>) -> Block {
    Block::ToolUse {
        id: "call_1".to_owned(),
        name: "look".to_owned(),
        input: r#"{"a":1.0}"#.to_owned(),
        signature: signature.map(str::to_owned),
        custom: false,
        cache: None,
    }
}

#[test]
fn an_answer_is_written_with_all_its_blocks() {
    let thought = Block::Thinking {
        text: "hm".to_owned(),
        signature: Some("s=".to_owned()),
        signed_by: Some(Format::Responses),
        id: "rs_1".to_owned(),
    };
    let sealed = Block::RedactedThinking { data: "d".to_owned(), signed_by: Some(Format::Converse) };
    let mut reply =
        reply(vec![thought, sealed, Block::text(""), Block::text("hi"), call(Some("g="))], StopReason::End);
    reply.usage = Some(Usage {
        input: 5,
        cache_read: 3,
        cache_write: 2,
        cache_write_1h: 1,
        output: 9,
        reasoning: 4,
        ..Usage::default()
    });
    let written = written(&reply);
    let id = written["content"][4]["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("toolu_"), "{id}");
    let expected = json!({
        "id": "msg_0123abcd", "type": "message", "role": "assistant", "model": "clever",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "bwseal.w1..s="},
            {"type": "redacted_thinking", "data": "bwseal.d1..d"},
            {"type": "text", "text": "hi"},
            {"type": "thinking", "thinking": "", "signature": "bwseal.z3..g="},
            {"type": "tool_use", "id": id, "name": "look", "input": {"a": 1.0}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null, "stop_details": null,
        "usage": {
            "input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 1},
            "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4},
        },
    });
    assert_eq!(written, expected);
}

#[test]
fn the_text_of_a_custom_tool_becomes_an_object() {
    let call = Block::ToolUse {
        id: "call_1".to_owned(),
        name: "run".to_owned(),
        input: "print(\"hi\")".to_owned(),
        signature: None,
        custom: true,
        cache: None,
    };
    let written = written(&reply(vec![call], StopReason::End));
    assert_eq!(written["content"][0]["input"], json!({"input": "print(\"hi\")"}));
}

#[test]
fn bug_11_stops_are_written_by_what_is_there() {
    for (blocks, reason, expected) in [
        (vec![Block::text("a")], StopReason::End, "end_turn"),
        (vec![Block::text("a"), call(None)], StopReason::End, "tool_use"),
        (vec![call(None)], StopReason::Sequence, "tool_use"),
        (vec![call(None)], StopReason::Length, "max_tokens"),
        (vec![], StopReason::ToolUse, "end_turn"),
        (vec![], StopReason::Filtered, "refusal"),
        (vec![Block::Refusal { text: "no".to_owned() }], StopReason::End, "refusal"),
        (vec![], StopReason::ContextWindow, "model_context_window_exceeded"),
        (vec![], StopReason::Paused, "pause_turn"),
    ] {
        assert_eq!(written(&reply(blocks, reason))["stop_reason"], expected);
    }
    let mut stopped = reply(vec![], StopReason::Sequence);
    stopped.choices[0].stop.sequence = Some("END".to_owned());
    let stopped = written(&stopped);
    assert_eq!(
        (&stopped["stop_reason"], &stopped["stop_sequence"]),
        (&json!("stop_sequence"), &json!("END"))
    );
    let refused = written(&reply(vec![Block::Refusal { text: "no".to_owned() }], StopReason::End));
    assert_eq!(refused["content"], json!([{"type": "text", "text": "no"}]));
    assert_eq!(refused["stop_details"], json!({"type": "refusal", "category": null, "explanation": "no"}));
}

#[test]
fn bug_11_stops_are_read_by_what_is_there() {
    let read = |content: Value, reason: &str| {
        let body =
            json!({"type": "message", "content": content, "stop_reason": reason, "stop_sequence": null});
        super::super::read_reply(&body.to_string()).unwrap().choices.remove(0).stop
    };
    let tool = json!([{"type": "tool_use", "id": "a", "name": "b", "input": {}}]);
    for (content, reason, expected, native) in [
        (tool.clone(), "end_turn", StopReason::ToolUse, None),
        (tool.clone(), "tool_use", StopReason::ToolUse, None),
        (tool, "max_tokens", StopReason::Length, None),
        (json!([]), "tool_use", StopReason::End, Some("tool_use")),
        (json!([]), "pause_turn", StopReason::Paused, Some("pause_turn")),
        (json!([]), "refusal", StopReason::Filtered, Some("refusal")),
        (json!([]), "something_new", StopReason::End, Some("something_new")),
    ] {
        let stop = read(content, reason);
        assert_eq!((stop.reason, stop.native.as_deref()), (expected, native));
    }
}

#[test]
fn what_is_no_answer_is_garbage() {
    for body in ["{}", "[]", r#"{"type":"error","error":{}}"#, r#"{"content":[{"type":"text","text":1}]}"#] {
        assert!(super::super::read_reply(body).is_err(), "{body}");
    }
    // A block of tomorrow is none.
    let body = r#"{"content":[{"type":"dream","of":["sheep"]}],"stop_reason":"end_turn"}"#;
    let reply = super::super::read_reply(body).unwrap();
    assert!(matches!(&reply.choices[0].blocks[0], Block::Foreign { kind, json, .. }
        if kind == "dream" && json.get() == r#"{"type":"dream","of":["sheep"]}"#));
}

#[test]
fn errors_are_read_by_their_type_then_by_their_status() {
    for (status, body, class) in [
        (
            401,
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
            ErrorClass::Authentication,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3333404 tokens > 200000 maximum"}}"#,
            ErrorClass::ContextLength,
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
            ErrorClass::Billing,
        ),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ErrorClass::Overloaded,
        ),
        (529, "upstream is busy", ErrorClass::Overloaded),
        (500, r#"{"type":"error","error":{"type":"rate_limit_error","message":"x"}}"#, ErrorClass::RateLimit),
        (
            400,
            r#"{"error":{"code":400,"message":"bad","type":"invalid_request_error"}}"#,
            ErrorClass::Invalid,
        ),
        (404, r#"{"error":{"type":"invalid_request_error","message":"model: x"}}"#, ErrorClass::NotFound),
    ] {
        assert_eq!(super::super::read_error(status, body).class, class, "{body}");
    }
    let read = super::super::read_error(
        400,
        r#"{"error":{"code":400,"message":"bad","details":{"error_code":"x"}}}"#,
    );
    assert_eq!((read.message.as_str(), read.code.as_deref()), ("bad", Some("x")));
}

#[test]
fn errors_are_written_in_the_formats_words() {
    let error = |class, code: Option<&str>, message: &str| {
        let error = GatewayError {
            status: 400,
            class,
            message: message.to_owned(),
            kind: None,
            code: code.map(str::to_owned),
            param: None,
            request_id: "req_1".to_owned(),
        };
        serde_json::from_str::<Value>(&super::super::write_error(&error)).unwrap()
    };
    let expected = json!({
        "type": "error",
        "error": {"details": {"error_code": "model_not_found"}, "type": "not_found_error", "message": "no \"x\""},
        "request_id": "req_1",
    });
    assert_eq!(error(ErrorClass::NotFound, Some("model_not_found"), "no \"x\""), expected);
    let long = error(ErrorClass::ContextLength, None, "too long");
    assert_eq!(
        long["error"],
        json!({"details": null, "type": "invalid_request_error", "message": "too long"})
    );
    assert_eq!(error(ErrorClass::Overloaded, None, "")["error"]["type"], "overloaded_error");
}
