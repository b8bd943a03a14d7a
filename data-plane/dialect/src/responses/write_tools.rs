//! Tools and the choice among them, written: for a provider, and as the echo that a caller gets.

use super::build::{Object, list};
use crate::Format;
use crate::ir::{Refused, Request, ResponseFormat, Tool, ToolChoice, ToolKind};

/// The schema of a tool that takes nothing: the format demands one.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// Writes a tool. `strict` is what is said of a tool that does not say it itself.
pub(super) fn tool(tool: &Tool, param: &str, strict: Option<bool>) -> Result<String, Refused> {
    let described = |object: Object| {
        object.maybe(Some(&tool.description).filter(|text| !text.is_empty()), |object, text| {
            object.text("description", text)
        })
    };
    match &tool.kind {
        ToolKind::Function { schema, strict: said } => {
            let object = described(Object::of("function").text("name", &tool.name));
            let object =
                object.raw("parameters", schema.as_ref().map_or(NO_ARGUMENTS, |schema| schema.get()));
            let strict = match said.or(strict) {
                Some(true) => "true",
                Some(false) => "false",
                None => "null",
            };
            Ok(object.raw("strict", strict).end())
        }
        ToolKind::Custom { format } => {
            let object = described(Object::of("custom").text("name", &tool.name));
            Ok(object.maybe(format.as_ref(), |object, format| object.raw("format", format.get())).end())
        }
        ToolKind::Foreign { format: Format::Responses, json } => Ok(json.get().to_owned()),
        ToolKind::Foreign { .. } => Err(Refused::no_equivalent(param)),
    }
}

/// Writes the choice among tools.
pub(super) fn choice(choice: &ToolChoice, request: &Request) -> String {
    let named = |name: &str| {
        let custom = request
            .tools
            .iter()
            .any(|tool| tool.name == name && matches!(tool.kind, ToolKind::Custom { .. }));
        let member = request.namespaces.members.get(name);
        Object::of(if custom { "custom" } else { "function" })
            .text("name", member.map_or(name, |member| member.name.as_str()))
            .maybe(member, |object, member| object.text("namespace", &member.namespace))
            .end()
    };
    match choice {
        ToolChoice::Auto => "\"auto\"".to_owned(),
        ToolChoice::None => "\"none\"".to_owned(),
        ToolChoice::Required => "\"required\"".to_owned(),
        ToolChoice::Named(name) => named(name),
        ToolChoice::Allowed { required, names } => Object::of("allowed_tools")
            .text("mode", if *required { "required" } else { "auto" })
            .raw("tools", &list(names.iter().map(|name| named(name))))
            .end(),
    }
}

/// Writes the form of the answer: the `format` of `text`.
pub(super) fn format(format: &ResponseFormat) -> String {
    match format {
        ResponseFormat::Text => Object::of("text").end(),
        ResponseFormat::JsonObject => Object::of("json_object").end(),
        ResponseFormat::JsonSchema { name, description, schema, strict } => Object::of("json_schema")
            .text("name", if name.is_empty() { "response" } else { name })
            .maybe(description.as_deref(), |object, text| object.text("description", text))
            .raw("schema", schema.get())
            .maybe(*strict, |object, strict| object.flag("strict", strict))
            .end(),
    }
}
