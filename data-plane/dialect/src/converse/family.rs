//! Makers of models behind Bedrock. Converse is one format for all, but thinking and some sampling go in members that each
//! maker names for itself (`additionalModelRequestFields`), and not all know all.

use serde_json::{Map, Value, json};

use crate::ir::{Cache, Dropped, Effort, Reasoning};

/// Who made a model, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Anthropic; its version, (4, 5) for Claude Sonnet 4.5, (0, 0) for those before 3.
    Claude(u32, u32),
    /// Amazon's Nova, which thinks from its second generation on.
    Nova {
        /// It thinks.
        thinks: bool,
    },
    /// OpenAI's open models.
    Gpt,
    /// Qwen.
    Qwen,
    /// Mistral.
    Mistral,
    /// Cohere.
    Cohere,
    /// Any other.
    Other,
    /// The model's name does not say it: a profile of the account.
    Unknown,
}

/// Where a cache point would stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CachePlace {
    System,
    Tools,
    Messages,
}

/// The first Claude that decides itself how much it thinks.
const ADAPTIVE: (u32, u32) = (4, 6);
/// The fewest tokens that Claude takes as a bound of thinking (source: Anthropic, "Extended thinking").
const BUDGET_MIN: u64 = 1024;

impl Family {
    /// Reads a model's name: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, or the ARN of one.
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase();
        let is = |part: &str| model.contains(part);
        if let Some((_, claude)) = model.split_once("claude") {
            let (major, minor) = claude_version(claude);
            Self::Claude(major, minor)
        } else if is("nova-") {
            Self::Nova { thinks: is("nova-2") }
        } else if is("openai.") {
            Self::Gpt
        } else if is("qwen.") {
            Self::Qwen
        } else if is("mistral.") {
            Self::Mistral
        } else if is("cohere.") {
            Self::Cohere
        } else if model.starts_with("arn:") {
            Self::Unknown
        } else {
            Self::Other
        }
    }

    /// Returns the cache point that may stand there. Others than Claude and Nova refuse them, and Nova those of tools and
    /// those that live an hour (source: Bedrock user guide, "Prompt caching").
    pub(super) fn cache(self, cache: Option<Cache>, place: CachePlace) -> Option<Cache> {
        match self {
            Self::Claude(..) | Self::Unknown => cache,
            Self::Nova { .. } if place != CachePlace::Tools => cache.map(|_| Cache::Default),
            Self::Nova { .. } | Self::Gpt | Self::Qwen | Self::Mistral | Self::Cohere | Self::Other => None,
        }
    }

    /// Whether a tool's result can say that the tool failed (source: botocore's model, `ToolResultBlock`).
    pub(super) fn has_result_status(self) -> bool {
        matches!(self, Self::Claude(..) | Self::Nova { .. } | Self::Unknown)
    }

    /// Whether a tool can be held to its schema. Recorded for Claude 4.5 alone.
    pub(super) fn has_strict_tools(self) -> bool {
        matches!(self, Self::Claude(major, minor) if (major, minor) >= (4, 5))
    }

    /// Whether calls can be held to one at a time.
    pub(super) fn has_single_calls(self) -> bool {
        self.has_strict_tools()
    }

    /// Whether the answer can say by which text it was ended.
    pub(super) fn says_stop_sequence(self) -> bool {
        matches!(self, Self::Claude(major, _) if major >= 3)
    }

    /// Writes `top_k`; false if the model has none.
    pub(super) fn top_k(self, top_k: u64, fields: &mut Map<String, Value>) -> bool {
        match self {
            Self::Claude(..) | Self::Mistral => fields.insert("top_k".to_owned(), top_k.into()),
            Self::Cohere => fields.insert("k".to_owned(), top_k.into()),
            Self::Nova { .. } => fields.insert("inferenceConfig".to_owned(), json!({ "topK": top_k })),
            Self::Gpt | Self::Qwen | Self::Other | Self::Unknown => return false,
        };
        true
    }

    /// Writes how much the model thinks. Returns whether sampling must keep its defaults, as Claude demands then.
    pub(super) fn think(
        self,
        reasoning: &Reasoning,
        bounds: Bounds,
        fields: &mut Map<String, Value>,
        dropped: &mut Vec<Dropped>,
    ) -> bool {
        let asked = asked(reasoning);
        match self {
            Self::Claude(major, minor) if (major, minor) >= (3, 7) => {
                if asked == Some(false) {
                    return false;
                }
                claude((major, minor), reasoning, bounds.max_tokens, fields, dropped)
            }
            Self::Nova { thinks: true } if asked == Some(false) => false,
            Self::Nova { thinks: true } => {
                let level = nova_level(level(reasoning), bounds);
                let config = json!({ "type": "enabled", "maxReasoningEffort": level });
                fields.insert("reasoningConfig".to_owned(), config);
                false
            }
            Self::Gpt => {
                fields.insert("reasoning_effort".to_owned(), level(reasoning).into());
                false
            }
            Self::Qwen if asked == Some(false) => false,
            Self::Qwen => {
                let level = if level(reasoning) == "low" { "low" } else { "high" };
                fields.insert("reasoning_config".to_owned(), level.into());
                false
            }
            Self::Claude(..)
            | Self::Nova { thinks: false }
            | Self::Mistral
            | Self::Cohere
            | Self::Other
            | Self::Unknown => {
                if asked == Some(true) {
                    dropped.push("reasoning_effort".to_owned());
                }
                false
            }
        }
    }
}

