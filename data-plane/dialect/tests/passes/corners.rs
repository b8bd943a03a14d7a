//! Places where a text may stand that are easily overlooked. In each a secret is seen by the guardrails, in requests, in whole
//! answers and in streams.

use breakwater_common::resource::Action;
use breakwater_dialect::pass::{Asked, Inspection};
use breakwater_dialect::{Ending, Format, eventstream, exchange};
use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};

use crate::exchange as passing;
use crate::guarded::{HALF, SECRET, guards};

/// What stands for the secret in the tables.
const S: &str = SECRET;

fn inspect(format: Format, body: &Value) -> Inspection {
    let asked = Asked { format, model: Some("m".to_owned()), stream: None };
    let request = exchange::parse(asked, &Bytes::from(body.to_string())).expect("it is a request");
    request.inspect(&guards(Action::Block))
}

fn user(content: &Value) -> Value {
    json!({"messages": [{"role": "user", "content": content}]})
}

/// Requests, each with the secret where it may hide.
fn requests() -> Vec<(Format, Value)> {
    let plain =
        json!([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": S}}]);
    let spaced = json!([{"type": "document", "source": {"type": "url", "data": format!("the key: {S}")}}]);
    let input = json!([{"type": "tool_use", "id": "1", "name": "f", "input": {S: true}}]);
    let file = json!([{"type": "file", "file": {"file_data": format!("a key: {S}")}}]);
    let image = json!([{"type": "image_url", "image_url": {"url": format!("data:text/plain,{S}")}}]);
    let args = json!({"contents": [{"parts": [{"functionCall": {"name": "f", "args": {"a": [{S: 1}]}}}]}]});
    let listed = json!({"toolResult": {"toolUseId": "1", "content": [{"json": [{"name": S}]}]}});
    vec![
        (Format::Chat, user(&json!(format!("data:{S}")))),
        (Format::Chat, user(&json!(format!("data:;base64,{S}")))),
        (Format::Chat, user(&json!([{"type": "text", "text": format!("data: {S}")}]))),
        (Format::Chat, user(&file)),
        (Format::Chat, user(&image)),
        (Format::Chat, json!({"messages": [{"role": "user", "name": S, "content": "x"}]})),
        (Format::Messages, user(&plain)),
        (Format::Messages, user(&spaced)),
        (Format::Messages, user(&input)),
        (Format::Messages, user(&json!([{"type": "tool_use", "id": "1", "name": "f", "input": {"id": S}}]))),
        (Format::Gemini, args),
        (Format::Converse, user(&json!([listed]))),
        (Format::Converse, json!({"messages": [], "promptVariables": {"a": {"text": S}}})),
        (Format::Embeddings, json!({"input": format!("data:{S}")})),
    ]
}

#[test]
fn a_secret_in_any_corner_of_a_request_is_seen() {
    for (format, body) in requests() {
        let inspection = inspect(format, &body);
        assert_eq!(inspection.action, Action::Block, "{format:?}: {body}");
    }
}

#[test]
fn files_and_images_are_no_texts() {
    let image = json!([{"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{S}")}}]);
    let bytes = json!([{"image": {"format": "png", "source": {"bytes": S}}}]);
    for (format, body) in [(Format::Chat, user(&image)), (Format::Converse, user(&bytes))] {
        assert_eq!(inspect(format, &body).action, Action::Allow, "{format:?}: {body}");
    }
}

#[test]
fn a_number_among_arguments_blocks_where_it_would_have_to_be_masked() {
    let input =
        json!([{"type": "tool_use", "id": "1", "name": "f", "input": {"card": 4_111_111_111_111_111_u64}}]);
    assert_eq!(inspect(Format::Messages, &user(&input)).action, Action::Block);
}

#[test]
fn what_is_masked_among_arguments_stays_json() {
    let body = json!({"model": "m", "contents": [{"parts": [{"functionResponse":
        {"name": "f", "response": {"to \"a@b.com\"": ["a@b.com", 1]}}}]}]});
    let asked = Asked { format: Format::Gemini, model: Some("m".to_owned()), stream: None };
    let request = exchange::parse(asked, &Bytes::from(body.to_string())).expect("it is a request");
    let redacted = request.redacted(&request.inspect(&guards(Action::Block)).redactions);
    let expect = body.to_string().replace("a@b.com", "[EMAIL]");
    assert_eq!(std::str::from_utf8(&redacted), Ok(expect.as_str()));
}

