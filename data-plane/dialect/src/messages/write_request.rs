//! Writes a request for a provider.

use serde::Serialize;
use serde_json::value::RawValue;

use super::families::Family;
use super::field::wrong;
use super::notes::Notes;
use super::reasoning::{Config, Thinking};
use super::sampling::Drawn;
use super::schema;
use super::turns::{self, OutTurn};
use super::wire::{CacheControl, Out};
use super::write_blocks::Blocks;
use crate::Format;
use crate::codec::{Target, Written};
use crate::ir::{Json, Refused, Request, ResponseFormat, Tool, ToolChoice, ToolKind, is_harmless};

/// A body. What stays the same from call to call of a conversation stands before what grows.
#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a serde_json::Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Config>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<OutTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Out<'a>>,
    messages: Vec<OutTurn<'a>>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

#[derive(Serialize)]
struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<AnswerFormat>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "json_schema")]
struct AnswerFormat {
    schema: Json,
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutTool<'a> {
    Own {
        name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        description: &'a str,
        input_schema: Json,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        strict: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Foreign(&'a RawValue),
}

#[derive(Serialize)]
struct Choice<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_parallel_tool_use: bool,
}

/// Writes the body of `POST /v1/messages`.
pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    let family = Family::of(&target.model);
    let mut notes = Notes::default();
    refuse(request)?;
    leave_out(request, &mut notes);

    let bound = target.max_output_tokens;
    let wanted = request.max_tokens.filter(|wanted| *wanted > 0);
    let max_tokens = match (wanted, bound) {
        (Some(wanted), Some(bound)) => wanted.min(bound),
        (Some(wanted), None) => wanted,
        (None, bound) => bound.unwrap_or(family.max_tokens),
    };
    notes.add("max_tokens", wanted.is_some_and(|wanted| wanted > max_tokens));

    let thinking = Thinking::of(request, &family, max_tokens);
    notes.add("reasoning_effort", thinking.dropped);
    let sampling = Drawn::of(request, &family, thinking.is_on(), &mut notes);
    let mut said = turns::write(request)?;
    let answer = answer_format(request, &family, &mut said.system, &mut notes)?;
    let effort = thinking.effort.map(crate::ir::Effort::as_str);
    let tools = tools(request, &family, &mut said.blocks, &mut notes)?;
    // Without tools there is nothing to choose.
    let tool_choice = if tools.is_empty() { None } else { tool_choice(request) };
    notes.add("tool_choice", tools.is_empty() && request.tool_choice.is_some());

    let body = Body {
        model: &target.model,
        max_tokens,
        stream: request.stream,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: &request.stop,
        service_tier: service_tier(request, &mut notes),
        metadata: metadata(request, &mut notes),
        thinking: thinking.config,
        output_config: (effort.is_some() || answer.is_some())
            .then_some(OutputConfig { effort, format: answer }),
        tools,
        tool_choice,
        system: said.system,
        messages: said.turns,
    };
    let body = serde_json::to_string(&body).map_err(|_| wrong("messages", "cannot be written as JSON"))?;
    Ok(Written { body, dropped: notes.into_dropped() })
}

/// Refuses what would change the answer and cannot be said.
fn refuse(request: &Request) -> Result<(), Refused> {
    let weighs = |number: &Option<serde_json::Number>| {
        number.as_ref().and_then(serde_json::Number::as_f64).is_some_and(|weight| weight != 0.0)
    };
    if request.choices.is_some_and(|choices| choices > 1) {
        return Err(Refused::no_equivalent("n"));
    }
    if request.logprobs.is_some() {
        return Err(Refused::no_equivalent("logprobs"));
    }
    if weighs(&request.frequency_penalty) {
        return Err(Refused::no_equivalent("frequency_penalty"));
    }
    if weighs(&request.presence_penalty) {
        return Err(Refused::no_equivalent("presence_penalty"));
    }
    if request.stop.iter().any(|stop| stop.trim().is_empty()) {
        return Err(wrong("stop", "must hold more than white space for this model"));
    }
    match request.rest.iter().find(|(name, _)| !is_harmless(name)) {
        Some((name, _)) => Err(Refused::no_equivalent(name)),
        None => Ok(()),
    }
}

