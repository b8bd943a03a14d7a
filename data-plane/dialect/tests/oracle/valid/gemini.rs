//! What Gemini's SDK and service demand; unknown members are refused there.

use serde_json::Value;

use super::{known, present};
use crate::kit::semantics::{items, text};

pub(super) fn answer(body: &Value, whole: bool) -> Result<(), String> {
    known(
        "answer",
        body,
        &["candidates", "usageMetadata", "modelVersion", "responseId", "promptFeedback", "createTime"],
    )?;
    present(body, &["modelVersion", "responseId"])?;
    for candidate in items(&body["candidates"]) {
        present(candidate, &["index"])?;
        if whole {
            present(candidate, &["content", "finishReason"])?;
        }
        if !candidate["content"].is_null() && candidate["content"]["role"] != "model" {
            return Err("content is not of the model".to_owned());
        }
        items(&candidate["content"]["parts"]).try_for_each(part)?;
    }
    if let Some(usage) = body.get("usageMetadata") {
        present(usage, &["promptTokenCount", "totalTokenCount"])?;
    }
    Ok(())
}

fn part(part: &Value) -> Result<(), String> {
    const DATA: [&str; 9] = [
        "text",
        "functionCall",
        "functionResponse",
        "inlineData",
        "fileData",
        "executableCode",
        "codeExecutionResult",
        "toolCall",
        "toolResponse",
    ];
    let members = part.as_object().ok_or("a part is no object")?;
    let data = members.keys().filter(|key| DATA.contains(&key.as_str())).count();
    let rest = members.keys().find(|key| {
        !DATA.contains(&key.as_str())
            && !["thought", "thoughtSignature", "videoMetadata"].contains(&key.as_str())
    });
    if let Some(rest) = rest {
        return Err(format!("a part has an unknown member {rest}"));
    }
    if data > 1 || (data == 0 && !members.contains_key("thoughtSignature")) {
        return Err(format!("a part has {data} kinds of data"));
    }
    if let Some(call) = part.get("functionCall") {
        known("functionCall", call, &["id", "name", "args"])?;
        if !call["name"].is_string() || !(call["args"].is_object() || call["args"].is_null()) {
            return Err("functionCall without name, or args that are no object".to_owned());
        }
    }
    if let Some(given) = part.get("functionResponse") {
        known("functionResponse", given, &["id", "name", "response", "parts"])?;
        if text(&given["name"]).is_empty() || !given["response"].is_object() {
            return Err("functionResponse without name, or a response that is no object".to_owned());
        }
    }
    Ok(())
}

pub(super) fn request(body: &Value) -> Result<(), String> {
    known(
        "request",
        body,
        &[
            "contents",
            "systemInstruction",
            "tools",
            "toolConfig",
            "generationConfig",
            "safetySettings",
            "cachedContent",
            "serviceTier",
            "labels",
            "store",
        ],
    )?;
    if items(&body["contents"]).len() == 0 {
        return Err("contents is empty".to_owned());
    }
    for content in items(&body["contents"]) {
        if !matches!(text(&content["role"]), "user" | "model") {
            return Err(format!("role {} of a content", content["role"]));
        }
        if items(&content["parts"]).len() == 0 {
            return Err("a content without parts".to_owned());
        }
        items(&content["parts"]).try_for_each(part)?;
    }
    for tool in items(&body["tools"]) {
        for declared in items(&tool["functionDeclarations"]) {
            let keys = [
                "name",
                "description",
                "parameters",
                "parametersJsonSchema",
                "response",
                "responseJsonSchema",
                "behavior",
            ];
            known("functionDeclaration", declared, &keys)?;
            present(declared, &["name"])?;
        }
    }
    Ok(())
}
