//! What a caller must get of a recording: its text, with the edits that are documented.

use breakwater_dialect::Format;
use serde_json::Value;

use crate::edit::{find, remove, remove_at, set};
use crate::{ALIAS, ID};

/// Members of answers that name a vendor.
const VENDORS: [&str; 17] = [
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
    "content_filters",
    "billing",
    "createTime",
];
/// The same of choices.
const OF_CHOICES: [&str; 9] = [
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
/// The same of usage.
const OF_USAGE: [&str; 26] = [
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

fn without(text: &str, path: &[&str], keys: &[&str]) -> String {
    keys.iter().fold(text.to_owned(), |text, key| remove_at(&text, path, key))
}

/// Everything that names a vendor, but ids, which other rules change.
fn anonymous(text: &str, at: &[&str], usage: &str) -> String {
    let text = without(text, at, &VENDORS);
    without(&text, &[at, &[usage]].concat(), &OF_USAGE)
}

/// A text of JSON.
pub fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// One whole answer, or one event's data: the same members change.
pub fn answer(format: Format, text: &str) -> String {
    let alias = quoted(ALIAS);
    match format {
        Format::Chat | Format::Completions => {
            let prefix = if format == Format::Chat { "chatcmpl" } else { "cmpl" };
            let mut text = set(text, &["model"], &alias);
            text = set(&text, &["id"], &quoted(&format!("{prefix}-{ID}")));
            for side in ["input", "output"] {
                text = set(&text, &["moderation", side, "model"], &alias);
                text = set(&text, &["moderation", side, "results", "*", "model"], &alias);
            }
            if text.contains(r#""service_tier": "on_demand""#)
                || text.contains(r#""service_tier":"on_demand""#)
            {
                text = set(&text, &["service_tier"], r#""default""#);
            }
            without(&anonymous(&text, &[], "usage"), &["choices", "*"], &OF_CHOICES)
        }
        Format::Responses => {
            // A whole answer is the response; events carry it.
            let text = if find(text, &["object"]).is_empty() {
                text.to_owned()
            } else {
                anonymous(&set(text, &["model"], &alias), &[], "usage")
            };
            anonymous(&set(&text, &["response", "model"], &alias), &["response"], "usage")
        }
        Format::Messages => {
            let id = quoted(&format!("msg_{ID}"));
            let text = &without(text, &["usage"], &OF_USAGE);
            if find(text, &["message"]).is_empty() {
                let event = find(text, &["content"]).is_empty();
                return if event {
                    text.to_owned()
                } else {
                    set(&set(text, &["model"], &alias), &["id"], &id)
                };
            }
            let text = without(text, &["message", "usage"], &OF_USAGE);
            set(&set(&text, &["message", "model"], &alias), &["message", "id"], &id)
        }
        Format::Gemini => {
            let text = anonymous(text, &[], "usageMetadata");
            set(&set(&text, &["modelVersion"], &alias), &["responseId"], &quoted(ID))
        }
        Format::Embeddings => remove(&anonymous(&set(text, &["model"], &alias), &[], "usage"), "id"),
        Format::Moderations => set(&set(text, &["model"], &alias), &["id"], &quoted(ID)),
        Format::CountTokens | Format::Converse => text.to_owned(),
        Format::Ollama => panic!("Ollama's own format is only ever a provider's"),
    }
}

/// One event's data; none if the caller gets nothing of it: it is only there because the proxy asked for usage.
pub fn event(format: Format, text: &str, asked_usage: bool) -> Option<String> {
    if !matches!(format, Format::Chat | Format::Completions) {
        return Some(answer(format, text));
    }
    let value: Value = serde_json::from_str(text).expect("an event is JSON");
    let no_choices = value["choices"].as_array().is_some_and(Vec::is_empty);
    if !asked_usage && no_choices && value["usage"].is_object() {
        return None;
    }
    let mut text = answer(format, text);
    if !asked_usage && value.get("usage").is_some_and(Value::is_null) {
        text = remove(&text, "usage");
    }
    Some(text)
}
