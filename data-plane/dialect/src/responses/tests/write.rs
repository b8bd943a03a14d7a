//! Requests for a provider, by hand and from the corpus.

use serde_json::{Value, json};

use super::schema::Schema;
use super::{target, written};
use crate::ir::{Block, Effort, Media, Reasoning, Request, Role, Source, Tool, ToolChoice, ToolKind, Turn};
use crate::{Format, translate};

fn user(blocks: Vec<Block>) -> Turn {
    Turn { role: Role::User, blocks }
}

fn model(blocks: Vec<Block>) -> Turn {
    Turn { role: Role::Assistant, blocks }
}

fn hi() -> Request {
    Request { turns: vec![user(vec![Block::text("hi")])], ..Request::default() }
}

fn call(id: &str, custom: bool) -> Block {
    Block::ToolUse {
        id: id.to_owned(),
        name: "f".to_owned(),
        input: String::new(),
        signature: None,
        custom,
        cache: None,
    }
}

fn result(id: &str, content: Vec<Block>) -> Block {
    Block::ToolResult { id: id.to_owned(), name: String::new(), content, is_error: false, cache: None }
}

fn refused(request: Request) -> String {
    translate::write_request(request, &target()).unwrap_err().param
}

#[test]
fn nothing_is_kept_at_the_provider_and_nothing_is_strict_unasked() {
    let tool = Tool {
        name: "f".to_owned(),
        description: String::new(),
        kind: ToolKind::Function { schema: None, strict: None },
        cache: None,
    };
    let body = written(Request { tools: vec![tool], parallel_tools: Some(false), ..hi() });
    assert_eq!(
        body,
        json!({
            "model": "gpt-5",
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}],
            "parallel_tool_calls": false, "store": false, "stream": false,
            "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        })
    );
}

#[test]
fn bug_6_names_of_calls_fit_and_results_find_them() {
    let long = "call_1__thought__".repeat(9);
    let image = Block::Media {
        media: Media::Image,
        source: Source::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
        name: String::new(),
        detail: None,
        cache: None,
    };
    let body = written(Request {
        turns: vec![
            model(vec![call(&long, false), call("c2", true)]),
            user(vec![
                result(&long, vec![Block::text("see"), image]),
                result("c2", vec![Block::text("1")]),
                Block::text("go on"),
            ]),
        ],
        ..hi()
    });
    let input = body["input"].as_array().unwrap();
    assert!(input[0]["call_id"].as_str().unwrap().len() <= 64);
    assert_eq!(input[0]["call_id"], input[2]["call_id"]);
    assert_eq!(input[0]["arguments"], "{}");
    assert_eq!(
        input[2]["output"][1],
        json!({"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"})
    );
    assert_eq!(
        (&input[1]["type"], &input[3]["type"]),
        (&json!("custom_tool_call"), &json!("custom_tool_call_output"))
    );
    assert_eq!(input[4]["content"][0]["text"], "go on");
}

