//! How much the model thinks: `thinking` and `output_config.effort`.

use serde::Serialize;

use super::families::{Family, Thinks};
use crate::ir::{Block, Effort, Reasoning, Request, Role, ToolChoice};

/// The least tokens that a budget may have, and that are left for the answer beside one.
const BUDGET_MIN: u64 = 1_024;

/// Tokens of thinking for a level of effort, for models that are told tokens, and back: a budget means the first level that
/// is not less.
const BUDGETS: [(Effort, u64); 5] = [
    (Effort::Low, 2_048),
    (Effort::Medium, 8_192),
    (Effort::High, 16_384),
    (Effort::XHigh, 32_768),
    (Effort::Max, 65_536),
];

/// What a request says about thinking.
#[derive(Debug, Default)]
pub(super) struct Thinking {
    /// `thinking`.
    pub(super) config: Option<Config>,
    /// `output_config.effort`.
    pub(super) effort: Option<Effort>,
    /// The caller's wish could not be said.
    pub(super) dropped: bool,
}

/// `thinking`.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Config {
    Enabled {
        budget_tokens: u64,
    },
    Adaptive {
        #[serde(skip_serializing_if = "Option::is_none")]
        display: Option<&'static str>,
    },
    Disabled,
}

impl Thinking {
    /// Whether the model thinks by this request's own word: sampling is then not free.
    pub(super) fn is_on(&self) -> bool {
        matches!(self.config, Some(Config::Enabled { .. } | Config::Adaptive { .. }))
    }

    /// Makes it of what is wanted.
    pub(super) fn of(request: &Request, family: &Family, max_tokens: u64) -> Self {
        let Some(wanted) = &request.reasoning else { return Self::default() };
        let off = wanted.enabled == Some(false)
            || (wanted.enabled.is_none() && wanted.effort.is_some_and(|effort| effort <= Effort::Minimal));
        let said = wanted.enabled.is_some()
            || wanted.effort.is_some()
            || wanted.budget_tokens.is_some()
            || wanted.adaptive;
        match family.thinks {
            _ if !said => Self::default(),
            Thinks::Never => Self { dropped: !off, ..Self::default() },
            Thinks::Always if off => Self { config: None, effort: family.effort(Effort::Low), dropped: true },
            Thinks::Budget | Thinks::Adaptive if off => Self::off(wanted, family),
            Thinks::Budget => Self::budget(request, wanted, family, max_tokens),
            Thinks::Adaptive | Thinks::Always => Self::adaptive(wanted, family),
        }
    }

    /// Effort is more than thinking: it says how many words and calls, too. But without thinking the highest levels are
    /// refused.
    fn off(wanted: &Reasoning, family: &Family) -> Self {
        let effort = wanted.effort.filter(|effort| *effort > Effort::Minimal);
        let effort = effort.and_then(|effort| family.effort(effort.min(Effort::High)));
        Self { config: Some(Config::Disabled), effort, dropped: false }
    }

    fn adaptive(wanted: &Reasoning, family: &Family) -> Self {
        let effort = wanted.effort.or_else(|| wanted.budget_tokens.map(effort_of));
        let display = wanted.show.map(|show| if show { "summarized" } else { "omitted" });
        Self {
            config: Some(Config::Adaptive { display }),
            effort: effort.and_then(|effort| family.effort(effort)),
            dropped: false,
        }
    }

    fn budget(request: &Request, wanted: &Reasoning, family: &Family, max_tokens: u64) -> Self {
        let by_effort = |effort: Effort| {
            BUDGETS.iter().find(|(level, _)| *level >= effort).map_or(BUDGET_MIN, |(_, tokens)| *tokens)
        };
        let tokens =
            wanted.budget_tokens.unwrap_or_else(|| by_effort(wanted.effort.unwrap_or(Effort::Medium)));
        let effort = wanted.effort.and_then(|effort| family.effort(effort));
        // Thinking must leave room for the answer, must not meet a forced tool, and in a loop of tools must have been there
        // from its start: else the provider refuses the call.
        if max_tokens <= BUDGET_MIN || forces_tool(request) || loops_without_thinking(request) {
            return Self { config: None, effort, dropped: true };
        }
        let room = max_tokens.saturating_sub(BUDGET_MIN).max(BUDGET_MIN);
        let budget_tokens = tokens.max(BUDGET_MIN).min(room);
        Self { config: Some(Config::Enabled { budget_tokens }), effort, dropped: false }
    }
}

fn effort_of(budget: u64) -> Effort {
    BUDGETS.iter().find(|(_, tokens)| budget <= *tokens).map_or(Effort::Max, |(effort, _)| *effort)
}

fn forces_tool(request: &Request) -> bool {
    match &request.tool_choice {
        Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Allowed { required: true, .. }) => {
            true
        }
        Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Allowed { required: false, .. }) | None => {
            false
        }
    }
}

/// Whether the call goes on with a loop of tools whose last answer has no thinking that can be sent back: it came from
/// another provider, or thinking was off.
fn loops_without_thinking(request: &Request) -> bool {
    let Some(last) = request.turns.iter().rposition(|turn| turn.role == Role::Assistant) else {
        return false;
    };
    let blocks = request.turns.get(last).map(|turn| turn.blocks.as_slice()).unwrap_or_default();
    let calls = blocks.iter().any(|block| matches!(block, Block::ToolUse { .. }));
    let thinks = blocks.iter().any(super::write_blocks::is_own_thinking);
    calls && !thinks
}
