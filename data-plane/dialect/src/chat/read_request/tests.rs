#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at one kind of block")]

use serde_json::{Value, json};

use super::*;
use crate::Format;
use crate::ir::{Block, Cache, Effort, Media, Reasoning, ResponseFormat, Role, Source, ToolChoice, ToolKind};

fn read(body: &Value) -> Request {
    read_request(&body.to_string()).unwrap_or_else(|refused| panic!("{refused}: {body}"))
}

fn messages(messages: &Value) -> Request {
    read(&json!({"model": "m", "messages": messages}))
}

fn refused(body: &Value) -> String {
    read_request(&body.to_string()).expect_err("a refusal").to_string()
}

#[test]
fn members_are_read_under_all_their_names() {
    let request = read(&json!({
        "model": "m", "messages": [], "max_tokens": 5, "max_completion_tokens": 7, "temperature": 0.5, "top_p": 1.0,
        "top_k": 3, "random_seed": 11, "stop": "x", "n": 2, "logprobs": true, "top_logprobs": 4, "stream": true,
        "stream_options": {"include_usage": true}, "user": "u", "safety_identifier": "s", "metadata": {"a": "b"},
        "prompt_cache_key": "k", "service_tier": "flex", "verbosity": "low", "parallel_tool_calls": false,
        "reasoning_effort": "high", "frequency_penalty": null, "safe_prompt": false, "logit_bias": {},
        "store": false, "guided_json": {"a": 1.50}
    }));
    assert_eq!(request.max_tokens, Some(7));
    assert_eq!(
        (request.top_k, request.seed, request.choices, request.logprobs),
        (Some(3), Some(11), Some(2), Some(4))
    );
    assert_eq!((request.stop.as_slice(), request.stream), (["x".to_owned()].as_slice(), true));
    assert_eq!((request.user.as_deref(), request.verbosity.as_deref()), (Some("u"), Some("low")));
    assert_eq!(request.metadata, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(request.parallel_tools, Some(false));
    assert_eq!(request.reasoning.unwrap().effort, Some(Effort::High));
    let rest: Vec<(&str, &str)> =
        request.rest.iter().map(|(name, json)| (name.as_str(), json.get())).collect();
    assert_eq!(rest, [("store", "false"), ("guided_json", r#"{"a":1.5}"#)]);
}

#[test]
fn a_wrong_type_is_refused_by_its_name() {
    for (member, value, want) in [
        ("messages", json!("x"), "messages must be a list"),
        ("messages", json!([1]), "messages[0] must be an object"),
        ("messages", json!([{"content": "x"}]), "messages[0].role must be a text"),
        ("messages", json!([{"role": "owl"}]), "messages[0].role is not a known role"),
        (
            "messages",
            json!([{"role": "user", "content": 1}]),
            "messages[0].content must be a text or a list of parts",
        ),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "text"}]}]),
            "messages[0].content[0].text must be a text",
        ),
        ("messages", json!([{"role": "tool", "content": "x"}]), "messages[0].tool_call_id must be a text"),
        (
            "messages",
            json!([{"role": "assistant", "tool_calls": "x"}]),
            "messages[0] is not a message of this format",
        ),
        ("temperature", json!("hot"), "temperature must be a number"),
        ("max_tokens", json!(1.5), "max_tokens must be a whole number"),
        ("n", json!(-1), "n must be a whole number"),
        ("stream", json!("yes"), "stream must be true or false"),
        ("stop", json!([1]), "stop must be a text"),
        ("tools", json!([{"type": "function"}]), "tools[0].function is missing"),
        ("tools", json!([{"type": "function", "function": {}}]), "tools[0].function.name is missing"),
        ("tool_choice", json!("maybe"), "tool_choice is not a known choice"),
        ("response_format", json!({"type": "xml"}), "response_format.type is not a known form"),
        ("reasoning_effort", json!("huge"), "reasoning_effort is not a known effort"),
    ] {
        let mut body = json!({"model": "m", "messages": []});
        body[member] = value;
        assert_eq!(refused(&body), want, "{body}");
    }
    assert_eq!(refused(&json!({"model": "m"})), "messages is missing");
    assert_eq!(read(&json!({"messages": [], "max_tokens": 16.0})).max_tokens, Some(16));
}

#[test]
fn the_conversation_keeps_its_order() {
    let request = messages(&json!([
        {"role": "system", "content": "a"},
        {"role": "developer", "content": [{"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\": 1.0}"}},
            {"id": "2", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
        {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "s"}]},
        {"role": "system", "content": "late"},
        {"role": "assistant", "content": "", "refusal": null}
    ]));
    assert!(
        matches!(&request.system[1], Block::Text { text, cache: Some(Cache::OneHour), .. } if text == "b")
    );
    let roles: Vec<Role> = request.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::System]);
    let calls = &request.turns[1].blocks;
    assert!(matches!(&calls[0], Block::ToolUse { id, input, .. } if id == "1" && input == "{\"x\": 1.0}"));
    assert!(matches!(&calls[1], Block::ToolUse { input, .. } if input == "{}"), "bug 25");
    assert_eq!(request.turns[2].blocks.len(), 2, "bug 8: results of one turn stand together");
}

