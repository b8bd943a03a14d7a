//! What becomes of one call, written down while it happens: for `why`, for metrics and for reports. Never any text of the
//! call: names, codes, counts and times.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use breakwater_common::guard::{Finding, Side};
use breakwater_common::limits::{ATTEMPTS_MAX, CALL_FINDINGS_MAX};
use breakwater_common::resource::Price;
use breakwater_common::time::UnixMillis;
use breakwater_dialect::Format;
use breakwater_dialect::ir::Usage;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Ending {
    /// The answer was sent whole.
    Completed,
    /// A guardrail ended it, before or within the answer.
    Blocked,
    /// The caller got an error.
    Failed,
    /// The caller left first. The default: whoever is dropped without a word was left.
    #[default]
    ClientLeft,
    /// The answer broke off, and the caller was told so.
    Cut,
}

impl Ending {
    /// Returns the word of metrics and of `why`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::ClientLeft => "client_left",
            Self::Cut => "cut",
        }
    }
}

/// One upstream of a chain, as the call met it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptNote {
    /// The provider.
    pub(crate) provider: String,
    /// The model.
    pub(crate) model: String,
    /// "succeeded", "failed", "skipped", or "abandoned" when the call ended first.
    pub(crate) result: &'static str,
    /// Why it failed or was skipped; empty if it succeeded.
    pub(crate) reason: String,
    /// The upstream's status, if there was one.
    pub(crate) status: Option<u16>,
    /// Its time to the first content or to the failure.
    pub(crate) duration_ms: u64,
}

/// What one guardrail found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FindingNote {
    /// On which side.
    pub(crate) side: &'static str,
    /// What.
    pub(crate) finding: Finding,
}

/// What is known of a call. Fields are filled as the call goes down the stack.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Its id.
    pub(crate) request_id: String,
    /// When it came.
    pub(crate) start: UnixMillis,
    /// It asked for a completion; listings and probes are no calls.
    pub(crate) is_call: bool,
    /// Who called; empty if that was not found out.
    pub(crate) tenant: String,
    /// The format of the path, in which errors are written; `None` before the path is known.
    pub(crate) format: Option<Format>,
    /// What was asked for.
    pub(crate) alias: String,
    /// Where it led; empty if nowhere.
    pub(crate) route: String,
    /// The ruleset that held for it.
    pub(crate) revision: u64,
    /// The rule of the route.
    pub(crate) rule: Option<u32>,
    /// The answer was to be streamed.
    pub(crate) stream: bool,
    /// The status that the caller got; 0 if none.
    pub(crate) status: u16,
    /// The code of the error that the caller got.
    pub(crate) code: String,
    /// Whose limit refused the call, and which.
    pub(crate) limit: Option<(&'static str, &'static str)>,
    /// The call was shed, with this priority.
    pub(crate) shed: Option<&'static str>,
    /// The fault was an upstream's or ours.
    pub(crate) not_the_callers: bool,
    /// How it ended.
    pub(crate) ending: Ending,
    /// Until the end of the answer.
    pub(crate) duration_ms: u64,
    /// Until the answer's first byte.
    pub(crate) first_byte_ms: Option<u64>,
    /// Tokens, as the upstream said them.
    pub(crate) usage: Option<Usage>,
    /// The provider said no tokens, or not all: `usage` is our own estimate in part.
    pub(crate) usage_estimated: bool,
    /// What the model that answered costs, if the catalogue says it.
    pub(crate) price: Option<Price>,
    /// Every upstream considered, in order.
    pub(crate) attempts: Vec<AttemptNote>,
    /// Findings, at most [`CALL_FINDINGS_MAX`].
    pub(crate) findings: Vec<FindingNote>,
}

impl Facts {
    /// Returns what the call cost in millionths of a US dollar; none without usage or price.
    pub(crate) fn cost_microdollars(&self) -> Option<u64> {
        let usage = self.usage?;
        let read = usage.input.saturating_add(usage.cache_write);
        Some(self.price?.microdollars(read, usage.cache_read, usage.output))
    }
}

/// A call's notes. Clones share them; the lock is held for a moment and never across an await.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Facts>>);

impl Trace {
    /// Starts the notes of a call.
    pub(crate) fn new(request_id: String, start: UnixMillis) -> Self {
        Self(Arc::new(Mutex::new(Facts { request_id, start, ..Facts::default() })))
    }

    /// Opens the notes.
    pub(crate) fn note(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an attempt. At most twice the attempts of a call are kept: skipped ones are notes too.
    pub(crate) fn attempt(&self, note: AttemptNote) {
        let mut facts = self.note();
        if facts.attempts.len() < 2 * ATTEMPTS_MAX {
            facts.attempts.push(note);
        }
    }

    /// Adds findings up to the bound.
    pub(crate) fn findings(&self, side: Side, findings: impl IntoIterator<Item = Finding>) {
        let side = match side {
            Side::Input => "input",
            Side::Output => "output",
        };
        let mut facts = self.note();
        let room = CALL_FINDINGS_MAX.saturating_sub(facts.findings.len());
        facts.findings.extend(findings.into_iter().take(room).map(|finding| FindingNote { side, finding }));
    }

    /// Takes the notes out, at the call's end.
    pub(crate) fn take(&self) -> Facts {
        std::mem::take(&mut *self.note())
    }
}
