//! OpenAI's responses: `POST /v1/responses` (sources: openai-openapi 2.3.0, openai-python 3.52.0, recorded traffic of nine
//! vendors).

mod assembly;
mod build;
mod carrier;
mod frames;
mod item;
mod object;
mod open_item;
mod read_items;
mod read_reply;
mod read_request;
mod read_stream;
mod read_tools;
mod write_items;
mod write_reply;
mod write_request;
mod write_stream;
mod write_tools;

#[cfg(test)]
mod tests;

mod pass;

pub(crate) use carrier::strangers;
pub(crate) use pass::Responses;

use crate::codec::{Caller, Garbage, StreamReader, StreamWriter, Target, Written};
use crate::ir::{Refused, Reply, Request};

pub(crate) fn read_request(body: &str) -> Result<Request, Refused> {
    read_request::read(body)
}

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, Refused> {
    write_request::write(request, target)
}

pub(crate) fn read_reply(body: &str) -> Result<Reply, Garbage> {
    read_reply::read(body)
}

pub(crate) fn write_reply(reply: &Reply, caller: &Caller) -> String {
    write_reply::write(reply, caller)
}

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::new(read_stream::Reader::default()))
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller.clone())))
}
