//! A request: one prompt, and how it is gone on with.

use serde_json::value::RawValue;

use crate::ir::{Block, Refused, Request, Role, Turn};
use crate::json::{Member, Place};

/// Reads a request. Several prompts, a suffix, an echo and the tokens' probabilities belong to models that complete text;
/// one that answers has none of them.
///
/// A caller who gives no `max_tokens` gets no bound: the 16 of OpenAI's models are too few for a model that answers.
pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    let root = Place::root(body);
    if !root.is_object() {
        return Err(wrong("prompt", "is missing: the body is not a JSON object"));
    }
    let mut request = Request::default();
    for member in root.members().filter(|member| !member.value.is_null()) {
        read(&member, &mut request)?;
    }
    if request.turns.is_empty() {
        return Err(wrong("prompt", "is missing"));
    }
    Ok(request)
}

fn wrong(param: &str, reason: &str) -> Refused {
    Refused { param: param.to_owned(), reason: reason.to_owned() }
}

fn read(member: &Member<'_>, request: &mut Request) -> Result<(), Refused> {
    let Member { key, value, .. } = member;
    match &**key {
        // The model is the route's, the options of the stream the writer's.
        "model" | "stream_options" => {}
        "prompt" if !request.turns.is_empty() => return Err(wrong(key, "stands twice; write it once")),
        "prompt" => {
            let turn = Turn { role: Role::User, blocks: vec![Block::text(prompt(*value)?)] };
            request.turns = vec![turn];
        }
        "stream" => {
            request.stream = value.as_bool().ok_or_else(|| wrong(key, "must be true or false"))?;
        }
        "max_tokens" => request.max_tokens = Some(parsed(key, *value)?),
        "temperature" => request.temperature = Some(parsed(key, *value)?),
        "top_p" => request.top_p = Some(parsed(key, *value)?),
        "frequency_penalty" => request.frequency_penalty = Some(parsed(key, *value)?),
        "presence_penalty" => request.presence_penalty = Some(parsed(key, *value)?),
        "seed" => request.seed = Some(parsed(key, *value)?),
        "n" => request.choices = Some(parsed(key, *value)?),
        "user" => {
            let user = value.as_str().ok_or_else(|| wrong(key, "must be a text"))?;
            request.user = Some(user.into_owned());
        }
        "stop" => request.stop = stops(*value)?,
        "suffix" if value.source() == "\"\"" => {}
        "echo" if value.as_bool() == Some(false) => {}
        "best_of" if value.as_u32() == Some(1) => {}
        "logit_bias" if value.members().next().is_none() && value.is_object() => {}
        "suffix" | "echo" | "best_of" | "logprobs" => return Err(Refused::no_equivalent(&**key)),
        _ => {
            let source = RawValue::from_string(value.source().to_owned());
            request.rest.push((key.to_string(), source.map_err(|_| Refused::no_equivalent(&**key))?));
        }
    }
    Ok(())
}

/// Returns the one prompt.
fn prompt(value: Place<'_>) -> Result<String, Refused> {
    let mut prompts = value.elements();
    let one = if value.is_array() { prompts.next() } else { Some(value) };
    if prompts.next().is_some() {
        return Err(wrong(
            "prompt",
            "must be one text for this model: its provider takes neither several nor tokens",
        ));
    }
    let text = one.and_then(|one| one.as_str()).filter(|text| !text.is_empty());
    Ok(text.ok_or_else(|| wrong("prompt", "must be a text that is not empty"))?.into_owned())
}

fn stops(value: Place<'_>) -> Result<Vec<String>, Refused> {
    let text = |place: Place<'_>| {
        place
            .as_str()
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| wrong("stop", "must be a text or texts"))
    };
    if value.is_array() { value.elements().map(text).collect() } else { Ok(vec![text(value)?]) }
}

fn parsed<T: serde::de::DeserializeOwned>(key: &str, value: Place<'_>) -> Result<T, Refused> {
    serde_json::from_str(value.source()).map_err(|_| wrong(key, "must be a number that fits"))
}
