//! How much a model is to think: every vendor of this format has a word of its own for it.

use super::read_request::{boolean, text, whole, wrong};
use crate::ir::{Effort, Reasoning, Refused, Request};
use crate::json::Place;

/// Takes a member if it speaks of reasoning.
pub(super) fn take(key: &str, value: Place<'_>, request: &mut Request) -> Result<bool, Refused> {
    let reasoning = || request.reasoning.clone().unwrap_or_default();
    let said = match key {
        "reasoning_effort" => Reasoning { effort: effort(key, value)?, ..reasoning() },
        // OpenRouter's.
        "reasoning" if value.is_object() => object(value, reasoning())?,
        "include_reasoning" => Reasoning { show: Some(boolean(key, value)?), ..reasoning() },
        // DeepSeek's and Z.ai's, in Anthropic's shape.
        "thinking" if value.is_object() => thinking(value, reasoning())?,
        // Qwen's.
        "enable_thinking" => Reasoning { enabled: Some(boolean(key, value)?), ..reasoning() },
        "thinking_budget" => Reasoning { budget_tokens: Some(whole(key, value)?), ..reasoning() },
        // Groq's: whether thinking comes apart, within the text, or not at all.
        "reasoning_format" => {
            let hidden = value.as_str().is_some_and(|word| word == "hidden");
            if !hidden {
                return Ok(true);
            }
            Reasoning { show: Some(false), ..reasoning() }
        }
        _ => return Ok(false),
    };
    if said != Reasoning::default() {
        request.reasoning = Some(said);
    }
    Ok(true)
}

/// Groq's `default` and others' `auto` say nothing.
fn effort(param: &str, value: Place<'_>) -> Result<Option<Effort>, Refused> {
    let word = text(param, value)?;
    if matches!(&*word, "default" | "auto") {
        return Ok(None);
    }
    Effort::parse(&word).map(Some).ok_or_else(|| wrong(param, "is not a known effort"))
}

fn object(value: Place<'_>, mut reasoning: Reasoning) -> Result<Reasoning, Refused> {
    for member in value.members().filter(|member| !member.value.is_null()) {
        match &*member.key {
            "effort" => reasoning.effort = effort("reasoning.effort", member.value)?,
            "max_tokens" => {
                reasoning.budget_tokens = Some(whole("reasoning.max_tokens", member.value)?);
            }
            "enabled" => reasoning.enabled = Some(boolean("reasoning.enabled", member.value)?),
            "exclude" => reasoning.show = Some(!boolean("reasoning.exclude", member.value)?),
            _ => {}
        }
    }
    Ok(reasoning)
}

fn thinking(value: Place<'_>, mut reasoning: Reasoning) -> Result<Reasoning, Refused> {
    match value.get("type").and_then(|kind| kind.as_str()).as_deref() {
        Some("disabled") => reasoning.enabled = Some(false),
        Some("adaptive" | "auto") => reasoning.adaptive = true,
        _ => reasoning.enabled = Some(true),
    }
    if let Some(budget) = value.get("budget_tokens").filter(|budget| !budget.is_null()) {
        reasoning.budget_tokens = Some(whole("thinking.budget_tokens", budget)?);
    }
    Ok(reasoning)
}
