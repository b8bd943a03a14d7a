//! Anthropic's messages: `POST /v1/messages`.

mod pass;

pub(crate) use pass::Messages;

use crate::codec::{Caller, Garbage, StreamReader, StreamWriter, Target, Written};
use crate::ir::{Refused, Reply, Request};
use crate::{GatewayError, ProviderError};

pub(crate) fn read_request(_body: &str) -> Result<Request, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn write_request(_request: &Request, _target: &Target) -> Result<Written, Refused> {
    Err(Refused::no_equivalent("model"))
}

pub(crate) fn read_reply(_body: &str) -> Result<Reply, Garbage> {
    Err(Garbage)
}

pub(crate) fn write_reply(_reply: &Reply, _caller: &Caller) -> String {
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
