//! What a call may be refused for. Each refusal must be one of these, and must have its ground in the request: one that is in
//! no line here, or that names what was not asked, is wrong.

use serde_json::Value;

use crate::kit::semantics::text;

/// The member that a refusal names, without its numbers; words of which one must stand in the request; and why another format
/// cannot say it.
const KNOWN: &[(&str, &[&str], &str)] = &[
    ("background", &["\"background\":true"], "the provider keeps a call that goes on without its caller"),
    ("conversation", &["\"conversation\":"], "the provider keeps the conversation"),
    ("previous_response_id", &["\"previous_response_id\":"], "the provider keeps the conversation"),
    ("cachedContent", &["\"cachedContent\":"], "the provider keeps what the prompt begins with"),
    ("container", &["\"container\":"], "the provider keeps the files of a tool"),
    ("mcp_servers", &["\"mcp_servers\":"], "the provider calls these servers"),
    ("context_management", &["\"context_management\":"], "the provider rewrites the prompt"),
    ("moderation", &["\"moderation\":"], "the provider judges the answer"),
    ("modelArmorConfig", &["\"modelArmorConfig\":"], "the provider judges the prompt"),
    ("guardrailConfig", &["\"guardrailConfig\":"], "the provider judges prompt and answer"),
    ("provider", &["\"provider\":"], "an aggregator's choice among its providers"),
    ("models", &["\"models\":"], "an aggregator's choice among its models"),
    ("web_search_options", &["\"web_search_options\":"], "the provider searches"),
    ("search_settings", &["\"search_settings\":"], "the provider searches"),
    ("preset", &["\"preset\":"], "the provider keeps these settings"),
    ("truncation", &["\"truncation\":"], "the provider shortens the prompt"),
    ("reasoning.context", &["\"context\":"], "OpenAI's alone"),
    ("reasoning.mode", &["\"mode\":"], "OpenAI's alone"),
    ("logprobs", &["ogprobs"], "other formats have no probabilities"),
    ("n", &["\"n\":", "\"candidateCount\":"], "other formats have one answer"),
    ("stop", &["\"stop", "\"stop_sequences\":"], "responses have no stop texts"),
    ("top_k", &["\"top_k\":", "\"topK\":"], "OpenAI's formats have no such sampling"),
    ("frequency_penalty", &["frequency"], "Anthropic and Bedrock have no such sampling"),
    ("presence_penalty", &["presence"], "Anthropic and Bedrock have no such sampling"),
    ("parallel_tool_calls", &["parallel"], "the format cannot hold the model to one call"),
    (
        "response_format",
        &["json_object", "responseMimeType", "\"format\":", "additionalProperties"],
        "the format takes a schema only, and one without maps",
    ),
    ("tool_choice", &["tool_choice", "toolC"], "the format cannot hold the model to a tool"),
    ("toolConfig.includeServerSideToolInvocations", &["includeServerSide"], "Google's own tools"),
    ("tools[]", FOREIGN_TOOLS, "the provider runs this tool, or it takes a text"),
    ("messages[]", MEDIA, "media that the format or the model does not take, or a block of one format"),
    ("messages[].content", MEDIA, "media that the format or the model does not take"),
    (
        "messages[].content[]",
        MEDIA,
        "media that the format or the model does not take, or a block of one format",
    ),
    ("messages[].content[].content[]", MEDIA, "media that the format does not take in a result"),
    ("messages[].content[].document.citations", &["\"citations\":"], "the provider cites the document"),
];

/// Tools that the caller does not run, or that take no JSON.
const FOREIGN_TOOLS: &[&str] = &[
    "_search",
    "web_fetch",
    "code_interpreter",
    "code_execution",
    "codeExecution",
    "googleSearch",
    "urlContext",
    "fileSearch",
    "image_generation",
    "\"mcp",
    "apply_patch",
    "\"custom\"",
    "\"systemTool\":",
    "advisor",
    "memory",
    "bash_",
    "text_editor",
    "computer",
    "openrouter:",
    "shell",
];

/// Pieces that are neither text nor a call.
const MEDIA: &[&str] = &[
    "image",
    "document",
    "video",
    "audio",
    "\"input_file\"",
    "\"file\"",
    "inlineData",
    "inline_data",
    "fileData",
    "file_data",
    "file_id",
    "_call\"",
    "_output\"",
    "server_tool_use",
    "_tool_result",
    "tool_reference",
    "tool_addition",
    "search_result",
    "searchResult",
    "compaction",
    "container_upload",
    "mcp_",
    "codeExecution",
    "executableCode",
    "toolCall",
    "citationsContent",
    "additional_tools",
    "item_reference",
    "configuration_update",
];

/// Checks a refusal.
pub fn grounded(param: &str, reason: &str, request: &Value) -> Result<(), String> {
    if reason.contains("JSON object as arguments") {
        return if odd_arguments(request) {
            Ok(())
        } else {
            Err(format!("the arguments of {param} are an object"))
        };
    }
    let lines = KNOWN.iter().filter(|(known, ..)| *known == param);
    let source = request.to_string();
    match lines.clone().next() {
        None => Err(format!("a refusal of {param}, which is not known")),
        Some((_, words, _)) if !words.iter().any(|word| source.contains(word)) => {
            Err(format!("a refusal of {param}, which was not asked"))
        }
        Some(_) => Ok(()),
    }
}

/// Whether some call of the request has arguments that are no object.
fn odd_arguments(value: &Value) -> bool {
    match value {
        // A custom tool takes a text.
        Value::Object(members) if matches!(text(&value["type"]), "custom_tool_call" | "custom") => {
            !members.is_empty()
        }
        Value::Object(members) => members.iter().any(|(key, value)| match value {
            Value::String(given) if key == "arguments" => {
                !serde_json::from_str::<Value>(given).is_ok_and(|given| given.is_object())
            }
            value => odd_arguments(value),
        }),
        Value::Array(list) => list.iter().any(odd_arguments),
        _ => false,
    }
}