/// What the caller says of bounds and sampling: some thinking goes with none of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) max_tokens: Option<u64>,
    pub(super) sampling: bool,
}

/// Reads a version behind `claude`: `-sonnet-4-5-20250929-v1:0`, `-3-5-haiku-20241022`, `-v2:1`.
fn claude_version(rest: &str) -> (u32, u32) {
    let short = |word: &&str| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = rest.split(['-', ':', '.', '@']).filter(|word| !word.is_empty());
    let Some(major) = words.by_ref().find(short) else { return (0, 0) };
    let minor = words.next().filter(short);
    let number = |word: &str| word.parse().unwrap_or_default();
    // `-v2:1` has a short number too, but only behind its colon.
    if rest.starts_with("-v") || rest.starts_with("-instant") {
        return (0, 0);
    }
    (number(major), minor.map(number).unwrap_or_default())
}

/// Whether the caller wants thinking; none: the caller does not say.
fn asked(reasoning: &Reasoning) -> Option<bool> {
    match (reasoning.enabled, reasoning.effort, reasoning.budget_tokens) {
        (Some(enabled), ..) => Some(enabled),
        (None, Some(Effort::None | Effort::Minimal), _) | (None, None, Some(0)) => Some(false),
        (None, Some(_), _) | (None, None, Some(_)) => Some(true),
        (None, None, None) => reasoning.adaptive.then_some(true),
    }
}

/// Returns one of three levels.
fn level(reasoning: &Reasoning) -> &'static str {
    match (reasoning.effort, reasoning.budget_tokens) {
        (Some(Effort::None | Effort::Minimal | Effort::Low), _) => "low",
        (Some(Effort::Medium), _) | (None, None) => "medium",
        (Some(Effort::High | Effort::XHigh | Effort::Max), _) => "high",
        (None, Some(0..=2_048)) => "low",
        (None, Some(2_049..=8_192)) => "medium",
        (None, Some(_)) => "high",
    }
}

