//! A caller's request, read.

use crate::Format;
use crate::ir::{Refused, Request, ResponseFormat, Role, Tool, ToolChoice, ToolKind, Turn};

use super::field::{Field, json, refused};
use super::read_blocks::{From, blocks, cache, system};
use super::read_options;

/// Reads a request. The model and whether the answer is a stream stand in the path, not here.
pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    let body = Field::root(body);
    let mut request = Request::default();
    for (key, value) in body.members()? {
        match &*key {
            // The path's, and said again by some clients.
            "modelId" => {}
            "messages" => request.turns = turns(&value, &mut request.rest)?,
            "system" => request.system = system(&value)?,
            "toolConfig" => tool_config(&value, &mut request)?,
            "outputConfig" => output_config(&value, &mut request)?,
            "inferenceConfig" => read_options::inference(&value, &mut request)?,
            "additionalModelRequestFields" => read_options::additional(&value, &mut request)?,
            "serviceTier" => request.service_tier = value.text_of("type")?,
            "requestMetadata" => {
                for (name, value) in value.members()? {
                    request.metadata.push((name, value.text()?));
                }
            }
            _ if value.is_empty()
                && !value.source().starts_with('"')
                && value.source().starts_with(['{', '[']) => {}
            _ => request.rest.push((key, value.json()?)),
        }
    }
    Ok(request)
}

fn turns(list: &Field<'_>, rest: &mut Vec<(String, crate::ir::Json)>) -> Result<Vec<Turn>, Refused> {
    let mut turns = Vec::new();
    for message in list.list()? {
        let role = message.need("role")?;
        let role = match &*role.text()? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(refused(role.path(), "must be `user`, `assistant` or `system`")),
        };
        let content = message.need("content")?;
        // Citations have no place between formats: a writer refuses them by their name.
        for block in content.list()? {
            let citations = block.get("document").and_then(|document| document.get("citations"));
            if let Some(citations) = citations.filter(|citations| is_on(citations)) {
                rest.push((citations.path().to_owned(), citations.json()?));
            }
        }
        turns.push(Turn { role, blocks: blocks(&content, From::Caller)? });
    }
    Ok(turns)
}

fn is_on(citations: &Field<'_>) -> bool {
    citations.get("enabled").is_some_and(|enabled| enabled.truth() == Ok(true))
}

fn tool_config(config: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    for field in config.get("tools").map(|tools| tools.list()).transpose()?.unwrap_or_default() {
        let (key, value) = field.only()?;
        match &*key {
            "cachePoint" => {
                if let Some(tool) = request.tools.last_mut() {
                    tool.cache = Some(cache(&value)?);
                }
            }
            "toolSpec" => request.tools.push(Tool {
                name: value.need("name")?.text()?,
                description: value.text_of("description")?.unwrap_or_default(),
                kind: ToolKind::Function {
                    schema: schema(&value)?,
                    strict: value.get("strict").map(|strict| strict.truth()).transpose()?,
                },
                cache: None,
            }),
            _ => request.tools.push(Tool {
                name: value.text_of("name").ok().flatten().unwrap_or_default(),
                description: String::new(),
                kind: ToolKind::Foreign { format: Format::Converse, json: field.json()? },
                cache: None,
            }),
        }
    }
    if let Some(choice) = config.get("toolChoice").filter(|choice| !choice.is_empty()) {
        let (key, value) = choice.only()?;
        request.tool_choice = Some(match &*key {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "tool" => ToolChoice::Named(value.need("name")?.text()?),
            _ => return Err(refused(choice.path(), "must be `auto`, `any` or `tool`")),
        });
    }
    Ok(())
}

fn schema(tool: &Field<'_>) -> Result<Option<crate::ir::Json>, Refused> {
    let schema = tool.get("inputSchema").and_then(|schema| schema.get("json"));
    schema.map(|schema| schema.object().and_then(|_| schema.json())).transpose()
}

fn output_config(config: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    if let Some(effort) = config.get("effort") {
        read_options::effort(&effort, request)?;
    }
    let Some(format) = config.get("textFormat") else { return Ok(()) };
    let value = format.need("structure")?.need("jsonSchema")?;
    let schema = value.need("schema")?;
    let source = schema.text()?;
    // The schema is JSON in a text; that it is JSON was not checked with the body.
    let schema = json(&source).map_err(|()| refused(schema.path(), "must be JSON in a text"))?;
    request.response_format = Some(ResponseFormat::JsonSchema {
        name: value.text_of("name")?.unwrap_or_default(),
        description: value.text_of("description")?,
        schema,
        strict: Some(true),
    });
    Ok(())
}
