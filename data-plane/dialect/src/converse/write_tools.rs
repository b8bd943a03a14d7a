//! Tools, and whether the model must call one.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::Format;
use crate::ir::{Block, Dropped, Refused, Request, ToolChoice, ToolKind};
use crate::json::Place;

use super::family::{CachePlace, Family};
use super::field::{json as raw, refused};
use super::wire::{Choice, Schema, Tool, ToolConfig};

/// Says what Converse has no word for: no call, though there are tools.
pub(super) const SILENCE: &str = "Do not call any tool now. Answer with text.";

/// Tools as they are written.
#[derive(Debug, Default)]
pub(super) struct Tools<'a> {
    pub(super) config: Option<ToolConfig<'a>>,
    /// The model is to be told to call none: see [`SILENCE`].
    pub(super) silence: bool,
    /// Claude's own choice of tools, for `additionalModelRequestFields`.
    pub(super) single: Option<Value>,
}

/// Writes the tools. Bedrock refuses calls and results in a conversation without `toolConfig`, so it stays there even if
/// nothing may be called.
pub(super) fn tools<'a>(
    request: &'a Request,
    family: Family,
    dropped: &mut Vec<Dropped>,
) -> Result<Tools<'a>, Refused> {
    let called = called(request);
    let silent = request.tools.is_empty() || matches!(request.tool_choice, Some(ToolChoice::None));
    if silent && called.is_empty() {
        return Ok(Tools::default());
    }
    let mut uncached = false;
    let mut tools = Vec::with_capacity(request.tools.len());
    for (at, tool) in request.tools.iter().enumerate() {
        if !allowed(request.tool_choice.as_ref(), &tool.name) {
            continue;
        }
        tools.push(written(tool, family, at, dropped)?);
        let point = family.cache(tool.cache, CachePlace::Tools);
        uncached |= tool.cache.is_some() && point.is_none();
        tools.extend(point.map(|point| Tool::CachePoint(point.into())));
    }
    if uncached && !dropped.iter().any(|name| name == "cache_control") {
        dropped.push("cache_control".to_owned());
    }
    if tools.is_empty() {
        for name in called {
            tools.push(Tool::Spec { name, description: "", input_schema: any_object()?, strict: None });
        }
    }
    if tools.is_empty() {
        return Ok(Tools::default());
    }
    let mut choice = if silent { None } else { choice(request.tool_choice.as_ref()) };
    let mut single = None;
    if request.parallel_tools == Some(false) && !silent {
        if family.has_single_calls() {
            // A choice must stand in one place alone: its type here and one there are refused (LiteLLM #34347, #36536).
            let own = match choice {
                None | Some(Choice::Auto {}) => {
                    choice = None;
                    json!({ "type": "auto", "disable_parallel_tool_use": true })
                }
                Some(Choice::Any {} | Choice::Tool { .. }) => json!({ "disable_parallel_tool_use": true }),
            };
            single = Some(own);
        } else {
            dropped.push("parallel_tool_calls".to_owned());
        }
    }
    let config = Some(ToolConfig { tools, tool_choice: choice });
    Ok(Tools { config, silence: silent, single })
}

fn written<'a>(
    tool: &'a crate::ir::Tool,
    family: Family,
    at: usize,
    dropped: &mut Vec<Dropped>,
) -> Result<Tool<'a>, Refused> {
    match &tool.kind {
        ToolKind::Function { .. } if !is_name(&tool.name) => Err(refused(
            format!("tools[{at}].name"),
            "must be 1 to 64 letters, digits, `_` or `-` for this model",
        )),
        ToolKind::Function { schema, strict } => {
            let strict = strict.filter(|strict| *strict);
            if strict.is_some() && !family.has_strict_tools() && !dropped.iter().any(|name| name == "strict")
            {
                dropped.push("strict".to_owned());
            }
            Ok(Tool::Spec {
                name: &tool.name,
                description: &tool.description,
                input_schema: schema.as_deref().map_or_else(any_object, of_object)?,
                strict: strict.filter(|_| family.has_strict_tools()),
            })
        }
        ToolKind::Foreign { format: Format::Converse, json } => Ok(Tool::Raw(json)),
        ToolKind::Custom { .. } | ToolKind::Foreign { .. } => {
            Err(Refused::no_equivalent(format!("tools[{at}]")))
        }
    }
}

/// Whether Bedrock takes it as a tool's name (source: botocore's model, `ToolName`).
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

/// A choice among some tools is said by naming no others.
fn allowed(choice: Option<&ToolChoice>, name: &str) -> bool {
    match choice {
        Some(ToolChoice::Allowed { names, .. }) => names.iter().any(|allowed| allowed == name),
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required | ToolChoice::Named(_)) | None => {
            true
        }
    }
}

fn choice(choice: Option<&ToolChoice>) -> Option<Choice<'_>> {
    match choice {
        None | Some(ToolChoice::None) => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => Some(Choice::Auto {}),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => Some(Choice::Any {}),
        Some(ToolChoice::Named(name)) => Some(Choice::Tool { name }),
    }
}

/// Returns the schema; a type is added if it says none, because Bedrock demands one.
fn of_object(schema: &RawValue) -> Result<Schema<'_>, Refused> {
    let place = Place::root(schema.get());
    if !place.is_object() {
        return any_object();
    }
    if place.get("type").is_some_and(|kind| !kind.is_null()) {
        return Ok(Schema { json: Cow::Borrowed(schema) });
    }
    let members: Vec<_> = place.members().filter(|member| member.key != "type").collect();
    let members = members
        .iter()
        .map(|member| format!(",{}:{}", crate::json::quote(&member.key), member.value.source()));
    owned(&format!(r#"{{"type":"object"{}}}"#, members.collect::<String>()))
}

fn any_object<'a>() -> Result<Schema<'a>, Refused> {
    owned(r#"{"type":"object","properties":{}}"#)
}

fn owned<'a>(schema: &str) -> Result<Schema<'a>, Refused> {
    let json = raw(schema).map_err(|()| refused("tools", "must have schemas that are JSON"))?;
    Ok(Schema { json: Cow::Owned(json) })
}

/// Names of the tools that the conversation has calls of, each once.
fn called(request: &Request) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut results = false;
    for block in request.turns.iter().flat_map(|turn| &turn.blocks) {
        match block {
            Block::ToolUse { name, .. } if !names.contains(&name.as_str()) => names.push(name),
            Block::ToolResult { .. } => results = true,
            Block::Text { .. }
            | Block::Thinking { .. }
            | Block::RedactedThinking { .. }
            | Block::ToolUse { .. }
            | Block::Media { .. }
            | Block::Refusal { .. }
            | Block::Foreign { .. } => {}
        }
    }
    if names.is_empty() && results {
        names.push("tool");
    }
    names
}
