//! Ollama's own `/api/chat` (source: docs.ollama.com/openapi.yaml, api/types.go of 0.12, and 41 recorded calls): only ever a
//! provider's format. A caller who wants Ollama's words speaks OpenAI's, which Ollama has too, and so what would read a
//! caller's request or write a caller's answer refuses.

mod error;
mod read_reply;
mod read_stream;
mod write_messages;
mod write_request;

use crate::codec::{Caller, StreamReader, StreamWriter};
use crate::ir::{Refused, Reply, Request};

pub(crate) use error::read_error;
pub(crate) use read_reply::read_reply;
pub(crate) use write_request::write_request;

/// Only ever a provider's.
pub(crate) fn read_request(_body: &str) -> Result<Request, Refused> {
    Err(Refused::no_equivalent("model"))
}

/// Only ever a provider's.
pub(crate) fn write_reply(_reply: &Reply, _caller: &Caller) -> String {
    String::new()
}

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::<read_stream::Reader>::default())
}

/// Only ever a provider's.
pub(crate) fn stream_writer(_caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    None
}

#[cfg(test)]
mod tests;