#[test]
fn a_member_in_another_case_is_refused() {
    for name in ["Messages", "MODEL", "me\u{17f}\u{17f}ages", "Stream"] {
        let mut body = user(&json!("x"));
        body[name] = json!("y");
        let asked = Asked { format: Format::Chat, model: Some("m".to_owned()), stream: None };
        let bad = exchange::parse(asked, &Bytes::from(body.to_string())).expect_err("it is refused");
        assert_eq!(bad.param.as_deref(), Some(name));
    }
}

/// Whole answers, each with the secret where it may hide.
fn answers() -> Vec<(Format, Value)> {
    let said = format!("the key {S}");
    let tokens = json!([{"token": S, "logprob": -0.1, "bytes": [], "top_logprobs": []}]);
    let chat = |message: Value| {
        json!({"id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    };
    let mut beside = chat(json!({"role": "assistant", "content": "x"}));
    beside["related_questions"] = json!([said]);
    let responses = json!({"id": "r", "object": "response", "status": "completed", "incomplete_details": null, "output": [
        {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": [
            {"type": "output_text", "text": said, "annotations": [], "logprobs": tokens}]}]});
    let gemini = |rest: Value| {
        let mut candidate = json!({"index": 0, "finishReason": "STOP",
            "content": {"role": "model", "parts": [{"text": said}]}});
        for (key, value) in rest.as_object().expect("an object") {
            candidate[key] = value.clone();
        }
        json!({"candidates": [candidate]})
    };
    let converse = |rest: Value| {
        let mut answer = json!({"stopReason": "end_turn", "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
            "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}}});
        for (key, value) in rest.as_object().expect("an object") {
            answer[key] = value.clone();
        }
        answer
    };
    vec![
        (Format::Chat, chat(json!({"role": "assistant", "content": format!("data:{S}")}))),
        (Format::Chat, beside),
        (Format::Responses, responses),
        (Format::Gemini, gemini(json!({"logprobsResult": {"chosenCandidates": [{"token": S}]}}))),
        (
            Format::Gemini,
            gemini(json!({"groundingMetadata": {"groundingSupports": [{"segment": {"text": said}}]}})),
        ),
        (
            Format::Messages,
            json!({"id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use",
            "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {S: 1}}], "usage": {}}),
        ),
        (Format::Converse, converse(json!({"additionalModelResponseFields": {"text": said}}))),
        (Format::Converse, converse(json!({"trace": {"guardrail": {"modelOutput": [said]}}}))),
    ]
}

#[test]
fn a_secret_in_any_corner_of_an_answer_goes() {
    for (format, body) in answers() {
        for action in [Action::Redact, Action::Block] {
            let mut exchange = passing(format, true);
            exchange.guards = Some(guards(action));
            let reply = exchange.reply(&Bytes::from(body.to_string())).expect("it is an answer");
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(!text.contains(HALF), "{format:?} {action:?}: {text}");
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{format:?} {action:?}: {text}");
            assert_eq!(reply.blocked.is_some(), action == Action::Block, "{format:?}: {text}");
            assert_eq!(reply.findings.first().map(|finding| finding.category), Some("aws_access_key"));
        }
    }
}

fn sse(events: &[Value]) -> Vec<u8> {
    let frame = |event: &Value| {
        let name = event["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
        format!("{name}data: {event}\n\n")
    };
    events.iter().map(frame).collect::<String>().into_bytes()
}

fn binary(events: &[(&str, Value)]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for (kind, data) in events {
        eventstream::write(eventstream::MessageType::Event, kind, &data.to_string(), &mut out);
    }
    out.to_vec()
}

/// Streams, each with the secret where it may hide.
fn streams() -> Vec<(Format, Vec<u8>)> {
    let said = format!("the key {S}");
    let tokens = json!([{"token": S, "logprob": -0.1}]);
    let response =
        |output: Value| json!({"id": "r", "object": "response", "status": "completed", "output": output});
    let message = |role: &str| {
        json!({"type": "message", "id": "i", "role": role, "content": [
        {"type": "output_text", "text": said, "annotations": [], "logprobs": tokens}]})
    };
    let candidate = |rest: Value| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": [{"text": said}]}, "finishReason": "STOP"});
        for (key, value) in rest.as_object().expect("an object") {
            candidate[key] = value.clone();
        }
        json!({"candidates": [candidate]})
    };
    let started = ("messageStart", json!({"role": "assistant"}));
    let stopped = |rest: Value| {
        ("messageStop", json!({"stopReason": "end_turn", "additionalModelResponseFields": rest}))
    };
    let used = |trace: Value| ("metadata", json!({"usage": {"inputTokens": 1}, "trace": trace}));
    vec![
        (
            Format::Responses,
            sse(&[
                json!({"type": "response.created", "sequence_number": 0, "response": response(json!([]))}),
                json!({"type": "response.output_text.done", "sequence_number": 1, "output_index": 0, "text": said, "logprobs": tokens}),
                json!({"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": message("assistant")}),
                json!({"type": "response.completed", "sequence_number": 3, "response": response(json!([message("assistant")]))}),
            ]),
        ),
        (
            Format::Responses,
            sse(&[
                json!({"type": "response.created", "sequence_number": 0, "response": response(json!([]))}),
                json!({"type": "response.output_text.delta", "sequence_number": 1, "output_index": 0, "delta": "x", "so_far": said}),
                json!({"type": "response.completed", "sequence_number": 3, "response": response(json!([]))}),
            ]),
        ),
        (Format::Gemini, sse(&[candidate(json!({"logprobsResult": {"chosenCandidates": [{"token": S}]}}))])),
        (Format::Gemini, sse(&[candidate(json!({"groundingMetadata": {"webSearchQueries": [said]}}))])),
        (
            Format::Gemini,
            sse(&[candidate(
                json!({"content": {"parts": [{"functionCall": {"name": "f", "args": {S: 1}}}]}}),
            )]),
        ),
        (
            Format::Messages,
            sse(&[
                json!({"type": "message_start", "message": {"id": "1", "content": [{"type": "text", "text": said}]}}),
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}),
                json!({"type": "message_stop"}),
            ]),
        ),
        (
            Format::Chat,
            sse(&[
                json!({"id": "1", "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}], "related_questions": [said]}),
            ]),
        ),
        (Format::Converse, binary(&[started.clone(), stopped(json!({"text": said})), used(json!({}))])),
        (
            Format::Converse,
            binary(&[started, stopped(json!({})), used(json!({"guardrail": {"modelOutput": [said]}}))]),
        ),
    ]
}

#[test]
fn a_secret_in_any_corner_of_a_stream_goes() {
    for (number, (format, stream)) in streams().into_iter().enumerate() {
        for action in [Action::Redact, Action::Block] {
            let mut exchange = passing(format, true);
            exchange.guards = Some(guards(action));
            let mut rewriter = exchange.stream().expect("it has streams");
            let step = rewriter.push(&stream).expect("no fault");
            let end = rewriter.finish();
            let text = String::from_utf8_lossy(&[step.bytes, end.bytes].concat()).into_owned();
            assert!(!text.contains(HALF), "{number} {format:?} {action:?}: {text}");
            let ending = if action == Action::Block { Ending::Blocked } else { Ending::Completed };
            assert_eq!(end.ending, ending, "{number} {format:?}: {text}");
            // Whatever was found is told, however often the format repeats it.
            let found: Vec<_> = end.findings.iter().map(|finding| finding.category).collect();
            assert_eq!(found, ["aws_access_key"], "{number} {format:?}");
        }
    }
}

#[test]
fn an_event_that_is_blocked_says_no_reason_of_its_own() {
    let chat = json!({"choices": [{"index": 0, "delta": {"content": format!("a key {S}")}, "finish_reason": "stop"}]});
    let gemini = json!({"candidates": [{"index": 0, "content": {"parts": [{"text": format!("a key {S}")}]},
        "finishReason": "STOP"}]});
    for (format, event, own, blocked) in
        [(Format::Chat, chat, "\"stop\"", "content_filter"), (Format::Gemini, gemini, "\"STOP\"", "SAFETY")]
    {
        let mut exchange = passing(format, true);
        exchange.guards = Some(guards(Action::Block));
        let mut rewriter = exchange.stream().expect("it has streams");
        let step = rewriter.push(&sse(&[event])).expect("no fault");
        let end = rewriter.finish();
        let text = String::from_utf8_lossy(&[step.bytes, end.bytes].concat()).into_owned();
        assert!(text.contains(blocked) && !text.contains(own) && !text.contains(HALF), "{text}");
        assert_eq!(end.ending, Ending::Blocked);
    }
}
