//! What the families of models take, as data. The catalogue's word on the bound of tokens goes before this table; for the rest
//! there is no other source at the time of a call.
//!
//! Sources: Anthropic's pages on models, thinking, effort and structured outputs as of November 2026; recorded answers (4.6
//! refuses `xhigh`: "Supported levels: high, low, max, medium"; 4.6 takes `adaptive` together with a forced tool; Haiku 4.5
//! takes 64,000 tokens, Sonnet 5 and Opus 5.5 take 128,000).

use crate::ir::Effort;

/// How a family thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinks {
    /// Not at all.
    Never,
    /// If it is told how many tokens (`enabled`).
    Budget,
    /// As much as it likes (`adaptive`), steered by effort.
    Adaptive,
    /// As `Adaptive`, and it cannot be turned off.
    Always,
}

/// Which of `temperature`, `top_p` and `top_k` a family takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sampling {
    /// All.
    All,
    /// Either `temperature` or `top_p`.
    One,
    /// None.
    None,
}

/// What a family of models takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// A part of the model's name, lower case, dots as dashes.
    name: &'static str,
    /// The most tokens that it writes.
    pub(super) max_tokens: u64,
    /// How it thinks.
    pub(super) thinks: Thinks,
    /// The levels of effort, from the lowest.
    pub(super) efforts: &'static [Effort],
    /// What it takes of sampling.
    pub(super) sampling: Sampling,
    /// It holds answers and arguments of tools to a schema.
    pub(super) schemas: bool,
}

const NO_EFFORT: &[Effort] = &[];
const TO_HIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];
const NO_XHIGH: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::Max];
const ALL: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High, Effort::XHigh, Effort::Max];

const fn family(
    name: &'static str,
    max_tokens: u64,
    thinks: Thinks,
    efforts: &'static [Effort],
    sampling: Sampling,
    schemas: bool,
) -> Family {
    Family { name, max_tokens, thinks, efforts, sampling, schemas }
}

/// The first whose name is a part of the model's counts. The last are any other Claude, taken for a new one, and any other
/// model behind this format (DeepSeek, Kimi, GLM, llama-server), taken for one that knows the format as it was first.
const FAMILIES: &[Family] = &[
    family("claude-3-haiku", 4_096, Thinks::Never, NO_EFFORT, Sampling::All, false),
    family("claude-3-opus", 4_096, Thinks::Never, NO_EFFORT, Sampling::All, false),
    family("claude-3-sonnet", 4_096, Thinks::Never, NO_EFFORT, Sampling::All, false),
    family("claude-3-5", 8_192, Thinks::Never, NO_EFFORT, Sampling::All, false),
    family("claude-3-7", 64_000, Thinks::Budget, NO_EFFORT, Sampling::All, false),
    family("opus-4-8", 128_000, Thinks::Adaptive, ALL, Sampling::None, true),
    family("opus-4-7", 128_000, Thinks::Adaptive, ALL, Sampling::None, true),
    family("opus-4-6", 128_000, Thinks::Adaptive, NO_XHIGH, Sampling::One, true),
    family("opus-4-5", 64_000, Thinks::Budget, TO_HIGH, Sampling::One, true),
    family("opus-4-1", 32_000, Thinks::Budget, NO_EFFORT, Sampling::One, true),
    family("opus-4", 32_000, Thinks::Budget, NO_EFFORT, Sampling::All, false),
    family("sonnet-4-6", 64_000, Thinks::Adaptive, TO_HIGH, Sampling::One, true),
    family("sonnet-4-5", 64_000, Thinks::Budget, NO_EFFORT, Sampling::One, true),
    family("sonnet-4", 64_000, Thinks::Budget, NO_EFFORT, Sampling::All, false),
    family("haiku-4", 64_000, Thinks::Budget, NO_EFFORT, Sampling::One, true),
    family("fable", 64_000, Thinks::Always, ALL, Sampling::None, true),
    family("mythos", 64_000, Thinks::Always, ALL, Sampling::None, true),
    family("opus-5", 128_000, Thinks::Adaptive, ALL, Sampling::None, true),
    family("sonnet-5", 128_000, Thinks::Adaptive, ALL, Sampling::None, true),
    family("claude", 64_000, Thinks::Adaptive, ALL, Sampling::None, true),
    ANY,
];

const ANY: Family = family("", 8_192, Thinks::Budget, NO_EFFORT, Sampling::All, true);

impl Family {
    /// Returns the family of a model.
    pub(super) fn of(model: &str) -> Self {
        let model = model.to_ascii_lowercase().replace('.', "-");
        FAMILIES.iter().find(|family| model.contains(family.name)).copied().unwrap_or(ANY)
    }

    /// Returns the strongest effort that the family knows and that is not more than wanted; the weakest if all are more.
    pub(super) fn effort(&self, wanted: Effort) -> Option<Effort> {
        self.efforts.iter().rev().find(|known| **known <= wanted).or_else(|| self.efforts.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_family() {
        for (model, max_tokens, thinks) in [
            ("claude-3-5-haiku-20241022", 8_192, Thinks::Never),
            ("claude-3-7-sonnet-latest", 64_000, Thinks::Budget),
            ("claude-opus-4-20250514", 32_000, Thinks::Budget),
            ("claude-opus-4.1", 32_000, Thinks::Budget),
            ("anthropic.claude-haiku-4-5-20251001-v1:0", 64_000, Thinks::Budget),
            ("claude-opus-4-6", 128_000, Thinks::Adaptive),
            ("claude-fable-5-1", 64_000, Thinks::Always),
            ("claude-opus-5-5", 128_000, Thinks::Adaptive),
            ("claude-haiku-5-5", 64_000, Thinks::Adaptive),
            ("deepseek-chat", 8_192, Thinks::Budget),
        ] {
            let family = Family::of(model);
            assert_eq!((family.max_tokens, family.thinks), (max_tokens, thinks), "{model}");
        }
    }

    #[test]
    fn effort_is_clamped_to_what_the_family_knows() {
        let opus = Family::of("claude-opus-4-6");
        assert_eq!(opus.effort(Effort::XHigh), Some(Effort::High));
        assert_eq!(opus.effort(Effort::Max), Some(Effort::Max));
        assert_eq!(opus.effort(Effort::Minimal), Some(Effort::Low));
        assert_eq!(Family::of("claude-haiku-4-5").effort(Effort::High), None);
    }
}
