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
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Chat,
        Self::Responses,
        Self::Messages,
        Self::Gemini,
        Self::Converse,
        Self::Ollama,
        Self::Completions,
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
        }
    }

    /// Returns the format in which a provider is asked for a call that came in `client`: the same if the provider speaks it,
    /// else the provider's own. `base_url` tells Ollama's two ways apart: with `/v1` it is the compatible one.
    #[must_use]
    pub fn at(provider: ProviderType, base_url: &str, client: Self) -> Self {
        match provider {
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
