//! OpenAI's chat completions: `POST /v1/chat/completions`, whole and streamed (source: openai-openapi 2.3.0).

mod chunk;
mod events;
mod held;
mod reply;
mod request;
mod stream;
mod texts;

mod carry;
mod error;
mod message;
mod read_reply;
mod read_stream;
mod scan;
mod sealed;
mod stops;
mod usage;
mod weave;
mod wire;
mod write_reply;
mod write_stream;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod corpus_tests;

pub(crate) use error::{read_error, write_error};
pub(crate) use read_reply::read_reply;
pub(crate) use write_reply::write_reply;

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

use crate::codec::{Caller, StreamReader, StreamWriter, Target, Written};
use crate::ir::{Refused, Request};

pub(crate) fn read_request(_body: &str) -> Result<Request, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn write_request(_request: &Request, _target: &Target) -> Result<Written, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::new(read_stream::Reader::default()))
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller)))
}
