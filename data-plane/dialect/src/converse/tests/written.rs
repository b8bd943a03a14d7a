use serde_json::{Value, json};

use super::*;
use crate::converse::write_request;
use crate::ir::{Block, Cache, Media, Reasoning, Refused, Role, Source, Tool, ToolChoice, ToolKind, Turn};

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

fn body(request: &Request, model: &str) -> Value {
    serde_json::from_str(&write_request(request, &target(model)).unwrap().body).unwrap()
}

fn of_user(blocks: Vec<Block>) -> Request {
    Request { turns: vec![Turn { role: Role::User, blocks }], ..Request::default() }
}

fn content(blocks: Vec<Block>) -> Value {
    body(&of_user(blocks), CLAUDE)["messages"][0]["content"].clone()
}

fn call(id: &str, input: &str) -> Block {
    let (id, name, input) = (id.to_owned(), "f".to_owned(), input.to_owned());
    Block::ToolUse { id, name, input, signature: None, custom: false, cache: None }
}

fn result(id: &str, content: Vec<Block>) -> Block {
    Block::ToolResult { id: id.to_owned(), name: String::new(), content, is_error: false, cache: None }
}

fn function(name: &str, cache: Option<Cache>) -> Tool {
    let kind = ToolKind::Function { schema: None, strict: Some(true) };
    Tool { name: name.to_owned(), description: String::new(), kind, cache }
}

fn document(name: &str) -> Block {
    let source = Source::Base64 { media_type: "application/pdf".to_owned(), data: "QQ==".to_owned() };
    Block::Media { media: Media::Document, source, name: name.to_owned(), detail: None, cache: None }
}

fn image(source: Source) -> Block {
    Block::Media { media: Media::Image, source, name: String::new(), detail: None, cache: None }
}

#[test]
fn bug_18_marks_become_cache_points_behind_what_they_mark() {
    let text = |text: &str, cache| Block::Text { text: text.to_owned(), cache, signature: None };
    let mut request = of_user(vec![text("a", Some(Cache::Default)), text("b", None)]);
    request.system = vec![text("s", Some(Cache::OneHour))];
    request.tools = vec![function("f", None), function("g", Some(Cache::Default))];
    let written = body(&request, CLAUDE);
    let point = json!({ "cachePoint": { "type": "default" } });
    assert_eq!(written["messages"][0]["content"], json!([{ "text": "a" }, point, { "text": "b" }]));
    assert_eq!(
        written["system"],
        json!([{ "text": "s" }, { "cachePoint": { "type": "default", "ttl": "1h" } }])
    );
    assert_eq!(written["toolConfig"]["tools"][2], point);
    // Nova has none for tools and none of an hour; others have none.
    let nova = body(&request, "us.amazon.nova-lite-v1:0");
    assert_eq!(nova["system"][1], point);
    assert_eq!(nova["toolConfig"]["tools"].as_array().unwrap().len(), 2);
    let llama = write_request(&request, &target("meta.llama3-8b-instruct-v1:0")).unwrap();
    assert!(!llama.body.contains("cachePoint"));
    assert_eq!(llama.dropped, ["cache_control", "strict"]);
}

#[test]
fn bug_26_blank_texts_are_left_out() {
    assert_eq!(
        content(vec![Block::text(" \n"), Block::text("a"), Block::text("")]),
        json!([{ "text": "a" }])
    );
    let mut request = of_user(vec![Block::text("")]);
    request.turns.push(Turn { role: Role::Assistant, blocks: vec![Block::text("  ")] });
    request.turns.push(Turn { role: Role::User, blocks: vec![Block::text("b")] });
    request.system = vec![Block::text(" ")];
    assert_eq!(
        body(&request, CLAUDE),
        json!({ "messages": [{ "role": "user", "content": [{ "text": "b" }] }] })
    );
    // A tool that gave nothing still gave an answer.
    let empty = content(vec![result("a", vec![Block::text("")])]);
    assert_eq!(empty[0]["toolResult"]["content"], json!([{ "text": "(empty)" }]));
    assert_eq!(body(&Request::default(), CLAUDE)["messages"][0]["content"], json!([{ "text": "." }]));
}

