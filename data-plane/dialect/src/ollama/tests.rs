use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::codec::Target;
use crate::ir::*;
use crate::{ErrorClass, Format, StreamFault, quirks};

fn target() -> Target {
    Target {
        format: Format::Ollama,
        model: "qwen3:14b".into(),
        max_output_tokens: None,
        embeddings: None,
        quirks: &quirks::PLAIN,
        reasons: None,
    }
}

fn raw(json: &Value) -> Json {
    RawValue::from_string(json.to_string()).unwrap()
}

fn function(name: &str, schema: Option<Value>) -> Tool {
    let kind = ToolKind::Function { schema: schema.as_ref().map(raw), strict: None };
    Tool { name: name.into(), description: String::new(), kind, cache: None }
}

fn said(role: Role, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks }
}

fn asked(text: &str) -> Request {
    Request { turns: vec![said(Role::User, vec![Block::text(text)])], ..Request::default() }
}

fn written(request: &Request) -> (Value, Vec<String>) {
    let written = write_request(request, &target()).unwrap();
    (serde_json::from_str(&written.body).unwrap(), written.dropped)
}

fn refused(request: &Request) -> String {
    write_request(request, &target()).unwrap_err().param
}

fn call(id: &str, name: &str, input: &str) -> Block {
    Block::ToolUse {
        id: id.into(),
        name: name.into(),
        input: input.into(),
        signature: None,
        custom: false,
        cache: None,
    }
}

fn result(id: &str, content: Vec<Block>) -> Block {
    Block::ToolResult { id: id.into(), name: String::new(), content, is_error: false, cache: None }
}

fn image(source: Source) -> Block {
    Block::Media { media: Media::Image, source, name: String::new(), detail: None, cache: None }
}

fn png() -> Block {
    image(Source::Base64 { media_type: "image/png".into(), data: "iVBORw0KGgo=".into() })
}

#[test]
fn a_plain_call_says_that_it_does_not_stream() {
    let (body, dropped) = written(&asked("Hello"));
    assert_eq!(
        body,
        json!({"model": "qwen3:14b", "messages": [{"role": "user", "content": "Hello"}], "stream": false})
    );
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn everything_that_ollama_knows_is_said() {
    let request = Request {
        system: vec![Block::text("Be short."), Block::text("Be kind.")],
        temperature: Some(serde_json::Number::from_f64(0.5).unwrap()),
        top_p: Some(serde_json::Number::from_f64(0.9).unwrap()),
        top_k: Some(40),
        frequency_penalty: Some(1.into()),
        presence_penalty: Some(0.into()),
        max_tokens: Some(100),
        seed: Some(-1),
        stop: vec!["END".into()],
        logprobs: Some(2),
        stream: true,
        reasoning: Some(Reasoning { effort: Some(Effort::XHigh), ..Reasoning::default() }),
        tools: vec![function("now", None), function("add", Some(json!({"type": "object", "$defs": {}})))],
        response_format: Some(ResponseFormat::JsonSchema {
            name: "sum".into(),
            description: None,
            schema: raw(&json!({"z": 1, "a": 1.0})),
            strict: Some(true),
        }),
        rest: vec![("keep_alive".into(), raw(&json!("5m")))],
        ..asked("Add.")
    };
    let (body, dropped) = written(&request);
    assert_eq!(
        body.to_string(),
        concat!(
            r#"{"model":"qwen3:14b","tools":[{"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}},"#,
            r#"{"type":"function","function":{"name":"add","parameters":{"type":"object","$defs":{}}}}],"#,
            r#""messages":[{"role":"system","content":"Be short.\n\nBe kind."},{"role":"user","content":"Add."}],"#,
            r#""format":{"z":1,"a":1.0},"options":{"temperature":0.5,"top_p":0.9,"top_k":40,"num_predict":100,"frequency_penalty":1,"presence_penalty":0,"seed":-1,"stop":["END"]},"#,
            r#""think":"high","logprobs":true,"top_logprobs":2,"keep_alive":"5m","stream":true}"#
        )
    );
    assert_eq!(dropped, Vec::<String>::new());
}

#[test]
fn bug_8_and_25_calls_and_results_become_messages() {
    let request = Request {
        turns: vec![
            said(Role::User, vec![Block::text("Weather?")]),
            said(
                Role::Assistant,
                vec![
                    Block::Thinking {
                        text: "Two calls.".into(),
                        signature: None,
                        signed_by: None,
                        id: String::new(),
                    },
                    Block::text("Looking."),
                    call("call_1", "weather", r#"{"city": "Rome", "z": 1}"#),
                    call("call_2", "now", ""),
                    call("call_3", "cut", r#"{"city": "Ro"#),
                ],
            ),
            said(
                Role::User,
                vec![
                    Block::text("And now?"),
                    result("call_1", vec![Block::text("sunny"), png()]),
                    result("call_2", vec![Block::text("noon")]),
                ],
            ),
        ],
        ..Request::default()
    };
    let (body, _) = written(&request);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Looking.", "thinking": "Two calls.", "tool_calls": [
                {"id": "call_1", "function": {"name": "weather", "arguments": {"city": "Rome", "z": 1}}},
                {"id": "call_2", "function": {"name": "now", "arguments": {}}},
                {"id": "call_3", "function": {"name": "cut", "arguments": {"input": "{\"city\": \"Ro"}}},
            ]},
            {"role": "tool", "content": "sunny", "tool_name": "weather", "tool_call_id": "call_1"},
            {"role": "tool", "content": "noon", "tool_name": "now", "tool_call_id": "call_2"},
            {"role": "user", "content": "And now?", "images": ["iVBORw0KGgo="]},
        ])
    );
}

