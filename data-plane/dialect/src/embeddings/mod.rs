//! Embeddings. A caller speaks OpenAI's, `POST /v1/embeddings` (source: openai-openapi 2.3.0); a provider that speaks them
//! gets the bytes as they came but for its model's name, any other the texts in its own words. Vectors pass as they were
//! written, digit for digit; a caller who wants base64, as OpenAI's own clients do unless told otherwise, gets it from every
//! provider.

mod reply;
mod request;
mod vectors;
mod write;

use breakwater_common::resource::ProviderType;

use crate::Format;

pub use reply::{EmbeddingsCaller, EmbeddingsReply, rewrite_reply, translate_reply};
pub use request::EmbeddingsRequest;
pub use write::EmbeddingsWritten;

/// A wire format of embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingsFormat {
    /// OpenAI's, `/embeddings`.
    OpenAi,
    /// OpenAI's with Mistral's name for the number of dimensions.
    Mistral,
    /// Gemini's `models/{model}:batchEmbedContents`.
    Gemini,
    /// Ollama's own `/api/embed`.
    Ollama,
    /// Bedrock's `/model/{model}/invoke` of Amazon's Titan for text: one input a call.
    Titan,
    /// The same of Amazon's Nova: one input a call.
    Nova,
    /// The same of Cohere's models.
    Cohere,
}

impl EmbeddingsFormat {
    /// Returns how a provider is asked for embeddings by a model; none if it has none, or the model's body is unknown.
    /// `base_url` tells Ollama's two ways apart: with `/v1` it is the compatible one.
    #[must_use]
    pub fn at(provider: ProviderType, base_url: &str, upstream_model: &str) -> Option<Self> {
        match provider {
            ProviderType::OpenAi | ProviderType::AzureOpenAi | ProviderType::OpenAiCompatible => {
                Some(Self::OpenAi)
            }
            ProviderType::Mistral => Some(Self::Mistral),
            ProviderType::Ollama if base_url.ends_with("/v1") => Some(Self::OpenAi),
            ProviderType::Ollama => Some(Self::Ollama),
            ProviderType::Gemini => Some(Self::Gemini),
            ProviderType::Bedrock => Self::of_bedrock(upstream_model),
            ProviderType::Anthropic => None,
        }
    }

    /// Bedrock has no format of its own for embeddings: each vendor's model has its body. An id may begin with a region or
    /// an ARN.
    fn of_bedrock(model: &str) -> Option<Self> {
        [
            ("amazon.titan-embed-text", Self::Titan),
            ("amazon.nova-2-multimodal-embeddings", Self::Nova),
            ("cohere.embed", Self::Cohere),
        ]
        .into_iter()
        .find(|(name, _)| model.contains(name))
        .map(|(_, format)| format)
    }

    /// Returns the format in which the provider says its errors.
    #[must_use]
    pub fn errors(self) -> Format {
        match self {
            Self::OpenAi | Self::Mistral => Format::Chat,
            Self::Gemini => Format::Gemini,
            Self::Ollama => Format::Ollama,
            Self::Titan | Self::Nova | Self::Cohere => Format::Converse,
        }
    }
}

#[cfg(test)]
mod tests;
