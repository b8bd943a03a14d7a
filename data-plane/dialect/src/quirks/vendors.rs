//! The vendors. Sources: their API references as of November 2026, and what their recorded answers show.

use super::{Documents, MaxTokens, Quirks, ReasoningField, ThinkingBack};
use crate::ir::{Effort, ToolIdShape};

/// A vendor and where it is.
#[derive(Debug)]
pub(super) struct Vendor {
    /// Suffixes of its hosts.
    pub(super) hosts: &'static [&'static str],
    /// What it does.
    pub(super) quirks: Quirks,
}

/// Members that OpenAI alone has and that change nothing of an answer.
const OPENAI_ONLY: &[&str] = &[
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "verbosity",
];

/// Mistral refuses members that it does not know. `metadata` and `prompt_cache_key` it knows (recorded).
const NOT_MISTRALS: &[&str] = &[
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "user",
    "verbosity",
];

/// Groq as well. `metadata` and `service_tier` it knows (recorded).
const NOT_GROQS: &[&str] = &[
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "verbosity",
];

/// Google's compatible way as well.
const NOT_GOOGLES: &[&str] = &[
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
];

const ALL_EFFORTS: &[Effort] =
    &[Effort::None, Effort::Minimal, Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max];
const THREE_EFFORTS: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
const FOUR_EFFORTS: &[Effort] = &[Effort::None, Effort::Low, Effort::Medium, Effort::High];

pub(super) const OPENAI: Quirks = Quirks {
    vendor: "openai",
    tool_ids: ToolIdShape::OpenAi,
    max_tokens: MaxTokens::Completion,
    developer: true,
    seed: "seed",
    required: "required",
    allowed_tools: true,
    stream_options: true,
    strict: true,
    custom_tools: true,
    reasoning: ReasoningField::Effort,
    efforts: ALL_EFFORTS,
    thinking_back: ThinkingBack::None,
    documents: Documents::File,
    video: false,
    json_schema: true,
    many_choices: true,
    top_k: false,
    logprobs: true,
    stops_max: 4,
    cache_control: false,
    alternate: false,
    text_lists: true,
    google: false,
    drops: &[],
    refuses: &[],
};

/// One that nothing is known of: what vLLM, llama.cpp and other gateways have in common.
pub(super) const GENERIC: Quirks = Quirks {
    vendor: "generic",
    max_tokens: MaxTokens::Either,
    developer: false,
    allowed_tools: false,
    custom_tools: false,
    documents: Documents::None,
    efforts: THREE_EFFORTS,
    stops_max: usize::MAX,
    drops: OPENAI_ONLY,
    ..OPENAI
};

pub(super) static ALL: &[Vendor] = &[
    Vendor { hosts: &["api.openai.com"], quirks: OPENAI },
    // Its Grok, Mistral and Llama deployments are asked in the same words.
    Vendor {
        hosts: &["openai.azure.com", "services.ai.azure.com", "cognitiveservices.azure.com"],
        quirks: Quirks { vendor: "azure", ..OPENAI },
    },
    Vendor {
        hosts: &["mistral.ai"],
        quirks: Quirks {
            vendor: "mistral",
            tool_ids: ToolIdShape::Nine,
            max_tokens: MaxTokens::Old,
            seed: "random_seed",
            required: "any",
            stream_options: false,
            efforts: &[Effort::None, Effort::High],
            thinking_back: ThinkingBack::Parts,
            documents: Documents::Url,
            logprobs: false,
            drops: NOT_MISTRALS,
            refuses: NOT_MISTRALS,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["ollama.com"],
        quirks: Quirks {
            vendor: "ollama",
            max_tokens: MaxTokens::Old,
            efforts: FOUR_EFFORTS,
            many_choices: false,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["groq.com"],
        quirks: Quirks {
            vendor: "groq",
            max_tokens: MaxTokens::Completion,
            efforts: FOUR_EFFORTS,
            many_choices: false,
            logprobs: false,
            stops_max: 4,
            drops: NOT_GROQS,
            refuses: NOT_GROQS,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["deepseek.com"],
        quirks: Quirks {
            vendor: "deepseek",
            max_tokens: MaxTokens::Old,
            seed: "",
            reasoning: ReasoningField::Thinking,
            thinking_back: ThinkingBack::Content,
            json_schema: false,
            many_choices: false,
            stops_max: 16,
            text_lists: false,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["z.ai", "bigmodel.cn"],
        quirks: Quirks {
            vendor: "zai",
            max_tokens: MaxTokens::Old,
            seed: "",
            reasoning: ReasoningField::Thinking,
            thinking_back: ThinkingBack::Content,
            json_schema: false,
            many_choices: false,
            logprobs: false,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["x.ai"],
        quirks: Quirks {
            vendor: "xai",
            max_tokens: MaxTokens::Completion,
            developer: true,
            stops_max: 4,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["openrouter.ai"],
        quirks: Quirks {
            vendor: "openrouter",
            developer: true,
            reasoning: ReasoningField::Object,
            efforts: ALL_EFFORTS,
            thinking_back: ThinkingBack::Details,
            documents: Documents::FileOrUrl,
            video: true,
            many_choices: false,
            top_k: true,
            cache_control: true,
            drops: &[
                "metadata",
                "prompt_cache_options",
                "prompt_cache_retention",
                "safety_identifier",
                "store",
            ],
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["together.xyz", "together.ai"],
        quirks: Quirks {
            vendor: "together",
            max_tokens: MaxTokens::Old,
            top_k: true,
            logprobs: false,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["perplexity.ai"],
        quirks: Quirks {
            vendor: "perplexity",
            alternate: true,
            max_tokens: MaxTokens::Old,
            seed: "",
            many_choices: false,
            top_k: true,
            logprobs: false,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["cerebras.ai"],
        quirks: Quirks {
            vendor: "cerebras",
            max_tokens: MaxTokens::Completion,
            many_choices: false,
            refuses: OPENAI_ONLY,
            ..GENERIC
        },
    },
    Vendor {
        hosts: &["fireworks.ai"],
        quirks: Quirks { vendor: "fireworks", max_tokens: MaxTokens::Old, top_k: true, ..GENERIC },
    },
    Vendor {
        hosts: &["huggingface.co", "huggingface.cloud"],
        quirks: Quirks { vendor: "huggingface", max_tokens: MaxTokens::Old, many_choices: false, ..GENERIC },
    },
    Vendor {
        hosts: &["cloudflare.com"],
        quirks: Quirks {
            vendor: "cloudflare",
            max_tokens: MaxTokens::Old,
            many_choices: false,
            top_k: true,
            logprobs: false,
            ..GENERIC
        },
    },
    // Google's compatible way.
    Vendor {
        hosts: &["generativelanguage.googleapis.com", "aiplatform.googleapis.com"],
        quirks: Quirks {
            vendor: "gemini",
            seed: "",
            logprobs: false,
            google: true,
            drops: NOT_GOOGLES,
            refuses: NOT_GOOGLES,
            ..GENERIC
        },
    },
    Vendor { hosts: &[], quirks: GENERIC },
];