/// Nova thinks highly only without a bound and with its own sampling (source: Nova 2 user guide, "Extended thinking").
fn nova_level(level: &'static str, bounds: Bounds) -> &'static str {
    if level == "high" && (bounds.max_tokens.is_some() || bounds.sampling) { "medium" } else { level }
}

fn claude(
    version: (u32, u32),
    reasoning: &Reasoning,
    max_tokens: Option<u64>,
    fields: &mut Map<String, Value>,
    dropped: &mut Vec<Dropped>,
) -> bool {
    let by_budget = reasoning.budget_tokens.is_some() && !reasoning.adaptive && version <= ADAPTIVE;
    if version >= ADAPTIVE && !by_budget {
        if asked(reasoning).is_none() {
            return false;
        }
        let mut thinking = json!({ "type": "adaptive" });
        if let (Some(show), Some(thinking), (5.., _)) = (reasoning.show, thinking.as_object_mut(), version) {
            thinking.insert("display".to_owned(), if show { "summarized" } else { "omitted" }.into());
        }
        fields.insert("thinking".to_owned(), thinking);
        if let Some(effort) = reasoning.effort {
            fields.insert("output_config".to_owned(), json!({ "effort": claude_effort(effort) }));
        }
        return true;
    }
    if asked(reasoning).is_none() {
        return false;
    }
    let wanted = reasoning.budget_tokens.unwrap_or(match reasoning.effort {
        Some(Effort::None | Effort::Minimal | Effort::Low) => 2_048,
        Some(Effort::Medium) | None => 8_192,
        Some(Effort::High) => 16_384,
        Some(Effort::XHigh | Effort::Max) => 32_000,
    });
    // A quarter of the bound stays for the answer, unless the caller says both numbers: then all but one token.
    let room = max_tokens.map_or(u64::MAX, |max| match reasoning.budget_tokens {
        Some(_) => max.saturating_sub(1),
        None => (max - max / 4).max(BUDGET_MIN.min(max.saturating_sub(1))),
    });
    let budget = wanted.max(BUDGET_MIN).min(room);
    if budget < BUDGET_MIN {
        dropped.push("reasoning_effort".to_owned());
        return false;
    }
    fields.insert("thinking".to_owned(), json!({ "type": "enabled", "budget_tokens": budget }));
    true
}

/// Claude's words for effort. `xhigh` is not known to all (recorded: "does not support effort level 'xhigh'").
fn claude_effort(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh => "high",
        Effort::Max => "max",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_who_made_the_model() {
        for (model, family) in [
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Family::Claude(4, 5)),
            ("us.anthropic.claude-sonnet-4-20250514-v1%3A0", Family::Claude(4, 0)),
            ("anthropic.claude-3-7-sonnet-20250219-v1:0", Family::Claude(3, 7)),
            ("anthropic.claude-3-haiku-20240307-v1:0", Family::Claude(3, 0)),
            ("us.anthropic.claude-sonnet-4-6", Family::Claude(4, 6)),
            ("us.anthropic.claude-sonnet-5", Family::Claude(5, 0)),
            ("anthropic.claude-v2:1", Family::Claude(0, 0)),
            ("anthropic.claude-instant-v1", Family::Claude(0, 0)),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-1-20250805-v1:0",
                Family::Claude(4, 1),
            ),
            ("us.amazon.nova-2-lite-v1:0", Family::Nova { thinks: true }),
            ("amazon.nova-pro-v1:0", Family::Nova { thinks: false }),
            ("openai.gpt-oss-120b-1:0", Family::Gpt),
            ("qwen.qwen3-32b-v1:0", Family::Qwen),
            ("meta.llama3-8b-instruct-v1:0", Family::Other),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/mi1dadi0g15f",
                Family::Unknown,
            ),
        ] {
            assert_eq!(Family::of(model), family, "{model}");
        }
    }

    #[test]
    fn thinking_goes_where_each_maker_looks_for_it() {
        let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
        let budget =
            |tokens| Reasoning { budget_tokens: Some(tokens), enabled: Some(true), ..Reasoning::default() };
        let shown = Reasoning { show: Some(true), adaptive: true, ..Reasoning::default() };
        for (model, reasoning, max, fields) in [
            (
                "claude-sonnet-4-6",
                effort(Effort::XHigh),
                None,
                r#"{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}"#,
            ),
            ("claude-sonnet-5", shown, None, r#"{"thinking":{"type":"adaptive","display":"summarized"}}"#),
            (
                "claude-sonnet-4-6",
                budget(2000),
                None,
                r#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#,
            ),
            (
                "claude-sonnet-4-5",
                effort(Effort::High),
                Some(4000),
                r#"{"thinking":{"type":"enabled","budget_tokens":3000}}"#,
            ),
            (
                "claude-sonnet-4-5",
                effort(Effort::High),
                Some(1200),
                r#"{"thinking":{"type":"enabled","budget_tokens":1024}}"#,
            ),
            ("claude-sonnet-4-5", effort(Effort::High), Some(1000), "{}"),
            ("claude-sonnet-4-5", effort(Effort::Minimal), None, "{}"),
            ("claude-sonnet-5", Reasoning::default(), None, "{}"),
            ("claude-3-5-sonnet", effort(Effort::High), None, "{}"),
            (
                "nova-2-lite",
                effort(Effort::Max),
                None,
                r#"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}"#,
            ),
            (
                "nova-2-lite",
                effort(Effort::Max),
                Some(9),
                r#"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}"#,
            ),
            ("openai.gpt-oss", effort(Effort::None), None, r#"{"reasoning_effort":"low"}"#),
            ("qwen.qwen3", effort(Effort::Medium), None, r#"{"reasoning_config":"high"}"#),
            ("deepseek.r1", effort(Effort::Medium), None, "{}"),
        ] {
            let (mut map, mut dropped) = (Map::new(), Vec::new());
            let bounds = Bounds { max_tokens: max, sampling: false };
            Family::of(model).think(&reasoning, bounds, &mut map, &mut dropped);
            assert_eq!(Value::Object(map).to_string(), fields, "{model}");
        }
    }
}
