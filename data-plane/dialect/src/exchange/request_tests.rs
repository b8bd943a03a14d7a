use breakwater_common::resource::{Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};

use breakwater_common::resource::Action;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::ir::{Seal, Sealing};

const CALL: &str = r#"{ "messages": [
  {"role":"system","content":"Be \"brief\"."},
  {"role":"user","content":[{"type":"text","text":"mail a@b.com"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
  {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"send","arguments":"{\"to\":\"x@y.org\"}"}}]},
  {"role":"tool","tool_call_id":"call_1","content":"sent"}
 ], "temperature" : 0.50, "model":"prod-chat", "x":{"b":1,"a":2} }"#;

fn asked() -> Asked {
    Asked { format: Format::Chat, model: None, stream: None }
}

fn parse(text: &str) -> Result<ClientRequest, BadRequest> {
    super::parse(asked(), &Bytes::copy_from_slice(text.as_bytes()))
}

fn guards(action: Action) -> CompiledGuards {
    let pii = Guardrail {
        name: "pii".to_owned(),
        check: GuardrailCheck::Pii(PiiEntity::ALL.to_vec()),
        sides: Sides { input: true, output: true },
        action,
        fail_open: false,
    };
    let policy = Policy { mode: Mode::Enforce, guardrails: vec![pii] };
    CompiledGuards::compile(&[("p", &policy)]).unwrap()
}

