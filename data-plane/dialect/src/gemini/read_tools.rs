//! Reads `tools`.

use super::fields::{fields, items, object, source, text, wrong};
use super::form::Object;
use super::schema::json_schema;
use crate::Format;
use crate::ir::{Refused, Tool, ToolKind};
use crate::json::Place;

pub(super) fn tools(list: Place<'_>) -> Result<Vec<Tool>, Refused> {
    let mut tools = Vec::new();
    for (index, tool) in items(list).into_iter().enumerate() {
        let at = format!("tools[{index}]");
        object(tool, &at)?;
        for (key, value) in fields(tool) {
            if key != "functionDeclarations" {
                let json = super::fields::json(Object::new().raw(&key, value.source()).end());
                let kind = ToolKind::Foreign { format: Format::Gemini, json };
                tools.push(Tool { name: key.into_owned(), description: String::new(), kind, cache: None });
                continue;
            }
            for (index, declaration) in items(value).into_iter().enumerate() {
                tools.push(function(declaration, &format!("{at}.functionDeclarations[{index}]"))?);
            }
        }
    }
    Ok(tools)
}

fn function(declaration: Place<'_>, at: &str) -> Result<Tool, Refused> {
    object(declaration, at)?;
    let (mut name, mut description) = (None, String::new());
    let (mut openapi, mut schema) = (None, None);
    for (key, value) in fields(declaration) {
        let at = format!("{at}.{key}");
        match &*key {
            "name" => name = Some(text(value, &at)?),
            "description" => description = text(value, &at)?,
            "parameters" => openapi = Some(json_schema(value, &at)?),
            "parametersJsonSchema" => schema = Some(source(value)),
            // What a result looks like, and whether the model waits for it: other formats do not say it.
            _ => {}
        }
    }
    let name = name.ok_or_else(|| wrong(format!("{at}.name"), "is missing"))?;
    let kind = ToolKind::Function { schema: schema.or(openapi), strict: None };
    Ok(Tool { name, description, kind, cache: None })
}
