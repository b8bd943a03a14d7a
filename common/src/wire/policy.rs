//! `PolicySpec`. Only the guardrails that this release evaluates become domain guardrails; the others stay in the
//! stored body.

use breakwater_proto::v1;
use breakwater_proto::v1::guardrail::Check;

use super::Problems;
use crate::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};

pub(super) fn decode(spec: v1::PolicySpec, problems: &mut Problems) -> Policy {
    problems.unique("spec.guardrails", spec.guardrails.iter().map(|guardrail| guardrail.name.as_str()));
    let changes = spec.change_guardrails.iter().map(|guardrail| guardrail.name.as_str());
    problems.unique("spec.change_guardrails", changes);
    let guardrails = spec
        .guardrails
        .into_iter()
        .enumerate()
        .filter_map(|(index, message)| guardrail(&format!("spec.guardrails[{index}]"), message, problems))
        .collect();
    Policy { mode: mode(&spec.mode, problems), guardrails }
}

fn mode(word: &str, problems: &mut Problems) -> Mode {
    match word {
        "" | "enforce" => Mode::Enforce,
        "shadow" => Mode::Shadow,
        _ => {
            problems.add("spec.mode", format!("\"{word}\" is not a mode; use enforce or shadow"));
            Mode::Enforce
        }
    }
}

/// Returns none if this release does not evaluate it; its words are checked all the same.
fn guardrail(path: &str, message: v1::Guardrail, problems: &mut Problems) -> Option<Guardrail> {
    let sides = sides(path, &message.applies_to, problems);
    let action = action(path, &message.action, problems);
    let check = match message.check {
        Some(Check::PiiDetection(pii)) => GuardrailCheck::Pii(entities(path, &pii.entities, problems)),
        Some(Check::SecretsDetection(_)) => GuardrailCheck::Secrets,
        Some(
            Check::UnsafeOutputDetection(_)
            | Check::PromptInjectionDetection(_)
            | Check::LatencySpikeThreshold(_)
            | Check::ErrorRateThreshold(_)
            | Check::CostVarianceAlert(_)
            | Check::TokenVarianceCheck(_)
            | Check::TokenLimits(_),
        ) => return None,
        None => {
            problems
                .add(path, "it says no check; give exactly one, such as pii_detection or secrets_detection");
            return None;
        }
    };
    Some(Guardrail { name: message.name, check, sides, action, fail_open: message.fail_open })
}

fn sides(path: &str, words: &[String], problems: &mut Problems) -> Sides {
    if words.is_empty() {
        return Sides { input: true, output: true };
    }
    let mut sides = Sides { input: false, output: false };
    for (index, word) in words.iter().enumerate() {
        match word.as_str() {
            "input" => sides.input = true,
            "output" => sides.output = true,
            _ => problems.add(
                format!("{path}.applies_to[{index}]"),
                format!("\"{word}\" is not a side of a call; use input or output"),
            ),
        }
    }
    sides
}

fn action(path: &str, word: &str, problems: &mut Problems) -> Action {
    match word {
        "" | "block" => Action::Block,
        "redact" => Action::Redact,
        "warn" => Action::Warn,
        "allow" => Action::Allow,
        _ => {
            let message = format!("\"{word}\" is not an action; use allow, warn, redact or block");
            problems.add(format!("{path}.action"), message);
            Action::Block
        }
    }
}

fn entities(path: &str, words: &[String], problems: &mut Problems) -> Vec<PiiEntity> {
    if words.is_empty() {
        return PiiEntity::ALL.to_vec();
    }
    let mut entities = Vec::with_capacity(words.len());
    for (index, word) in words.iter().enumerate() {
        match PiiEntity::parse(word) {
            Some(entity) => entities.push(entity),
            None => {
                let known: Vec<_> = PiiEntity::ALL.into_iter().map(PiiEntity::as_str).collect();
                problems.add(
                    format!("{path}.pii_detection.entities[{index}]"),
                    format!("\"{word}\" is not a kind of personal data; use one of {}", known.join(", ")),
                );
            }
        }
    }
    entities.sort_unstable();
    entities.dedup();
    entities
}
