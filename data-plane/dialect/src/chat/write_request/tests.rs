use breakwater_common::resource::ProviderType;
use serde_json::{Value, json};

use super::*;
use crate::ir::{Block, Role, Tool, ToolChoice, ToolKind, Turn, tool_id};
use crate::quirks::of_host;
use crate::{Format, chat};

fn target(host: &str) -> Target {
    Target {
        format: Format::Chat,
        model: "m".into(),
        max_output_tokens: None,
        embeddings: None,
        quirks: of_host(ProviderType::OpenAiCompatible, host),
        reasons: None,
    }
}

fn write(request: &Request, host: &str) -> (Value, Vec<Dropped>) {
    let written = write_request(request, &target(host)).unwrap_or_else(|refused| panic!("{refused}"));
    (serde_json::from_str(&written.body).expect("JSON"), written.dropped)
}

/// Reads a request and writes it for a vendor.
fn cross(body: &Value, host: &str) -> Value {
    write(&chat::read_request(&body.to_string()).expect("a request"), host).0
}

fn refused(body: &Value, host: &str) -> String {
    let request = chat::read_request(&body.to_string()).expect("a request");
    write_request(&request, &target(host)).expect_err("a refusal").param
}

const OPENAI: &str = "api.openai.com";
const MISTRAL: &str = "api.mistral.ai";

#[test]
fn what_openai_understands_comes_back_as_it_was() {
    let body = json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "a"},
            {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,QQ==", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "QQ==", "format": "wav"}},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="}}]},
            {"role": "assistant", "content": "c", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "d"},
            {"role": "assistant", "content": null, "refusal": "no"}
        ],
        "tools": [{"type": "function", "function": {"name": "f", "description": "e", "parameters": {"type": "object"}, "strict": true}},
            {"type": "custom", "custom": {"name": "g", "format": {"type": "text"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": false,
        "max_completion_tokens": 7, "temperature": 0.5, "top_p": 1.0, "frequency_penalty": 0.1, "presence_penalty": 0.2,
        "seed": 3, "stop": ["x"], "n": 2, "logprobs": true, "top_logprobs": 4,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}},
        "reasoning_effort": "xhigh", "user": "u", "prompt_cache_key": "k", "service_tier": "flex", "verbosity": "low",
        "store": true, "stream": true, "stream_options": {"include_usage": true}
    });
    let written = cross(&body, OPENAI);
    assert_eq!(written, body);
    let keys: Vec<&String> = written.as_object().unwrap().keys().collect();
    assert_eq!(
        (keys[0].as_str(), keys[1].as_str(), keys[2].as_str()),
        ("model", "messages", "tools"),
        "bug 1: always in this order"
    );
}

#[test]
fn bug_28_each_vendor_gets_its_own_names() {
    let body = json!({"messages": [], "max_tokens": 5, "seed": 3, "tools": [{"type": "function", "function": {"name": "f"}}],
        "tool_choice": "required", "stream": true, "reasoning_effort": "max", "store": true, "user": "u"});
    let openai = cross(&body, OPENAI);
    assert_eq!((&openai["max_completion_tokens"], &openai["reasoning_effort"]), (&json!(5), &json!("max")));
    let mistral = cross(&body, MISTRAL);
    assert_eq!(
        (&mistral["max_tokens"], &mistral["random_seed"], &mistral["tool_choice"]),
        (&json!(5), &json!(3), &json!("any"))
    );
    assert_eq!(mistral["reasoning_effort"], "high");
    for absent in ["seed", "stream_options", "store", "user", "max_completion_tokens"] {
        assert!(mistral.get(absent).is_none(), "{absent}");
    }
    assert_eq!(cross(&body, "api.groq.com")["reasoning_effort"], "high");
    assert_eq!(cross(&body, "api.deepseek.com")["thinking"], json!({"type": "enabled"}));
    assert_eq!(cross(&body, "openrouter.ai")["reasoning"], json!({"effort": "max"}));
    assert_eq!(
        mistral["tools"][0]["function"]["parameters"],
        json!({"type": "object", "properties": {}}),
        "bug 23"
    );
}

