//! The conversation as items for a provider.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::build::{Object, list};
use super::write_request::bare;
use crate::Format;
use crate::codec::Target;
use crate::ir::{Block, Media, Refused, Request, Role, Source, ToolIdShape, Turn, digest_id, tool_id};

/// Writes the conversation.
pub(super) fn write(request: &Request, target: &Target) -> Result<Vec<String>, Refused> {
    let calls = request.turns.iter().flat_map(|turn| &turn.blocks);
    let custom = calls.filter_map(|block| {
        if let Block::ToolUse { id, custom: true, .. } = block { Some(id.as_str()) } else { None }
    });
    let mut items = Items { target, custom: custom.collect(), written: Vec::new() };
    for (index, turn) in request.turns.iter().enumerate() {
        items.turn(turn, &format!("messages[{index}]"))?;
    }
    Ok(items.written)
}

struct Items<'a> {
    target: &'a Target,
    /// Calls of tools that take text: their results are items of another type.
    custom: BTreeSet<&'a str>,
    written: Vec<String>,
}

impl Items<'_> {
    fn turn(&mut self, turn: &Turn, param: &str) -> Result<(), Refused> {
        let role = match turn.role {
            Role::User => "user",
            Role::System => "developer",
            Role::Assistant => return self.answer(turn, param),
        };
        let mut parts = Vec::new();
        for (index, block) in turn.blocks.iter().enumerate() {
            let param = format!("{param}.content[{index}]");
            if let Block::ToolResult { id, content, .. } = block {
                self.message(role, &mut parts);
                self.result(id, content, &param)?;
            } else if let Block::Foreign { format: Format::Responses, json, .. } = block {
                self.message(role, &mut parts);
                self.written.push(json.get().to_owned());
            } else {
                parts.extend(part(block, &param)?);
            }
        }
        self.message(role, &mut parts);
        Ok(())
    }

    fn message(&mut self, role: &str, parts: &mut Vec<String>) {
        if !parts.is_empty() {
            let content = list(parts.drain(..));
            self.written.push(Object::of("message").text("role", role).raw("content", &content).end());
        }
    }

    fn result(&mut self, id: &str, content: &[Block], param: &str) -> Result<(), Refused> {
        let kind = if self.custom.contains(id) { "custom_tool_call_output" } else { "function_call_output" };
        let item = Object::of(kind).text("call_id", &self.call_id(id));
        let item = match content {
            [] => item.text("output", ""),
            [Block::Text { text, .. }] => item.text("output", text),
            _ => {
                let mut parts = Vec::new();
                for (index, block) in content.iter().enumerate() {
                    parts.extend(part(block, &format!("{param}.content[{index}]"))?);
                }
                item.raw("output", &list(parts))
            }
        };
        self.written.push(item.end());
        Ok(())
    }

    fn call_id(&self, id: &str) -> String {
        tool_id(id, self.target.quirks.tool_ids, "call_")
    }

    fn answer(&mut self, turn: &Turn, param: &str) -> Result<(), Refused> {
        for (index, block) in turn.blocks.iter().enumerate() {
            let item = match block {
                Block::Text { text, .. } if text.is_empty() => continue,
                Block::Text { text, .. } => {
                    Object::of("message").text("role", "assistant").text("content", text).end()
                }
                Block::Refusal { text } => refusal(text),
                Block::Thinking {
                    text,
                    signature: Some(signature),
                    signed_by: Some(Format::Responses),
                    id,
                } => reasoning(id, text, signature),
                // Nobody but who signed takes it back.
                Block::Thinking { .. } | Block::RedactedThinking { .. } => continue,
                Block::ToolUse { id, name, input, custom, .. } => {
                    let (kind, key) =
                        if *custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
                    let input = if !custom && input.trim().is_empty() { "{}" } else { input };
                    Object::of(kind)
                        .text("call_id", &self.call_id(id))
                        .text("name", name)
                        .text(key, input)
                        .end()
                }
                Block::Foreign { format: Format::Responses, json, .. } => json.get().to_owned(),
                Block::Foreign { .. } | Block::Media { .. } | Block::ToolResult { .. } => {
                    return Err(Refused::no_equivalent(format!("{param}.content[{index}]")));
                }
            };
            self.written.push(item);
        }
        Ok(())
    }
}

/// Writes reasoning. Its name is left out if it is not known: the provider compares it with what it encrypted.
fn reasoning(id: &str, text: &str, signature: &str) -> String {
    let summary =
        if text.is_empty() { None } else { Some(Object::of("summary_text").text("text", text).end()) };
    Object::of("reasoning")
        .maybe(Some(id).filter(|id| !id.is_empty()), |object, id| object.text("id", id))
        .raw("summary", &list(summary))
        .text("encrypted_content", signature)
        .end()
}

/// Writes a refusal. Only the long form of a message holds one, and that has a name.
fn refusal(text: &str) -> String {
    Object::of("message")
        .text("id", &digest_id(text, ToolIdShape::OpenAi, "msg_"))
        .text("role", "assistant")
        .text("status", "completed")
        .raw("content", &list([Object::of("refusal").text("refusal", text).end()]))
        .end()
}

/// Writes a part of a message or of a result; none for an empty text.
fn part(block: &Block, param: &str) -> Result<Option<String>, Refused> {
    match block {
        Block::Text { text, .. } => Ok(text_part(text)),
        Block::Media { media: Media::Image, source, detail, .. } => {
            let image = Object::of("input_image").text("detail", detail.as_deref().unwrap_or("auto"));
            Ok(Some(match source {
                Source::Base64 { media_type, data } => {
                    image.text("image_url", &inline(media_type, data)).end()
                }
                Source::Url { url, .. } => image.text("image_url", url).end(),
                Source::File { id, .. } => image.text("file_id", id).end(),
                Source::Text(_) => return Err(Refused::no_equivalent(param)),
            }))
        }
        Block::Media { media: Media::Document, source, name, .. } => Ok(Some(document(source, name))),
        // Sound, films, what only another format understands, and what does not stand on this side.
        Block::Media { .. }
        | Block::Foreign { .. }
        | Block::Thinking { .. }
        | Block::RedactedThinking { .. }
        | Block::ToolUse { .. }
        | Block::ToolResult { .. }
        | Block::Refusal { .. } => Err(Refused::no_equivalent(param)),
    }
}

fn text_part(text: &str) -> Option<String> {
    if text.is_empty() { None } else { Some(Object::of("input_text").text("text", text).end()) }
}

fn document(source: &Source, name: &str) -> String {
    let file = Object::of("input_file");
    let named = |file: Object, media_type: &str| {
        // A file whose bytes are here must have a name with an ending.
        if name.contains('.') {
            return file.text("filename", name);
        }
        let stem = if name.is_empty() { "document" } else { name };
        file.text("filename", &format!("{stem}.{}", ending(media_type)))
    };
    match source {
        Source::Base64 { media_type, data } => {
            named(file, media_type).text("file_data", &inline(media_type, data)).end()
        }
        Source::Text(text) => {
            let data = inline("text/plain", &STANDARD.encode(text));
            named(file, "text/plain").text("file_data", &data).end()
        }
        Source::Url { url, .. } => file.text("file_url", url).end(),
        Source::File { id, .. } => file.text("file_id", id).end(),
    }
}

fn ending(media_type: &str) -> &str {
    match media_type {
        "text/plain" => "txt",
        "text/markdown" => "md",
        "text/csv" => "csv",
        "text/html" => "html",
        "application/json" => "json",
        _ => bare(media_type),
    }
}

fn inline(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}
