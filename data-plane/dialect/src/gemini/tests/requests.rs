//! Requests for Google.

use serde_json::{Value, json};

use super::{call, read, result, turn, written};
use crate::Format;
use crate::ir::{
    Block, Effort, Media, Reasoning, Request, ResponseFormat, Role, Source, Tool, ToolChoice, ToolKind,
};

fn said(turns: Vec<(Role, Vec<Block>)>) -> Request {
    let turns = turns.into_iter().map(|(role, blocks)| turn(role, blocks)).collect();
    Request { turns, ..Request::default() }
}

fn function(schema: &Value, strict: Option<bool>) -> Tool {
    let schema = Some(super::super::fields::json(schema.to_string()));
    let kind = ToolKind::Function { schema, strict };
    Tool { name: "f".to_owned(), description: String::new(), kind, cache: None }
}

fn thought(signature: &str, signed_by: Format) -> Block {
    let signature = Some(signature.to_owned());
    Block::Thinking { text: String::new(), signature, signed_by: Some(signed_by), id: String::new() }
}

#[test]
fn bug_24_schemas_go_as_json_schema_and_results_with_ref_as_text() {
    let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "default": 1}}, "$defs": {"A": {"type": "integer"}},
        "additionalProperties": false});
    let mut request = said(vec![
        (
            Role::Assistant,
            vec![call("1", "f", "{}", None), call("2", "f", "{}", None), call("3", "f", "{}", None)],
        ),
        (
            Role::User,
            vec![result("1", r##"{"a":{"$ref":"#/b"}}"##), result("2", r#"{"a":1}"#), result("3", "[1]")],
        ),
    ]);
    request.tools = vec![function(&schema, None)];
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: "r".to_owned(),
        description: None,
        schema: super::super::fields::json(schema.to_string()),
        strict: Some(true),
    });
    let (body, dropped) = written(&request, "gemini-2.5-flash");
    assert_eq!(body["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], schema);
    assert_eq!(body["generationConfig"]["responseJsonSchema"], schema);
    assert_eq!(body["generationConfig"]["responseMimeType"], "application/json");
    let response = |index: usize| &body["contents"][1]["parts"][index]["functionResponse"]["response"];
    assert_eq!(response(0), &json!({"result": "{\"a\":{\"$ref\":\"#/b\"}}"}));
    assert_eq!(response(1), &json!({"a": 1}));
    assert_eq!(response(2), &json!({"result": [1]}));
    assert!(dropped.is_empty());
}

#[test]
fn bug_8_parallel_results_stand_in_one_turn_before_the_text() {
    let request = said(vec![
        (Role::User, vec![Block::text("go")]),
        (
            Role::Assistant,
            vec![Block::text(" "), call("1", "f", "", None), call("2", "g", r#"{"x":1}"#, None)],
        ),
        (Role::User, vec![result("2", "b")]),
        (Role::User, vec![Block::text("and"), result("1", "a")]),
    ]);
    let (body, _) = written(&request, "gemini-2.5-flash");
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"functionCall": {"id": "1", "name": "f", "args": {}}},
                {"functionCall": {"id": "2", "name": "g", "args": {"x": 1}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "2", "name": "g", "response": {"result": "b"}}},
                {"functionResponse": {"id": "1", "name": "f", "response": {"result": "a"}}},
                {"text": "and"},
            ]},
        ])
    );
    let lost = said(vec![(Role::User, vec![result("9", "a")])]);
    let refused = super::super::write_request(&lost, &super::target("gemini-2.5-flash")).unwrap_err();
    assert_eq!(refused.param, "messages[0].content[0]");
}

#[test]
fn bug_5_signatures_go_back_to_their_part() {
    let history = vec![
        (
            Role::Assistant,
            vec![
                thought("foreign", Format::Messages),
                Block::Text { text: "A".to_owned(), cache: None, signature: Some("dGV4dA==".to_owned()) },
                call("1", "f", "", Some("Y2FsbA==")),
                call("2", "f", "", None),
            ],
        ),
        (Role::User, vec![result("1", "a"), result("2", "b")]),
        // A caller that has no place on calls carried it on a thought.
        (Role::Assistant, vec![thought("bW92ZWQ=", Format::Gemini), call("3", "f", "", None)]),
        (Role::User, vec![result("3", "a")]),
        // Another provider made these.
        (Role::Assistant, vec![call("4", "f", "", None), call("5", "f", "", None)]),
        (Role::User, vec![result("4", "a"), result("5", "a")]),
        (Role::Assistant, vec![thought("ZW5k", Format::Gemini), Block::text("B")]),
    ];
    let request = said(history);
    let signatures = |model: &str| -> Vec<Vec<Value>> {
        let (body, _) = written(&request, model);
        let contents = body["contents"].as_array().unwrap().iter();
        let models = contents.filter(|content| content["role"] == "model");
        models
            .map(|content| {
                let parts = content["parts"].as_array().unwrap().iter();
                parts.map(|part| part["thoughtSignature"].clone()).collect()
            })
            .collect()
    };
    let null = Value::Null;
    let dummy = json!("skip_thought_signature_validator");
    for model in ["gemini-3-pro-preview", "models/gemini-3.6-flash", "gemini-4-argon", "gemini-flash-latest"]
    {
        assert_eq!(
            signatures(model),
            [
                vec![json!("dGV4dA=="), json!("Y2FsbA=="), null.clone()],
                vec![null.clone(), json!("bW92ZWQ=")].split_off(1),
                vec![dummy.clone(), null.clone()],
                vec![json!("ZW5k"), null.clone()],
            ],
            "{model}"
        );
    }
    assert_eq!(signatures("gemini-2.5-pro")[2], [null.clone(), null]);
}

