//! The tools of a request.

use std::collections::BTreeSet;

use super::read_request::{flag, json, list, object, text, wrong};
use crate::Format;
use crate::ir::{Member, Refused, Request, Tool, ToolChoice, ToolKind, member_name};
use crate::json::Place;

/// Reads the tools. Those of a namespace stand among the others, each under its one name.
pub(super) fn tools<'a>(
    tools: impl Iterator<Item = Place<'a>>,
    request: &mut Request,
) -> Result<(), Refused> {
    let mut alone = BTreeSet::new();
    for (index, place) in tools.enumerate() {
        let param = format!("tools[{index}]");
        if super::item::word(place, "type") == "namespace" {
            namespace(place, &param, request)?;
        } else {
            let tool = tool(place, &param)?;
            alone.insert(tool.name.clone());
            request.tools.push(tool);
            request.tool_places.push(param);
        }
    }
    let members = &request.namespaces.members;
    let both = |tool: &Tool| members.contains_key(&tool.name) && alone.contains(&tool.name);
    let place = request.tools.iter().position(both).and_then(|place| request.tool_places.get(place));
    place.map_or(Ok(()), |param| Err(taken(param)))
}

/// One name for two tools would send the model's call to the wrong one.
fn taken(param: &str) -> Refused {
    wrong(param, "has the name of another tool for this model; give one of them another name")
}

fn namespace(place: Place<'_>, param: &str, request: &mut Request) -> Result<(), Refused> {
    let namespace = named(object(place, param)?, param)?;
    let about = super::item::word(place, "description");
    let within = format!("{param}.tools");
    let members = place.get("tools").map(|tools| list(tools, &within)).transpose()?;
    for (index, member) in members.into_iter().flatten().enumerate() {
        let param = format!("{within}[{index}]");
        let mut tool = tool(member, &param)?;
        let joined = member_name(&namespace, &tool.name);
        let name = std::mem::replace(&mut tool.name, joined);
        // What is said of all of them is said once, with the first.
        if index == 0 && !about.is_empty() {
            let own = std::mem::take(&mut tool.description);
            tool.description =
                format!("{own}\n\nOf all tools in {namespace}: {about}").trim_start().to_owned();
        }
        let member = Member { namespace: namespace.clone(), name };
        if request.namespaces.members.insert(tool.name.clone(), member).is_some() {
            return Err(taken(&param));
        }
        request.tools.push(tool);
        request.tool_places.push(param);
    }
    request.namespaces.sources.push(json(place)?);
    Ok(())
}

/// Reads a tool. One that the provider runs, or of a kind that nobody knows, is kept as it stands.
fn tool(tool: Place<'_>, param: &str) -> Result<Tool, Refused> {
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
pub(super) fn choice(choice: Place<'_>, request: &Request) -> Result<ToolChoice, Refused> {
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
        "function" | "custom" => Ok(ToolChoice::Named(chosen(choice, PARAM, request)?)),
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
                    "function" | "custom" => names.push(chosen(tool, &param, request)?),
                    _ => return Err(Refused::no_equivalent(param)),
                }
            }
            Ok(ToolChoice::Allowed { required: word("mode")? == "required", names })
        }
        _ => Err(Refused::no_equivalent(PARAM)),
    }
}

/// Reads which tool is meant.
fn chosen(object: Place<'_>, param: &str, request: &Request) -> Result<String, Refused> {
    let name = named(object, param)?;
    let namespace = super::item::word(object, "namespace");
    Ok(if namespace.is_empty() { name } else { request.tool_of(&namespace, &name) })
}

fn named(object: Place<'_>, param: &str) -> Result<String, Refused> {
    let name = super::item::word(object, "name");
    if name.is_empty() { Err(wrong(&format!("{param}.name"), "is missing")) } else { Ok(name) }
}
