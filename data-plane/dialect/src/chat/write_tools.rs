//! What a provider is told that the model may call.

use super::object::Object;
use crate::Format;
use crate::ir::{Refused, Request, Tool, ToolChoice, ToolKind};
use crate::json::quote;
use crate::quirks::Quirks;

/// The schema of a tool without parameters: some vendors refuse a tool that has none.
const NO_PARAMETERS: &str = r#"{"type":"object","properties":{}}"#;

/// Writes tools and how they are chosen.
pub(super) fn write(request: &Request, quirks: &Quirks, body: &mut Object) -> Result<(), Refused> {
    let mut tools = Vec::with_capacity(request.tools.len());
    // A vendor that knows no choice among some is told of these alone.
    let only = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) if !quirks.allowed_tools => Some(names),
        Some(_) | None => None,
    };
    for (index, tool) in request.tools.iter().enumerate() {
        if only.is_none_or(|names| names.contains(&tool.name)) {
            tools.push(one(tool, index, quirks)?);
        }
    }
    body.list("tools", &tools);
    // Without tools a choice is refused.
    if tools.is_empty() {
        return Ok(());
    }
    if let Some(choice) = &request.tool_choice {
        body.raw("tool_choice", &chosen(choice, request, quirks));
    }
    body.maybe("parallel_tool_calls", request.parallel_tools);
    Ok(())
}

fn one(tool: &Tool, index: usize, quirks: &Quirks) -> Result<String, Refused> {
    let mut inner = Object::default();
    inner.text("name", &tool.name);
    if !tool.description.is_empty() {
        inner.text("description", &tool.description);
    }
    let kind = match &tool.kind {
        ToolKind::Function { schema, strict } => {
            inner.raw("parameters", schema.as_ref().map_or(NO_PARAMETERS, |schema| schema.get()));
            inner.maybe("strict", strict.filter(|_| quirks.strict));
            "function"
        }
        ToolKind::Custom { format } if quirks.custom_tools => {
            inner.maybe("format", format.as_ref().map(|format| format.get()));
            "custom"
        }
        ToolKind::Foreign { format: Format::Chat, json } => return Ok(json.get().to_owned()),
        ToolKind::Custom { .. } | ToolKind::Foreign { .. } => {
            return Err(Refused::no_equivalent(format!("tools[{index}]")));
        }
    };
    let cache = if tool.cache.is_some() && quirks.cache_control {
        r#","cache_control":{"type":"ephemeral"}"#
    } else {
        ""
    };
    Ok(format!(r#"{{"type":"{kind}","{kind}":{}{cache}}}"#, inner.finish()))
}

fn chosen(choice: &ToolChoice, request: &Request, quirks: &Quirks) -> String {
    let named = |name: &String| {
        let custom = request
            .tools
            .iter()
            .any(|tool| tool.name == *name && matches!(tool.kind, ToolKind::Custom { .. }));
        let kind = if custom { "custom" } else { "function" };
        format!(r#"{{"type":"{kind}","{kind}":{{"name":{}}}}}"#, quote(name))
    };
    match choice {
        ToolChoice::Auto => quote("auto"),
        ToolChoice::None => quote("none"),
        ToolChoice::Required => quote(quirks.required),
        ToolChoice::Named(name) => named(name),
        ToolChoice::Allowed { required, .. } if !quirks.allowed_tools => {
            quote(if *required { quirks.required } else { "auto" })
        }
        ToolChoice::Allowed { required, names } => {
            let tools: Vec<String> = names.iter().map(named).collect();
            let mode = if *required { "required" } else { "auto" };
            format!(
                r#"{{"type":"allowed_tools","allowed_tools":{{"mode":"{mode}","tools":[{}]}}}}"#,
                tools.join(",")
            )
        }
    }
}
