//! What a caller lets the model call, and the form in which it wants the answer.

use super::read_parts::cache;
use super::read_request::{boolean, json, text, wrong};
use crate::Format;
use crate::ir::{Refused, ResponseFormat, Tool, ToolChoice, ToolKind};
use crate::json::Place;

/// Reads `tools`.
pub(super) fn tools(list: Place<'_>) -> Result<Vec<Tool>, Refused> {
    if !list.is_array() {
        return Err(wrong("tools", "must be a list"));
    }
    list.elements().enumerate().map(|(index, tool)| one(tool, &format!("tools[{index}]"))).collect()
}

/// Reads the deprecated `functions`.
pub(super) fn functions(list: Place<'_>) -> Result<Vec<Tool>, Refused> {
    list.elements()
        .enumerate()
        .map(|(index, inner)| function(inner, inner, &format!("functions[{index}]")))
        .collect()
}

fn one(tool: Place<'_>, path: &str) -> Result<Tool, Refused> {
    let kind = tool.get("type").and_then(|kind| kind.as_str());
    match (kind.as_deref(), tool.get("function"), tool.get("custom")) {
        (Some("function") | None, Some(inner), _) => function(tool, inner, &format!("{path}.function")),
        (Some("custom"), _, Some(inner)) => {
            let kind = ToolKind::Custom { format: present(inner, "format").map(json) };
            let name = name(inner, &format!("{path}.custom"))?;
            Ok(Tool { name, description: description(inner), kind, cache: cache(tool) })
        }
        (Some("function") | None, None, _) => Err(wrong(format!("{path}.function"), "is missing")),
        (Some("custom"), _, None) => Err(wrong(format!("{path}.custom"), "is missing")),
        (Some(kind), _, _) => {
            let foreign = ToolKind::Foreign { format: Format::Chat, json: json(tool) };
            Ok(Tool { name: kind.to_owned(), description: String::new(), kind: foreign, cache: None })
        }
    }
}

fn function(tool: Place<'_>, inner: Place<'_>, path: &str) -> Result<Tool, Refused> {
    let strict = present(inner, "strict").map(|strict| boolean(&format!("{path}.strict"), strict));
    let kind = ToolKind::Function {
        schema: present(inner, "parameters").filter(Place::is_object).map(json),
        strict: strict.transpose()?,
    };
    Ok(Tool { name: name(inner, path)?, description: description(inner), kind, cache: cache(tool) })
}

fn present<'a>(object: Place<'a>, key: &str) -> Option<Place<'a>> {
    object.get(key).filter(|value| !value.is_null())
}

fn name(inner: Place<'_>, path: &str) -> Result<String, Refused> {
    let path = format!("{path}.name");
    text(&path, inner.get("name").ok_or_else(|| wrong(&*path, "is missing"))?)
}

fn description(inner: Place<'_>) -> String {
    inner.get("description").and_then(|text| text.as_str()).unwrap_or_default().into_owned()
}

/// Reads `tool_choice`, and `function_call`, which is the same in an older shape.
pub(super) fn choice(key: &str, value: Place<'_>) -> Result<ToolChoice, Refused> {
    if let Some(word) = value.as_str() {
        return match &*word {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            // Mistral's word for the same.
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(wrong(key, "is not a known choice")),
        };
    }
    if let Some(allowed) = value.get("allowed_tools") {
        let required =
            allowed.get("mode").and_then(|mode| mode.as_str()).is_some_and(|mode| mode == "required");
        let tools = allowed.get("tools").or_else(|| value.get("tools"));
        let names = tools.iter().flat_map(Place::elements).filter_map(named).collect();
        return Ok(ToolChoice::Allowed { required, names });
    }
    named(value).map(ToolChoice::Named).ok_or_else(|| wrong(key, "is not a known choice"))
}

fn named(value: Place<'_>) -> Option<String> {
    let inner = value.get("function").or_else(|| value.get("custom")).unwrap_or(value);
    Some(inner.get("name")?.as_str()?.into_owned())
}

/// Reads `response_format`.
pub(super) fn response_format(value: Place<'_>) -> Result<ResponseFormat, Refused> {
    let kind = value.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    match &*kind {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" => {
            let path = "response_format.json_schema";
            let inner = present(value, "json_schema").ok_or_else(|| wrong(path, "is missing"))?;
            let Some(schema) = present(inner, "schema").or_else(|| present(inner, "schema_definition"))
            else {
                return Ok(ResponseFormat::JsonObject);
            };
            let strict = present(inner, "strict").map(|strict| boolean(&format!("{path}.strict"), strict));
            let said = |key: &str| Some(inner.get(key)?.as_str()?.into_owned());
            Ok(ResponseFormat::JsonSchema {
                name: said("name").unwrap_or_default(),
                description: said("description"),
                schema: json(schema),
                strict: strict.transpose()?,
            })
        }
        _ => Err(wrong("response_format.type", "is not a known form")),
    }
}
