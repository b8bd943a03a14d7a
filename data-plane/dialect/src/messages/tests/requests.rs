//! Requests for Anthropic.

use serde_json::{Value, json};

use super::{NEW, OLD, ask, call, dropped, hello, raw, read, refused, result, said, target, turn, write};
use crate::ir::{
    Block, Cache, Media, Reasoning, Request, ResponseFormat, Role, Source, Tool, ToolChoice, ToolKind,
};

#[test]
fn bug_8_results_of_parallel_tools_share_one_turn_and_stand_first() {
    let body = write(
        &ask(vec![
            said(Role::User, "look twice"),
            turn(Role::Assistant, vec![call("a", "{}"), call("b", "")]),
            turn(Role::User, vec![result("a", "1")]),
            said(Role::User, "and hurry"),
            turn(Role::User, vec![result("b", "2")]),
        ]),
        NEW,
    );
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    let kinds: Vec<_> =
        body["messages"][2]["content"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(kinds, ["tool_result", "tool_result", "text"]);
    assert_eq!(body["messages"][2]["content"][1]["tool_use_id"], "b");
    // Bug 25: a call without arguments.
    assert_eq!(body["messages"][1]["content"][1]["input"], json!({}));
}

#[test]
fn bug_26_blank_texts_are_left_out_and_the_last_word_ends_without_space() {
    let body = write(
        &ask(vec![
            turn(Role::User, vec![Block::text(" \n"), Block::text("hi")]),
            turn(Role::Assistant, vec![Block::text(""), call("a", "{}")]),
            turn(Role::User, vec![result("a", " ")]),
            said(Role::Assistant, ""),
            said(Role::User, "go on"),
            said(Role::Assistant, "Well: \n"),
        ]),
        NEW,
    );
    let expected = json!([
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}, {"type": "text", "text": "go on"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Well:"}]},
    ]);
    assert_eq!(body["messages"], expected);
}

#[test]
fn bug_18_marks_of_cache_stay_where_they_are_and_the_last_four_count() {
    let body = json!({
        "model": "m", "max_tokens": 9, "cache_control": {"type": "ephemeral"},
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "tools": [{"name": "look", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "first", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": "a"},
            {"role": "user", "content": [{"type": "text", "text": "second", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "third"},
        ],
    });
    let request = read(&body);
    assert!(matches!(request.turns[4].blocks[0], Block::Text { cache: Some(Cache::Default), .. }));
    let body = write(&request, NEW);
    assert_eq!(body["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    assert_eq!(body["tools"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["messages"][0]["content"][0].get("cache_control"), None);
    assert_eq!(body["messages"][2]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(body["messages"][4]["content"][0]["cache_control"], json!({"type": "ephemeral"}));
}

#[test]
fn bug_23_tools_are_written_as_the_provider_takes_them() {
    let tool = |schema: Option<Value>, strict| Tool {
        name: "look".to_owned(),
        description: String::new(),
        kind: ToolKind::Function { schema: schema.as_ref().map(raw), strict },
        cache: None,
    };
    let open = json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}});
    let closed = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let request = Request {
        tools: vec![tool(None, None), tool(Some(open), Some(true)), tool(Some(closed), Some(true))],
        ..hello()
    };
    let body = write(&request, NEW);
    assert_eq!(
        body["tools"][0],
        json!({"name": "look", "input_schema": {"type": "object", "properties": {}}})
    );
    assert_eq!(body["tools"][1].get("strict"), None);
    assert_eq!(body["tools"][2]["strict"], true);
    assert_eq!(dropped(&request, NEW), ["tools[1].strict"]);
}

#[test]
fn bug_27_a_schema_of_the_answer_is_the_providers_to_hold() {
    let schema = raw(&json!({"type": "object", "properties": {"a": {"type": "string"}}}));
    let (name, description, strict) = (String::new(), None, Some(true));
    let format = ResponseFormat::JsonSchema { name, description, schema, strict };
    let request = Request { response_format: Some(format), ..hello() };
    let body = write(&request, NEW);
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
    assert_eq!(body["output_config"]["format"]["schema"]["additionalProperties"], false);
    assert_eq!((body.get("tools"), body.get("tool_choice")), (None, None));
    assert_eq!(refused(&request, "claude-3-haiku-20240307"), "response_format");
    let request = Request { response_format: Some(ResponseFormat::JsonObject), ..hello() };
    assert!(write(&request, NEW)["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert_eq!(dropped(&request, NEW), ["response_format"]);
}

#[test]
fn a_bound_of_tokens_is_always_there() {
    assert_eq!(write(&hello(), NEW)["max_tokens"], 128_000);
    let catalogue = crate::codec::Target { max_output_tokens: Some(777), ..target(NEW) };
    let body = |request: &Request| super::super::write_request(request, &catalogue).unwrap();
    assert!(body(&hello()).body.contains(r#""max_tokens":777"#));
    let greedy = body(&Request { max_tokens: Some(778), ..hello() });
    assert!(greedy.body.contains(r#""max_tokens":777"#));
    assert_eq!(greedy.dropped, ["max_tokens"]);
}

#[test]
fn what_draws_words_is_clamped_to_what_the_model_takes() {
    let number = |it: f64| serde_json::Number::from_f64(it);
    let free = Request { temperature: number(1.7), top_p: number(0.5), top_k: Some(9), ..hello() };
    let body = write(&free, "claude-3-haiku-20240307");
    assert_eq!((&body["temperature"], &body["top_p"], &body["top_k"]), (&json!(1), &json!(0.5), &json!(9)));
    assert_eq!(dropped(&free, "claude-3-haiku-20240307"), ["temperature"]);
    assert_eq!(dropped(&free, OLD), ["temperature", "top_p"]);
    assert_eq!(dropped(&free, "claude-opus-5"), ["temperature", "top_p", "top_k"]);
    let thinks = Request {
        temperature: number(0.2),
        reasoning: Some(Reasoning { enabled: Some(true), ..Reasoning::default() }),
        ..hello()
    };
    assert_eq!(write(&thinks, OLD).get("temperature"), None);
    assert_eq!(dropped(&thinks, OLD), ["temperature"]);
}

#[test]
fn what_changes_the_answer_is_refused_and_what_does_not_is_noted() {
    let media = |media, source| {
        ask(vec![turn(
            Role::User,
            vec![Block::Media { media, source, name: String::new(), detail: None, cache: None }],
        )])
    };
    let bytes =
        |media_type: &str| Source::Base64 { media_type: media_type.to_owned(), data: "AAAA".to_owned() };
    let file = Source::File { id: "file-1".to_owned(), media_type: None };
    let rest = |name: &str| vec![(name.to_owned(), raw(&json!({})))];
    let custom = Tool {
        name: "patch".to_owned(),
        description: String::new(),
        kind: ToolKind::Custom { format: None },
        cache: None,
    };
    for (request, param) in [
        (Request { choices: Some(2), ..hello() }, "n"),
        (Request { logprobs: Some(0), ..hello() }, "logprobs"),
        (Request { presence_penalty: Some(1.into()), ..hello() }, "presence_penalty"),
        (Request { stop: vec!["\n".to_owned()], ..hello() }, "stop"),
        (Request { rest: rest("mcp_servers"), ..hello() }, "mcp_servers"),
        (Request { rest: rest("container"), ..hello() }, "container"),
        (Request { tools: vec![custom], ..hello() }, "tools[0]"),
        (media(Media::Audio, bytes("audio/wav")), "messages[0].content[0]"),
        (media(Media::Image, bytes("image/tiff")), "messages[0].content[0]"),
        (media(Media::Document, file), "messages[0].content[0]"),
        (ask(vec![said(Role::User, " ")]), "messages"),
    ] {
        assert_eq!(refused(&request, NEW), param);
    }
    let harmless = Request {
        seed: Some(1),
        choices: Some(1),
        frequency_penalty: Some(0.into()),
        metadata: vec![("a".to_owned(), "b".to_owned())],
        prompt_cache_key: Some("k".to_owned()),
        verbosity: Some("low".to_owned()),
        service_tier: Some("flex".to_owned()),
        user: Some("u".repeat(257)),
        rest: rest("context_management"),
        ..hello()
    };
    let mut noted = dropped(&harmless, NEW);
    noted.sort_unstable();
    let expected =
        ["context_management", "metadata", "prompt_cache_key", "seed", "service_tier", "user", "verbosity"];
    assert_eq!(noted, expected);
}

#[test]
fn media_and_instructions_are_written_where_they_belong() {
    let media = |media, source, name: &str| Block::Media {
        media,
        source,
        name: name.to_owned(),
        detail: None,
        cache: None,
    };
    let bytes = |media_type: &str, data: &str| Source::Base64 {
        media_type: media_type.to_owned(),
        data: data.to_owned(),
    };
    let url = |url: &str| Source::Url { url: url.to_owned(), media_type: None };
    let body = write(
        &Request {
            system: vec![Block::text("one")],
            turns: vec![
                turn(
                    Role::User,
                    vec![
                        media(Media::Image, bytes("image/jpg", "AAAA"), ""),
                        media(Media::Image, url("https://x.test/a.png"), ""),
                        media(Media::Image, url("data:image/png;base64,BBBB"), ""),
                        media(Media::Document, bytes("application/pdf", "CCCC"), "a.pdf"),
                        media(Media::Document, bytes("text/markdown", "aGk="), ""),
                    ],
                ),
                said(Role::System, "two"),
                said(Role::User, "look"),
            ],
            ..Request::default()
        },
        NEW,
    );
    let expected = json!([{"role": "user", "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"}},
        {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "BBBB"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "CCCC"}, "title": "a.pdf"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi"}},
        {"type": "text", "text": "look"},
    ]}]);
    assert_eq!(body["messages"], expected);
    assert_eq!(body["system"], json!([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]));
    let alone = write(&Request { system: vec![Block::text("say hi")], ..Request::default() }, NEW);
    assert_eq!(alone["messages"], json!([{"role": "user", "content": [{"type": "text", "text": "say hi"}]}]));
}

#[test]
fn choices_of_tools_cross() {
    for (choice, parallel, expected) in [
        (None, None, Value::Null),
        (None, Some(false), json!({"type": "auto", "disable_parallel_tool_use": true})),
        (Some(ToolChoice::Required), None, json!({"type": "any"})),
        (Some(ToolChoice::None), Some(false), json!({"type": "none"})),
        (Some(ToolChoice::Named("b".to_owned())), None, json!({"type": "tool", "name": "b"})),
        (
            Some(ToolChoice::Allowed { required: true, names: vec!["b".to_owned()] }),
            None,
            json!({"type": "any"}),
        ),
    ] {
        let tool = |name: &str| Tool {
            name: name.to_owned(),
            description: String::new(),
            kind: ToolKind::Function { schema: None, strict: None },
            cache: None,
        };
        let only_b = matches!(choice, Some(ToolChoice::Allowed { .. }));
        let request = Request {
            tools: vec![tool("a"), tool("b")],
            tool_choice: choice,
            parallel_tools: parallel,
            ..hello()
        };
        let body = write(&request, NEW);
        assert_eq!(body["tool_choice"], expected);
        assert_eq!(body["tools"].as_array().unwrap().len(), if only_b { 1 } else { 2 });
    }
    let choice = Request { tool_choice: Some(ToolChoice::Auto), ..hello() };
    assert_eq!(write(&choice, NEW).get("tool_choice"), None);
}
