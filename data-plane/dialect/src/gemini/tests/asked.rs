//! Requests of callers.

use serde_json::json;

use super::read;
use crate::ir::{Block, Effort, Media, ResponseFormat, Source, ToolChoice, ToolKind};

#[test]
fn both_ways_to_spell_members_are_read() {
    let camel = json!({
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "-_8"}}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "any", "allowedFunctionNames": ["f"]}},
        "generationConfig": {"maxOutputTokens": "7", "topK": 40.0, "stopSequences": ["x"], "candidateCount": 2,
            "responseMimeType": "application/json", "responseJsonSchema": {"$ref": "#/$defs/a"},
            "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": true}},
    });
    let snake = json!({
        "system_instruction": "s",
        "contents": {"parts": {"inline_data": {"mime_type": "image/png", "data": "-_8"}}},
        "tools": {"function_declarations": {"name": "f", "parameters_json_schema": {"type": "object"}}},
        "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        "generation_config": {"max_output_tokens": 7, "top_k": 40, "stop_sequences": ["x"], "candidate_count": 2,
            "response_mime_type": "application/json", "response_json_schema": {"$ref": "#/$defs/a"},
            "thinking_config": {"thinking_level": "high", "include_thoughts": true}},
    });
    let request = read(&camel).unwrap();
    assert_eq!(format!("{request:?}"), format!("{:?}", read(&snake).unwrap()));
    assert_eq!((request.max_tokens, request.top_k, request.choices), (Some(7), Some(40), Some(2)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".to_owned())));
    let Block::Media { source: Source::Base64 { data, .. }, media: Media::Image, .. } =
        &request.turns[0].blocks[0]
    else {
        panic!("{request:?}")
    };
    assert_eq!(data, "+/8=", "the SDK sends the alphabet of URLs");
    let reasoning = request.reasoning.unwrap();
    assert_eq!((reasoning.effort, reasoning.show), (Some(Effort::High), Some(true)));
    assert!(matches!(request.response_format, Some(ResponseFormat::JsonSchema { schema, .. })
        if schema.get() == r##"{"$ref":"#/$defs/a"}"##));
    assert!(request.rest.is_empty());
}

#[test]
fn google_s_schemas_become_json_schema() {
    let parameters = json!({"type": "OBJECT", "properties": {
        "type": {"type": "STRING", "nullable": true, "enum": ["a"], "example": "a"},
        "nullable": {"type": "ARRAY", "items": {"type": "INTEGER"}, "minItems": "1"},
        "any": {"any_of": [{"type": "NUMBER"}, {"type": 4}]},
    }, "propertyOrdering": ["any"], "required": ["any"]});
    let body = json!({"contents": "hi", "tools": [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]});
    let request = read(&body).unwrap();
    let ToolKind::Function { schema: Some(schema), .. } = &request.tools[0].kind else {
        panic!("{request:?}")
    };
    let expected = json!({"type": "object", "properties": {
        "type": {"type": ["string", "null"], "enum": ["a", null], "examples": ["a"]},
        "nullable": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
        "any": {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
    }, "required": ["any"]});
    assert_eq!(super::json(schema.get()), expected);
}

#[test]
fn wrong_types_are_refused_by_name() {
    for (body, param) in [
        (json!({}), "contents"),
        (json!({"contents": [{"parts": [{"text": 1}]}]}), "contents[0].parts[0]"),
        (json!({"contents": [{"role": "invalid_role", "parts": []}]}), "contents[0].role"),
        (
            json!({"contents": [{"parts": [{"functionCall": {"args": {}}}]}]}),
            "contents[0].parts[0].functionCall.name",
        ),
        (json!({"contents": "a", "generationConfig": {"topK": -1}}), "generationConfig.topK"),
        (
            json!({"contents": "a", "generationConfig": {"temperature": "hot"}}),
            "generationConfig.temperature",
        ),
        (json!({"contents": "a", "tools": ["f"]}), "tools[0]"),
        (json!({"contents": "a", "toolConfig": []}), "toolConfig"),
    ] {
        assert_eq!(read(&body).unwrap_err().param, param, "{body}");
    }
}

#[test]
fn calls_and_results_meet_without_ids() {
    let body = json!({"contents": [
        {"role": "model", "parts": [{"functionCall": {"name": "a"}}, {"functionCall": {"name": "a", "args": {"x": 1}}},
            {"functionCall": {"id": "own", "name": "b"}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "b", "id": "own", "response": {"error": "no"}}},
            {"functionResponse": {"name": "a", "response": {"result": "1"}}},
            {"functionResponse": {"name": "a", "response": {"x": 1, "result": 2}}}]},
    ]});
    let turns = read(&body).unwrap().turns;
    let ids = |index: usize| -> Vec<String> {
        let blocks = turns[index].blocks.iter();
        blocks
            .map(|block| match block {
                Block::ToolUse { id, .. } | Block::ToolResult { id, .. } => id.clone(),
                other => panic!("{other:?}"),
            })
            .collect()
    };
    let (calls, results) = (ids(0), ids(1));
    assert_ne!(calls[0], calls[1]);
    assert_eq!(results, [calls[2].clone(), calls[0].clone(), calls[1].clone()]);
    let text = |index: usize| match &turns[1].blocks[index] {
        Block::ToolResult { content, is_error, .. } => match &content[0] {
            Block::Text { text, .. } => (text.clone(), *is_error),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(text(0), ("no".to_owned(), true));
    assert_eq!(text(1), ("1".to_owned(), false));
    assert_eq!(text(2), (r#"{"x":1,"result":2}"#.to_owned(), false));
}
