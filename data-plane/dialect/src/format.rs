//! The formats, and what each needs of the way a call goes.

use breakwater_common::resource::ProviderType;

/// A wire format of generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// OpenAI's chat completions, spoken by most.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Anthropic's messages.
    Messages,
    /// Gemini's generateContent and streamGenerateContent.
    Gemini,
    /// Bedrock's Converse and ConverseStream.
    Converse,
    /// Ollama's `/api/chat`. Only ever a provider's.
    Ollama,
    /// OpenAI's legacy completions. A provider that has them is asked in them; any other gets the prompt as a conversation.
    Completions,
    /// OpenAI's embeddings.
    Embeddings,
    /// OpenAI's moderations.
    Moderations,
    /// Anthropic's count_tokens.
    CountTokens,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 10] = [
        Self::Chat,
        Self::Responses,
        Self::Messages,
        Self::Gemini,
        Self::Converse,
        Self::Ollama,
        Self::Completions,
        Self::Embeddings,
        Self::Moderations,
        Self::CountTokens,
    ];

    /// Returns the word of metrics, traces and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Messages => "messages",
            Self::Gemini => "gemini",
            Self::Converse => "converse",
            Self::Ollama => "ollama",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Moderations => "moderations",
            Self::CountTokens => "count_tokens",
        }
    }

    /// Returns the format in which a provider is asked for a call that came in `client`: the same if the provider speaks it,
    /// else the provider's own. `base_url` tells Ollama's two ways apart: with `/v1` it is the compatible one.
    #[must_use]
    pub fn at(provider: ProviderType, base_url: &str, client: Self) -> Self {
        let base_url = base_url.trim_end_matches('/');
        match provider {
            ProviderType::Anthropic if client == Self::CountTokens => Self::CountTokens,
            ProviderType::OpenAi
            | ProviderType::AzureOpenAi
            | ProviderType::OpenAiCompatible
            | ProviderType::Mistral
                if matches!(client, Self::Embeddings | Self::Moderations) =>
            {
                client
            }
            ProviderType::Ollama if base_url.ends_with("/v1") && client == Self::Embeddings => client,
            ProviderType::OpenAi if client == Self::Responses => Self::Responses,
            // Azure serves responses under its v1 address only.
            ProviderType::AzureOpenAi if client == Self::Responses && base_url.ends_with("/v1") => {
                Self::Responses
            }
            // Mistral has no such path.
            ProviderType::OpenAi | ProviderType::AzureOpenAi | ProviderType::OpenAiCompatible
                if client == Self::Completions =>
            {
                Self::Completions
            }
            ProviderType::OpenAi
            | ProviderType::AzureOpenAi
            | ProviderType::OpenAiCompatible
            | ProviderType::Mistral => Self::Chat,
            ProviderType::Ollama if base_url.ends_with("/v1") && client == Self::Completions => {
                Self::Completions
            }
            ProviderType::Ollama if base_url.ends_with("/v1") => Self::Chat,
            ProviderType::Ollama => Self::Ollama,
            ProviderType::Anthropic => Self::Messages,
            ProviderType::Gemini => Self::Gemini,
            ProviderType::Bedrock => Self::Converse,
        }
    }
}

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
            ProviderType::Ollama if base_url.trim_end_matches('/').ends_with("/v1") => Some(Self::OpenAi),
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
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_in_the_callers_format_if_it_speaks_it() {
        let check = |provider, base_url, client, expect| {
            assert_eq!(Format::at(provider, base_url, client), expect, "{provider:?} {base_url} {client:?}");
        };
        check(ProviderType::OpenAi, "https://x/v1", Format::Responses, Format::Responses);
        check(ProviderType::OpenAi, "https://x/v1", Format::Messages, Format::Chat);
        check(ProviderType::AzureOpenAi, "https://x", Format::Responses, Format::Chat);
        check(ProviderType::AzureOpenAi, "https://x/openai/v1", Format::Responses, Format::Responses);
        check(ProviderType::Anthropic, "https://x", Format::Chat, Format::Messages);
        check(ProviderType::Anthropic, "https://x", Format::CountTokens, Format::CountTokens);
        check(ProviderType::Ollama, "http://x:11434", Format::Chat, Format::Ollama);
        check(ProviderType::Ollama, "http://x:11434/v1", Format::Chat, Format::Chat);
        check(ProviderType::Ollama, "http://x:11434/v1/", Format::Chat, Format::Chat);
        check(ProviderType::Gemini, "https://x", Format::Gemini, Format::Gemini);
        check(ProviderType::Gemini, "https://x", Format::Embeddings, Format::Gemini);
        check(ProviderType::Bedrock, "https://x", Format::Chat, Format::Converse);
        check(ProviderType::Mistral, "https://x/v1", Format::Embeddings, Format::Embeddings);
    }
}
