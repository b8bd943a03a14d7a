//! A caller's request.

use serde_json::value::RawValue;

use super::{read_messages, read_reasoning, read_tools};
use crate::ir::{Refused, Request};
use crate::json::{Member, Place};

/// Reads one. Names that vendors of this format have for the same thing are all known; what is not known is kept.
pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    let root = Place::root(body);
    if !root.is_object() {
        return Err(wrong("", "the body must be an object"));
    }
    let mut request = Request::default();
    let mut top_logprobs = None;
    for member in root.members().filter(|member| !member.value.is_null()) {
        match &*member.key {
            "logprobs" => {
                if boolean("logprobs", member.value)? {
                    request.logprobs.get_or_insert(0);
                }
            }
            "top_logprobs" => top_logprobs = Some(whole("top_logprobs", member.value)?),
            _ => take(&member, &mut request)?,
        }
    }
    if request.logprobs.is_some() {
        request.logprobs = Some(top_logprobs.unwrap_or_default());
    }
    if root.get("messages").is_none() {
        return Err(wrong("messages", "is missing"));
    }
    Ok(request)
}

fn take(member: &Member<'_>, request: &mut Request) -> Result<(), Refused> {
    let (key, value) = (&*member.key, member.value);
    match key {
        // The model's name is the alias, which the route has read; what a stream carries is the writer's to know.
        "model" | "stream_options" => {}
        "messages" => read_messages::read(value, request)?,
        "tools" => request.tools.extend(read_tools::tools(value)?),
        "functions" => {
            request.legacy_functions = true;
            request.tools.extend(read_tools::functions(value)?);
        }
        "tool_choice" | "function_call" => request.tool_choice = Some(read_tools::choice(key, value)?),
        "parallel_tool_calls" => request.parallel_tools = Some(boolean(key, value)?),
        // The newer name counts if both are there.
        "max_completion_tokens" => request.max_tokens = Some(whole(key, value)?),
        "max_tokens" => {
            let bound = whole(key, value)?;
            request.max_tokens.get_or_insert(bound);
        }
        "temperature" => request.temperature = Some(number(key, value)?),
        "top_p" => request.top_p = Some(number(key, value)?),
        "top_k" => request.top_k = Some(whole(key, value)?),
        "frequency_penalty" => request.frequency_penalty = Some(number(key, value)?),
        "presence_penalty" => request.presence_penalty = Some(number(key, value)?),
        "seed" | "random_seed" => request.seed = Some(whole(key, value)?),
        "stop" => request.stop = stop(value)?,
        "n" => request.choices = Some(whole(key, value)?),
        "response_format" => request.response_format = Some(read_tools::response_format(value)?),
        "verbosity" => request.verbosity = Some(text(key, value)?),
        "stream" => request.stream = boolean(key, value)?,
        "user" => request.user = Some(text(key, value)?),
        "safety_identifier" => {
            let user = text(key, value)?;
            request.user.get_or_insert(user);
        }
        "metadata" => {
            let pair =
                |member: Member<'_>| Some((member.key.into_owned(), member.value.as_str()?.into_owned()));
            request.metadata = value.members().filter_map(pair).collect();
        }
        "prompt_cache_key" => request.prompt_cache_key = Some(text(key, value)?),
        "service_tier" => request.service_tier = Some(text(key, value)?),
        _ if read_reasoning::take(key, value, request)? => {}
        // What is off or empty is as if it were not said. `store` is on where nothing is said.
        _ if key != "store" && (value.as_bool() == Some(false) || empty_bias(key, value)) => {}
        _ => request.rest.push((key.to_owned(), json(value))),
    }
    Ok(())
}

fn empty_bias(key: &str, value: Place<'_>) -> bool {
    key == "logit_bias" && value.members().next().is_none()
}

fn stop(value: Place<'_>) -> Result<Vec<String>, Refused> {
    if value.is_array() {
        return value.elements().map(|text_place| text("stop", text_place)).collect();
    }
    Ok(vec![text("stop", value)?])
}

/// Makes the refusal of a member that is wrong whatever the provider is.
pub(super) fn wrong(param: impl Into<String>, reason: &str) -> Refused {
    Refused { param: param.into(), reason: reason.to_owned() }
}

/// Returns a value's source to keep.
pub(super) fn json(value: Place<'_>) -> Box<RawValue> {
    RawValue::from_string(value.source().to_owned()).unwrap_or_default()
}

/// Reads a text.
pub(super) fn text(param: &str, value: Place<'_>) -> Result<String, Refused> {
    value.as_str().map(std::borrow::Cow::into_owned).ok_or_else(|| wrong(param, "must be a text"))
}

/// Reads a boolean.
pub(super) fn boolean(param: &str, value: Place<'_>) -> Result<bool, Refused> {
    value.as_bool().ok_or_else(|| wrong(param, "must be true or false"))
}

/// Reads a whole number. `1.0` is one: some clients write every number so.
pub(super) fn whole<T: std::str::FromStr>(param: &str, value: Place<'_>) -> Result<T, Refused> {
    let source = value.source();
    let digits = source.split_once('.').filter(|(_, part)| part.bytes().all(|byte| byte == b'0'));
    let digits = digits.map_or(source, |(whole, _)| whole);
    digits.parse().map_err(|_| wrong(param, "must be a whole number"))
}

fn number(param: &str, value: Place<'_>) -> Result<serde_json::Number, Refused> {
    serde_json::from_str(value.source()).map_err(|_| wrong(param, "must be a number"))
}

#[cfg(test)]
mod tests;
