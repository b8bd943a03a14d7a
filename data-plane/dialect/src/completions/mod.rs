//! OpenAI's legacy completions, `POST /v1/completions` (source: openai-openapi 2.3.0, openai-python 3.52.0): only ever a
//! caller's format here. A provider that has them gets the bytes as they came; any other gets the prompt as what a user
//! says, and what it answers in text is the completion.

mod read_request;
mod write_reply;
mod write_stream;

use crate::codec::{Caller, Garbage, StreamReader, StreamWriter, Target, Written};
use crate::ir::{Refused, Reply, Request};

pub(crate) use read_request::read_request;
pub(crate) use write_reply::write_reply;

/// Only ever a caller's.
pub(crate) fn write_request(_request: &Request, _target: &Target) -> Result<Written, Refused> {
    Err(Refused::no_equivalent("model"))
}

/// Only ever a caller's.
pub(crate) fn read_reply(_body: &str) -> Result<Reply, Garbage> {
    Err(Garbage)
}

/// Only ever a caller's.
pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    None
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller)))
}

#[cfg(test)]
mod tests;