#[test]
fn thinking_is_asked_for_in_the_model_s_own_way() {
    let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
    let budget =
        |tokens| Reasoning { enabled: Some(true), budget_tokens: Some(tokens), ..Reasoning::default() };
    let off = Reasoning { enabled: Some(false), ..Reasoning::default() };
    let adaptive = Reasoning { adaptive: true, show: Some(false), ..Reasoning::default() };
    for (model, reasoning, expected, dropped) in [
        ("gemini-3-flash-preview", effort(Effort::Minimal), json!({"thinkingLevel": "MINIMAL"}), 0),
        ("gemini-3-flash-preview", effort(Effort::XHigh), json!({"thinkingLevel": "HIGH"}), 0),
        ("gemini-3-flash-preview", effort(Effort::None), json!({"thinkingLevel": "MINIMAL"}), 1),
        ("gemini-3-pro-preview", effort(Effort::Medium), json!({"thinkingLevel": "LOW"}), 0),
        ("gemini-3.1-pro-preview", effort(Effort::Medium), json!({"thinkingLevel": "MEDIUM"}), 0),
        ("gemini-3.1-pro-preview", effort(Effort::Minimal), json!({"thinkingLevel": "LOW"}), 0),
        ("gemini-3.5-flash", budget(2048), json!({"thinkingLevel": "MEDIUM", "includeThoughts": true}), 0),
        ("gemini-3.5-flash", adaptive.clone(), json!({"includeThoughts": false}), 0),
        ("gemini-2.5-flash", effort(Effort::Low), json!({"thinkingBudget": 1024}), 0),
        ("gemini-2.5-flash", effort(Effort::Max), json!({"thinkingBudget": 24576}), 0),
        ("gemini-2.5-pro", effort(Effort::Max), json!({"thinkingBudget": 32768}), 0),
        ("gemini-2.5-flash", off.clone(), json!({"thinkingBudget": 0}), 0),
        ("gemini-2.5-pro", off.clone(), json!({"thinkingBudget": 128}), 1),
        ("gemini-2.5-flash-lite", budget(100), json!({"thinkingBudget": 512, "includeThoughts": true}), 0),
        ("gemini-2.5-flash", adaptive, json!({"thinkingBudget": -1, "includeThoughts": false}), 0),
        ("gemini-2.0-flash", effort(Effort::High), Value::Null, 1),
        ("gemini-2.0-flash", off, Value::Null, 0),
        ("gemma-3-27b-it", effort(Effort::High), Value::Null, 1),
    ] {
        let mut request = said(vec![(Role::User, vec![Block::text("a")])]);
        request.reasoning = Some(reasoning.clone());
        let (body, drops) = written(&request, model);
        let config = body["generationConfig"]["thinkingConfig"].clone();
        assert_eq!((config, drops.len()), (expected, dropped), "{model} {reasoning:?}");
    }
}

#[test]
fn tool_choices_have_their_mode() {
    let names = || vec!["f".to_owned(), "g".to_owned()];
    for (choice, strict, expected) in [
        (None, None, Value::Null),
        (None, Some(true), json!({"mode": "VALIDATED"})),
        (Some(ToolChoice::Auto), None, json!({"mode": "AUTO"})),
        (Some(ToolChoice::None), Some(true), json!({"mode": "NONE"})),
        (Some(ToolChoice::Required), None, json!({"mode": "ANY"})),
        (
            Some(ToolChoice::Named("f".to_owned())),
            None,
            json!({"mode": "ANY", "allowedFunctionNames": ["f"]}),
        ),
        (
            Some(ToolChoice::Allowed { required: true, names: names() }),
            None,
            json!({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        ),
        (
            Some(ToolChoice::Allowed { required: false, names: names() }),
            None,
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["f", "g"]}),
        ),
    ] {
        let mut request = said(vec![(Role::User, vec![Block::text("a")])]);
        request.tools = vec![function(&json!({"type": "object"}), strict)];
        request.tool_choice.clone_from(&choice);
        let (body, _) = written(&request, "gemini-2.5-flash");
        assert_eq!(body["toolConfig"]["functionCallingConfig"], expected, "{choice:?}");
        if strict.is_none() {
            assert_eq!(read(&body).unwrap().tool_choice, choice);
        }
    }
}

