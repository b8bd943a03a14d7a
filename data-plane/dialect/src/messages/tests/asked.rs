use serde_json::json;

use super::read;
use crate::Format;
use crate::ir::{Block, Effort, ResponseFormat, Role, Source, ToolKind};

#[test]
fn requests_are_read_with_all_they_say() {
    let request = read(&json!({
        "model": "m", "max_tokens": 10, "stream": true, "temperature": 0.0, "top_k": 3, "stop_sequences": ["x"],
        "metadata": {"user_id": "{\"a\":1}"}, "service_tier": "auto", "context_management": {"edits": []},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": {"type": "object"}}, "task_budget": {}},
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
        "tools": [{"name": "a", "input_schema": {"type": "object"}}, {"type": "web_search_20260318", "name": "web_search"}],
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "p"}, {"type": "text", "text": "q"}]}, "context": "about", "title": "t", "citations": {"enabled": true}},
                {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
                {"type": "search_result", "source": "s", "title": "t", "content": []},
            ]},
            {"role": "system", "content": "be brief"},
        ],
    }));
    let reasoning = request.reasoning.unwrap();
    assert!(reasoning.adaptive && reasoning.show == Some(false) && reasoning.effort == Some(Effort::XHigh));
    assert_eq!(request.user.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(request.parallel_tools, Some(false));
    assert!(matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })));
    assert!(matches!(request.tools[1].kind, ToolKind::Foreign { format: Format::Messages, .. }));
    let rest: Vec<_> = request.rest.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rest, ["context_management", "output_config.task_budget", "citations"]);
    let blocks = &request.turns[0].blocks;
    assert!(matches!(&blocks[0], Block::Text { text, .. } if text == "about"));
    assert!(
        matches!(&blocks[1], Block::Media { source: Source::Text(text), name, .. } if text == "p\nq" && name == "t")
    );
    assert!(matches!(&blocks[2], Block::Media { source: Source::File { id, .. }, .. } if id == "file_1"));
    assert!(matches!(&blocks[3], Block::Foreign { kind, .. } if kind == "search_result"));
    assert_eq!(request.turns[1].role, Role::System);
}

#[test]
fn a_wrong_request_is_refused_by_the_name_of_its_member() {
    for (body, param) in [
        (json!({"model": "m"}), "messages"),
        (json!([]), "messages"),
        (json!({"messages": {}}), "messages"),
        (json!({"messages": [1]}), "messages[0]"),
        (json!({"messages": [{"role": "tool", "content": ""}]}), "messages[0].role"),
        (json!({"messages": [{"role": "user"}]}), "messages[0].content"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
            "messages[0].content[0].text",
        ),
        (json!({"messages": [], "max_tokens": -1}), "max_tokens"),
        (json!({"messages": [], "stream": "yes"}), "stream"),
        (json!({"messages": [], "thinking": {}}), "thinking.type"),
        (json!({"messages": [], "tools": [{"input_schema": {}}]}), "tools[0].name"),
        (json!({"messages": [], "tool_choice": {"type": "maybe"}}), "tool_choice.type"),
    ] {
        assert_eq!(super::super::read_request(&body.to_string()).unwrap_err().param, param);
    }
}
#[test]
fn bug_19_the_billing_line_goes_to_nobody_else() {
    for system in [
        json!([{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1"}, {"type": "text", "text": "be kind"}]),
        json!("x-anthropic-billing-header: cc_version=2.1\nbe kind"),
    ] {
        let request = read(&json!({"model": "m", "system": system, "messages": []}));
        assert_eq!(request.system.len(), 1);
        assert!(matches!(&request.system[0], Block::Text { text, .. } if text == "be kind"));
    }
}

#[test]
fn bug_4_and_5_a_caller_carries_signatures_of_every_format() {
    let request = read(&json!({"model": "m", "messages": [{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "t", "signature": "bwseal.z1..abc="},
        {"type": "thinking", "thinking": "", "signature": "EqEk=="},
        {"type": "redacted_thinking", "data": "bwseal.d1..r"},
        {"type": "thinking", "thinking": "", "signature": "bwseal.z3..zzz"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1.0}},
    ]}]}));
    let blocks = &request.turns[0].blocks;
    assert_eq!(blocks.len(), 4);
    assert!(
        matches!(&blocks[0], Block::Thinking { signature: Some(it), signed_by: Some(Format::Gemini), .. } if it == "abc=")
    );
    assert!(
        matches!(&blocks[1], Block::Thinking { signature: Some(it), signed_by: Some(Format::Messages), .. } if it == "EqEk==")
    );
    assert!(
        matches!(&blocks[2], Block::RedactedThinking { data, signed_by: Some(Format::Converse) } if data == "r")
    );
    assert!(
        matches!(&blocks[3], Block::ToolUse { signature: Some(it), input, .. } if it == "zzz" && input == r#"{"a":1.0}"#)
    );
}
