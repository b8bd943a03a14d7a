//! What botocore's model of Converse demands: unions have one member, ids have a shape.

use serde_json::Value;

use super::{known, only, present};
use crate::kit::semantics::{items, text};

pub(super) fn reply(body: &Value) -> Result<(), String> {
    known(
        "answer",
        body,
        &[
            "output",
            "stopReason",
            "usage",
            "metrics",
            "additionalModelResponseFields",
            "trace",
            "serviceTier",
            "performanceConfig",
        ],
    )?;
    present(body, &["output", "stopReason", "usage", "metrics"])?;
    present(&body["usage"], &["inputTokens", "outputTokens", "totalTokens"])?;
    let (_, message) = only("output", &body["output"], &["message"])?;
    spoken(message)
}

fn spoken(message: &Value) -> Result<(), String> {
    known("message", message, &["role", "content"])?;
    if !matches!(text(&message["role"]), "user" | "assistant" | "system") {
        return Err(format!("role {} of a message", message["role"]));
    }
    if !message["content"].is_array() {
        return Err("content of a message is no list".to_owned());
    }
    items(&message["content"]).try_for_each(block)
}

fn block(block: &Value) -> Result<(), String> {
    const KINDS: [&str; 12] = [
        "text",
        "image",
        "document",
        "video",
        "audio",
        "toolUse",
        "toolResult",
        "guardContent",
        "cachePoint",
        "reasoningContent",
        "citationsContent",
        "searchResult",
    ];
    let (kind, inner) = only("block", block, &KINDS)?;
    match kind {
        "text" if !inner.is_string() => Err("text is no text".to_owned()),
        "toolUse" => {
            present(inner, &["toolUseId", "name", "input"])?;
            if !inner["input"].is_object() {
                return Err("input of a toolUse is no object".to_owned());
            }
            word("toolUseId", &inner["toolUseId"])
        }
        "toolResult" => {
            present(inner, &["toolUseId", "content"])?;
            for piece in items(&inner["content"]) {
                only(
                    "toolResult.content",
                    piece,
                    &["text", "json", "image", "document", "video", "searchResult"],
                )?;
            }
            word("toolUseId", &inner["toolUseId"])
        }
        "reasoningContent" => only(kind, inner, &["reasoningText", "redactedContent"]).map(|_| ()),
        "image" | "document" | "video" | "audio" => {
            present(inner, &["format", "source"])?;
            only("source", &inner["source"], &["bytes", "s3Location", "text", "content"]).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// `[a-zA-Z0-9_-]+`, at most 64.
fn word(what: &str, value: &Value) -> Result<(), String> {
    let name = text(value);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        return Err(format!("{what} {name:.80} has a shape that is refused"));
    }
    Ok(())
}

pub(super) fn event(event: &Value) -> Result<(), String> {
    let kinds = [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ];
    let (kind, inner) = only("event", event, &kinds)?;
    match kind {
        "messageStart" => present(inner, &["role"]),
        "contentBlockStart" => {
            present(inner, &["start", "contentBlockIndex"])?;
            let (kind, begun) = only("start", &inner["start"], &["toolUse", "toolResult", "image"])?;
            match kind {
                "image" => present(begun, &["format"]),
                _ => present(begun, &["toolUseId", "name"]),
            }
        }
        "contentBlockDelta" => {
            present(inner, &["delta", "contentBlockIndex"])?;
            only(
                "delta",
                &inner["delta"],
                &["text", "toolUse", "reasoningContent", "citation", "toolResult", "image"],
            )
            .map(|_| ())
        }
        "contentBlockStop" => present(inner, &["contentBlockIndex"]),
        "messageStop" => present(inner, &["stopReason"]),
        _ => {
            present(inner, &["usage", "metrics"])?;
            present(&inner["usage"], &["inputTokens", "outputTokens", "totalTokens"])
        }
    }
}

pub(super) fn request(body: &Value) -> Result<(), String> {
    known(
        "request",
        body,
        &[
            "messages",
            "system",
            "inferenceConfig",
            "toolConfig",
            "guardrailConfig",
            "additionalModelRequestFields",
            "additionalModelResponseFieldPaths",
            "promptVariables",
            "requestMetadata",
            "performanceConfig",
            "serviceTier",
            "outputConfig",
        ],
    )?;
    let mut last = "";
    for message in items(&body["messages"]) {
        spoken(message)?;
        let role = text(&message["role"]);
        if role == last {
            return Err("two messages of one role follow each other".to_owned());
        }
        last = role;
        if items(&message["content"]).len() == 0 {
            return Err("a message without content".to_owned());
        }
    }
    for block in items(&body["system"]) {
        only("system", block, &["text", "guardContent", "cachePoint"])?;
    }
    let config = &body["toolConfig"];
    if config.is_object() && !items(&config["tools"]).any(|tool| !tool["toolSpec"].is_null()) {
        return Err("toolConfig without tools".to_owned());
    }
    for tool in items(&config["tools"]) {
        let (kind, inner) = only("tool", tool, &["toolSpec", "systemTool", "cachePoint"])?;
        if kind == "toolSpec" {
            present(inner, &["name", "inputSchema"])?;
            word("name of a tool", &inner["name"])?;
            if inner["inputSchema"]["json"]["type"] != "object" {
                return Err("the schema of a tool is not of an object".to_owned());
            }
        }
    }
    if config["toolChoice"].is_object() {
        only("toolChoice", &config["toolChoice"], &["auto", "any", "tool"])?;
    }
    Ok(())
}
