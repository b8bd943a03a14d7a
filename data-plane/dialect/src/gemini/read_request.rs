//! Reads a caller's request.

use super::fields::{field, fields, object, source, text, wrong};
use super::read_config::{generation_config, tool_config};
use super::read_contents::{contents, system};
use super::read_tools::tools;
use crate::ir::{Refused, Request};
use crate::json::Place;

/// Reads a request. Whether a stream is asked for stands in its path: the caller of this sets [`Request::stream`].
pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    let root = Place::root(body);
    object(root, "body")?;
    let mut request = Request::default();
    if field(root, "contents").is_none() {
        return Err(wrong("contents", "is missing"));
    }
    for (key, value) in fields(root) {
        match &*key {
            "contents" => request.turns = contents(value)?,
            "systemInstruction" => request.system = system(value)?,
            "tools" => request.tools = tools(value)?,
            "toolConfig" => tool_config(value, &mut request)?,
            "generationConfig" => generation_config(value, &mut request)?,
            "serviceTier" => request.service_tier = Some(text(value, "serviceTier")?.to_ascii_lowercase()),
            // The path names the model.
            "model" => {}
            _ => request.rest.push((key.into_owned(), source(value))),
        }
    }
    Ok(request)
}