#[test]
fn what_changes_the_answer_is_refused_by_name() {
    let with = |member: &str, value: Value| {
        let mut body = json!({"messages": [{"role": "user", "content": "x"}]});
        body[member] = value;
        body
    };
    assert_eq!(refused(&with("n", json!(2)), "api.groq.com"), "n");
    assert_eq!(refused(&with("logprobs", json!(true)), MISTRAL), "logprobs");
    assert_eq!(refused(&with("stop", json!(["a", "b", "c", "d", "e"])), OPENAI), "stop");
    assert_eq!(refused(&with("guided_json", json!({})), OPENAI), "guided_json");
    assert_eq!(
        refused(&with("tools", json!([{"type": "custom", "custom": {"name": "g"}}])), MISTRAL),
        "tools[0]"
    );
    let schema = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}});
    assert_eq!(refused(&with("response_format", schema), "api.deepseek.com"), "response_format");
    let film = json!([{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "video_url", "video_url": {"url": "https://x"}}]}]);
    assert_eq!(refused(&with("messages", film.clone()), OPENAI), "messages[0].content[1]");
    assert_eq!(
        cross(&with("messages", film), "openrouter.ai")["messages"][0]["content"][1]["type"],
        "video_url"
    );
}

#[test]
fn what_changes_nothing_is_dropped_and_said() {
    let request = Request {
        top_k: Some(3),
        metadata: vec![("a".into(), "b".into())],
        service_tier: Some("standard_only".into()),
        user: Some("u".repeat(300)),
        rest: vec![("context_management".into(), Default::default())],
        ..Request::default()
    };
    let (body, dropped) = write(&request, OPENAI);
    assert_eq!(dropped, ["top_k", "service_tier", "metadata", "context_management"]);
    let user = body["user"].as_str().unwrap();
    assert!(user.len() <= 64 && user.starts_with("user_"), "{user}");
}

#[test]
fn bug_6_and_7_names_of_calls_fit() {
    let body = json!({"messages": [
        {"role": "assistant", "content": null, "tool_calls": [{"id": "toolu_01:long", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "toolu_01:long", "content": "x"}]});
    let written = cross(&body, MISTRAL);
    let id = tool_id("toolu_01:long", ToolIdShape::Nine, "call_");
    assert_eq!(written["messages"][0]["tool_calls"][0]["id"], id.as_str());
    assert_eq!(written["messages"][1]["tool_call_id"], id.as_str());
}

fn turn(role: Role, blocks: Vec<Block>) -> Turn {
    Turn { role, blocks }
}

fn picture() -> Block {
    Block::Media {
        media: crate::ir::Media::Image,
        source: crate::ir::Source::Url { url: "https://x".into(), media_type: None },
        name: String::new(),
        detail: None,
        cache: None,
    }
}

#[test]
fn results_go_first_and_what_they_show_follows() {
    let result = |id: &str, content: Vec<Block>| Block::ToolResult {
        id: id.into(),
        name: String::new(),
        content,
        is_error: false,
        cache: None,
    };
    let blocks = vec![
        Block::text("then"),
        result("1", vec![Block::text("a"), Block::text("b")]),
        result("2", vec![picture()]),
    ];
    let request = Request { turns: vec![turn(Role::User, blocks)], ..Request::default() };
    assert_eq!(
        write(&request, OPENAI).0["messages"],
        json!([
            {"role": "tool", "tool_call_id": "1", "content": "a\nb"},
            {"role": "tool", "tool_call_id": "2", "content": ""},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x"}}, {"type": "text", "text": "then"}]}
        ])
    );
}

#[test]
fn thinking_goes_back_to_who_made_it_and_to_nobody_else() {
    let thought = |text: &str, signature: Option<&str>, signed_by: Option<Format>| Block::Thinking {
        text: text.into(),
        signature: signature.map(Into::into),
        signed_by,
        id: String::new(),
    };
    let call = Block::ToolUse {
        id: "1".into(),
        name: "f".into(),
        input: "{}".into(),
        signature: Some("G".into()),
        custom: false,
        cache: None,
    };
    let blocks = vec![
        thought("claude's", Some("S"), Some(Format::Messages)),
        thought("plain", None, None),
        thought("sealed", Some("text:YW50aHJvcGljLWNsYXVkZS12MQ::V"), Some(Format::Chat)),
        thought("", Some("encrypted:b3BlbmFpLXJlc3BvbnNlcy12MQ:cnNfMQ:E"), Some(Format::Chat)),
        Block::RedactedThinking { data: "R".into(), signed_by: Some(Format::Messages) },
        Block::text("x"),
        call,
    ];
    let request = Request { turns: vec![turn(Role::Assistant, blocks.clone())], ..Request::default() };
    let message = |host: &str| write(&request, host).0["messages"][0].clone();
    let openai = message(OPENAI).to_string();
    for secret in ["claude's", "plain", "sealed", "\"S\"", "\"R\"", "\"G\""] {
        assert!(!openai.contains(secret), "{secret} in {openai}");
    }
    assert_eq!(message("api.deepseek.com")["reasoning_content"], "plain");
    let router = message("openrouter.ai");
    assert_eq!(router["reasoning"], "plain");
    assert_eq!(
        router["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "sealed", "signature": "V", "format": "anthropic-claude-v1", "index": 2},
            {"type": "reasoning.encrypted", "data": "E", "format": "openai-responses-v1", "index": 3, "id": "rs_1"}
        ])
    );
    assert_eq!(
        message(MISTRAL)["content"],
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "plain"}]}, {"type": "text", "text": "x"}])
    );
    let google = message("generativelanguage.googleapis.com");
    assert_eq!(google["tool_calls"][0]["extra_content"]["google"]["thought_signature"], "G");
    // A turn of which nothing can be said is not said.
    let request = Request { turns: vec![turn(Role::Assistant, blocks[..1].to_vec())], ..Request::default() };
    assert_eq!(write(&request, OPENAI).0.get("messages"), None);
}