#[test]
fn the_name_of_a_speaker_is_noted_once() {
    let said = |name: &str| json!({"role": "user", "name": name, "content": "hi"});
    let request = messages(&json!([said(""), said("ann"), said("bob")]));
    let rest: Vec<_> = request.rest.iter().map(|(member, json)| (member.as_str(), json.get())).collect();
    assert_eq!(rest, [("messages.name", "\"ann\"")]);
    assert!(crate::ir::is_harmless("messages.name"));
}

#[test]
fn parts_are_read_in_all_their_shapes() {
    let parts = |part: Value| {
        messages(&json!([{"role": "user", "content": [part]}])).turns.remove(0).blocks.remove(0)
    };
    let media = |part: Value| match parts(part) {
        Block::Media { media, source, name, .. } => (media, source, name),
        other => panic!("{other:?}"),
    };
    let base64 = |media_type: &str| Source::Base64 { media_type: media_type.into(), data: "QQ==".into() };
    let url = |url: &str| Source::Url { url: url.into(), media_type: None };
    for (part, want) in [
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/PNG;base64,QQ==", "detail": "low"}}),
            (Media::Image, base64("image/png"), ""),
        ),
        (
            json!({"type": "image_url", "image_url": "https://x/y.png"}),
            (Media::Image, url("https://x/y.png"), ""),
        ),
        (
            json!({"type": "input_audio", "input_audio": {"data": "QQ==", "format": "mp3"}}),
            (Media::Audio, base64("audio/mpeg"), ""),
        ),
        (
            json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,QQ==", "filename": "a.pdf"}}),
            (Media::Document, base64("application/pdf"), "a.pdf"),
        ),
        (
            json!({"type": "file", "file": {"file_data": "QQ==", "filename": "a.CSV"}}),
            (Media::Document, base64("text/csv"), "a.CSV"),
        ),
        (
            json!({"type": "file", "file": {"file_data": "https://x/a.pdf"}}),
            (Media::Document, url("https://x/a.pdf"), ""),
        ),
        (
            json!({"type": "file", "file": {"file_id": "file-1"}}),
            (Media::Document, Source::File { id: "file-1".into(), media_type: None }, ""),
        ),
        (
            json!({"type": "document_url", "document_url": "https://x/a.pdf"}),
            (Media::Document, url("https://x/a.pdf"), ""),
        ),
        (
            json!({"type": "file_url", "file_url": {"url": "QQ=="}, "file_name": "a.pdf"}),
            (Media::Document, base64("application/pdf"), "a.pdf"),
        ),
        (
            json!({"type": "video_url", "video_url": {"url": "https://x/a.mp4"}}),
            (Media::Video, url("https://x/a.mp4"), ""),
        ),
    ] {
        let (kind, source, name) = media(part.clone());
        assert_eq!((kind, source, name.as_str()), want, "{part}");
    }
    assert!(
        matches!(parts(json!({"type": "hologram", "x": 1})), Block::Foreign { format: Format::Chat, kind, .. } if kind == "hologram")
    );
}

#[test]
fn tools_choices_and_forms_are_read() {
    let request = read(&json!({"messages": [], "tools": [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "maximum": 1e2}, "strict": true}},
        {"function": {"name": "g", "parameters": null}},
        {"type": "custom", "custom": {"name": "h", "format": {"type": "text"}}},
        {"type": "openrouter:web_search"}
    ]}));
    let names: Vec<&str> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "g", "h", "openrouter:web_search"]);
    assert!(matches!(&request.tools[0].kind, ToolKind::Function { schema: Some(_), strict: Some(true) }));
    assert!(matches!(&request.tools[1].kind, ToolKind::Function { schema: None, strict: None }));
    assert!(matches!(&request.tools[2].kind, ToolKind::Custom { format: Some(_) }));
    assert!(matches!(&request.tools[3].kind, ToolKind::Foreign { format: Format::Chat, .. }));
    for (choice, want) in [
        (json!("any"), ToolChoice::Required),
        (json!("none"), ToolChoice::None),
        (json!({"type": "function", "function": {"name": "f"}}), ToolChoice::Named("f".into())),
        (json!({"function": {"name": "f"}}), ToolChoice::Named("f".into())),
        (json!({"type": "custom", "custom": {"name": "h"}}), ToolChoice::Named("h".into())),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}}),
            ToolChoice::Allowed { required: true, names: vec!["f".into()] },
        ),
    ] {
        assert_eq!(read(&json!({"messages": [], "tool_choice": choice})).tool_choice, Some(want));
    }
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}});
    let form = read(&json!({"messages": [], "response_format": schema})).response_format;
    assert!(matches!(form, Some(ResponseFormat::JsonSchema { name, strict: Some(true), .. }) if name == "n"));
}

