//! What is found and what is not; and that the way a text is cut changes nothing.

mod detection;
mod invariance;
mod policy;

use std::sync::Arc;

use super::{CompiledGuards, Side};
use crate::resource::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};

fn guardrail(name: &str, check: GuardrailCheck, action: Action) -> Guardrail {
    Guardrail {
        name: name.to_owned(),
        check,
        sides: Sides { input: true, output: true },
        action,
        fail_open: false,
    }
}

fn pii(action: Action) -> Guardrail {
    guardrail("pii", GuardrailCheck::Pii(PiiEntity::ALL.to_vec()), action)
}

fn secrets(action: Action) -> Guardrail {
    guardrail("secrets", GuardrailCheck::Secrets, action)
}

fn policy(mode: Mode, guardrails: Vec<Guardrail>) -> Policy {
    Policy { mode, guardrails }
}

fn guards(guardrails: Vec<Guardrail>) -> Arc<CompiledGuards> {
    let policy = policy(Mode::Enforce, guardrails);
    Arc::new(CompiledGuards::compile(&[("production", &policy)]).unwrap())
}

/// The text as a caller would see it with everything masked.
fn masked(text: &str) -> String {
    let evaluation = guards(vec![pii(Action::Redact), secrets(Action::Redact)]).evaluate(Side::Output, text);
    evaluation.redacted.unwrap_or_else(|| text.to_owned())
}
