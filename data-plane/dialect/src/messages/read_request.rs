//! Reads a caller's request.
//!
//! What the form between does not say goes to [`Request::rest`]; of `output_config` the single members do, under dotted
//! names, and so does `citations` of any document. `defer_loading` and the like, which only say how tools are found, are left
//! out.

use super::field::{boolean, count, json, list, member, number, text, text_member, text_or_empty, wrong};
use super::read_blocks::{self, From, cache, content};
use crate::Format;
use crate::ir::{
    Block, Effort, Reasoning, Refused, Request, ResponseFormat, Role, Tool, ToolChoice, ToolKind, Turn,
};
use crate::json::{Member, Place};

/// Reads the body of `POST /v1/messages` or of `POST /v1/messages/count_tokens`.
pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    let root = Place::root(body);
    if !root.is_object() {
        return Err(wrong("messages", "is missing: the body must be an object"));
    }
    let mut request = Request::default();
    let mut spoken = false;
    let mut cached = false;
    for Member { key, value, .. } in root.members() {
        if value.is_null() {
            continue;
        }
        match key.as_ref() {
            "model" => {}
            "messages" => {
                spoken = true;
                turns(value, &mut request)?;
            }
            "cache_control" => cached = true,
            key => option(key, value, &mut request)?,
        }
    }
    if !spoken {
        return Err(wrong("messages", "is missing"));
    }
    if cached {
        cache_last(&mut request, root);
    }
    Ok(request)
}

fn option(key: &str, value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    match key {
        "system" => request.system = read_blocks::system(value)?,
        "max_tokens" => request.max_tokens = Some(count(value, key)?),
        "stream" => request.stream = boolean(value, key)?,
        "temperature" => request.temperature = Some(number(value, key)?),
        "top_p" => request.top_p = Some(number(value, key)?),
        "top_k" => request.top_k = Some(count(value, key)?),
        "service_tier" => request.service_tier = Some(text(value, key)?),
        "stop_sequences" => {
            for (index, stop) in list(value, key)?.enumerate() {
                request.stop.push(text(stop, &format!("{key}[{index}]"))?);
            }
        }
        "metadata" => metadata(value, request)?,
        "tools" => {
            for (index, tool) in list(value, key)?.enumerate() {
                request.tools.push(read_tool(tool, &format!("{key}[{index}]"))?);
            }
        }
        "tool_choice" => tool_choice(value, request)?,
        "thinking" => thinking(value, request)?,
        "output_config" => output_config(value, request)?,
        "output_format" => output_format(value, key, request)?,
        _ => request.rest.push((key.to_owned(), json(value, key)?)),
    }
    Ok(())
}

fn turns(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    for (index, message) in list(value, "messages")?.enumerate() {
        let param = format!("messages[{index}]");
        if !message.is_object() {
            return Err(wrong(param, "must be an object"));
        }
        let role = match text_member(message, "role", &param)?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(wrong(format!("{param}.role"), "must be user, assistant or system")),
        };
        let at = format!("{param}.content");
        let Some(value) = member(message, "content") else { return Err(wrong(at, "is missing")) };
        cites(value, request)?;
        request.turns.push(Turn { role, blocks: content(value, &at, From::Caller)? });
    }
    Ok(())
}

/// Notes, once, that a document is to be cited.
fn cites(content: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    const NAME: &str = "citations";
    let mut cited = content.elements().filter_map(|block| member(block, NAME)).filter(|citations| {
        member(*citations, "enabled").and_then(|enabled| enabled.as_bool()).unwrap_or_default()
    });
    match cited.next() {
        Some(citations) if request.rest.iter().all(|(name, _)| name != NAME) => {
            request.rest.push((NAME.to_owned(), json(citations, NAME)?));
            Ok(())
        }
        Some(_) | None => Ok(()),
    }
}

/// `cache_control` of the whole request means its last block that can be cached.
fn cache_last(request: &mut Request, root: Place<'_>) {
    let wanted = cache(root);
    let slot =
        request.turns.iter_mut().rev().flat_map(|turn| turn.blocks.iter_mut().rev()).find_map(|block| {
            match block {
                Block::Text { cache, .. }
                | Block::ToolUse { cache, .. }
                | Block::ToolResult { cache, .. }
                | Block::Media { cache, .. } => Some(cache),
                Block::Thinking { .. }
                | Block::RedactedThinking { .. }
                | Block::Refusal { .. }
                | Block::Foreign { .. } => None,
            }
        });
    if let Some(slot) = slot {
        *slot = slot.or(wanted);
    }
}