#[test]
fn the_words_for_reasoning_are_read() {
    let reasoning = |member: &str, value: Value| {
        read(&json!({"messages": [], member: value})).reasoning.unwrap_or_default()
    };
    assert_eq!(reasoning("reasoning", json!({"max_tokens": 2000})).budget_tokens, Some(2000));
    assert_eq!(reasoning("reasoning", json!({"effort": "low", "exclude": true})).show, Some(false));
    assert_eq!(reasoning("thinking", json!({"type": "disabled"})).enabled, Some(false));
    assert_eq!(reasoning("enable_thinking", json!(true)).enabled, Some(true));
    assert_eq!(reasoning("reasoning_effort", json!("default")), Reasoning::default());
    assert_eq!(reasoning("reasoning_format", json!("hidden")).show, Some(false));
}

#[test]
fn functions_of_old_are_tools() {
    let request = read(&json!({
        "functions": [{"name": "f", "parameters": {"type": "object"}}], "function_call": {"name": "f"},
        "messages": [
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "r"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "s"}
        ]
    }));
    assert!(request.legacy_functions);
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    let ids: Vec<&str> = request
        .turns
        .iter()
        .flat_map(|turn| &turn.blocks)
        .map(|block| match block {
            Block::ToolUse { id, .. } | Block::ToolResult { id, .. } => id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2], "{ids:?}");
}

/// Thinking that a caller gives back.
fn thoughts(message: Value) -> Vec<(String, Option<String>, Option<Format>, String)> {
    let turn = messages(&json!([message])).turns.remove(0);
    turn.blocks
        .into_iter()
        .filter_map(|block| match block {
            Block::Thinking { text, signature, signed_by, id } => Some((text, signature, signed_by, id)),
            Block::RedactedThinking { data, signed_by } => {
                Some(("-".into(), Some(data), signed_by, String::new()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn bug_4_and_5_seals_come_back_byte_for_byte_and_in_their_place() {
    let turn = messages(&json!([{
        "role": "assistant", "content": "x", "reasoning_content": "ab",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "a", "signature": "S/+=", "format": "bwseal.f", "index": 0},
            {"type": "reasoning.encrypted", "data": "R==", "format": "bwseal.f", "index": 2}
        ],
        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"google": {"thought_signature": "G+/"}}},
            {"id": "2", "type": "function", "function": {"name": "f", "arguments": "{}"},
            "extra_content": {"breakwater": {"signature": "bwseal.z1..H+/"}}}]
    }]))
    .turns
    .remove(0);
    let [
        Block::Thinking { signature, signed_by, .. },
        Block::Text { .. },
        Block::RedactedThinking { data, .. },
        Block::ToolUse { signature: google, .. },
        Block::ToolUse { signature: ours, .. },
    ] = &turn.blocks[..]
    else {
        panic!("{:?}", turn.blocks)
    };
    assert_eq!(
        (signature.as_deref(), *signed_by, data.as_str(), google.as_deref(), ours.as_deref()),
        (Some("S/+="), Some(Format::Messages), "R==", Some("G+/"), Some("H+/"))
    );
    // As a client keeps them that does not join what was streamed.
    let pieces = json!({"role": "assistant", "content": "x", "reasoning_details": [
        {"type": "reasoning.text", "index": 0, "text": "a"}, {"type": "reasoning.text", "index": 0, "text": "b"},
        {"type": "reasoning.text", "signature": "S", "format": "bwseal.z", "index": 0}]});
    assert_eq!(thoughts(pieces), [("ab".into(), Some("S".into()), Some(Format::Gemini), String::new())]);
    // A vendor's own, from a conversation that began there.
    let vendors = json!({"role": "assistant", "content": "x", "reasoning_details": [
        {"type": "reasoning.text", "text": "a", "signature": "S", "format": "anthropic-claude-v1", "index": 0}]});
    assert_eq!(
        thoughts(vendors),
        [("a".into(), Some("text:YW50aHJvcGljLWNsYXVkZS12MQ::S".into()), Some(Format::Chat), String::new())]
    );
    let plain = json!({"role": "assistant", "content": "x", "reasoning": "hm"});
    assert_eq!(thoughts(plain), [("hm".into(), None, None, String::new())]);
}
