//! Members of requests that this form does not say, and that change nothing of what an answer says: how it is stored,
//! billed, watched, routed or cached. One list for all formats, because each format's writers meet those of every other.

/// Their names. OpenAI's (openai-openapi 2.3.0, codex 0.169), Anthropic's (SDK 2.11), Gemini's (google-genai 3.4),
/// Bedrock's (botocore 1.44.5).
const HARMLESS: &[&str] = &[
    // OpenAI
    "client_metadata",
    "include",
    // It counts only calls of tools that the provider runs.
    "max_tool_calls",
    // The name of who speaks, beside the role.
    "messages.name",
    "prompt_cache_options",
    "prompt_cache_retention",
    // Which of the thinking sent back is read again; an answer is not refused for thinking too much of it.
    "reasoning.context",
    "safety_identifier",
    "store",
    "stream_options",
    // `auto` lets a call that is too long be cut; without it that call fails and says so.
    "truncation",
    // OpenRouter, who else may answer and how it is billed; Cerebras.
    "clear_thinking",
    "models",
    "provider",
    "route",
    "transforms",
    "usage",
    // Anthropic. The management of the context trims old tool results and thinking to save tokens: without it the model
    // sees more, not less. `fallbacks` and the like say who answers when the first model may not.
    "anthropic_beta",
    "anthropic_version",
    "betas",
    // The answer is the same without the places that it cites.
    "citations",
    "context_management",
    "diagnostics",
    "fallback_credit_token",
    "fallbacks",
    "inference_geo",
    "output_config.task_budget",
    "speed",
    "user_profile_id",
    // Gemini. Its safety settings steer its own filters; another provider has its own.
    "labels",
    "generationConfig.enableEnhancedCivicAnswers",
    "generationConfig.mediaResolution",
    "safetySettings",
    // Shows what tools of Google's own did; who asked for such tools is refused for them.
    "toolConfig.includeServerSideToolInvocations",
    // Bedrock
    "additionalModelResponseFieldPaths",
    "performanceConfig",
    "requestMetadata",
];

/// Whether a member of [`super::Request::rest`] may be left out with a note. Any other is refused: it may change the answer.
#[must_use]
pub fn is_harmless(member: &str) -> bool {
    HARMLESS.contains(&member)
}

#[cfg(test)]
mod tests {
    use super::is_harmless;

    #[test]
    fn what_changes_the_answer_is_not_harmless() {
        for member in
            ["mcp_servers", "container", "previous_response_id", "conversation", "modalities", "prediction"]
        {
            assert!(!is_harmless(member), "{member}");
        }
        assert!(is_harmless("context_management"));
    }
}
