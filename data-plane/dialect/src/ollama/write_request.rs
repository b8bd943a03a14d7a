//! A request for `/api/chat`.

use serde::Serialize;
use serde_json::Number;
use serde_json::value::RawValue;

use super::write_messages::{Message, messages};
use crate::codec::{Target, Written};
use crate::ir::{
    Dropped, Effort, Reasoning, Refused, Request, ResponseFormat, Tool, ToolChoice, ToolKind, is_harmless,
};

#[derive(Debug, Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolOut<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<FormatOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u32>,
    /// Ollama's own member, for callers who know what stands behind their model.
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<&'a RawValue>,
    /// Always said: Ollama streams unless told not to.
    stream: bool,
}

#[derive(Debug, Serialize)]
struct ToolOut<'a> {
    r#type: &'static str,
    function: FunctionOut<'a>,
}

#[derive(Debug, Serialize)]
struct FunctionOut<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: Parameters<'a>,
}

/// A schema. Ollama demands one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Schema(&'a RawValue),
    None { r#type: &'static str, properties: NoMembers },
}

#[derive(Debug, Serialize)]
struct NoMembers {}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum FormatOut<'a> {
    Word(&'static str),
    Schema(&'a RawValue),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Think {
    Switch(bool),
    Level(&'static str),
}

#[derive(Debug, PartialEq, Default, Serialize)]
struct Options<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
}

/// Writes a request.
pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    let mut dropped = Vec::new();
    if request.choices.is_some_and(|choices| choices > 1) {
        return Err(Refused::no_equivalent("n"));
    }
    let tools = tools(request, &mut dropped)?;
    if request.parallel_tools == Some(false) && !tools.is_empty() {
        return Err(Refused::no_equivalent("parallel_tool_calls"));
    }
    let keep_alive = rest(request, &mut dropped)?;
    unsaid(request, &mut dropped);
    let options = Options {
        temperature: request.temperature.as_ref(),
        top_p: request.top_p.as_ref(),
        top_k: request.top_k,
        num_predict: request.max_tokens,
        frequency_penalty: request.frequency_penalty.as_ref(),
        presence_penalty: request.presence_penalty.as_ref(),
        seed: request.seed,
        stop: &request.stop,
    };
    let body = Body {
        model: &target.model,
        tools,
        messages: messages(request)?,
        format: request.response_format.as_ref().and_then(format),
        options: (options != Options::default()).then_some(options),
        think: request.reasoning.as_ref().and_then(|reasoning| think(reasoning, &mut dropped)),
        logprobs: request.logprobs.map(|_| true),
        top_logprobs: request.logprobs.filter(|count| *count > 0),
        keep_alive,
        stream: request.stream,
    };
    // It holds texts, numbers and JSON that was read: nothing that cannot be written.
    let body = serde_json::to_string(&body).map_err(|_| Refused::no_equivalent("messages"))?;
    Ok(Written { body, dropped })
}

/// Writes the tools that the model may call. `/api/chat` has no choice of tools: it can only be made by which stand there.
fn tools<'a>(request: &'a Request, dropped: &mut Vec<Dropped>) -> Result<Vec<ToolOut<'a>>, Refused> {
    let offered: Vec<(usize, &Tool)> = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => request.tools.iter().enumerate().collect(),
        Some(ToolChoice::None) => Vec::new(),
        Some(ToolChoice::Allowed { required: false, names }) => {
            request.tools.iter().enumerate().filter(|(_, tool)| names.contains(&tool.name)).collect()
        }
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. }) => {
            return Err(Refused::no_equivalent("tool_choice"));
        }
    };
    let mut written = Vec::with_capacity(offered.len());
    for (index, tool) in offered {
        let ToolKind::Function { schema, strict } = &tool.kind else {
            return Err(Refused::no_equivalent(format!("tools[{index}]")));
        };
        if *strict == Some(true) {
            dropped.push(format!("tools[{index}].function.strict"));
        }
        let parameters = match schema {
            Some(schema) => Parameters::Schema(schema),
            None => Parameters::None { r#type: "object", properties: NoMembers {} },
        };
        let function = FunctionOut { name: &tool.name, description: &tool.description, parameters };
        written.push(ToolOut { r#type: "function", function });
    }
    Ok(written)
}

fn format(format: &ResponseFormat) -> Option<FormatOut<'_>> {
    match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(FormatOut::Word("json")),
        ResponseFormat::JsonSchema { schema, .. } => Some(FormatOut::Schema(schema)),
    }
}

/// A level for what was said as effort: models that know only on and off take it as on.
fn think(reasoning: &Reasoning, dropped: &mut Vec<Dropped>) -> Option<Think> {
    if reasoning.enabled == Some(false) || reasoning.effort == Some(Effort::None) {
        return Some(Think::Switch(false));
    }
    if let Some(effort) = reasoning.effort {
        return Some(Think::Level(match effort {
            Effort::None | Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High | Effort::XHigh | Effort::Max => "high",
        }));
    }
    if reasoning.budget_tokens.is_some() {
        dropped.push("thinking.budget_tokens".to_owned());
    }
    let on = reasoning.enabled == Some(true) || reasoning.adaptive || reasoning.budget_tokens.is_some();
    on.then_some(Think::Switch(true))
}

/// Notes what has no place here and changes no answer.
fn unsaid(request: &Request, dropped: &mut Vec<Dropped>) {
    let said = [
        ("verbosity", request.verbosity.is_some()),
        ("user", request.user.is_some()),
        ("metadata", !request.metadata.is_empty()),
        ("prompt_cache_key", request.prompt_cache_key.is_some()),
        ("service_tier", request.service_tier.is_some()),
    ];
    dropped.extend(said.into_iter().filter(|(_, said)| *said).map(|(name, _)| name.to_owned()));
}

/// Judges the members that the form between does not say; returns `keep_alive`.
fn rest<'a>(request: &'a Request, dropped: &mut Vec<Dropped>) -> Result<Option<&'a RawValue>, Refused> {
    let mut keep_alive = None;
    for (name, json) in &request.rest {
        let json: &RawValue = json;
        if name == "keep_alive" {
            keep_alive = Some(json);
        } else if matches!(json.get(), "null" | "{}" | "[]") {
            // It asks for nothing.
        } else if is_harmless(name) {
            dropped.push(name.clone());
        } else {
            return Err(Refused::no_equivalent(name.as_str()));
        }
    }
    Ok(keep_alive)
}