#[test]
fn media_go_where_the_model_takes_them() {
    let picture = || Block::Media {
        media: Media::Image,
        source: Source::Base64 { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
        name: String::new(),
        detail: None,
        cache: None,
    };
    let given = Block::ToolResult {
        id: "1".to_owned(),
        name: String::new(),
        content: vec![Block::text("see"), picture()],
        is_error: false,
        cache: None,
    };
    let request = said(vec![(Role::Assistant, vec![call("1", "f", "", None)]), (Role::User, vec![given])]);
    let (body, _) = written(&request, "gemini-3-flash-preview");
    let inline = json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}});
    assert_eq!(body["contents"][1]["parts"][0]["functionResponse"]["parts"][0], inline);
    let (body, _) = written(&request, "gemini-2.5-flash");
    assert_eq!(body["contents"][1]["parts"][1], inline);
    for (url, media, expected) in [
        ("https://a.b/c.PNG?x=1", Media::Image, "image/png"),
        ("https://a.b/c", Media::Image, "image/jpeg"),
        ("https://youtu.be/lCdaVNyHtjU", Media::Video, "video/mp4"),
        ("https://a.b/c", Media::Document, "application/pdf"),
    ] {
        let source = Source::Url { url: url.to_owned(), media_type: None };
        let block = Block::Media { media, source, name: String::new(), detail: None, cache: None };
        let (body, _) = written(&said(vec![(Role::User, vec![block])]), "gemini-2.5-flash");
        let file = json!({"fileData": {"mimeType": expected, "fileUri": url}});
        assert_eq!(body["contents"][0]["parts"][0], file);
    }
    let source = Source::File { id: "file-1".to_owned(), media_type: None };
    let block =
        Block::Media { media: Media::Document, source, name: String::new(), detail: None, cache: None };
    let refused = said(vec![(Role::User, vec![block])]);
    let refused = super::super::write_request(&refused, &super::target("gemini-2.5-flash")).unwrap_err();
    assert_eq!(refused.param, "messages[0].content[0]");
}

#[test]
fn what_changes_nothing_is_dropped_and_what_would_is_refused() {
    let mut request = said(vec![(Role::User, vec![Block::text("a")])]);
    request.user = Some("u".to_owned());
    request.verbosity = Some("low".to_owned());
    request.parallel_tools = Some(false);
    request.seed = Some(i64::MAX);
    request.service_tier = Some("scale".to_owned());
    let rest = |name: &str, json: &str| (name.to_owned(), super::super::fields::json(json.to_owned()));
    request.rest = vec![
        rest("store", "true"),
        rest("logit_bias", "{}"),
        rest("modalities", r#"["text"]"#),
        rest("safetySettings", r#"[{"category":10,"threshold":4}]"#),
        rest("generationConfig.responseModalities", r#"["IMAGE"]"#),
    ];
    let (body, mut dropped) = written(&request, "gemini-2.5-flash");
    dropped.sort();
    assert_eq!(dropped, ["parallel_tool_calls", "seed", "service_tier", "store", "user", "verbosity"]);
    assert_eq!(body["safetySettings"][0]["category"], 10);
    assert_eq!(body["generationConfig"]["responseModalities"][0], "IMAGE");
    request.rest.push(rest("prediction", r#"{"type":"content"}"#));
    let refused = super::super::write_request(&request, &super::target("gemini-2.5-flash")).unwrap_err();
    assert_eq!(refused.param, "prediction");
    let custom = Tool {
        name: "c".to_owned(),
        description: String::new(),
        kind: ToolKind::Custom { format: None },
        cache: None,
    };
    let mut request = said(vec![(Role::User, vec![Block::text("a")])]);
    request.tools = vec![custom];
    let refused = super::super::write_request(&request, &super::target("gemini-2.5-flash")).unwrap_err();
    assert_eq!(refused.param, "tools[0]");
}

#[test]
fn an_instruction_alone_is_what_is_asked() {
    let request = Request { system: vec![Block::text("s")], ..Request::default() };
    let (body, _) = written(&request, "gemini-2.5-flash");
    assert_eq!(body, json!({"contents": [{"role": "user", "parts": [{"text": "s"}]}]}));
}

#[test]
fn bug_1_the_conversation_stands_last() {
    let mut request = said(vec![(Role::User, vec![Block::text("a")])]);
    request.system = vec![Block::text("s")];
    request.tools = vec![function(&json!({"type": "object"}), None)];
    request.max_tokens = Some(5);
    let first = super::super::write_request(&request, &super::target("gemini-2.5-flash")).unwrap().body;
    request.turns.push(turn(Role::Assistant, vec![Block::text("b")]));
    let second = super::super::write_request(&request, &super::target("gemini-2.5-flash")).unwrap().body;
    let stem = first.strip_suffix("]}").unwrap();
    assert!(second.starts_with(stem), "{first}\n{second}");
}