fn leave_out(request: &Request, notes: &mut Notes) {
    notes.add("seed", request.seed.is_some());
    notes.add("verbosity", request.verbosity.is_some());
    notes.add("metadata", !request.metadata.is_empty());
    notes.add("prompt_cache_key", request.prompt_cache_key.is_some());
    for (name, _) in &request.rest {
        notes.add(name, true);
    }
}

fn metadata<'a>(request: &'a Request, notes: &mut Notes) -> Option<Metadata<'a>> {
    /// Source: anthropic 2.11, `metadata_param.py`.
    const USER_ID_CHARS_MAX: usize = 256;
    let user = request.user.as_deref().filter(|user| !user.is_empty());
    let user_id = user.filter(|user| user.chars().count() <= USER_ID_CHARS_MAX);
    notes.add("user", user.is_some() && user_id.is_none());
    user_id.map(|user_id| Metadata { user_id })
}

fn service_tier(request: &Request, notes: &mut Notes) -> Option<&'static str> {
    match request.service_tier.as_deref() {
        Some("auto" | "priority") => Some("auto"),
        Some("default" | "standard_only") => Some("standard_only"),
        Some(_) => {
            notes.add("service_tier", true);
            None
        }
        None => None,
    }
}

/// Returns the schema of the answer. It is the provider's to hold the model to it; a tool in its place would hide the
/// caller's own (bug 27). Some JSON object can only be asked for in words.
fn answer_format(
    request: &Request,
    family: &Family,
    system: &mut Vec<Out<'_>>,
    notes: &mut Notes,
) -> Result<Option<AnswerFormat>, Refused> {
    const IN_WORDS: &str =
        "Answer with one valid JSON object and nothing else: no other words, no code fence.";
    match &request.response_format {
        None | Some(ResponseFormat::Text) => Ok(None),
        Some(ResponseFormat::JsonObject) => {
            system.push(Out::Text { text: IN_WORDS.into(), cache_control: None });
            notes.add("response_format", true);
            Ok(None)
        }
        Some(ResponseFormat::JsonSchema { schema, .. }) if family.schemas => {
            const CLOSED: &str = "must name all members of its objects for this model, which takes no maps";
            let schema = schema::answer(schema).ok_or_else(|| wrong("response_format", CLOSED))?;
            Ok(Some(AnswerFormat { schema }))
        }
        Some(ResponseFormat::JsonSchema { .. }) => Err(Refused::no_equivalent("response_format")),
    }
}

fn tools<'a>(
    request: &'a Request,
    family: &Family,
    blocks: &mut Blocks,
    notes: &mut Notes,
) -> Result<Vec<OutTool<'a>>, Refused> {
    let allowed = |tool: &Tool| match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) => names.contains(&tool.name),
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Required | ToolChoice::Named(_)) | None => {
            true
        }
    };
    let mut written = Vec::new();
    for (index, tool) in request.tools.iter().enumerate().filter(|(_, tool)| allowed(tool)) {
        let param = format!("tools[{index}]");
        written.push(match &tool.kind {
            ToolKind::Function { schema, strict } => {
                let input_schema = schema::arguments(schema.as_deref());
                let wanted = *strict == Some(true);
                let strict = wanted && family.schemas && schema::is_strict(&input_schema);
                notes.add(&format!("{param}.strict"), wanted && !strict);
                let cache_control = blocks.mark(tool.cache);
                OutTool::Own {
                    name: &tool.name,
                    description: &tool.description,
                    input_schema,
                    strict,
                    cache_control,
                }
            }
            ToolKind::Foreign { format: Format::Messages, json } => OutTool::Foreign(json),
            ToolKind::Foreign { .. } | ToolKind::Custom { .. } => return Err(Refused::no_equivalent(param)),
        });
    }
    Ok(written)
}

fn tool_choice(request: &Request) -> Option<Choice<'_>> {
    let alone = request.parallel_tools == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if alone => ("auto", None),
        None => return None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => ("any", None),
        Some(ToolChoice::Named(name)) => ("tool", Some(name.as_str())),
    };
    Some(Choice { r#type: kind, name, disable_parallel_tool_use: alone && kind != "none" })
}
