//! What callers who speak Gemini get: the shapes that google-genai 3.4.0 takes (`GenerateContentResponse.model_validate`,
//! which forbids unknown members, was run over all recorded answers as written here).

use bytes::BytesMut;
use serde_json::{Value, json};

use super::{call, caller, json as parse};
use crate::ir::{At, Block, Choice, Delta, Event, Opening, Reply, Stop, StopReason, Usage};
use crate::{Ending, Format, translate};

fn usage() -> Usage {
    Usage { input: 9, cache_read: 1, output: 8, reasoning: 5, ..Usage::default() }
}

fn thinking(signed_by: Format) -> Block {
    let signature = Some("si.g:n!ed".to_owned());
    Block::Thinking { text: "hm".to_owned(), signature, signed_by: Some(signed_by), id: "rs_1".to_owned() }
}

#[test]
fn a_whole_answer_has_google_s_shape() {
    let blocks =
        vec![Block::text("A"), call("toolu_1", "f", "", None), call("toolu_2", "g", r#"{"x":1}"#, None)];
    let stop = Stop { reason: StopReason::ToolUse, ..Stop::default() };
    let reply = Reply { choices: vec![Choice { blocks, stop, ..Choice::default() }], usage: Some(usage()) };
    let written = parse(&translate::write_reply(Format::Gemini, &reply, &caller()));
    let parts = &written["candidates"][0]["content"]["parts"];
    let ids =
        [&parts[1]["functionCall"]["id"], &parts[2]["functionCall"]["id"]].map(|id| id.as_str().unwrap());
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("call_")), "bug 13: {ids:?}");
    let expected = json!({
        "candidates": [{
            "content": {"parts": [
                {"text": "A"},
                {"functionCall": {"id": ids[0], "name": "f", "args": {}}},
                {"functionCall": {"id": ids[1], "name": "g", "args": {"x": 1}}},
            ], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }],
        "usageMetadata": {
            "promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 18,
            "cachedContentTokenCount": 1, "thoughtsTokenCount": 5,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
        },
        "modelVersion": "smart",
        "responseId": "req1",
    });
    assert_eq!(written, expected);
}

/// What a caller sends back who is one of Google's SDKs: bytes in base64 with the alphabet of URLs.
fn as_the_sdk_sends(part: &Value) -> Value {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    let mut part = part.clone();
    if let Some(signature) = part["thoughtSignature"].as_str() {
        let bytes = STANDARD.decode(signature).expect("the SDK refuses what is not base64");
        part["thoughtSignature"] = URL_SAFE.encode(bytes).into();
    }
    part
}

#[test]
fn bug_4_signatures_of_others_come_back_byte_for_byte() {
    let odd = "+/=ü?>~".repeat(7);
    let hidden = Block::RedactedThinking { data: odd.clone(), signed_by: Some(Format::Messages) };
    let unnamed = Block::Thinking {
        text: String::new(),
        signature: Some(odd),
        signed_by: Some(Format::Converse),
        id: String::new(),
    };
    let blocks = vec![thinking(Format::Responses), thinking(Format::Messages), hidden, unnamed];
    let before = format!("{blocks:?}");
    let reply = Reply { choices: vec![Choice { blocks, ..Choice::default() }], usage: None };
    let written = parse(&translate::write_reply(Format::Gemini, &reply, &caller()));
    let parts = written["candidates"][0]["content"]["parts"].as_array().unwrap();
    let parts: Vec<Value> = parts.iter().map(as_the_sdk_sends).collect();
    let body = json!({"contents": [{"role": "model", "parts": parts}]});
    assert_eq!(format!("{:?}", super::read(&body).unwrap().turns[0].blocks), before);
}

#[test]
fn bug_5_gemini_s_own_signatures_come_back_byte_for_byte() {
    for (signature, back) in [
        ("ab+/cd==", Some("ab+/cd==")),
        ("QUJD", Some("QUJD")),
        // A server that merely looks like Google's.
        ("thought_abc123", Some("thought_abc123")),
        // What stands for none is none.
        ("skip_thought_signature_validator", None),
    ] {
        let signed = Block::Text { text: "A".to_owned(), cache: None, signature: Some(signature.to_owned()) };
        let blocks = vec![signed, call("1", "f", "", Some(signature))];
        let reply = Reply { choices: vec![Choice { blocks, ..Choice::default() }], usage: None };
        let written = parse(&translate::write_reply(Format::Gemini, &reply, &caller()));
        let parts = written["candidates"][0]["content"]["parts"].as_array().unwrap();
        let parts: Vec<Value> = match back {
            Some(_) => parts.iter().map(as_the_sdk_sends).collect(),
            None => parts.clone(),
        };
        let body = json!({"contents": [{"role": "model", "parts": parts}]});
        let turns = super::read(&body).unwrap().turns;
        let [Block::Text { signature: text, .. }, Block::ToolUse { signature: tool, .. }] =
            &turns[0].blocks[..]
        else {
            panic!("{turns:?}")
        };
        assert_eq!((text.as_deref(), tool.as_deref()), (back, back));
    }
}

fn events() -> Vec<Event> {
    let at = |block| At { choice: 0, block };
    let opening = Opening::Thinking { signed_by: Some(Format::Messages), id: String::new() };
    let tool = Opening::ToolUse { id: "1".to_owned(), name: "f".to_owned(), signature: None, custom: false };
    vec![
        Event::Start,
        Event::Open(at(0), opening),
        Event::Delta(at(0), Delta::Text("h".to_owned())),
        Event::Delta(at(0), Delta::Text("m".to_owned())),
        Event::Delta(at(0), Delta::Signature("si".to_owned())),
        Event::Delta(at(0), Delta::Signature("g".to_owned())),
        Event::Close(at(0)),
        Event::Open(at(1), Opening::Text),
        Event::Delta(at(1), Delta::Text("A".to_owned())),
        Event::Close(at(1)),
        Event::Open(at(2), tool.clone()),
        Event::Delta(at(2), Delta::Input(r#"{"x""#.to_owned())),
        Event::Delta(at(2), Delta::Input(":1}".to_owned())),
        Event::Close(at(2)),
        Event::Open(at(3), tool),
        Event::Close(at(3)),
        Event::Stop(0, Stop { reason: StopReason::ToolUse, ..Stop::default() }),
        Event::Usage(usage()),
    ]
}

fn streamed(ending: Option<Ending>) -> Vec<Value> {
    let mut writer = super::super::stream_writer(&caller()).unwrap();
    let mut out = BytesMut::new();
    events().iter().for_each(|event| writer.write(event, &mut out));
    match ending {
        None => writer.complete(&mut out),
        Some(ending) => writer.fail(ending, &mut out),
    }
    let text = String::from_utf8(out.to_vec()).unwrap();
    let frames = text.split_terminator("\r\n\r\n");
    frames.map(|frame| parse(frame.strip_prefix("data: ").unwrap())).collect()
}

#[test]
fn a_stream_comes_in_google_s_chunks() {
    let chunks = streamed(None);
    let part = |chunk: &Value| chunk["candidates"][0]["content"]["parts"][0].clone();
    let parts: Vec<Value> = chunks.iter().map(part).collect();
    let id = &parts[4]["functionCall"]["id"];
    assert_eq!(
        parts,
        [
            json!({"text": "h", "thought": true}),
            json!({"text": "m", "thought": true}),
            json!({"text": "", "thought": true, "thoughtSignature": "YndzZWFsLmYxLi5zaWc="}),
            json!({"text": "A"}),
            json!({"functionCall": {"id": id, "name": "f", "args": {"x": 1}}}),
            json!({"functionCall": {"id": id, "name": "f", "args": {}}}),
            json!({"text": ""}),
        ]
    );
    let (last, before) = chunks.split_last().unwrap();
    assert!(before.iter().all(|chunk| chunk["candidates"][0].get("finishReason").is_none()));
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 18);
    // The SDK's chat keeps each chunk as a content of its own; they are one turn again.
    let contents: Vec<Value> = chunks.iter().map(|chunk| chunk["candidates"][0]["content"].clone()).collect();
    let turns = super::read(&json!({"contents": contents})).unwrap().turns;
    let [
        Block::Thinking { text, signature, signed_by, .. },
        Block::Text { .. },
        Block::ToolUse { .. },
        Block::ToolUse { .. },
    ] = &turns[0].blocks[..]
    else {
        panic!("{turns:?}")
    };
    assert_eq!(
        (text.as_str(), signature.as_deref(), *signed_by),
        ("hm", Some("sig"), Some(Format::Messages))
    );
}

#[test]
fn a_stream_that_breaks_off_says_so() {
    let chunks = streamed(Some(Ending::UpstreamError));
    // google-genai looks for chunks that begin with this very member.
    assert!(chunks.last().unwrap().to_string().starts_with(r#"{"error":{"code":500,"#));
    let chunks = streamed(Some(Ending::Cut));
    assert_eq!(chunks.last().unwrap()["error"]["status"], "UNAVAILABLE");
    assert!(chunks.iter().all(|chunk| chunk["candidates"][0].get("finishReason").is_none()));
    let mut writer = super::super::stream_writer(&caller()).unwrap();
    let mut out = BytesMut::new();
    writer.fail(Ending::Blocked, &mut out);
    let event = std::str::from_utf8(&out).unwrap().strip_prefix("data: ").unwrap();
    assert_eq!(parse(event)["candidates"][0]["finishReason"], "SAFETY");
}

#[test]
fn probabilities_come_back_as_google_s() {
    let entries = r#"[{"token":"a","logprob":-0.5,"bytes":null,"top_logprobs":[{"token":"b","logprob":-1.5,"bytes":null}]}]"#;
    let expected = json!({
        "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1.5}]}],
        "chosenCandidates": [{"token": "a", "logProbability": -0.5}],
    });
    for source in [entries.to_owned(), format!(r#"{{"content":{entries},"refusal":null}}"#)] {
        let choice = Choice { blocks: vec![Block::text("a")], logprobs: Some(source), ..Choice::default() };
        let reply = Reply { choices: vec![choice], usage: None };
        let written = parse(&translate::write_reply(Format::Gemini, &reply, &caller()));
        assert_eq!(written["candidates"][0]["logprobsResult"], expected);
    }
}
