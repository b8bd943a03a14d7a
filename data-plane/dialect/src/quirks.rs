//! What vendors that speak OpenAI's format do otherwise, as data.

mod vendors;

use breakwater_common::resource::ProviderType;

use crate::ir::{Effort, ToolIdShape};

/// What a vendor does otherwise than openai-openapi 2.3.0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The vendor, for traces and tests.
    pub vendor: &'static str,
    /// How names of tool calls must look.
    pub tool_ids: ToolIdShape,
    /// The member that bounds the answer.
    pub max_tokens: MaxTokens,
    /// The role `developer` is known; `system` is everywhere.
    pub developer: bool,
    /// The member of the seed; empty if there is none.
    pub seed: &'static str,
    /// The word of `tool_choice` for "call one".
    pub required: &'static str,
    /// `tool_choice` may name several tools.
    pub allowed_tools: bool,
    /// `stream_options` is taken. Who does not take it sends usage unasked.
    pub stream_options: bool,
    /// `strict` of a tool is taken.
    pub strict: bool,
    /// Tools that take text are known.
    pub custom_tools: bool,
    /// How much to think is said so.
    pub reasoning: ReasoningField,
    /// The words for it that are taken.
    pub efforts: &'static [Effort],
    /// How thinking without a seal is given back.
    pub thinking_back: ThinkingBack,
    /// How documents are given.
    pub documents: Documents,
    /// Films are taken by `video_url`.
    pub video: bool,
    /// A schema of the answer is taken.
    pub json_schema: bool,
    /// Several answers at once.
    pub many_choices: bool,
    /// `top_k` is taken.
    pub top_k: bool,
    /// `logprobs` is taken.
    pub logprobs: bool,
    /// The most texts that end an answer, if there is a bound.
    pub stops_max: usize,
    /// `cache_control` on parts is taken.
    pub cache_control: bool,
    /// The caller and the model must speak in turn, and the caller last.
    pub alternate: bool,
    /// A message's content may be a list of texts.
    pub text_lists: bool,
    /// Gemini is behind it and wants its signatures in `extra_content`.
    pub google: bool,
    /// Members of a request that this vendor does not have and that change nothing of the answer: never written for it.
    pub drops: &'static [&'static str],
    /// Of these and others those with which it refuses the whole request: taken out of what passes.
    pub refuses: &'static [&'static str],
}

/// The member that bounds an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxTokens {
    /// `max_completion_tokens`; reasoning models refuse the older name.
    Completion,
    /// `max_tokens` alone.
    Old,
    /// Both; `max_tokens` is known to more versions.
    Either,
}

/// How a vendor is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningField {
    /// `reasoning_effort`.
    Effort,
    /// `reasoning: {effort, max_tokens, enabled, exclude}`.
    Object,
    /// `thinking: {type}`, on or off.
    Thinking,
    /// Not at all.
    None,
}

/// How thinking without a seal is given back, which some vendors want for the rest of a turn with tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingBack {
    /// `reasoning_content`, beside tool calls.
    Content,
    /// `reasoning`, and `reasoning_details` where a seal is.
    Details,
    /// Parts of type `thinking` in the content.
    Parts,
    /// Not at all.
    None,
}

/// How documents are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// `file` with the bytes or a name.
    File,
    /// `file` with the bytes or an address.
    FileOrUrl,
    /// `document_url`.
    Url,
    /// Not at all.
    None,
}

/// A vendor that does all as the format says.
pub const PLAIN: Quirks = vendors::OPENAI;

/// Returns what a provider does otherwise. `host` is its address's, with or without a port.
#[must_use]
pub fn of_host(provider: ProviderType, host: &str) -> &'static Quirks {
    let host = host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let known = vendors::ALL.iter().find(|vendor| vendor.hosts.iter().any(|suffix| is_at(&host, suffix)));
    let named = |name: &str| {
        let found = vendors::ALL.iter().find(|vendor| vendor.quirks.vendor == name);
        found.map_or(&vendors::GENERIC, |vendor| &vendor.quirks)
    };
    match (provider, known) {
        (ProviderType::AzureOpenAi, _) => named("azure"),
        (ProviderType::Mistral, _) => named("mistral"),
        (ProviderType::Ollama, _) => named("ollama"),
        (_, Some(vendor)) => &vendor.quirks,
        // Of this type and elsewhere: a proxy in front of OpenAI.
        (ProviderType::OpenAi, None) => named("openai"),
        (
            ProviderType::OpenAiCompatible
            | ProviderType::Anthropic
            | ProviderType::Gemini
            | ProviderType::Bedrock,
            None,
        ) => &vendors::GENERIC,
    }
}

fn is_at(host: &str, suffix: &str) -> bool {
    host.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_known_by_its_host() {
        for (host, vendor) in [
            ("api.openai.com", "openai"),
            ("eu.api.openai.com", "openai"),
            ("api.mistral.ai", "mistral"),
            ("API.GROQ.COM:443", "groq"),
            ("api.deepseek.com", "deepseek"),
            ("api.x.ai", "xai"),
            ("openrouter.ai", "openrouter"),
            ("api.together.xyz", "together"),
            ("api.perplexity.ai", "perplexity"),
            ("api.cerebras.ai", "cerebras"),
            ("api.fireworks.ai", "fireworks"),
            ("router.huggingface.co", "huggingface"),
            ("api.cloudflare.com", "cloudflare"),
            ("generativelanguage.googleapis.com", "gemini"),
            ("me.openai.azure.com", "azure"),
            ("me.services.ai.azure.com", "azure"),
            ("notopenai.com", "generic"),
            ("max.ai", "generic"),
            ("127.0.0.1:8080", "generic"),
            ("", "generic"),
        ] {
            assert_eq!(of_host(ProviderType::OpenAiCompatible, host).vendor, vendor, "{host}");
        }
        assert_eq!(of_host(ProviderType::OpenAi, "localhost").vendor, "openai");
        assert_eq!(of_host(ProviderType::AzureOpenAi, "localhost").vendor, "azure");
        assert_eq!(of_host(ProviderType::Mistral, "localhost").vendor, "mistral");
        assert_eq!(of_host(ProviderType::Ollama, "localhost").vendor, "ollama");
        assert_eq!(of_host(ProviderType::OpenAi, "api.openai.com"), &PLAIN);
    }

    #[test]
    fn every_vendor_is_there_once() {
        let names: Vec<&str> = vendors::ALL.iter().map(|vendor| vendor.quirks.vendor).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name} twice");
        }
        assert!(names.len() >= 14, "{names:?}");
    }
}