#[test]
fn what_others_signed_is_not_sent() {
    let thinking = Block::Thinking {
        text: "secret".into(),
        signature: Some("sig".into()),
        signed_by: Some(Format::Messages),
        id: String::new(),
    };
    let redacted = Block::RedactedThinking { data: "x".into(), signed_by: Some(Format::Messages) };
    let request = Request {
        turns: vec![
            said(Role::User, vec![Block::text("a")]),
            said(Role::Assistant, vec![thinking, redacted]),
        ],
        ..Request::default()
    };
    let (body, _) = written(&request);
    assert_eq!(body["messages"], json!([{"role": "user", "content": "a"}]));
}

#[test]
fn what_ollama_cannot_say_is_refused_by_the_callers_name() {
    let url = Source::Url { url: "https://a.b/c.png".into(), media_type: None };
    let tools = || vec![function("now", None)];
    let custom = Tool { kind: ToolKind::Custom { format: None }, ..function("shell", None) };
    let named = Some(ToolChoice::Named("now".into()));
    for (request, param) in [
        (Request { choices: Some(2), ..asked("a") }, "n"),
        (Request { tools: tools(), tool_choice: named, ..asked("a") }, "tool_choice"),
        (Request { tools: tools(), tool_choice: Some(ToolChoice::Required), ..asked("a") }, "tool_choice"),
        (Request { tools: tools(), parallel_tools: Some(false), ..asked("a") }, "parallel_tool_calls"),
        (Request { tools: vec![function("now", None), custom], ..asked("a") }, "tools[1]"),
        (Request { turns: vec![said(Role::User, vec![image(url)])], ..asked("") }, "messages[0].content"),
        (Request { rest: vec![("audio".into(), raw(&json!({"voice": "x"})))], ..asked("a") }, "audio"),
    ] {
        assert_eq!(refused(&request), param);
    }
}

#[test]
fn what_changes_no_answer_is_dropped_with_a_note() {
    let request = Request {
        choices: Some(1),
        parallel_tools: Some(false),
        tools: vec![function("now", None)],
        tool_choice: Some(ToolChoice::None),
        user: Some("u".into()),
        service_tier: Some("flex".into()),
        reasoning: Some(Reasoning { budget_tokens: Some(2048), ..Reasoning::default() }),
        rest: vec![("store".into(), raw(&json!(true))), ("logit_bias".into(), raw(&json!({})))],
        ..asked("a")
    };
    let (body, dropped) = written(&request);
    assert_eq!(body.get("tools"), None);
    assert_eq!(body["think"], json!(true));
    assert_eq!(dropped, ["store", "user", "service_tier", "thinking.budget_tokens"]);
    let off = Reasoning { effort: Some(Effort::None), ..Reasoning::default() };
    let (body, _) = written(&Request { reasoning: Some(off), ..asked("a") });
    assert_eq!(body["think"], json!(false));
}

#[test]
fn names_of_calls_are_the_same_each_time_and_differ_from_turn_to_turn() {
    let body = |moment: &str| {
        format!(
            r#"{{"created_at":"{moment}","message":{{"role":"assistant","content":"","tool_calls":[{{"function":{{"name":"now","arguments":{{}}}}}},{{"function":{{"name":"now","arguments":{{}}}}}}]}},"done":true,"done_reason":"stop"}}"#
        )
    };
    let ids = |moment: &str| -> Vec<String> {
        let reply = read_reply(&body(moment)).unwrap();
        assert_eq!(reply.choices[0].stop.reason, StopReason::ToolUse);
        let blocks = &reply.choices[0].blocks;
        blocks
            .iter()
            .map(|b| if let Block::ToolUse { id, .. } = b { id.clone() } else { panic!("{b:?}") })
            .collect()
    };
    let first = ids("2025-01-01T00:00:00Z");
    assert_eq!(first, ids("2025-01-01T00:00:00Z"));
    assert_ne!(first[0], first[1]);
    assert!(!ids("2025-01-01T00:00:01Z").contains(&first[0]));
}