#[test]
fn thinking_goes_back_to_who_signed_it_and_to_nobody_else() {
    let thinking = |signed_by, id: &str| Block::Thinking {
        text: "hm".to_owned(),
        signature: Some("gAA==".to_owned()),
        signed_by,
        id: id.to_owned(),
    };
    let turns = vec![
        model(vec![
            thinking(Some(Format::Responses), "rs_1"),
            thinking(Some(Format::Responses), ""),
            thinking(Some(Format::Messages), ""),
            thinking(None, ""),
            Block::RedactedThinking { data: "x".to_owned(), signed_by: Some(Format::Messages) },
            Block::text("done"),
        ]),
        user(vec![Block::text("more")]),
    ];
    let body = written(Request { turns, ..Request::default() });
    let input = body["input"].as_array().unwrap();
    assert_eq!(input.len(), 4, "{input:#?}");
    assert_eq!(
        input[0],
        json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAA=="})
    );
    assert!(input[1].get("id").is_none());
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn thinking_is_asked_for_in_this_vendors_words() {
    let asked = |reasoning| written(Request { reasoning: Some(reasoning), ..hi() });
    let base = Reasoning::default;
    for (reasoning, expect) in [
        (Reasoning { effort: Some(Effort::High), ..base() }, json!({"effort": "high"})),
        (Reasoning { budget_tokens: Some(2000), enabled: Some(true), ..base() }, json!({"effort": "medium"})),
        (Reasoning { adaptive: true, show: Some(true), ..base() }, json!({"summary": "auto"})),
    ] {
        let body = asked(reasoning);
        assert_eq!(
            (&body["reasoning"], &body["include"]),
            (&expect, &json!(["reasoning.encrypted_content"]))
        );
    }
    let off = asked(Reasoning { enabled: Some(false), ..base() });
    assert_eq!((off.get("reasoning"), off.get("include")), (None, None));
    let none = asked(Reasoning { effort: Some(Effort::None), ..base() });
    assert_eq!((&none["reasoning"], none.get("include")), (&json!({"effort": "none"}), None));
}

#[test]
fn what_would_change_the_answer_is_refused_and_the_rest_is_noted() {
    let raw = |source: &str| serde_json::value::RawValue::from_string(source.to_owned()).unwrap();
    let rest = |name: &str, source: &str| Request { rest: vec![(name.to_owned(), raw(source))], ..hi() };
    assert_eq!(refused(Request { stop: vec!["x".to_owned()], ..hi() }), "stop");
    assert_eq!(refused(Request { choices: Some(2), ..hi() }), "n");
    assert_eq!(refused(Request { frequency_penalty: Some(1.into()), ..hi() }), "frequency_penalty");
    assert_eq!(refused(rest("logit_bias", "{\"1\":2}")), "logit_bias");
    let foreign =
        Block::Foreign { format: Format::Messages, kind: "server_tool_use".to_owned(), json: raw("{}") };
    assert_eq!(refused(Request { turns: vec![model(vec![foreign])], ..hi() }), "messages[0].content[0]");
    let dropped = |request| translate::write_request(request, &target()).unwrap().dropped;
    assert_eq!(dropped(rest("logit_bias", "{}")), ["logit_bias"]);
    assert_eq!(dropped(rest("modalities", "[\"text\"]")), ["modalities"]);
    assert_eq!(
        dropped(Request {
            seed: Some(1),
            choices: Some(1),
            service_tier: Some("standard_only".to_owned()),
            ..hi()
        }),
        ["seed", "service_tier"]
    );
}

#[test]
fn choices_among_tools_are_written() {
    let tool =
        |name: &str, kind| Tool { name: name.to_owned(), description: "d".to_owned(), kind, cache: None };
    let tools = || {
        vec![
            tool("f", ToolKind::Function { schema: None, strict: Some(true) }),
            tool("c", ToolKind::Custom { format: None }),
        ]
    };
    for (choice, expect) in [
        (ToolChoice::None, json!("none")),
        (ToolChoice::Named("f".to_owned()), json!({"type": "function", "name": "f"})),
        (ToolChoice::Named("c".to_owned()), json!({"type": "custom", "name": "c"})),
        (
            ToolChoice::Allowed { required: true, names: vec!["f".to_owned()] },
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
        ),
    ] {
        assert_eq!(
            written(Request { tools: tools(), tool_choice: Some(choice), ..hi() })["tool_choice"],
            expect
        );
    }
}

#[test]
fn limits_of_the_vendor_are_kept() {
    let long = "{\"device_id\":\"".repeat(9);
    let body = written(Request {
        max_tokens: Some(1),
        user: Some(long.clone()),
        metadata: vec![("k".to_owned(), "v".to_owned())],
        ..hi()
    });
    assert_eq!(body["max_output_tokens"], 16);
    assert!(body["safety_identifier"].as_str().unwrap().len() <= 64);
    assert_eq!(body["metadata"], json!({"k": "v"}));
    assert!(
        written(Request { metadata: vec![("k".to_owned(), "v".repeat(999))], ..hi() })
            .get("metadata")
            .is_none()
    );
}

#[test]
fn every_recorded_request_is_written_by_the_schema() {
    let schema = Schema::load("openai-responses-request.schema.json");
    let (mut good, mut bad) = (0, std::collections::BTreeMap::<String, u32>::new());
    for recorded in super::corpus::calls().iter().filter(|call| call.status == 200) {
        let Ok(read) = translate::read_request(Format::Responses, &recorded.request.to_string()) else {
            continue;
        };
        let blocks = || read.turns.iter().flat_map(|turn| &turn.blocks);
        // Items and tools of the provider's own pass as they came.
        if blocks().any(|block| matches!(block, Block::Foreign { .. }))
            || read.tools.iter().any(|tool| matches!(tool.kind, ToolKind::Foreign { .. }))
        {
            continue;
        }
        // The schema demands a name of reasoning; the provider does not.
        let nameless = blocks().any(|block| matches!(block, Block::Thinking { id, .. } if id.is_empty()));
        let body: Value = written(Request { rest: Vec::new(), ..read.clone() });
        match schema.offence(&body) {
            None => good += 1,
            Some(_) if nameless => good += 1,
            Some(offence) => {
                println!("{}: {offence}", recorded.id);
                *bad.entry(offence).or_default() += 1;
            }
        }
    }
    println!("by the schema {good}, not {bad:?}");
    assert!(bad.is_empty() && good > 700, "{good} {bad:?}");
}
