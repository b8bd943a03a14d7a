//! Bedrock: Converse and ConverseStream (source: botocore 1.44.5's model of `bedrock-runtime`, and recorded traffic).
//!
//! Bytes of images and documents are base64 in the JSON. Streams are AWS's binary event stream. Whether a caller wants one is
//! said by the path, not by the body: [`read_request()`] leaves `stream` as it is.

mod error;
mod family;
mod field;
mod pass;
mod read_blocks;
mod read_options;
mod read_reply;
mod read_request;
mod read_stream;
mod signature;
mod wire;
mod words;
mod write_blocks;
mod write_reply;
mod write_request;
mod write_stream;
mod write_tools;

pub use error::error_type;
pub(crate) use error::{read_error, write_error};
pub(crate) use pass::Converse;
pub(crate) use read_reply::read_reply;
pub(crate) use read_request::read_request;
pub(crate) use read_stream::stream_reader;
pub(crate) use signature::strangers;
pub(crate) use write_reply::write_reply;
pub(crate) use write_request::write_request;
pub(crate) use write_stream::stream_writer;

#[cfg(test)]
mod tests;
