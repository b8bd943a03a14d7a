//! The tools of a request.

use super::read_request::{flag, json, list, object, text, wrong};
use crate::Format;
use crate::ir::{Refused, Tool, ToolChoice, ToolKind};
use crate::json::Place;

/// Reads a tool. One that the provider runs, or of a kind that nobody knows, is kept as it stands.
pub(super) fn tool(tool: Place<'_>, param: &str) -> Result<Tool, Refused> {
    let tool = object(tool, param)?;
    let member = |key: &str| tool.get(key).filter(|value| !value.is_null());
    let read = |key: &str| member(key).map(|value| text(value, &format!("{param}.{key}"))).transpose();
    let kind = read("type")?.ok_or_else(|| wrong(&format!("{param}.type"), "is missing"))?;
    let name = read("name")?;
    let named = || name.clone().ok_or_else(|| wrong(&format!("{param}.name"), "is missing"));
    let (name, kind) = match kind.as_str() {
        "function" => {
            let schema = member("parameters")
                .map(|schema| object(schema, &format!("{param}.parameters")).and_then(json))
                .transpose()?;
            let strict =
                member("strict").map(|strict| flag(strict, &format!("{param}.strict"))).transpose()?;
            (named()?, ToolKind::Function { schema, strict })
        }
        "custom" => (named()?, ToolKind::Custom { format: member("format").map(json).transpose()? }),
        _ => {
            let foreign = ToolKind::Foreign { format: Format::Responses, json: json(tool)? };
            (name.unwrap_or(kind), foreign)
        }
    };
    Ok(Tool { name, description: read("description")?.unwrap_or_default(), kind, cache: None })
}

/// Reads which tool must be called. Those that the provider runs cannot be named to another.
pub(super) fn choice(choice: Place<'_>) -> Result<ToolChoice, Refused> {
    const PARAM: &str = "tool_choice";
    if let Some(word) = choice.as_str() {
        return match &*word {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" => Ok(ToolChoice::Required),
            _ => Err(Refused::no_equivalent(PARAM)),
        };
    }
    let word = |key: &str| object(choice, PARAM).map(|choice| super::item::word(choice, key));
    match word("type")?.as_str() {
        "function" | "custom" => Ok(ToolChoice::Named(named(choice, PARAM)?)),
        "allowed_tools" | "" if choice.get("tools").is_some() => {
            let mut names = Vec::new();
            for (index, tool) in choice
                .get("tools")
                .map(|tools| list(tools, "tool_choice.tools"))
                .transpose()?
                .into_iter()
                .flatten()
                .enumerate()
            {
                let param = format!("{PARAM}.tools[{index}]");
                match super::item::word(object(tool, &param)?, "type").as_str() {
                    "function" | "custom" => names.push(named(tool, &param)?),
                    _ => return Err(Refused::no_equivalent(param)),
                }
            }
            Ok(ToolChoice::Allowed { required: word("mode")? == "required", names })
        }
        _ => Err(Refused::no_equivalent(PARAM)),
    }
}

fn named(object: Place<'_>, param: &str) -> Result<String, Refused> {
    let name = super::item::word(object, "name");
    if name.is_empty() { Err(wrong(&format!("{param}.name"), "is missing")) } else { Ok(name) }
}
