//! Requests of callers, by hand.

use serde_json::{Value, json};

use super::{request, written};
use crate::ir::{Block, Effort, Media, Request, ResponseFormat, Role, Source, ToolChoice, ToolKind, Turn};
use crate::{Format, translate};

fn refused(body: &Value) -> String {
    translate::read_request(Format::Responses, &body.to_string()).unwrap_err().param
}

fn turns(input: Value) -> Vec<Turn> {
    request(&json!({ "model": "m", "input": input })).turns
}

#[test]
fn members_are_read() {
    let request = request(&json!({
        "model": "m", "input": "hi", "instructions": "be brief", "max_output_tokens": 9, "temperature": 0.5,
        "top_p": 1, "stream": true, "parallel_tool_calls": false, "user": "u1", "safety_identifier": "s1",
        "metadata": {"a": "b"}, "prompt_cache_key": "k", "service_tier": "flex", "store": false,
        "truncation": "disabled", "background": false, "previous_response_id": null,
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"b": 1.0, "a": {}}, "strict": true},
            "verbosity": "low"},
        "reasoning": {"effort": "xhigh", "summary": "detailed", "context": "all_turns"},
        "include": ["reasoning.encrypted_content", "message.output_text.logprobs"], "top_logprobs": 3,
        "client_metadata": {"x": 1}, "max_tool_calls": null,
    }));
    assert_eq!(request.max_tokens, Some(9));
    assert_eq!((request.stream, request.parallel_tools), (true, Some(false)));
    assert_eq!(request.user.as_deref(), Some("s1"));
    assert_eq!(request.metadata, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(request.logprobs, Some(3));
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort, reasoning.show), (Some(Effort::XHigh), Some(true)));
    let Some(ResponseFormat::JsonSchema { schema, strict: Some(true), .. }) = request.response_format else {
        panic!("{:?}", request.response_format)
    };
    assert_eq!(schema.get(), r#"{"b":1.0,"a":{}}"#);
    let rest: Vec<_> = request.rest.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rest, ["reasoning.context", "client_metadata"]);
}

#[test]
fn what_another_provider_cannot_serve_is_refused_by_name() {
    for (member, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!({"id": "conv_1"})),
        ("background", json!(true)),
        ("prompt", json!({"id": "pmpt_1"})),
    ] {
        assert_eq!(refused(&json!({"input": "hi", member: value})), member);
    }
    assert_eq!(refused(&json!({"input": [{"type": "item_reference", "id": "msg_1"}]})), "input[0]");
    assert_eq!(refused(&json!({"input": [{"id": "msg_1"}]})), "input[0]");
    assert_eq!(refused(&json!({"input": 3})), "input");
    assert_eq!(refused(&json!({"input": "hi", "tools": [{"type": "function"}]})), "tools[0].name");
    assert_eq!(refused(&json!({"input": "hi", "max_output_tokens": "9"})), "max_output_tokens");
    let image = json!([{"role": "user", "content": [{"type": "input_image"}]}]);
    assert_eq!(refused(&json!({"input": image})), "input[0].content[0].file_id");
}

#[test]
fn all_forms_of_tool_choice_are_read_or_refused() {
    let choice = |choice: &Value| {
        translate::read_request(Format::Responses, &json!({"input": "hi", "tool_choice": choice}).to_string())
            .map(|request| request.tool_choice.unwrap())
    };
    let named = |name: &str| ToolChoice::Named(name.to_owned());
    let allowed = |required| ToolChoice::Allowed { required, names: vec!["a".to_owned(), "b".to_owned()] };
    let tools = json!([{"type": "function", "name": "a"}, {"type": "custom", "name": "b"}]);
    for (source, expect) in [
        (json!("auto"), ToolChoice::Auto),
        (json!("none"), ToolChoice::None),
        (json!("required"), ToolChoice::Required),
        (json!({"type": "function", "name": "f"}), named("f")),
        (json!({"type": "custom", "name": "c"}), named("c")),
        (json!({"type": "allowed_tools", "mode": "auto", "tools": tools}), allowed(false)),
        (json!({"mode": "required", "tools": tools}), allowed(true)),
    ] {
        assert_eq!(choice(&source).unwrap(), expect, "{source}");
    }
    for source in [
        json!({"type": "web_search_preview"}),
        json!({"type": "mcp", "server_label": "x"}),
        json!({"type": "apply_patch"}),
        json!({"type": "shell"}),
        json!("some"),
    ] {
        assert_eq!(choice(&source).unwrap_err().param, "tool_choice", "{source}");
    }
    let hosted = json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "file_search"}]});
    assert_eq!(choice(&hosted).unwrap_err().param, "tool_choice.tools[0]");
}

#[test]
fn tools_are_read() {
    let request = request(&json!({"input": "hi", "tools": [
        {"type": "function", "name": "f", "description": "d", "parameters": {"z": 1, "a": 1.50}, "strict": true},
        {"type": "function", "name": "g", "parameters": null, "strict": null, "description": null},
        {"type": "custom", "name": "c", "format": {"type": "grammar"}},
        {"type": "web_search", "external_web_access": false},
        {"type": "mcp", "name": "n", "tools": []},
    ]}));
    let names: Vec<_> = request.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["f", "g", "c", "web_search", "n"]);
    let kinds: Vec<_> = request.tools.iter().map(|tool| &tool.kind).collect();
    assert!(matches!(kinds[0], ToolKind::Function { schema: Some(_), strict: Some(true) }));
    assert!(matches!(kinds[1], ToolKind::Function { schema: None, strict: None }));
    assert!(matches!(kinds[2], ToolKind::Custom { format: Some(_) }));
    assert!(matches!(kinds[3], ToolKind::Foreign { format: Format::Responses, .. }));
    assert!(matches!(kinds[4], ToolKind::Foreign { format: Format::Responses, .. }));
}

