//! A request for a provider.

use super::build::{Object, list, quote};
use super::{write_items, write_tools};
use crate::Format;
use crate::codec::{Target, Written};
use crate::ir::{Block, Effort, Reasoning, Refused, Request, ToolIdShape, digest_id, is_harmless};

/// The fewest tokens that an answer may be bound to (source: OpenAI's own error).
const MAX_TOKENS_MIN: u64 = 16;
/// Bytes of a user's name.
const USER_BYTES_MAX: usize = 64;
/// Pairs of metadata, and bytes of a key and of a value.
const METADATA_MAX: (usize, usize, usize) = (16, 64, 512);
/// What a caller may pay for (source: openai-python 3.52.0).
const SERVICE_TIERS: [&str; 6] = ["auto", "default", "flex", "scale", "priority", "fast"];

pub(super) fn write(request: &Request, target: &Target) -> Result<Written, Refused> {
    let mut dropped = Vec::new();
    check(request, &mut dropped)?;
    let mut tools = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        // Where nothing is said this format is strict and all others are not.
        tools.push(write_tools::tool(tool, &format!("tools[{index}]"), Some(false))?);
    }
    let system: Vec<&str> = request.system.iter().filter_map(text).collect();
    let system = Some(system.join("\n\n")).filter(|text| !text.is_empty());
    let items = write_items::write(request, target)?;
    let choice = request.tool_choice.as_ref().filter(|_| !tools.is_empty());
    let body = Object::new()
        .text("model", &target.model)
        .maybe(system, |body, text| body.text("instructions", &text))
        .maybe(Some(tools).filter(|tools| !tools.is_empty()), |body, tools| body.raw("tools", &list(tools)))
        .maybe(choice, |body, choice| body.raw("tool_choice", &write_tools::choice(choice, request)))
        .maybe(
            request.parallel_tools.filter(|_| choice.is_some() || !request.tools.is_empty()),
            |body, flag| body.flag("parallel_tool_calls", flag),
        )
        .maybe(text_config(request), |body, config| body.raw("text", &config))
        .maybe(reasoning(request.reasoning.as_ref()), |body, reasoning| body.raw("reasoning", &reasoning))
        .maybe(include(request), |body, include| body.raw("include", &include))
        .maybe(request.max_tokens, |body, max| body.count("max_output_tokens", max.max(MAX_TOKENS_MIN)))
        .maybe(request.temperature.as_ref(), |body, number| body.raw("temperature", &number.to_string()))
        .maybe(request.top_p.as_ref(), |body, number| body.raw("top_p", &number.to_string()))
        .maybe(request.logprobs, |body, count| body.count("top_logprobs", count.into()))
        .maybe(user(request), |body, user| body.text("safety_identifier", &user))
        .maybe(metadata(request, &mut dropped), |body, metadata| body.raw("metadata", &metadata))
        .maybe(request.prompt_cache_key.as_deref(), |body, key| body.text("prompt_cache_key", key))
        .maybe(tier(request, &mut dropped), |body, tier| body.text("service_tier", tier))
        .flag("store", false)
        .flag("stream", request.stream)
        .raw("input", &list(items));
    Ok(Written { body: body.end(), dropped })
}

