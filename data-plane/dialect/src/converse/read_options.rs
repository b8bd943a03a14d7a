//! What a caller says of sampling, bounds and thinking. Makers of models name some of it for themselves, in
//! `additionalModelRequestFields`.

use crate::ir::{Effort, Reasoning, Refused, Request, ToolChoice};

use super::field::{Field, refused};

/// Reads `inferenceConfig`.
pub(super) fn inference(config: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    for (key, value) in config.members()? {
        match &*key {
            "maxTokens" => request.max_tokens = Some(value.count()?),
            "temperature" => request.temperature = Some(value.number()?),
            "topP" => request.top_p = Some(value.number()?),
            "stopSequences" => {
                let stops: Result<Vec<_>, _> = value.list()?.iter().map(Field::text).collect();
                request.stop = stops?;
            }
            _ => request.rest.push((value.path().to_owned(), value.json()?)),
        }
    }
    Ok(())
}

/// Reads `additionalModelRequestFields`.
pub(super) fn additional(fields: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    for (key, value) in fields.members()? {
        match &*key {
            // Claude: `thinking`; older clients: `reasoning_config`, which for Qwen is a word.
            "thinking" | "reasoning_config" if value.source().starts_with('{') => thinking(&value, request)?,
            "reasoning_config" | "reasoning_effort" => effort(&value, request)?,
            "reasoningConfig" => {
                let reasoning = request.reasoning.get_or_insert_default();
                reasoning.enabled = Some(value.text_of("type")?.as_deref() == Some("enabled"));
                if let Some(word) = value.get("maxReasoningEffort") {
                    effort(&word, request)?;
                }
            }
            "output_config" => {
                for (key, value) in value.members()? {
                    if key == "effort" {
                        effort(&value, request)?;
                    } else {
                        request.rest.push((value.path().to_owned(), value.json()?));
                    }
                }
            }
            "top_k" | "k" => request.top_k = Some(value.count()?),
            "inferenceConfig" => {
                for (key, value) in value.members()? {
                    if key == "topK" {
                        request.top_k = Some(value.count()?);
                    } else {
                        request.rest.push((value.path().to_owned(), value.json()?));
                    }
                }
            }
            "tool_choice" => tool_choice(&value, request)?,
            "anthropic_beta" => request.rest.push((key, value.json()?)),
            _ => request.rest.push((value.path().to_owned(), value.json()?)),
        }
    }
    Ok(())
}

/// Reads a word of effort.
pub(super) fn effort(word: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    let known = Effort::parse(&word.text()?).ok_or_else(|| refused(word.path(), "must be a known effort"))?;
    request.reasoning.get_or_insert_default().effort = Some(known);
    Ok(())
}

/// Reads Anthropic's `thinking`.
fn thinking(value: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    let kind = value.text_of("type")?;
    let budget_tokens = value.get("budget_tokens").map(|budget| budget.count()).transpose()?;
    let show = value.text_of("display")?.map(|display| display != "omitted");
    let reasoning = request.reasoning.get_or_insert_default();
    *reasoning = Reasoning {
        enabled: Some(kind.as_deref() != Some("disabled")),
        adaptive: kind.as_deref() == Some("adaptive"),
        budget_tokens,
        show,
        effort: reasoning.effort,
    };
    Ok(())
}

/// Reads Anthropic's `tool_choice`, which says more than Converse's.
fn tool_choice(value: &Field<'_>, request: &mut Request) -> Result<(), Refused> {
    if let Some(single) = value.get("disable_parallel_tool_use") {
        request.parallel_tools = Some(!single.truth()?);
    }
    match value.text_of("type")?.as_deref() {
        Some("auto") => request.tool_choice = Some(ToolChoice::Auto),
        Some("any") => request.tool_choice = Some(ToolChoice::Required),
        Some("none") => request.tool_choice = Some(ToolChoice::None),
        Some("tool") => request.tool_choice = Some(ToolChoice::Named(value.need("name")?.text()?)),
        Some(_) => return Err(refused(value.path(), "must be of a known type")),
        None => {}
    }
    Ok(())
}
