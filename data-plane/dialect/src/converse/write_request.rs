//! A request, written for Bedrock.

use serde_json::{Map, Number};

use crate::codec::{Target, Written};
use crate::ir::{Dropped, Refused, Request, ResponseFormat, is_harmless};
use crate::json::Place;

use super::family::{Bounds, Family};
use super::field::refused;
use super::wire::{Body, Inference, Output, Piece, Structure, TextFormat};
use super::write_blocks::Blocks;
use super::write_tools::{SILENCE, tools};

/// Writes a request. The model stands in the path, not here.
pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    let family = Family::of(&target.model);
    let mut dropped = Vec::new();
    refuse(request)?;
    drop_harmless(request, &mut dropped)?;
    let mut blocks = Blocks::new(family);
    let mut system = blocks.system(request)?;
    let messages = blocks.messages(request)?;
    blocks.dropped(&mut dropped);
    let tools = tools(request, family, &mut dropped)?;
    if tools.silence {
        // Behind all else, so that what is cached stays the same.
        system.push(Piece::Text(SILENCE.into()));
        if !request.tools.is_empty() {
            dropped.push("tool_choice".to_owned());
        }
    }
    let mut inference = Inference {
        max_tokens: request.max_tokens,
        temperature: request.temperature.as_ref(),
        top_p: request.top_p.as_ref(),
        stop_sequences: request.stop.iter().map(String::as_str).filter(|stop| !stop.is_empty()).collect(),
    };
    let mut fields = Map::new();
    let mut own_sampling = false;
    if let Some(reasoning) = &request.reasoning {
        let sampling = request.temperature.is_some() || request.top_p.is_some();
        let bounds = Bounds { max_tokens: request.max_tokens, sampling };
        own_sampling = family.think(reasoning, bounds, &mut fields, &mut dropped);
    }
    if own_sampling {
        // A model that thinks takes no other sampling than its own.
        if inference.temperature.take().is_some() {
            dropped.push("temperature".to_owned());
        }
        if inference.top_p.take().is_some() {
            dropped.push("top_p".to_owned());
        }
    }
    match request.top_k {
        Some(_) if own_sampling => dropped.push("top_k".to_owned()),
        Some(top_k) if !family.top_k(top_k, &mut fields) => return Err(Refused::no_equivalent("top_k")),
        Some(_) | None => {}
    }
    fields.extend(tools.single.map(|choice| ("tool_choice".to_owned(), choice)));
    let says_sequence = !inference.stop_sequences.is_empty() && family.says_stop_sequence();
    let body = Body {
        system,
        tool_config: tools.config,
        inference_config: Some(inference).filter(|inference| *inference != Inference::default()),
        output_config: output(request.response_format.as_ref())?,
        additional_model_request_fields: fields,
        additional_model_response_field_paths: if says_sequence {
            vec!["/stop_sequence"]
        } else {
            Vec::new()
        },
        messages,
    };
    let body = serde_json::to_string(&body).map_err(|_| refused("messages", "cannot be written as JSON"))?;
    Ok(Written { body, dropped })
}

/// Refuses what would change the answer and has no place in Converse.
fn refuse(request: &Request) -> Result<(), Refused> {
    if request.choices.is_some_and(|choices| choices > 1) {
        return Err(Refused::no_equivalent("n"));
    }
    if request.logprobs.is_some() {
        return Err(Refused::no_equivalent("logprobs"));
    }
    let matters =
        |number: Option<&Number>| number.and_then(Number::as_f64).is_some_and(|number| number.abs() > 0.0);
    if matters(request.frequency_penalty.as_ref()) {
        return Err(Refused::no_equivalent("frequency_penalty"));
    }
    if matters(request.presence_penalty.as_ref()) {
        return Err(Refused::no_equivalent("presence_penalty"));
    }
    let over = |number: Option<&Number>| number.and_then(Number::as_f64).is_some_and(|number| number > 1.0);
    if over(request.temperature.as_ref()) {
        return Err(refused("temperature", "must be at most 1 for this model"));
    }
    Ok(())
}

/// Notes what is left out, and refuses members that nobody knows to be harmless.
fn drop_harmless(request: &Request, dropped: &mut Vec<Dropped>) -> Result<(), Refused> {
    let named = [
        ("seed", request.seed.is_some()),
        ("verbosity", request.verbosity.is_some()),
        ("user", request.user.is_some()),
        ("metadata", !request.metadata.is_empty()),
        ("prompt_cache_key", request.prompt_cache_key.is_some()),
        ("service_tier", request.service_tier.is_some()),
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
    ];
    dropped.extend(named.iter().filter(|(_, said)| *said).map(|(name, _)| (*name).to_owned()));
    for (name, value) in &request.rest {
        let value = Place::root(value.get());
        let says_nothing = matches!(value.source(), "null" | "false" | "[]" | "{}" | r#""""#);
        if !says_nothing && !is_harmless(name) {
            return Err(Refused::no_equivalent(name.clone()));
        }
        dropped.push(name.clone());
    }
    Ok(())
}

fn output(format: Option<&ResponseFormat>) -> Result<Option<Output<'_>>, Refused> {
    match format {
        None | Some(ResponseFormat::Text) => Ok(None),
        Some(ResponseFormat::JsonObject) => Err(refused(
            "response_format",
            "must hold a schema for this model (`json_schema`), not `json_object`",
        )),
        Some(ResponseFormat::JsonSchema { name, description, schema, .. }) => {
            let structure =
                Structure::JsonSchema { schema: schema.get(), name, description: description.as_deref() };
            Ok(Some(Output { text_format: TextFormat { r#type: "json_schema", structure } }))
        }
    }
}
