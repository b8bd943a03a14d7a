//! OpenAI's chat completions: `POST /v1/chat/completions`, whole and streamed (source: openai-openapi 2.3.0).
//!
//! # Thinking
//!
//! This format has no place for what a model thought, and a provider of another format wants it back with its seal. A
//! caller gets it in members that most clients keep, and gives it back in the same:
//!
//! - `reasoning_content` of a message or delta: the text, for people. It alone is no proof, and goes back only to vendors
//!   that want thinking without a seal.
//! - `reasoning_details` of a message or delta, in OpenRouter's shape: `{"type": "reasoning.text", "text", "signature",
//!   "format", "index", "id"}` or `{"type": "reasoning.encrypted", "data", "format", "index"}`. The signature is the
//!   provider's, byte for byte; `format` is the word of the format whose provider sealed ([`crate::Format::as_str`]), to
//!   which alone it goes back; `index` is the block's place in the answer; `id` is the provider's name of the thought, in
//!   base64. In a stream the text comes in entries of `type` and `index`, and the last entry brings the rest.
//! - `extra_content.google.thought_signature` of a tool call or a message: Gemini's signature of a call or a text, where
//!   Gemini itself puts it in this format.
//!
//! Vendors of this format that seal (OpenRouter, Snowflake, Mistral) have other words in `format`. Such a seal travels in
//! one text ([`sealed`]) with `signed_by` this format, and is written back as it was.

mod alternate;
mod carry;
mod cite;
mod error;
mod message;
mod object;
mod pass;
mod pass_ends;
mod quirk_edits;
mod read_alike;
mod read_messages;
mod read_parts;
mod read_reasoning;
mod read_reply;
mod read_request;
mod read_stream;
mod read_tools;
mod scan;
mod sealed;
mod stops;
mod usage;
mod weave;
mod wire;
mod write_messages;
mod write_parts;
mod write_reply;
mod write_request;
mod write_stream;
mod write_tools;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod corpus_tests;

pub(crate) use carry::strangers;
pub(crate) use error::{read_error, write_error};
pub(crate) use pass::{Chat, Completions};
pub use quirk_edits::{edits_for_pass, left_out_of_pass};
pub(crate) use read_reply::read_reply;
pub(crate) use read_request::read_request;
pub(crate) use write_reply::write_reply;
pub(crate) use write_request::write_request;

use crate::codec::{Caller, StreamReader, StreamWriter};

pub(crate) fn stream_reader() -> Option<Box<dyn StreamReader>> {
    Some(Box::new(read_stream::Reader::default()))
}

pub(crate) fn stream_writer(caller: &Caller) -> Option<Box<dyn StreamWriter>> {
    Some(Box::new(write_stream::Writer::new(caller)))
}

/// The id of an answer: this call's own, whoever answered.
fn answer_id(caller: &Caller) -> String {
    format!("chatcmpl-{}", caller.id)
}