/// Refuses what the format cannot say and an answer would differ by; notes the rest.
fn check(request: &Request, dropped: &mut Vec<String>) -> Result<(), Refused> {
    if !request.stop.is_empty() {
        return Err(Refused::no_equivalent("stop"));
    }
    if request.choices.is_some_and(|choices| choices > 1) {
        return Err(Refused::no_equivalent("n"));
    }
    for (param, number) in [
        ("frequency_penalty", request.frequency_penalty.as_ref()),
        ("presence_penalty", request.presence_penalty.as_ref()),
    ] {
        // A penalty of nothing is none.
        match number.and_then(serde_json::Number::as_f64) {
            Some(0.0) => dropped.push(param.to_owned()),
            Some(_) => return Err(Refused::no_equivalent(param)),
            None => {}
        }
    }
    if request.top_k.is_some() {
        return Err(Refused::no_equivalent("top_k"));
    }
    if request.seed.is_some() {
        dropped.push("seed".to_owned());
    }
    for (name, json) in &request.rest {
        // What asks for nothing, or for what is there anyway.
        let nothing = matches!(json.get(), "null" | "{}" | "[]" | "false" | r#"["text"]"# | r#"["TEXT"]"#);
        if !nothing && !is_harmless(name) {
            return Err(Refused::no_equivalent(name));
        }
        dropped.push(name.clone());
    }
    Ok(())
}

/// Returns the text of a block, if it is one that is not empty.
pub(super) fn text(block: &Block) -> Option<&str> {
    if let Block::Text { text, .. } = block {
        Some(text.as_str()).filter(|text| !text.is_empty())
    } else {
        None
    }
}

fn text_config(request: &Request) -> Option<String> {
    let format = request.response_format.as_ref();
    if format.is_none() && request.verbosity.is_none() {
        return None;
    }
    let config = Object::new()
        .maybe(format, |config, format| config.raw("format", &write_tools::format(format)))
        .maybe(request.verbosity.as_deref(), |config, word| config.text("verbosity", word));
    Some(config.end())
}

/// Whether thinking is wanted at all. Models that cannot think refuse every word about it, so nothing is said if not.
fn thinks(reasoning: &Reasoning) -> bool {
    let more = reasoning.adaptive || reasoning.budget_tokens.is_some_and(|tokens| tokens > 0);
    let effort = reasoning.effort.is_some_and(|effort| effort > Effort::None);
    reasoning.enabled != Some(false)
        && (more || effort || reasoning.enabled == Some(true) || reasoning.show == Some(true))
}

fn reasoning(reasoning: Option<&Reasoning>) -> Option<String> {
    let reasoning = reasoning?;
    if !thinks(reasoning) {
        // "None" said by a caller is a word of this vendor's newer models.
        let none = reasoning.effort.filter(|effort| *effort == Effort::None);
        return none.map(|effort| Object::new().text("effort", effort.as_str()).end());
    }
    // Where others count tokens (source: Google's table for callers who speak this vendor's format).
    let counted = reasoning.budget_tokens.map(|tokens| match tokens {
        0..=1024 => Effort::Low,
        1025..=8192 => Effort::Medium,
        _ => Effort::High,
    });
    let written = Object::new()
        .maybe(reasoning.effort.or(counted), |object, effort| object.text("effort", effort.as_str()))
        .maybe(reasoning.show.filter(|show| *show), |object, _| object.text("summary", "auto"));
    Some(written.end())
}

/// Asks for what is not given unasked: reasoning that comes back in later calls, and log probabilities.
fn include(request: &Request) -> Option<String> {
    let signed = request.turns.iter().flat_map(|turn| &turn.blocks).any(|block| {
        matches!(block, Block::Thinking { signature: Some(_), signed_by: Some(Format::Responses), .. })
    });
    let encrypted = signed || request.reasoning.as_ref().is_some_and(thinks);
    let wanted = [
        Some("reasoning.encrypted_content").filter(|_| encrypted),
        request.logprobs.map(|_| "message.output_text.logprobs"),
    ];
    let wanted: Vec<String> = wanted.into_iter().flatten().map(quote).collect();
    if wanted.is_empty() { None } else { Some(list(wanted)) }
}

/// Returns the end user's name, made anew if it is longer than the format takes: the same from the same.
fn user(request: &Request) -> Option<String> {
    let user = request.user.as_ref()?;
    Some(if user.len() <= USER_BYTES_MAX {
        user.clone()
    } else {
        digest_id(user, ToolIdShape::OpenAi, "user_")
    })
}

fn metadata(request: &Request, dropped: &mut Vec<String>) -> Option<String> {
    let (pairs, key_max, value_max) = METADATA_MAX;
    let metadata = &request.metadata;
    if metadata.is_empty() {
        return None;
    }
    let fits = metadata.iter().all(|(key, value)| key.len() <= key_max && value.len() <= value_max);
    if metadata.len() > pairs || !fits {
        dropped.push("metadata".to_owned());
        return None;
    }
    let pairs = metadata.iter().map(|(key, value)| format!("{}:{}", quote(key), quote(value)));
    Some(format!("{{{}}}", pairs.collect::<Vec<_>>().join(",")))
}

fn tier<'a>(request: &'a Request, dropped: &mut Vec<String>) -> Option<&'a str> {
    let tier = request.service_tier.as_deref()?;
    if !SERVICE_TIERS.contains(&tier) {
        dropped.push("service_tier".to_owned());
        return None;
    }
    Some(tier)
}

/// Returns the second word of a media type.
pub(super) fn bare(media_type: &str) -> &str {
    media_type.rsplit('/').next().unwrap_or(media_type)
}
