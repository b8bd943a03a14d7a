//! A caller's request.

use serde_json::value::RawValue;

use super::{read_items, read_tools};
use crate::ir::{Block, Effort, Json, Reasoning, Refused, Request, ResponseFormat};
use crate::json::Place;

/// What only the provider that holds the state can serve, or what would change the answer and no other format says.
const STATE: [&str; 4] = ["previous_response_id", "conversation", "prompt", "moderation"];

pub(super) fn read(body: &str) -> Result<Request, Refused> {
    let root = Place::root(body);
    if !root.is_object() {
        return Err(wrong("body", "must be an object"));
    }
    let mut request = Request::default();
    let (mut input, mut choice) = (None, None);
    for member in root.members().filter(|member| !member.value.is_null()) {
        let value = member.value;
        match &*member.key {
            // The gateway reads and replaces it.
            "model" => {}
            "input" => input = Some(value),
            "instructions" => request.system.insert(0, Block::text(text(value, "instructions")?)),
            "tools" => read_tools::tools(list(value, "tools")?, &mut request)?,
            // It names tools, and they may stand behind it.
            "tool_choice" => choice = Some(value),
            "parallel_tool_calls" => request.parallel_tools = Some(flag(value, "parallel_tool_calls")?),
            "max_output_tokens" => request.max_tokens = Some(count(value, "max_output_tokens")?),
            "temperature" => request.temperature = Some(number(value, "temperature")?),
            "top_p" => request.top_p = Some(number(value, "top_p")?),
            "top_logprobs" => {
                let wanted = value.as_u32().ok_or_else(|| wrong("top_logprobs", "must be a count"))?;
                request.logprobs = Some(wanted).filter(|wanted| *wanted > 0).or(request.logprobs);
            }
            "stream" => request.stream = flag(value, "stream")?,
            "text" => read_text(value, &mut request)?,
            "reasoning" => read_reasoning(value, &mut request)?,
            "include" => read_include(value, &mut request)?,
            // The newer of the two names wins, wherever it stands.
            "safety_identifier" => request.user = Some(text(value, "safety_identifier")?),
            "user" => {
                let user = text(value, "user")?;
                request.user.get_or_insert(user);
            }
            "metadata" => read_metadata(value, &mut request)?,
            "prompt_cache_key" => request.prompt_cache_key = Some(text(value, "prompt_cache_key")?),
            "service_tier" => request.service_tier = Some(text(value, "service_tier")?),
            "background" | "store" if value.as_bool() == Some(false) => {}
            "background" => return Err(Refused::no_equivalent("background")),
            "truncation" if value.as_str().as_deref() == Some("disabled") => {}
            // It only asks for padding or none.
            "stream_options" => {}
            key if STATE.contains(&key) => return Err(Refused::no_equivalent(key)),
            key => request.rest.push((key.to_owned(), json(value)?)),
        }
    }
    request.tool_choice = choice.map(|choice| read_tools::choice(choice, &request)).transpose()?;
    read_items::read(input, &mut request)?;
    Ok(request)
}

fn read_text(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    for member in object(value, "text")?.members().filter(|member| !member.value.is_null()) {
        match &*member.key {
            "format" => request.response_format = Some(read_format(member.value)?),
            "verbosity" => request.verbosity = Some(text(member.value, "text.verbosity")?),
            key => request.rest.push((format!("text.{key}"), json(member.value)?)),
        }
    }
    Ok(())
}

fn read_format(value: Place<'_>) -> Result<ResponseFormat, Refused> {
    let member = |key| value.get(key).filter(|value: &Place<'_>| !value.is_null());
    let kind = member("type").and_then(|kind| kind.as_str()).unwrap_or_default();
    match &*kind {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::JsonObject),
        "json_schema" => {
            let schema = member("schema").ok_or_else(|| wrong("text.format.schema", "is missing"))?;
            Ok(ResponseFormat::JsonSchema {
                name: member("name")
                    .map(|name| text(name, "text.format.name"))
                    .transpose()?
                    .unwrap_or_default(),
                description: member("description")
                    .map(|description| text(description, "text.format.description"))
                    .transpose()?,
                schema: json(object(schema, "text.format.schema")?)?,
                strict: member("strict").map(|strict| flag(strict, "text.format.strict")).transpose()?,
            })
        }
        _ => Err(Refused::no_equivalent("text.format.type")),
    }
}

fn read_reasoning(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    let mut reasoning = Reasoning::default();
    for member in object(value, "reasoning")?.members().filter(|member| !member.value.is_null()) {
        match &*member.key {
            "effort" => {
                let word = text(member.value, "reasoning.effort")?;
                let effort = Effort::parse(&word);
                reasoning.effort = Some(effort.ok_or_else(|| Refused::no_equivalent("reasoning.effort"))?);
            }
            // The word says how long the summary is; nobody else knows more than whether there is one.
            "summary" | "generate_summary" => reasoning.show = Some(true),
            key => request.rest.push((format!("reasoning.{key}"), json(member.value)?)),
        }
    }
    if reasoning != Reasoning::default() {
        request.reasoning = Some(reasoning);
    }
    Ok(())
}

/// What is to be included of server-side tools is not there in another format, because those tools are not.
fn read_include(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    for (index, word) in list(value, "include")?.enumerate() {
        if text(word, &format!("include[{index}]"))? == "message.output_text.logprobs" {
            request.logprobs.get_or_insert(0);
        }
    }
    Ok(())
}

fn read_metadata(value: Place<'_>, request: &mut Request) -> Result<(), Refused> {
    for member in object(value, "metadata")?.members() {
        let pair = text(member.value, &format!("metadata.{}", member.key))?;
        request.metadata.push((member.key.into_owned(), pair));
    }
    Ok(())
}

pub(super) fn wrong(param: &str, reason: &str) -> Refused {
    Refused { param: param.to_owned(), reason: reason.to_owned() }
}

pub(super) fn text(value: Place<'_>, param: &str) -> Result<String, Refused> {
    value.as_str().map(std::borrow::Cow::into_owned).ok_or_else(|| wrong(param, "must be a text"))
}

pub(super) fn flag(value: Place<'_>, param: &str) -> Result<bool, Refused> {
    value.as_bool().ok_or_else(|| wrong(param, "must be true or false"))
}

pub(super) fn object<'a>(value: Place<'a>, param: &str) -> Result<Place<'a>, Refused> {
    if value.is_object() { Ok(value) } else { Err(wrong(param, "must be an object")) }
}

pub(super) fn list<'a>(value: Place<'a>, param: &str) -> Result<impl Iterator<Item = Place<'a>>, Refused> {
    if value.is_array() { Ok(value.elements()) } else { Err(wrong(param, "must be an array")) }
}

fn count(value: Place<'_>, param: &str) -> Result<u64, Refused> {
    value.source().parse().map_err(|_| wrong(param, "must be a count"))
}

fn number(value: Place<'_>, param: &str) -> Result<serde_json::Number, Refused> {
    serde_json::from_str(value.source()).map_err(|_| wrong(param, "must be a number"))
}

/// Keeps a value as it stands.
pub(super) fn json(value: Place<'_>) -> Result<Json, Refused> {
    RawValue::from_string(value.source().to_owned()).map_err(|_| wrong("body", "is not JSON"))
}
