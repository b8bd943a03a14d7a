//! OpenAI's chat completions: `POST /v1/chat/completions`, whole and streamed (source: openai-openapi 2.3.0).

mod chunk;
mod events;
mod held;
mod reply;
mod request;
mod stream;
mod texts;

use crate::Usage;
use crate::json::Place;

pub use reply::{Garbage, Reply, ReplyRewriter};
pub use request::{BadRequest, ChatRequest, Inspection};
pub use stream::{StreamEnd, StreamRewriter, StreamStep};

/// Members of an answer that name the vendor behind it (source: recorded answers of 24 vendors).
const VENDOR_FIELDS: &[&str] = &["provider", "x_groq"];

/// Reads the counts of a `usage` object; a count that is missing is 0.
fn read_usage(usage: Place<'_>) -> Option<Usage> {
    if !usage.is_object() {
        return None;
    }
    let count = |object: Option<Place<'_>>, key: &str| {
        object
            .and_then(|object| object.get(key))
            .and_then(|count| count.source().parse().ok())
            .unwrap_or_default()
    };
    Some(Usage {
        prompt_tokens: count(Some(usage), "prompt_tokens"),
        completion_tokens: count(Some(usage), "completion_tokens"),
        total_tokens: count(Some(usage), "total_tokens"),
        cached_tokens: count(usage.get("prompt_tokens_details"), "cached_tokens"),
        reasoning_tokens: count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    })
}

use crate::codec::{Caller, Garbage as NotChat, StreamReader, StreamWriter, Target, Written};
use crate::ir::{Refused, Reply as Answer, Request};
use crate::{GatewayError, ProviderError};

pub(crate) fn read_request(_body: &str) -> Result<Request, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn write_request(_request: &Request, _target: &Target) -> Result<Written, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn read_reply(_body: &str) -> Result<Answer, NotChat> {
    Err(NotChat)
}

pub(crate) fn write_reply(_reply: &Answer, _caller: &Caller) -> String {
    String::new()
}

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    None
}

pub(crate) fn stream_writer(_caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    None
}

pub(crate) fn read_error(status: u16, _body: &str) -> ProviderError {
    ProviderError::of_status(status)
}

pub(crate) fn write_error(_error: &GatewayError) -> String {
    String::new()
}