#[test]
fn bug_19_the_volatile_line_stays_with_anthropic() {
    let system = vec![Block::text("x-anthropic-billing-header: cc_version=2"), Block::text("be kind")];
    let request = Request { system, ..Request::default() };
    assert_eq!(write(&request, OPENAI).0["messages"], json!([{"role": "system", "content": "be kind"}]));
}

#[test]
fn a_choice_among_some_tools_is_a_shorter_list_elsewhere() {
    let tool = |name: &str| Tool {
        name: name.into(),
        description: String::new(),
        kind: ToolKind::Function { schema: None, strict: None },
        cache: None,
    };
    let choice = ToolChoice::Allowed { required: true, names: vec!["g".into()] };
    let request =
        Request { tools: vec![tool("f"), tool("g")], tool_choice: Some(choice), ..Request::default() };
    let openai = write(&request, OPENAI).0;
    assert_eq!(openai["tools"].as_array().unwrap().len(), 2);
    assert_eq!(openai["tool_choice"]["allowed_tools"]["tools"][0]["function"]["name"], "g");
    let mistral = write(&request, MISTRAL).0;
    assert_eq!(mistral["tools"].as_array().unwrap().len(), 1);
    assert_eq!(mistral["tool_choice"], "any");
    let bare = Request { tool_choice: Some(ToolChoice::Auto), ..Request::default() };
    assert_eq!(write(&bare, OPENAI).0.get("tool_choice"), None);
}

#[test]
fn efforts_are_the_nearest_that_are_known() {
    use Effort::{High, Low, Max, Medium, Minimal, None as Off};
    let three = &[Low, Medium, High][..];
    for (asked, known, want) in [
        (Max, three, Some(High)),
        (Minimal, three, Some(Low)),
        (Off, three, None),
        (Off, &[Off, High][..], Some(Off)),
        (Low, &[Off, High][..], Some(High)),
        (Medium, three, Some(Medium)),
    ] {
        assert_eq!(nearest(asked, known), want, "{asked:?} of {known:?}");
    }
    let budget = |tokens: u64| effort(&Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() });
    assert_eq!([budget(1024), budget(4096), budget(32_000)], [Some(Low), Some(Medium), Some(High)]);
}
