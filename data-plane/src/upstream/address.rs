//! Where a call goes at a provider: below its `base_url`, by its type and the format in which it is asked.

use breakwater_common::resource::{Provider, ProviderType};
use breakwater_dialect::Format;
use http::Uri;

use crate::call::Attempt;

/// Returns the address; none if the configuration makes none.
pub(super) fn address(attempt: &Attempt) -> Option<Uri> {
    let provider = &attempt.upstream.provider;
    let exchange = &attempt.exchange;
    let base = provider.base_url.trim_end_matches('/');
    if let Some(state) = &attempt.state {
        return format!("{base}/{}", state.target).parse().ok();
    }
    let address = match exchange.provider {
        Format::Chat => openai(provider, base, attempt, "chat/completions"),
        Format::Completions => openai(provider, base, attempt, "completions"),
        Format::Embeddings => openai(provider, base, attempt, "embeddings"),
        Format::Responses => format!("{base}/responses"),
        Format::Moderations => format!("{base}/moderations"),
        Format::Messages => format!("{}/messages", versioned(base, "v1")),
        Format::CountTokens => format!("{}/messages/count_tokens", versioned(base, "v1")),
        Format::Gemini => {
            let method = match (exchange.client, attempt.stream) {
                (Format::Embeddings, _) => "batchEmbedContents",
                (_, true) => "streamGenerateContent?alt=sse",
                (_, false) => "generateContent",
            };
            let model = attempt.model.strip_prefix("models/").unwrap_or(&attempt.model);
            format!("{}/models/{}:{method}", versioned(base, "v1beta"), escaped(model))
        }
        Format::Converse => {
            let method = match (exchange.client, attempt.stream) {
                (Format::Embeddings, _) => "invoke",
                (_, true) => "converse-stream",
                (_, false) => "converse",
            };
            format!("{base}/model/{}/{method}", escaped(&attempt.model))
        }
        Format::Ollama if exchange.client == Format::Embeddings => format!("{base}/api/embed"),
        Format::Ollama => format!("{base}/api/chat"),
    };
    address.parse().ok()
}

/// OpenAI's path, or Azure's: its v1 address is OpenAI's, its older one has the deployment in the path and a dated version
/// (source: Azure OpenAI REST API reference, data plane inference).
fn openai(provider: &Provider, base: &str, attempt: &Attempt, path: &str) -> String {
    if provider.provider_type != ProviderType::AzureOpenAi || base.ends_with("/v1") {
        return format!("{base}/{path}");
    }
    let deployment = if attempt.deployment.is_empty() { &attempt.model } else { &attempt.deployment };
    let base = base.strip_suffix("/openai").unwrap_or(base);
    let (deployment, version) = (escaped(deployment), escaped(&provider.api_version));
    format!("{base}/openai/deployments/{deployment}/{path}?api-version={version}")
}

/// Returns the base with a version, unless it has one already: both forms are written in the wild.
fn versioned(base: &str, version: &str) -> String {
    let last = base.rsplit('/').next().unwrap_or_default();
    let has = last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if has { base.to_owned() } else { format!("{base}/{version}") }
}

/// Escapes everything but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_gets_its_version_once() {
        assert_eq!(versioned("https://api.anthropic.com", "v1"), "https://api.anthropic.com/v1");
        assert_eq!(versioned("https://x/v1", "v1"), "https://x/v1");
        assert_eq!(versioned("https://x/v1beta", "v1beta"), "https://x/v1beta");
        assert_eq!(versioned("https://x/vertex", "v1"), "https://x/vertex/v1");
    }

    #[test]
    fn names_of_models_are_escaped() {
        assert_eq!(escaped("us.anthropic.claude-v1:0"), "us.anthropic.claude-v1%3A0");
        assert_eq!(escaped("a/b c"), "a%2Fb%20c");
    }
}
