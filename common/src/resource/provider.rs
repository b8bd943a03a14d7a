//! A vendor account.

use std::fmt;
use std::time::Duration;

use crate::breaker;
use crate::breaker::failure::ErrorRule;

/// What reads show in the place of a secret, and what a write says to keep it.
pub const SEALED_PLACEHOLDER: &str = "(sealed)";

/// A vendor account: where its API is, how it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    /// The wire format.
    pub provider_type: ProviderType,
    /// Root of the API, without a trailing slash.
    pub base_url: String,
    /// The vendor's region; empty if not said.
    pub region: String,
    /// Where prompts are processed; empty if not said.
    pub jurisdiction: String,
    /// Marks that routes ask for.
    pub tags: Vec<String>,
    /// Azure's dated version; empty if not said.
    pub api_version: String,
    /// Keys, in order.
    pub credentials: Vec<Credential>,
    /// Settings of its breaker.
    pub breaker: breaker::Settings,
    /// Limits on the phases of an attempt.
    pub timeouts: Timeouts,
    /// Models; empty means that any may be asked for.
    pub models: Vec<Model>,
    /// No call goes here.
    pub disabled: bool,
    /// What its errors mean, where their statuses do not say it.
    pub error_map: Vec<ErrorRule>,
}

impl Provider {
    /// Returns the model of a name in the provider's list.
    #[must_use]
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    /// Whether a model may be asked for here: it is in the list, or there is no list.
    #[must_use]
    pub fn may_serve(&self, model: &str) -> bool {
        self.models.is_empty() || self.model(model).is_some()
    }
}

/// The wire format of a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProviderType {
    /// api.openai.com.
    OpenAi,
    /// Azure OpenAI: deployments in the path, `api-key` header.
    AzureOpenAi,
    /// Anthropic messages.
    Anthropic,
    /// Mistral.
    Mistral,
    /// Ollama.
    Ollama,
    /// Gemini.
    Gemini,
    /// Bedrock Converse.
    Bedrock,
    /// Anything that speaks OpenAI's format.
    OpenAiCompatible,
}

impl ProviderType {
    /// All types.
    pub const ALL: [Self; 8] = [
        Self::OpenAi,
        Self::AzureOpenAi,
        Self::Anthropic,
        Self::Mistral,
        Self::Ollama,
        Self::Gemini,
        Self::Bedrock,
        Self::OpenAiCompatible,
    ];

    /// Returns the word of manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::AzureOpenAi => "azure_openai",
            Self::Anthropic => "anthropic",
            Self::Mistral => "mistral",
            Self::Ollama => "ollama",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::OpenAiCompatible => "openai_compatible",
        }
    }

    /// Returns the type of a word of manifests.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One key of an account. In the control plane `api_key` is sealed; only a proxy holds it open.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Unique within the provider.
    pub name: String,
    /// The key.
    pub api_key: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Limits on the phases of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP and TLS.
    pub connect: Duration,
    /// Of a streamed call: from the request sent to the first byte of the answer, and to its first content.
    pub first_token: Duration,
    /// Longest silence within an answer.
    pub idle: Duration,
    /// Of a call that is not streamed: from the request sent to the whole answer.
    pub response: Duration,
}

impl Default for Timeouts {
    /// 5 s, 30 s, 30 s (source: resource language, quickstart.yaml); for a whole answer half of a route's usual deadline, so
    /// that a provider that never answers leaves as much time to the next.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(30),
            idle: Duration::from_secs(30),
            response: Duration::from_secs(300),
        }
    }
}

/// A model as the vendor names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The vendor's name.
    pub name: String,
    /// Azure's deployment; empty if it is the model's name.
    pub deployment: String,
    /// Tokens that prompt and answer may take together; none if not said.
    pub context_window: Option<u32>,
    /// The most tokens of one answer; none if not said.
    pub max_output_tokens: Option<u32>,
    /// What it can do, in the words of manifests; empty if not said.
    pub capabilities: Vec<String>,
    /// What it costs; none if not said.
    pub price: Option<Price>,
    /// No call asks for it.
    pub disabled: bool,
}

impl Model {
    /// Whether it reasons; none if nothing is said of what it can do.
    #[must_use]
    pub fn reasons(&self) -> Option<bool> {
        let said = !self.capabilities.is_empty();
        said.then(|| self.capabilities.iter().any(|capability| capability == "reasoning"))
    }
}

/// US dollars for a million tokens. What is not said costs nothing, but for `cached_input`, which then costs as `input`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Price {
    /// Of the prompt.
    pub input: Option<f64>,
    /// Of the prompt, read from the vendor's cache.
    pub cached_input: Option<f64>,
    /// Of the answer.
    pub output: Option<f64>,
}

impl Price {
    /// Returns what tokens cost, in millionths of a dollar, rounded to the nearest. `input` are those that no cache gave.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts stay far below 2^52, prices are 0 or more and bounded, and `as` saturates"
    )]
    pub fn microdollars(&self, input: u64, cached: u64, output: u64) -> u64 {
        let price = |price: Option<f64>| price.unwrap_or_default();
        // A dollar for a million tokens is a millionth of a dollar for one.
        let cost = input as f64 * price(self.input)
            + cached as f64 * price(self.cached_input.or(self.input))
            + output as f64 * price(self.output);
        cost.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_by_kind_of_token() {
        let price = Price { input: Some(2.5), cached_input: Some(1.25), output: Some(10.0) };
        assert_eq!(price.microdollars(1_000, 0, 0), 2_500);
        assert_eq!(price.microdollars(0, 1_000, 0), 1_250);
        assert_eq!(price.microdollars(100, 100, 10), 250 + 125 + 100);
        assert_eq!(Price { cached_input: None, ..price }.microdollars(0, 1_000, 0), 2_500);
        assert_eq!(Price::default().microdollars(9, 9, 9), 0);
    }
}