#[test]
fn every_text_is_read_and_nothing_else() {
    let call = parse(CALL).unwrap();
    let texts: Vec<_> = call.texts().collect();
    assert_eq!(texts, ["Be \"brief\".", "mail a@b.com", r#"{"to":"x@y.org"}"#, "sent"]);
    assert_eq!((call.model(), call.stream(), call.asked_usage()), ("prod-chat", false, false));
}

#[test]
fn only_the_model_changes() {
    let rewritten = parse(CALL).unwrap().rewrite("gpt-4o", &[], Edits::default());
    assert_eq!(rewritten, CALL.replace("prod-chat", "gpt-4o"));
    assert_eq!(parse(CALL).unwrap().rewrite("prod-chat", &[], Edits::default()), CALL);
}

#[test]
fn masked_texts_take_the_place_of_what_came() {
    let call = parse(CALL).unwrap();
    let inspection = call.inspect(&guards(Action::Redact));
    assert_eq!(inspection.action, Action::Redact);
    assert_eq!(inspection.findings[0].count, 2);
    let expect = CALL.replace("a@b.com", "[EMAIL]").replace("x@y.org", "[EMAIL]").replace("prod-chat", "m");
    assert_eq!(call.rewrite("m", &inspection.redactions, Edits::default()), expect);
    assert!(call.inspect(&guards(Action::Block)).block().is_some());
}

#[test]
fn usage_is_asked_for_where_the_caller_did_not() {
    let check = |options: &str, asked: bool, expect: &str| {
        let body = format!(r#"{{"model":"a","messages":[],{options}}}"#);
        let call = parse(&body).unwrap();
        assert_eq!(call.asked_usage(), asked, "{options}");
        assert_eq!(
            call.rewrite("a", &[], Edits::default()),
            format!(r#"{{"model":"a","messages":[],{expect}}}"#)
        );
    };
    let ask = r#""stream_options":{"include_usage":true}"#;
    check(r#""stream":false"#, false, r#""stream":false"#);
    check(r#""stream":null"#, false, r#""stream":null"#);
    check(r#""stream": true"#, false, &format!(r#""stream": true,{ask}"#));
    check(&format!(r#""stream":true,{ask}"#), true, &format!(r#""stream":true,{ask}"#));
    check(r#""stream_options":null,"stream":true"#, false, &format!(r#"{ask},"stream":true"#));
    check(r#""stream":true,"stream_options":{}"#, false, &format!(r#""stream":true,{ask}"#));
    check(
        r#""stream":true,"stream_options":{"x":1}"#,
        false,
        r#""stream":true,"stream_options":{"include_usage":true,"x":1}"#,
    );
    check(
        r#""stream":true,"stream_options":{"include_usage":false}"#,
        false,
        r#""stream":true,"stream_options":{"include_usage":true}"#,
    );
}

#[test]
fn a_bad_body_is_refused_by_its_field() {
    let check = |body: &str, param: Option<&str>, part: &str| {
        let error = parse(body).unwrap_err();
        assert_eq!(error.param.as_deref(), param, "{body}: {error}");
        assert!(error.message.contains(part), "{body}: {error}");
    };
    check("", None, "ends at line 1");
    check(r#"{"model":"a","messages":[{"#, None, "ends at line 1 column 26");
    check("[]", None, "not a JSON object");
    check(r#"{"model" "a"}"#, None, "not JSON at line 1");
    check(r#"{"messages":[]}"#, Some("model"), "missing");
    check(r#"{"model":7,"messages":[]}"#, Some("model"), "must be a text");
    check(r#"{"model":"","messages":[]}"#, Some("model"), "not empty");
    check(r#"{"model":"a","messages":[],"mod\u0065l":"b"}"#, Some("model"), "twice");
    check(r#"{"model":"a"}"#, Some("messages"), "missing");
    check(r#"{"model":"a","messages":"hi"}"#, Some("messages"), "array");
    check(r#"{"model":"a","messages":["hi"]}"#, Some("messages[0]"), "object");
    check(
        r#"{"model":"a","messages":[{"content":"a","content":"b"}]}"#,
        Some("messages[0].content"),
        "twice",
    );
    check(r#"{"model":"a","messages":[],"stream":"yes"}"#, Some("stream"), "true or false");
    check(r#"{"model":"a","messages":[],"stream_options":1}"#, Some("stream_options"), "object");
    let deep = format!(r#"{{"model":"a","messages":[{{"content":{}1{}}}]}}"#, "[".repeat(60), "]".repeat(60));
    check(&deep, Some("messages[0]"), "too deep");
    let invalid = super::parse(asked(), &Bytes::from_static(b"{\"model\":\"\xff\"}")).unwrap_err();
    assert!(invalid.message.contains("UTF-8 at byte 10"), "{invalid}");
}

#[test]
fn a_model_from_the_path_is_put_into_a_body_that_says_none() {
    let check = |body: &'static str, expect: &str| {
        let asked = Asked { format: Format::Responses, model: Some("alias".into()), stream: None };
        let call = super::parse(asked, &Bytes::from_static(body.as_bytes())).unwrap();
        assert_eq!(call.rewrite("up", &[], Edits::default()), expect);
    };
    check("{}", r#"{"model":"up"}"#);
    check(r#"{ "input":"x"}"#, r#"{"model":"up", "input":"x"}"#);
    check(r#"{"model":"mine","input":"x"}"#, r#"{"model":"up","input":"x"}"#);
}

/// A body of a caller, as a provider of the same format gets it.
fn passed(format: Format, body: &serde_json::Value) -> serde_json::Value {
    let model = (matches!(format, Format::Gemini | Format::Converse)).then(|| "m".to_owned());
    let asked = Asked { format, model, stream: None };
    let request = super::parse(asked, &Bytes::from(body.to_string())).unwrap();
    let target = Target {
        format,
        model: "m".to_owned(),
        max_output_tokens: None,
        reasons: None,
        embeddings: None,
        quirks: crate::quirks::of_host(breakwater_common::resource::ProviderType::OpenAi, "api.openai.com"),
    };
    serde_json::from_slice(&prepare(&request, &[], &target).unwrap().body).unwrap()
}

/// Turns of a format: a question, one of another's thinking alone, and one whose rest stays.
fn conversation(format: Format, own: &str, others: &str) -> (serde_json::Value, serde_json::Value) {
    use serde_json::json;
    let turn = |role: &str, key: &str, blocks: &[serde_json::Value]| json!({"role": role, key: blocks});
    let plain = json!({"text": "x"});
    let thought: fn(&str) -> serde_json::Value;
    let (list, key, model, text) = if format == Format::Gemini {
        thought =
            |signature| json!({"text": "t", "thought": true, "thoughtSignature": STANDARD.encode(signature)});
        ("contents", "parts", "model", plain)
    } else if format == Format::Converse {
        thought =
            |signature| json!({"reasoningContent": {"reasoningText": {"text": "t", "signature": signature}}});
        ("messages", "content", "assistant", plain)
    } else {
        thought = |signature| json!({"type": "thinking", "thinking": "t", "signature": signature});
        ("messages", "content", "assistant", json!({"type": "text", "text": "x"}))
    };
    let (own, others) = (thought(own), thought(others));
    let body = |turns: Vec<serde_json::Value>| json!({list: turns, "model": "m", "max_tokens": 1});
    let question = turn("user", key, std::slice::from_ref(&text));
    let came = vec![
        question.clone(),
        turn(model, key, std::slice::from_ref(&others)),
        turn(model, key, &[others.clone(), own.clone(), text.clone(), others]),
    ];
    (body(came), body(vec![question, turn(model, key, &[own, text])]))
}

#[test]
fn bug_4_what_another_provider_signed_does_not_reach_one_that_did_not() {
    for format in [Format::Messages, Format::Converse, Format::Gemini] {
        let other = if format == Format::Gemini { Format::Messages } else { Format::Gemini };
        for sealing in [Sealing::This, Sealing::Next] {
            let others = Seal::new(other, sealing, "abc=").to_text();
            let (came, goes) = conversation(format, "own", &others);
            assert_eq!(passed(format, &came), goes, "{format:?}");
        }
        let own = Seal::new(format, Sealing::This, "c2ln.x").to_text();
        let (came, _) = conversation(format, &own, "other");
        let got = passed(format, &came).to_string();
        assert!(got.contains(r#""c2ln.x""#), "{got}");
    }
}

#[test]
fn bug_4_what_another_provider_signed_is_left_out_of_chat_and_responses() {
    use serde_json::json;
    let signed = Seal::new(Format::Gemini, Sealing::This, "abc=").to_text();
    let call = json!({"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let mut carried = call.clone();
    carried["extra_content"] = json!({"breakwater": {"signature": signed}});
    let body = |details: bool, call: &serde_json::Value| {
        let mut message = json!({"role": "assistant", "content": "x", "tool_calls": [call]});
        if details {
            message["reasoning_details"] = json!([{"type": "reasoning.text", "text": "a", "index": 0},
                {"type": "reasoning.text", "signature": "s", "format": "bwseal.z", "index": 0}]);
        }
        json!({"model": "m", "messages": [message]})
    };
    assert_eq!(passed(Format::Chat, &body(true, &carried)), body(false, &call));
    // A vendor's own entries stay.
    let vendors = json!({"model": "m", "messages": [{"role": "assistant", "content": "bwseal.", "reasoning_details":
        [{"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"}]}]});
    assert_eq!(passed(Format::Chat, &vendors), vendors);

    let thought = |content: &str| json!({"type": "reasoning", "summary": [], "encrypted_content": content});
    let text = json!({"role": "user", "content": "x"});
    let came = json!({"model": "m", "input": [thought(&signed), text, thought("gAAA=")]});
    assert_eq!(passed(Format::Responses, &came), json!({"model": "m", "input": [text, thought("gAAA=")]}));
}
