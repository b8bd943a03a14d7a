//! Policies made ready to judge.

use std::sync::Arc;

use super::detect::{Detector, Text};
use super::json;
use super::scan::{Piece, Scan};
use super::verdict::{Evaluation, Finding, Side};
use crate::resource::{Action, GuardrailCheck, Mode, Policy};
use crate::violation::Violation;

/// The guardrails of one route's policies, ready to judge text.
#[derive(Debug, Default)]
pub struct CompiledGuards {
    input: SideGuards,
    output: SideGuards,
}

/// The guardrails of one side of a call.
#[derive(Debug, Default)]
pub(super) struct SideGuards {
    /// What any of the guardrails looks for, in the order in which matches at one place take effect.
    pub(super) detectors: Vec<Detector>,
    pub(super) rules: Vec<Rule>,
}

/// One guardrail, ready.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) policy: Arc<str>,
    pub(super) guardrail: Arc<str>,
    pub(super) check: GuardrailCheck,
    pub(super) action: Action,
    pub(super) enforced: bool,
    pub(super) fail_open: bool,
}

impl Rule {
    pub(super) fn listens(&self, detector: Detector) -> bool {
        match (&self.check, detector) {
            (GuardrailCheck::Pii(entities), Detector::Pii(entity)) => entities.contains(&entity),
            (GuardrailCheck::Secrets, Detector::Secrets) => true,
            (GuardrailCheck::Pii(_), Detector::Secrets) | (GuardrailCheck::Secrets, Detector::Pii(_)) => {
                false
            }
        }
    }
}

impl SideGuards {
    fn new(rules: Vec<Rule>) -> Self {
        let wanted = |detector: &Detector| rules.iter().any(|rule| rule.listens(*detector));
        Self { detectors: Detector::ALL.into_iter().filter(wanted).collect(), rules }
    }

    /// Judges a whole text and adds what is found.
    pub(super) fn evaluate(&self, text: &str, found: &mut Vec<Finding>) -> Judged {
        let mut pieces = Vec::new();
        let whole = Text { bytes: text.as_bytes(), whole: true };
        if let Some(finding) = Scan::new(self).run(self, &whole, found, &mut pieces) {
            return Judged::Blocked(finding);
        }
        if pieces.iter().all(|piece| piece.masked.is_none()) {
            return Judged::Kept;
        }
        Judged::Masked(apply(text, &pieces))
    }
}

/// What becomes of a whole text.
#[derive(Debug)]
pub(super) enum Judged {
    Kept,
    Masked(String),
    Blocked(Finding),
}

/// Writes a text with its masks.
pub(super) fn apply(text: &str, pieces: &[Piece]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut at = 0;
    for piece in pieces {
        match piece.masked {
            Some(placeholder) => written.push_str(placeholder),
            // Matches begin and end at ASCII, so a piece never parts a character.
            None => written.push_str(text.get(at..at + piece.len).unwrap_or_default()),
        }
        at += piece.len;
    }
    written
}

impl CompiledGuards {
    /// Compiles named policies; all of them hold.
    ///
    /// # Errors
    ///
    /// Every guardrail that looks for nothing, by its field.
    pub fn compile(policies: &[(&str, &Policy)]) -> Result<Self, Vec<Violation>> {
        let (mut input, mut output) = (Vec::new(), Vec::new());
        let mut violations = Vec::new();
        for (name, policy) in policies {
            let policy_name: Arc<str> = Arc::from(*name);
            for (index, guardrail) in policy.guardrails.iter().enumerate() {
                if matches!(&guardrail.check, GuardrailCheck::Pii(entities) if entities.is_empty()) {
                    let field = format!("spec.guardrails[{index}].pii_detection.entities");
                    let violation = Violation::at(field, "names no entity; name at least one");
                    violations.push(Violation { resource: format!("Policy/{name}"), ..violation });
                    continue;
                }
                let rule = Rule {
                    policy: Arc::clone(&policy_name),
                    guardrail: Arc::from(guardrail.name.as_str()),
                    check: guardrail.check.clone(),
                    action: guardrail.action,
                    enforced: policy.mode == Mode::Enforce,
                    fail_open: guardrail.fail_open,
                };
                if guardrail.sides.input {
                    input.push(rule.clone());
                }
                if guardrail.sides.output {
                    output.push(rule);
                }
            }
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        Ok(Self { input: SideGuards::new(input), output: SideGuards::new(output) })
    }

    /// Whether anything is looked for on a side. If not, its text need not be read.
    #[must_use]
    pub fn inspects(&self, side: Side) -> bool {
        !self.side(side).rules.is_empty()
    }

    /// Judges a whole text. The findings are those up to the first block.
    pub fn evaluate(&self, side: Side, text: &str) -> Evaluation {
        let mut found = Vec::new();
        let judged = self.side(side).evaluate(text, &mut found);
        evaluation(judged, found)
    }

    /// Judges JSON source, such as the arguments of a tool call: masks stand within string literals only, so that it still
    /// parses; a bare number that would have to be masked blocks. Text that is not JSON is judged as it stands.
    pub fn evaluate_json(&self, side: Side, text: &str) -> Evaluation {
        let mut found = Vec::new();
        let judged = json::evaluate(self.side(side), text, &mut found);
        evaluation(judged, found)
    }

    pub(super) fn side(&self, side: Side) -> &SideGuards {
        match side {
            Side::Input => &self.input,
            Side::Output => &self.output,
        }
    }
}

fn evaluation(judged: Judged, findings: Vec<Finding>) -> Evaluation {
    let strongest = findings.iter().filter(|finding| finding.enforced).map(|finding| finding.action).max();
    match judged {
        Judged::Blocked(_) => Evaluation { action: Action::Block, redacted: None, findings },
        Judged::Masked(text) => Evaluation { action: Action::Redact, redacted: Some(text), findings },
        Judged::Kept => Evaluation { action: strongest.unwrap_or(Action::Allow), redacted: None, findings },
    }
}
