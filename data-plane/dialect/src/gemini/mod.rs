//! Gemini: `:generateContent` and `:streamGenerateContent` (source: google-genai 3.4.0 and the recordings of
//! generativelanguage.googleapis.com and of Vertex).

mod answer;
mod calls;
mod error;
mod fields;
mod form;
mod models;
mod pass;
mod read_config;
mod read_contents;
mod read_reply;
mod read_request;
mod read_stream;
mod read_tools;
mod schema;
mod signature;
mod stops;
mod write_config;
mod write_contents;
mod write_reply;
mod write_request;
mod write_stream;

#[cfg(test)]
mod tests;

use crate::codec::{Caller, StreamReader, StreamWriter};

pub(crate) use error::{read_error, write_error};
pub(crate) use pass::Gemini;
pub(crate) use read_reply::read_reply;
pub(crate) use read_request::read_request;
pub(crate) use signature::strangers;
pub(crate) use write_reply::write_reply;
pub(crate) use write_request::write_request;

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::new(read_stream::Reader::default()))
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller)))
}
