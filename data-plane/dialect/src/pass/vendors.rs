//! Members of answers that name the vendor behind them, by where they stand: what is no part of the format, or says where,
//! how fast or at what price the vendor worked (source: recorded answers of 24 vendors). Routes that reveal keep them.
//! What holds the answer itself or its sources stays, also where one vendor alone has it (`citations`, `search_results`).

use crate::json::{Edits, Member, Place};

/// Of an answer or a chunk.
const ROOT: &[&str] = &[
    // OpenRouter, OpenAI, Groq, Azure, Cerebras, Hugging Face, Zhipu, vLLM, llama.cpp.
    "provider",
    "system_fingerprint",
    "x_groq",
    "usage_breakdown",
    "prompt_filter_results",
    "latency_checkpoint",
    "time_info",
    "sla_metrics",
    "request_id",
    "kv_transfer_params",
    "prompt_token_ids",
    "prompt_text",
    "metrics",
    "timings",
    // Responses: Azure, OpenAI's billing.
    "content_filters",
    "billing",
    // Gemini: Vertex alone says it.
    "createTime",
];

/// Of one choice.
const CHOICE: &[&str] = &[
    // OpenRouter repeats the reason in the words of who answered.
    "native_finish_reason",
    "content_filter_results",
    "content_filter_result",
    "content_filter_raw",
    "content_filter_offsets",
    "routed_experts",
    "seed",
    "stop_reason",
    "token_ids",
];

/// Of the usage: prices, places, times, and counts under a vendor's own names that repeat others.
const USAGE: &[&str] = &[
    "cost",
    "cost_details",
    "cost_in_usd_ticks",
    "is_byok",
    "pydantic_ai_gateway",
    "queue_time",
    "prompt_time",
    "completion_time",
    "total_time",
    "latency_checkpoint",
    "prompt_cache_hit_tokens",
    "prompt_cache_miss_tokens",
    "num_cached_tokens",
    "num_sources_used",
    "num_server_side_tools_used",
    "server_side_tool_usage_details",
    "context_details",
    "search_context_size",
    "draft_tokens",
    "draft_tokens_acceptance",
    "tokens_per_second",
    "prompt_tokens_per_second",
    "time_per_output_token_ms",
    "time_to_first_token_ms",
    "inference_geo",
    "trafficType",
];

/// Tiers of service under a vendor's own name, with the format's word for them.
const TIERS: &[(&str, &str)] = &[("on_demand", r#""default""#)];

/// Whether a member of an answer goes.
pub(crate) fn of_root(member: &Member<'_>, revealed: bool) -> bool {
    !revealed && ROOT.contains(&&*member.key)
}

/// Whether a member of a choice goes.
pub(crate) fn of_choice(member: &Member<'_>, revealed: bool) -> bool {
    !revealed && CHOICE.contains(&&*member.key)
}

/// Adds the edits of a usage.
pub(crate) fn remove_from_usage(usage: Place<'_>, revealed: bool, edits: &mut Edits) {
    if !revealed && usage.is_object() {
        edits.remove_members(&usage, |member| USAGE.contains(&&*member.key));
    }
}

/// Adds the edits of an answer without its choices.
pub(crate) fn remove(root: Place<'_>, usage: &str, revealed: bool, edits: &mut Edits) {
    edits.remove_members(&root, |member| of_root(member, revealed));
    if let Some(usage) = root.get(usage) {
        remove_from_usage(usage, revealed, edits);
    }
}

/// Adds the edit of a tier of service.
pub(crate) fn rename_tier(tier: Place<'_>, revealed: bool, edits: &mut Edits) {
    let said = tier.as_str().unwrap_or_default();
    let known = TIERS.iter().find(|(vendors, _)| *vendors == said).filter(|_| !revealed);
    if let Some((_, word)) = known {
        edits.replace(tier.range(), *word);
    }
}