#[test]
fn bug_8_items_of_one_answer_are_one_turn_and_results_together_are_one() {
    let turns = turns(json!([
        {"role": "user", "content": "go"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "a"},
            {"type": "summary_text", "text": "b"}], "encrypted_content": "gAAA=="},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""},
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "print(1)"},
        {"type": "function_call_output", "call_id": "c1", "output": [
            {"type": "input_text", "text": "seen"},
            {"type": "input_image", "image_url": "data:image/PNG;base64,AAAA", "detail": "high"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"}]},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "1"},
        {"role": "user", "content": [{"type": "input_text", "text": "and"}]},
        {"role": "developer", "content": "stop soon"},
    ]));
    let roles: Vec<_> = turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User, Role::User, Role::System]);
    let [thinking, text, call, custom] = turns[1].blocks.as_slice() else { panic!("{:?}", turns[1]) };
    assert!(
        matches!(thinking, Block::Thinking { text, signature: Some(signature), signed_by: Some(Format::Responses), id }
        if text == "a\n\nb" && signature == "gAAA==" && id == "rs_1")
    );
    assert!(matches!(text, Block::Text { text, .. } if text == "so"));
    assert!(matches!(call, Block::ToolUse { input, custom: false, .. } if input == "{}"));
    assert!(matches!(custom, Block::ToolUse { input, custom: true, .. } if input == "print(1)"));
    let [Block::ToolResult { content, .. }, Block::ToolResult { id, .. }] = turns[2].blocks.as_slice() else {
        panic!("{:?}", turns[2])
    };
    assert_eq!(id, "c2");
    let png = Source::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    assert!(
        matches!(&content[1], Block::Media { media: Media::Image, source, detail: Some(_), .. } if *source == png)
    );
    assert!(matches!(&content[2], Block::Media { media: Media::Document, name, .. } if name == "a.pdf"));
}

#[test]
fn what_is_not_known_is_kept_as_it_stands() {
    let turns = turns(json!([
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
        {"type": "mcp_approval_response", "approve": true},
        {"role": "user", "content": [{"type": "input_hologram", "data": 1}]},
    ]));
    let kinds: Vec<_> = turns
        .iter()
        .flat_map(|turn| &turn.blocks)
        .map(|block| match block {
            Block::Foreign { format: Format::Responses, kind, json } => {
                (kind.as_str(), json.get().len() > 10)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, [("compaction", true), ("mcp_approval_response", true), ("input_hologram", true)]);
    assert_eq!(turns[1].role, Role::User);
}

#[test]
fn early_developer_messages_are_system_and_instructions_come_first() {
    let read = request(&json!({"instructions": "one", "input": [
        {"role": "system", "content": "two"},
        {"role": "developer", "content": [{"type": "input_text", "text": "three"}, {"type": "input_text", "text": "four"}]},
        {"role": "user", "content": "hi"},
    ]}));
    let body = written(read);
    assert_eq!(body["instructions"], "one\n\ntwo\n\nthree\n\nfour");
    assert_eq!(body["input"].as_array().unwrap().len(), 1);
}

fn plain_block(block: &mut Block) {
    match block {
        Block::Text { cache, .. } => *cache = None,
        Block::Media { media: Media::Image, detail, .. } => {
            detail.get_or_insert("auto".to_owned());
        }
        // A file without a name gets one.
        Block::Media { media: Media::Document, name, .. } => name.clear(),
        Block::ToolResult { content, .. } => content.iter_mut().for_each(plain_block),
        _ => {}
    }
}

/// Returns what a request says, without what a provider is not told.
fn plain(request: &Request) -> String {
    let mut request = request.clone();
    for turn in &mut request.turns {
        turn.blocks.retain(|block| match block {
            Block::Text { text, .. } => !text.is_empty(),
            Block::Thinking { signature, .. } => signature.is_some(),
            _ => true,
        });
        turn.blocks.iter_mut().for_each(plain_block);
    }
    request.turns.retain(|turn| !turn.blocks.is_empty());
    for tool in &mut request.tools {
        if let ToolKind::Function { strict, schema } = &mut tool.kind {
            strict.get_or_insert(false);
            let none = r#"{"type":"object","properties":{}}"#;
            schema.get_or_insert(serde_json::value::RawValue::from_string(none.to_owned()).unwrap());
        }
    }
    format!("{:?} {:?} {:?}", request.turns, request.tools, request.response_format)
}

#[test]
fn every_recorded_request_says_the_same_when_it_is_written_and_read_again() {
    let (mut same, mut apart) = (0, Vec::new());
    for call in super::corpus::calls().iter().filter(|call| call.status == 200) {
        let Ok(read) = translate::read_request(Format::Responses, &call.request.to_string()) else {
            continue;
        };
        // Members that nobody knows are refused; they are not what is compared here.
        let known = Request { rest: Vec::new(), ..read.clone() };
        let again = translate::write_request(known, &super::target()).unwrap();
        let again = std::str::from_utf8(&again.body).unwrap();
        let again = translate::read_request(Format::Responses, again).unwrap();
        if plain(&read) == plain(&again) {
            same += 1;
        } else {
            apart.push(call.id.clone());
        }
    }
    println!("same {same}, apart {apart:?}");
    assert!(apart.is_empty() && same > 880, "{same} {apart:?}");
}
