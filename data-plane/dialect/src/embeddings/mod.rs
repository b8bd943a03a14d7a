//! Embeddings. A caller speaks OpenAI's, `POST /v1/embeddings` (source: openai-openapi 2.3.0); a provider that speaks them
//! gets the bytes as they came but for its model's name, any other the texts in its own words. Vectors pass as they were
//! written, digit for digit; a caller who wants base64, as OpenAI's own clients do unless told otherwise, gets it from every
//! provider.

mod reply;
mod request;
mod vectors;
mod write;

pub use crate::format::EmbeddingsFormat;
pub use reply::{EmbeddingsCaller, EmbeddingsReply, rewrite_reply, translate_reply};
pub use request::EmbeddingsRequest;
pub use write::EmbeddingsWritten;

#[cfg(test)]
mod tests;
