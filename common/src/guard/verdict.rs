//! What guardrails say about a text.

use std::sync::Arc;

use crate::resource::Action;

/// The side of a call that a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What the caller sends.
    Input,
    /// What the model answers.
    Output,
}

impl Side {
    /// Returns the word of verdicts and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// What one guardrail found of one category. Never holds text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the policy.
    pub policy: Arc<str>,
    /// Name of the guardrail within the policy.
    pub guardrail: Arc<str>,
    /// What was found: the word of a `PiiEntity` or of a secret's format, such as `email` or `aws_access_key`; or the
    /// bound that was reached, such as `channels`.
    pub category: &'static str,
    /// What the guardrail asks for.
    pub action: Action,
    /// It was acted on. False in shadow mode, and where a guardrail that could not decide is open.
    pub enforced: bool,
    /// The guardrail could not decide: the text kept it in doubt beyond a bound.
    pub undecided: bool,
    /// How often.
    pub count: u32,
}

impl Finding {
    /// Adds it to those of the same kind, or as one of its own.
    pub fn add_to(self, findings: &mut Vec<Self>) {
        let key = |finding: &Self| (finding.category, finding.action, finding.enforced, finding.undecided);
        let same = |other: &&mut Self| {
            key(other) == key(&self) && other.policy == self.policy && other.guardrail == self.guardrail
        };
        match findings.iter_mut().find(same) {
            Some(other) => other.count = other.count.saturating_add(self.count),
            None => findings.push(self),
        }
    }
}

/// The verdict on a whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Evaluation {
    /// The strongest action that is enforced; `Allow` if none is.
    pub action: Action,
    /// The text without what was found; there if and only if the action is `Redact`.
    pub redacted: Option<String>,
    /// Everything found, shadow mode included, in order of first place. On `Block` what stands before the block, and it.
    pub findings: Vec<Finding>,
}

impl Evaluation {
    /// Returns the verdict on a text in which nothing was found.
    pub fn allow() -> Self {
        Self { action: Action::Allow, redacted: None, findings: Vec::new() }
    }

    /// Returns the finding that blocks, if one does.
    #[must_use]
    pub fn block(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.enforced && finding.action == Action::Block)
    }
}
