//! OpenAI's chat completions: `POST /v1/chat/completions`, whole and streamed (source: openai-openapi 2.3.0).

mod carry;
mod error;
mod message;
mod pass;
mod pass_ends;
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
pub(crate) use pass::{Chat, Completions};
pub(crate) use read_reply::read_reply;
pub(crate) use write_reply::write_reply;

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

/// What a quirky vendor needs otherwise in a body of this format.
pub(crate) fn edits_for_pass(
    _quirks: &crate::quirks::Quirks,
    _root: crate::json::Place<'_>,
) -> crate::json::Edits {
    crate::json::Edits::default()
}

/// The id of an answer: this call's own, whoever answered.
fn answer_id(caller: &Caller) -> String {
    format!("chatcmpl-{}", caller.id)
}
