//! Anthropic's messages: `POST /v1/messages` (source: anthropic SDK 2.11; recorded traffic of 2024 to 2026).

mod carrier;
mod error;
mod families;
mod field;
mod lists;
mod notes;
mod pass;
mod read_blocks;
mod read_reply;
mod read_request;
mod read_stream;
mod reasoning;
mod sampling;
mod schema;
mod stop;
mod turns;
mod usage;
mod wire;
mod write_blocks;
mod write_reply;
mod write_request;
mod write_stream;

use crate::codec::{Caller, StreamReader, StreamWriter};

pub use lists::{read_count, write_count, write_model, write_models};

pub(crate) use pass::Messages;

pub(crate) use carrier::strangers;
pub(crate) use error::{read_error, write_error};
pub(crate) use read_reply::read_reply;
pub(crate) use read_request::read_request;
pub(crate) use write_reply::write_reply;
pub(crate) use write_request::write_request;

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::new(read_stream::Reader::new()))
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller)))
}

#[cfg(test)]
mod tests;