fn metadata(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    for Member { key, value, .. } in value.members() {
        match value.as_str() {
            Some(text) if key == "user_id" => request.user = Some(text.into_owned()),
            Some(text) => request.metadata.push((key.into_owned(), text.into_owned())),
            None if value.is_null() => {}
            None => return Err(wrong(format!("metadata.{key}"), "must be a text")),
        }
    }
    Ok(())
}

fn read_tool(value: Place<'_>, param: &str) -> Result<Tool, Refused> {
    if !value.is_object() {
        return Err(wrong(param, "must be an object"));
    }
    let kind = text_or_empty(value, "type", param)?;
    let strict = member(value, "strict").map(|it| boolean(it, &format!("{param}.strict"))).transpose()?;
    let schema = member(value, "input_schema");
    let (name, kind) = if kind.is_empty() || kind == "custom" {
        let schema = schema.map(|it| json(it, &format!("{param}.input_schema"))).transpose()?;
        (text_member(value, "name", param)?, ToolKind::Function { schema, strict })
    } else {
        let name = text_or_empty(value, "name", param)?;
        let json = json(value, param)?;
        (if name.is_empty() { kind } else { name }, ToolKind::Foreign { format: Format::Messages, json })
    };
    Ok(Tool { name, description: text_or_empty(value, "description", param)?, kind, cache: cache(value) })
}

fn tool_choice(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    let param = "tool_choice";
    request.tool_choice = Some(match text_member(value, "type", param)?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(text_member(value, "name", param)?),
        _ => return Err(wrong("tool_choice.type", "must be auto, any, tool or none")),
    });
    if let Some(disabled) = member(value, "disable_parallel_tool_use") {
        request.parallel_tools = Some(!boolean(disabled, "tool_choice.disable_parallel_tool_use")?);
    }
    Ok(())
}

fn thinking(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    let kind = text_member(value, "type", "thinking")?;
    let mut reasoning = request.reasoning.take().unwrap_or_default();
    reasoning.show = match text_or_empty(value, "display", "thinking")?.as_str() {
        "summarized" => Some(true),
        "omitted" => Some(false),
        _ => None,
    };
    match kind.as_str() {
        "enabled" => {
            let budget = member(value, "budget_tokens");
            reasoning.enabled = Some(true);
            reasoning.budget_tokens = budget.map(|it| count(it, "thinking.budget_tokens")).transpose()?;
        }
        "adaptive" => {
            reasoning.enabled = Some(true);
            reasoning.adaptive = true;
        }
        // Between tools the model only writes how far it is, in blocks that look like thinking: thinking itself is off.
        "disabled" | "between_tools" => reasoning.enabled = Some(false),
        _ => request.rest.push(("thinking".to_owned(), json(value, "thinking")?)),
    }
    if reasoning != Reasoning::default() {
        request.reasoning = Some(reasoning);
    }
    Ok(())
}

fn output_config(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    if !value.is_object() {
        return Err(wrong("output_config", "must be an object"));
    }
    for Member { key, value, .. } in value.members().filter(|member| !member.value.is_null()) {
        let param = format!("output_config.{key}");
        let effort = value.as_str().as_deref().and_then(Effort::parse).filter(|_| key == "effort");
        if let Some(effort) = effort {
            request.reasoning.get_or_insert_default().effort = Some(effort);
        } else if key == "format" {
            output_format(value, &param, request)?;
        } else {
            let json = json(value, &param)?;
            request.rest.push((param, json));
        }
    }
    Ok(())
}

/// Reads `output_config.format`, or `output_format` as it was called first.
fn output_format(value: Place<'_>, param: &str, request: &mut Request) -> Result<(), Refused> {
    if text_member(value, "type", param)? != "json_schema" {
        return Err(Refused::no_equivalent(format!("{param}.type")));
    }
    let at = format!("{param}.schema");
    let Some(schema) = member(value, "schema") else { return Err(wrong(at, "is missing")) };
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: text_or_empty(value, "name", param)?,
        description: None,
        schema: json(schema, &at)?,
        strict: None,
    });
    Ok(())
}
