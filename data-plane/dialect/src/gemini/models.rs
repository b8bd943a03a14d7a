//! What models of Google differ in, by their names.

use crate::ir::Effort;

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    /// It cannot be told.
    Never,
    /// By tokens.
    Budget {
        /// The fewest.
        min: u64,
        /// The most.
        max: u64,
        /// 0 turns it off.
        off: bool,
    },
    /// By words, weakest first.
    Levels(&'static [(Effort, &'static str)]),
}

/// What a model differs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) thinking: Thinking,
    /// A tool call of the turn at hand must bring its signature, else the answer is 400
    /// (source: ai.google.dev/gemini-api/docs/thought-signatures).
    pub(super) signatures: bool,
    /// A tool's result may hold pictures and documents itself (source: recorded requests to gemini-3-flash-preview;
    /// ai.google.dev/gemini-api/docs/function-calling, multimodal function responses, Gemini 3 and later).
    pub(super) media_in_results: bool,
    /// `VALIDATED`, which holds arguments to their schema, is known (source: recorded with 2.5 and 3).
    pub(super) validated: bool,
}

const FOUR: &[(Effort, &str)] =
    &[(Effort::Minimal, "MINIMAL"), (Effort::Low, "LOW"), (Effort::Medium, "MEDIUM"), (Effort::High, "HIGH")];
const THREE: &[(Effort, &str)] = &[(Effort::Low, "LOW"), (Effort::Medium, "MEDIUM"), (Effort::High, "HIGH")];
const TWO: &[(Effort, &str)] = &[(Effort::Low, "LOW"), (Effort::High, "HIGH")];

const BEFORE: Model =
    Model { thinking: Thinking::Never, signatures: false, media_in_results: false, validated: false };
const fn second(min: u64, max: u64, off: bool) -> Model {
    Model { thinking: Thinking::Budget { min, max, off }, validated: true, ..BEFORE }
}
const fn third(levels: &'static [(Effort, &'static str)]) -> Model {
    Model { thinking: Thinking::Levels(levels), signatures: true, media_in_results: true, validated: true }
}

/// By how names begin; the first that fits counts. Budgets and levels: ai.google.dev/gemini-api/docs/thinking. The names
/// without a number are those of the newest generation, which was the third when this was written.
const MODELS: &[(&str, Model)] = &[
    ("gemini-1", BEFORE),
    ("gemini-2.0", BEFORE),
    ("gemini-2.5-pro", second(128, 32_768, false)),
    ("gemini-2.5-flash-lite", second(512, 24_576, true)),
    ("gemini-2.5-flash-image", BEFORE),
    ("gemini-2.5", second(1, 24_576, true)),
    ("gemini-3-pro", third(TWO)),
    ("gemini-3.1-pro", third(THREE)),
    ("gemini-pro-latest", third(THREE)),
    ("gemini-", third(FOUR)),
];

impl Model {
    /// Returns what is known of a model; of one that is not Gemini: that it can do nothing special.
    pub(super) fn of(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        MODELS.iter().find(|(start, _)| name.starts_with(start)).map_or(BEFORE, |(_, model)| *model)
    }
}

/// Returns the tokens of an effort (source: ai.google.dev/gemini-api/docs/openai: low 1,024, medium 8,192, high 24,576).
pub(super) fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None => 0,
        Effort::Minimal | Effort::Low => 1_024,
        Effort::Medium => 8_192,
        Effort::High => 24_576,
        Effort::XHigh | Effort::Max => 32_768,
    }
}

/// Returns the effort that a number of tokens stands for, by the same numbers.
pub(super) fn effort_of(budget: u64) -> Effort {
    match budget {
        0 => Effort::None,
        1..=512 => Effort::Minimal,
        513..=1_024 => Effort::Low,
        1_025..=8_192 => Effort::Medium,
        _ => Effort::High,
    }
}

/// Returns the level for an effort: the strongest that is not stronger, else the weakest.
pub(super) fn level(levels: &[(Effort, &'static str)], effort: Effort) -> Option<&'static str> {
    levels.iter().rev().find(|(known, _)| *known <= effort).or(levels.first()).map(|(_, word)| *word)
}