/// Reads a stream in pieces of so many bytes.
fn streamed(body: &str, pieces: usize) -> Result<Vec<Event>, StreamFault> {
    let mut reader = stream_reader().unwrap();
    let mut events = Vec::new();
    for piece in body.as_bytes().chunks(pieces) {
        reader.push(piece, &mut events)?;
    }
    reader.finish(&mut events)?;
    Ok(events)
}

#[test]
fn bug_2_13_and_29_a_stream_reads_the_same_in_any_pieces() {
    let body = concat!(
        r#"{"message":{"role":"assistant","thinking":"Ü"},"done":false}"#,
        "\r\n\n",
        r#"{"message":{"role":"assistant","content":"","thinking":"ber"},"done":false,"new":{"a":[1]}}"#,
        "\n",
        r#"{"message":{"content":"Hi \"you\""},"done":false,"logprobs":[{"token":"Hi","logprob":-0.5,"top_logprobs":[{"token":"Ho","logprob":-1}]}]}"#,
        "\n",
        r#"{"message":{"content":"","tool_calls":[{"function":{"name":"a","arguments":{"x":1.0}}},{"id":"call_9","function":{"index":1,"name":"b","arguments":"{}"}}]},"done":false}"#,
        "\n",
        r#"{"message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":9}"#,
    );
    let whole = streamed(body, usize::MAX).unwrap();
    for pieces in [1, 2, 3, 7, 64] {
        assert_eq!(streamed(body, pieces).unwrap(), whole, "{pieces}");
    }
    let at = |block| At { choice: 0, block };
    assert_eq!(whole.first(), Some(&Event::Start));
    assert_eq!(whole.last(), Some(&Event::End));
    assert!(whole.contains(&Event::Close(at(0))) && whole.contains(&Event::Open(at(1), Opening::Text)));
    assert!(whole.contains(&Event::Delta(at(2), Delta::Input(r#"{"x":1.0}"#.into()))));
    assert!(whole.contains(&Event::Delta(at(3), Delta::Input("{}".into()))));
    let usage = Usage { input: 7, output: 9, ..Usage::default() };
    let stop = Stop { reason: StopReason::ToolUse, ..Stop::default() };
    assert!(whole.contains(&Event::Stop(0, stop)) && whole.contains(&Event::Usage(usage)));
    let entries = r#"[{"token":"Hi","logprob":-0.5,"bytes":null,"top_logprobs":[{"token":"Ho","logprob":-1,"bytes":null}]}]"#;
    assert!(whole.contains(&Event::Delta(at(1), Delta::Logprobs(entries.into()))));
}

#[test]
fn bug_9_an_error_in_the_stream_is_a_fault_and_a_cut_is_no_stop() {
    let begun = "{\"message\":{\"content\":\"Hi\"},\"done\":false}\n";
    let failed = format!("{begun}{{\"error\":\"an error was encountered while running the model\"}}\n");
    assert_eq!(streamed(&failed, 5), Err(StreamFault::Upstream { code: String::new() }));
    let coded = r#"{"error":{"message":"m","type":"api error","code":null}}"#;
    assert_eq!(streamed(coded, 5), Err(StreamFault::Upstream { code: "apierror".into() }));
    assert_eq!(streamed("<html>\n", 5), Err(StreamFault::Garbage));
    let cut = format!("{begun}{{\"message\":{{\"cont");
    assert!(!streamed(&cut, 5).unwrap().iter().any(|event| matches!(event, Event::Stop(..) | Event::End)));
    let long = "x".repeat(breakwater_common::limits::SSE_EVENT_BYTES_MAX + 1);
    assert!(matches!(streamed(&long, 1 << 16), Err(StreamFault::EventTooLarge { .. })));
}

#[test]
fn errors_have_their_class_by_status_and_sentence() {
    for (status, body, class) in [
        (404, r#"{"error":"model 'x' not found"}"#, ErrorClass::NotFound),
        (
            400,
            r#"{"error":"registry.ollama.ai/library/gemma3:1b does not support tools"}"#,
            ErrorClass::Invalid,
        ),
        (400, r#"{"error":"the input length exceeds the context length"}"#, ErrorClass::ContextLength),
        (
            503,
            r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#,
            ErrorClass::Overloaded,
        ),
        (
            500,
            r#"{"error":"model requires more system memory (9.0 GiB) than is available (4.0 GiB)"}"#,
            ErrorClass::Overloaded,
        ),
        (500, r#"{"error":{"message":"boom","type":"api_error"}}"#, ErrorClass::Server),
        (502, "<html>", ErrorClass::Server),
    ] {
        let error = read_error(status, body);
        assert_eq!(error.class, class, "{body}");
        assert_eq!(error.message.is_empty(), body == "<html>");
    }
}
