//! Writes `tools`, `toolConfig` and `generationConfig`.

use super::form::{Object, list, texts};
use super::models::{Thinking, budget_of, effort_of, level};
use super::write_request::Writing;
use crate::Format;
use crate::ir::{Effort, Reasoning, Refused, Request, ResponseFormat, ToolChoice, ToolKind};

/// Functions go as plain JSON Schema: Google's own `parameters` knows no `$ref` and no `additionalProperties` (bug 24).
pub(super) fn tools(request: &Request, writing: &mut Writing) -> Result<Vec<String>, Refused> {
    let mut functions = Vec::new();
    let mut others = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        match &tool.kind {
            ToolKind::Function { schema, strict } => {
                let mut function = Object::new();
                function.text("name", &tool.name);
                if !tool.description.is_empty() {
                    function.text("description", &tool.description);
                }
                if let Some(schema) = schema {
                    function.raw("parametersJsonSchema", schema.get());
                }
                functions.push(function.end());
                if *strict == Some(true) && !writing.model.validated {
                    writing.drop(&format!("tools[{index}].strict"));
                }
            }
            ToolKind::Foreign { format: Format::Gemini, json } => others.push(json.get().to_owned()),
            ToolKind::Custom { .. } | ToolKind::Foreign { .. } => {
                return Err(Refused::no_equivalent(format!("tools[{index}]")));
            }
        }
    }
    if !functions.is_empty() {
        others.insert(0, Object::new().raw("functionDeclarations", list(&functions)).end());
    }
    Ok(others)
}

/// Writes whether a tool must be called; empty if nothing is to be said.
pub(super) fn tool_config(request: &Request, writing: &mut Writing) -> String {
    let strict =
        request.tools.iter().any(|tool| matches!(tool.kind, ToolKind::Function { strict: Some(true), .. }));
    // ANY holds arguments to their schemas by itself, AUTO does not.
    let auto = if strict && writing.model.validated { "VALIDATED" } else { "AUTO" };
    let one;
    let (mode, names): (_, &[String]) = match &request.tool_choice {
        None if auto == "AUTO" => ("", &[]),
        None | Some(ToolChoice::Auto) => (auto, &[]),
        Some(ToolChoice::None) => ("NONE", &[]),
        Some(ToolChoice::Required) => ("ANY", &[]),
        Some(ToolChoice::Named(name)) => {
            one = [name.clone()];
            ("ANY", &one)
        }
        Some(ToolChoice::Allowed { required: true, names }) => ("ANY", names),
        Some(ToolChoice::Allowed { required: false, names }) => ("VALIDATED", names),
    };
    let mut config = Object::new();
    if !mode.is_empty() && !request.tools.is_empty() {
        let mut calling = Object::new();
        calling.text("mode", mode);
        if !names.is_empty() {
            calling.raw("allowedFunctionNames", texts(names));
        }
        config.raw("functionCallingConfig", calling.end());
    }
    for (name, json) in &request.rest {
        if let Some(name) = name.strip_prefix("toolConfig.") {
            config.raw(name, json.get());
        }
    }
    if config.is_empty() { String::new() } else { config.end() }
}

/// Writes how to answer; empty if nothing is to be said.
pub(super) fn generation_config(request: &Request, writing: &mut Writing) -> String {
    let mut config = Object::new();
    config
        .maybe("temperature", request.temperature.as_ref())
        .maybe("topP", request.top_p.as_ref())
        .maybe("topK", request.top_k)
        .maybe("candidateCount", request.choices.filter(|choices| *choices != 1))
        .maybe("maxOutputTokens", request.max_tokens)
        .maybe("presencePenalty", request.presence_penalty.as_ref())
        .maybe("frequencyPenalty", request.frequency_penalty.as_ref());
    if !request.stop.is_empty() {
        config.raw("stopSequences", texts(&request.stop));
    }
    match request.seed.map(i32::try_from) {
        Some(Ok(seed)) => {
            config.plain("seed", seed);
        }
        // Google's seeds have 32 bits.
        Some(Err(_)) => writing.drop("seed"),
        None => {}
    }
    if let Some(top) = request.logprobs {
        config.plain("responseLogprobs", true).maybe("logprobs", Some(top).filter(|top| *top > 0));
    }
    match &request.response_format {
        None | Some(ResponseFormat::Text) => {}
        Some(ResponseFormat::JsonObject) => {
            config.text("responseMimeType", "application/json");
        }
        Some(ResponseFormat::JsonSchema { schema, .. }) => {
            config.text("responseMimeType", "application/json").raw("responseJsonSchema", schema.get());
        }
    }
    if let Some(reasoning) = &request.reasoning {
        let thinking = thinking(reasoning, writing);
        if !thinking.is_empty() {
            config.raw("thinkingConfig", thinking);
        }
    }
    for (name, json) in &request.rest {
        if let Some(name) = name.strip_prefix("generationConfig.") {
            config.raw(name, json.get());
        }
    }
    if config.is_empty() { String::new() } else { config.end() }
}

/// Writes how much to think, in the way the model takes.
fn thinking(reasoning: &Reasoning, writing: &mut Writing) -> String {
    let off = reasoning.enabled == Some(false) || reasoning.effort == Some(Effort::None);
    let mut config = Object::new();
    match writing.model.thinking {
        Thinking::Never => {
            // Without thinking nothing is asked that it does not do.
            if !off {
                writing.drop("reasoning_effort");
            }
            return String::new();
        }
        Thinking::Budget { min, max, off: can } => {
            let asked = reasoning.budget_tokens.or(reasoning.effort.map(budget_of));
            if off {
                config.plain("thinkingBudget", if can { 0 } else { min });
                if !can {
                    writing.drop("reasoning_effort");
                }
            } else if let Some(budget) = asked {
                config.plain("thinkingBudget", budget.clamp(min, max));
            } else if reasoning.adaptive {
                config.plain("thinkingBudget", -1);
            }
        }
        Thinking::Levels(levels) => {
            let effort = if off { Some(Effort::None) } else { reasoning.effort };
            let effort = effort.or(reasoning.budget_tokens.map(effort_of));
            if let Some(level) = effort.and_then(|effort| level(levels, effort)) {
                config.text("thinkingLevel", level);
            }
            if off {
                // The weakest still thinks.
                writing.drop("reasoning_effort");
            }
        }
    }
    let asked = reasoning.enabled == Some(true) || reasoning.adaptive;
    match reasoning.show {
        Some(show) => {
            config.plain("includeThoughts", show && !off);
        }
        // Who asks for thinking as such (Anthropic) gets to see it unless he says no.
        None if asked => {
            config.plain("includeThoughts", true);
        }
        None => {}
    }
    if config.is_empty() { String::new() } else { config.end() }
}