#[test]
fn bug_8_results_stand_first_and_in_one_message() {
    let mut request = of_user(vec![Block::text("go")]);
    let turn = |role, blocks| Turn { role, blocks };
    request.turns.push(turn(Role::Assistant, vec![call("a:1", ""), call("b", r#"{"n":1.0}"#)]));
    request.turns.push(turn(Role::User, vec![Block::text("first"), result("a:1", vec![Block::text("1")])]));
    request.turns.push(turn(Role::User, vec![result("b", vec![Block::text("2")]), Block::text("second")]));
    request.turns.push(turn(Role::System, vec![Block::text("third")]));
    let written = body(&request, CLAUDE);
    let messages = written["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    let last = messages[2]["content"].as_array().unwrap();
    let texts: Vec<_> = last.iter().map(|piece| piece["text"].as_str().unwrap_or("result")).collect();
    assert_eq!(texts, ["result", "result", "first", "second", "third"]);
    let id = &messages[1]["content"][0]["toolUse"]["toolUseId"];
    assert_eq!(&last[0]["toolResult"]["toolUseId"], id);
    assert!(id.as_str().unwrap().starts_with("tooluse_"), "bug 6: {id}");
    assert_eq!(messages[1]["content"][0]["toolUse"]["input"], json!({}), "bug 25");
    // There are calls, so there are tools, but none is to be called.
    assert_eq!(written["toolConfig"]["tools"][0]["toolSpec"]["name"], "f");
    assert!(written["system"][0]["text"].as_str().unwrap().contains("not call any tool"));
}

#[test]
fn a_choice_of_no_tool_is_said_without_a_word_for_it() {
    let mut request = of_user(vec![Block::text("go")]);
    request.tools = vec![function("f", None), function("g", None)];
    request.tool_choice = Some(ToolChoice::None);
    assert_eq!(body(&request, CLAUDE).get("toolConfig"), None);
    request.tool_choice = Some(ToolChoice::Allowed { required: true, names: vec!["g".to_owned()] });
    let config = &body(&request, CLAUDE)["toolConfig"];
    assert_eq!(config["tools"].as_array().unwrap().len(), 1);
    assert_eq!(config["toolChoice"], json!({ "any": {} }));
    request.tool_choice = Some(ToolChoice::Named("f".to_owned()));
    assert_eq!(body(&request, CLAUDE)["toolConfig"]["toolChoice"], json!({ "tool": { "name": "f" } }));
    request.tool_choice = Some(ToolChoice::Auto);
    request.parallel_tools = Some(false);
    let written = body(&request, CLAUDE);
    assert_eq!(written["toolConfig"].get("toolChoice"), None);
    let single = json!({ "type": "auto", "disable_parallel_tool_use": true });
    assert_eq!(written["additionalModelRequestFields"]["tool_choice"], single);
    let nova = write_request(&request, &target("us.amazon.nova-2-lite-v1:0")).unwrap();
    assert!(nova.dropped.contains(&"parallel_tool_calls".to_owned()));
}

#[test]
fn bug_23_schemas_get_a_type_and_keep_the_rest() {
    let mut request = of_user(vec![Block::text("go")]);
    for (schema, expected) in [
        (
            r#"{"properties":{"b":{},"a":{}},"x":1.0}"#,
            r#"{"type":"object","properties":{"b":{},"a":{}},"x":1.0}"#,
        ),
        (r#"{"x":1, "type":"object"}"#, r#"{"x":1, "type":"object"}"#),
        (r#"{"type":null}"#, r#"{"type":"object"}"#),
        ("true", r#"{"type":"object","properties":{}}"#),
    ] {
        let schema = serde_json::value::RawValue::from_string(schema.to_owned()).unwrap();
        let kind = ToolKind::Function { schema: Some(schema), strict: None };
        request.tools = vec![Tool { name: "f".to_owned(), description: "d".to_owned(), kind, cache: None }];
        let written = write_request(&request, &target(CLAUDE)).unwrap().body;
        assert!(written.contains(&format!(r#""inputSchema":{{"json":{expected}}}"#)), "{written}");
    }
}

#[test]
fn documents_have_names_that_bedrock_takes_and_a_text_beside_them() {
    let names = ["my_report (final).v2.pdf", "my_report (final).v2", "", "", "Ünïcode", "a  b\t[1]-(2)"];
    let pieces = content(names.iter().map(|name| document(name)).collect());
    let written: Vec<_> =
        pieces.as_array().unwrap().iter().filter_map(|p| p["document"]["name"].as_str()).collect();
    assert_eq!(
        written,
        [
            "my report (final) v2",
            "my report (final) v2 (2)",
            "document",
            "document (2)",
            "n code",
            "a b [1]-(2)"
        ]
    );
    assert_eq!(pieces[6], json!({ "text": "." }));
    assert!(content(vec![Block::text("read"), document("a")])[2].is_null());
    let text = Source::Text("ä".to_owned());
    let block = Block::Media {
        media: Media::Document,
        source: text,
        name: "n".to_owned(),
        detail: None,
        cache: None,
    };
    assert_eq!(content(vec![block])[0]["document"]["source"]["bytes"], "w6Q=");
}

#[test]
fn what_cannot_be_said_is_refused_by_its_name() {
    let url = Source::Url { url: "https://example.com/a.png".to_owned(), media_type: None };
    let file = Source::File { id: "file-1".to_owned(), media_type: None };
    let tiff = Source::Base64 { media_type: "image/tiff".to_owned(), data: "QQ==".to_owned() };
    let refused = |request: Request| write_request(&request, &target(CLAUDE)).unwrap_err().param;
    for source in [url, file, tiff] {
        assert_eq!(refused(of_user(vec![Block::text("a"), image(source)])), "messages[0].content[1]");
    }
    let s3 = Source::Url { url: "s3://bucket/a.jpg".to_owned(), media_type: None };
    assert_eq!(content(vec![image(s3)])[0]["image"]["source"]["s3Location"]["uri"], "s3://bucket/a.jpg");
    let number = serde_json::Number::from_f64;
    let base = || of_user(vec![Block::text("a")]);
    let raw = |source: &str| serde_json::value::RawValue::from_string(source.to_owned()).unwrap();
    let custom = ToolKind::Custom { format: None };
    let custom = Tool { name: "c".to_owned(), description: String::new(), kind: custom, cache: None };
    for (request, param) in [
        (Request { choices: Some(2), ..base() }, "n"),
        (Request { logprobs: Some(0), ..base() }, "logprobs"),
        (Request { presence_penalty: number(0.5), ..base() }, "presence_penalty"),
        (Request { temperature: number(1.5), ..base() }, "temperature"),
        (
            Request { response_format: Some(crate::ir::ResponseFormat::JsonObject), ..base() },
            "response_format",
        ),
        (
            Request { rest: vec![("previous_response_id".to_owned(), raw("\"a\""))], ..base() },
            "previous_response_id",
        ),
        (Request { tools: vec![custom], ..base() }, "tools[0]"),
        (Request { tools: vec![function("a.b", None)], ..base() }, "tools[0].name"),
    ] {
        assert_eq!(refused(request), param);
    }
    let harmless = Request {
        choices: Some(1),
        presence_penalty: number(0.0),
        seed: Some(1),
        rest: vec![("store".to_owned(), raw("true")), ("logit_bias".to_owned(), raw("{}"))],
        ..base()
    };
    let written = write_request(&harmless, &target(CLAUDE)).unwrap();
    assert_eq!(written.dropped, ["seed", "presence_penalty", "store", "logit_bias"]);
    let llama = Request { top_k: Some(5), ..base() };
    assert_eq!(write_request(&llama, &target("meta.llama3")).unwrap_err(), Refused::no_equivalent("top_k"));
}

#[test]
fn bug_4_only_what_bedrock_signed_goes_back_to_it() {
    let thinking = |signature: Option<&str>, signed_by| Block::Thinking {
        text: "t".to_owned(),
        signature: signature.map(str::to_owned),
        signed_by: Some(signed_by),
        id: String::new(),
    };
    let mut request = of_user(vec![Block::text("a")]);
    let blocks = vec![
        thinking(Some("s+/="), Format::Converse),
        thinking(Some("m"), Format::Messages),
        thinking(None, Format::Converse),
        Block::RedactedThinking { data: "r+/=".to_owned(), signed_by: Some(Format::Converse) },
        Block::RedactedThinking { data: "x".to_owned(), signed_by: Some(Format::Messages) },
        Block::text("b \n"),
    ];
    request.turns.push(Turn { role: Role::Assistant, blocks });
    let expected = json!([
        { "reasoningContent": { "reasoningText": { "text": "t", "signature": "s+/=" } } },
        { "reasoningContent": { "redactedContent": "r+/=" } },
        { "text": "b" },
    ]);
    assert_eq!(body(&request, CLAUDE)["messages"][1]["content"], expected);
}

#[test]
fn a_model_that_thinks_has_its_own_sampling() {
    let mut request = of_user(vec![Block::text("a")]);
    request.reasoning = Some(Reasoning { budget_tokens: Some(2000), ..Reasoning::default() });
    request.temperature = serde_json::Number::from_f64(0.2);
    request.top_k = Some(3);
    request.max_tokens = Some(4000);
    let written = write_request(&request, &target(CLAUDE)).unwrap();
    assert_eq!(written.dropped, ["temperature", "top_k"]);
    let nova = body(&request, "us.amazon.nova-2-lite-v1:0");
    let fields = json!({ "reasoningConfig": { "type": "enabled", "maxReasoningEffort": "low" }, "inferenceConfig": { "topK": 3 } });
    assert_eq!(nova["additionalModelRequestFields"], fields);
    assert_eq!(nova["inferenceConfig"], json!({ "maxTokens": 4000, "temperature": 0.2 }));
}
