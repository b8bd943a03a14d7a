use super::*;
use crate::converse::read_request;
use crate::ir::{Block, Cache, Effort, ResponseFormat, Role, ToolChoice, ToolKind};

#[test]
fn bug_18_cache_points_mark_what_stands_before_them() {
    let request = read_request(
        r#"{"system":[{"text":"a"},{"cachePoint":{"type":"default"}}],
        "messages":[{"role":"user","content":[{"text":"b"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"c"}]}],
        "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}},
        {"cachePoint":{"type":"default","ttl":"5m"}}]}}"#,
    )
    .unwrap();
    let cache = |block: &Block| {
        let Block::Text { cache, .. } = block else { panic!("{block:?}") };
        *cache
    };
    assert_eq!(cache(&request.system[0]), Some(Cache::Default));
    let blocks = &request.turns[0].blocks;
    assert_eq!((cache(&blocks[0]), cache(&blocks[1])), (Some(Cache::OneHour), None));
    assert_eq!(request.tools[0].cache, Some(Cache::Default));
}

#[test]
fn what_callers_say_of_the_answer_is_read() {
    let request = read_request(
        r#"{"modelId":"x","messages":[],"inferenceConfig":{"maxTokens":5,"temperature":0.5,"topP":1,"stopSequences":["x"]},
        "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024},"top_k":20,
        "tool_choice":{"type":"auto","disable_parallel_tool_use":true},"output_config":{"effort":"high"},"new":1},
        "outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n"}}}},
        "toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"tool":{"name":"f"}}},
        "serviceTier":{"type":"flex"},"requestMetadata":{"a":"b"},"guardrailConfig":{"guardrailIdentifier":"g"},
        "promptVariables":{}}"#,
    )
    .unwrap();
    assert_eq!((request.max_tokens, request.top_k, request.parallel_tools), (Some(5), Some(20), Some(false)));
    assert_eq!(request.temperature.unwrap().to_string(), "0.5");
    assert_eq!(request.stop, ["x"]);
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.enabled, reasoning.budget_tokens), (Some(true), Some(1024)));
    assert_eq!(reasoning.effort, Some(Effort::High));
    let Some(ResponseFormat::JsonSchema { name, schema, .. }) = request.response_format else { panic!() };
    assert_eq!((&*name, schema.get()), ("n", r#"{"type":"object"}"#));
    assert!(matches!(request.tools[0].kind, ToolKind::Foreign { format: Format::Converse, .. }));
    assert_eq!(request.service_tier.as_deref(), Some("flex"));
    assert_eq!(request.metadata, [("a".to_owned(), "b".to_owned())]);
    let rest: Vec<_> = request.rest.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rest, ["additionalModelRequestFields.new", "guardrailConfig"]);
    assert!(matches!(request.tool_choice, Some(ToolChoice::Named(_) | ToolChoice::Auto)));
}

#[test]
fn thinking_is_read_in_the_words_of_every_maker() {
    for (fields, enabled, effort, adaptive, show) in [
        (r#"{"thinking":{"type":"adaptive","display":"omitted"}}"#, Some(true), None, true, Some(false)),
        (r#"{"thinking":{"type":"disabled"}}"#, Some(false), None, false, None),
        (r#"{"reasoning_config":{"type":"enabled","budget_tokens":1024}}"#, Some(true), None, false, None),
        (r#"{"reasoning_config":"high"}"#, None, Some(Effort::High), false, None),
        (r#"{"reasoning_effort":"medium"}"#, None, Some(Effort::Medium), false, None),
        (
            r#"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}"#,
            Some(true),
            Some(Effort::Low),
            false,
            None,
        ),
    ] {
        let body = format!(r#"{{"messages":[],"additionalModelRequestFields":{fields}}}"#);
        let reasoning = read_request(&body).unwrap().reasoning.unwrap();
        let got = (reasoning.enabled, reasoning.effort, reasoning.adaptive, reasoning.show);
        assert_eq!(got, (enabled, effort, adaptive, show), "{fields}");
    }
}

#[test]
fn blocks_of_a_caller_are_read() {
    let request = read_request(
        r#"{"messages":[{"role":"user","content":[
        {"document":{"name":"d","format":"pdf","source":{"bytes":"QQ=="},"context":"about","citations":{"enabled":true}}},
        {"document":{"name":"t","source":{"content":[{"text":"a"},{"text":"b"}]}}},
        {"image":{"format":"jpeg","source":{"s3Location":{"uri":"s3://b/k"}}}},
        {"guardContent":{"text":{"text":"g","qualifiers":["query"]}}},
        {"toolResult":{"toolUseId":"a","status":"error","content":[{"json":{"b":1.0}},{"text":"x"}]}},
        {"searchResult":{"source":"s","title":"t","content":[]}}]},
        {"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{"x":1.0},"type":"server_tool_use"}},
        {"citationsContent":{"content":[{"text":"p"},{"text":"q"}],"citations":[]}}]},
        {"role":"system","content":[{"text":"s"}]}]}"#,
    )
    .unwrap();
    let seen: Vec<_> = request.turns[0].blocks.iter().map(|block| format!("{block:?}")).collect();
    for (seen, parts) in seen.iter().zip([
        &["Text", "about"][..],
        &["Document", "application/pdf", "\"d\""],
        &["Document", r#"Text("a\n\nb")"#],
        &["Image", "image/jpeg", "s3://b/k"],
        &["Text", "\"g\""],
        &["ToolResult", "is_error: true", r#"{\"b\":1.0}"#, "\"x\""],
        &["Foreign", "searchResult"],
    ]) {
        assert!(parts.iter().all(|part| seen.contains(part)), "{seen} {parts:?}");
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(request.rest[0].0, "messages[0].content[0].document.citations");
    assert!(matches!(&request.turns[1].blocks[0], Block::Foreign { kind, .. } if kind == "toolUse"));
    assert!(matches!(&request.turns[1].blocks[1], Block::Text { text, .. } if text == "pq"));
    assert_eq!(request.turns[2].role, Role::System);
}

#[test]
fn refusals_name_the_field() {
    for (body, param) in [
        (r#"{"messages":{}}"#, "messages"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"robot","content":[]}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":[{"text":1}]}]}"#, "messages[0].content[0].text"),
        (r#"{"messages":[{"role":"user","content":[{}]}]}"#, "messages[0].content[0]"),
        (
            r#"{"messages":[{"role":"assistant","content":[{"toolUse":{"name":"a"}}]}]}"#,
            "messages[0].content[0].toolUse.toolUseId",
        ),
        (r#"{"inferenceConfig":{"maxTokens":-1}}"#, "inferenceConfig.maxTokens"),
        (r#"{"toolConfig":{"toolChoice":{"none":{}}}}"#, "toolConfig.toolChoice"),
        (r#"{"toolConfig":{"toolChoice":{"tool":{"name":3}}}}"#, "toolConfig.toolChoice.tool.name"),
        ("[]", ""),
    ] {
        assert_eq!(read_request(body).unwrap_err().param, param, "{body}");
    }
}
