//! The last changes of state, numbered, until a report has taken them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use breakwater_common::breaker::Transition;
use breakwater_common::limits::TRANSITIONS_MAX;
use breakwater_common::time::UnixMillis;

/// A change of one breaker.
#[derive(Debug, Clone)]
pub struct NamedTransition {
    /// The provider.
    pub provider: String,
    /// The model whose breaker it is; empty if it is the provider's own.
    pub model: String,
    /// When.
    pub time: UnixMillis,
    /// What.
    pub transition: Transition,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    recent: VecDeque<(u64, NamedTransition)>,
}

impl Journal {
    /// Writes a change down. The oldest go beyond the bound.
    pub(super) fn record(&self, named: NamedTransition) {
        let NamedTransition { provider, model, transition, .. } = &named;
        tracing::info!(
            provider,
            model,
            from = transition.from.as_str(),
            to = transition.to.as_str(),
            reason = transition.reason.as_str(),
            evidence = transition.evidence.text(),
            "circuit breaker changed"
        );
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.recent.len() >= TRANSITIONS_MAX {
            drop(entries.recent.pop_front());
        }
        let number = entries.next;
        entries.recent.push_back((number, named));
        entries.next += 1;
    }

    /// Returns what is remembered from a number on, and the number to ask from next time.
    pub(super) fn since(&self, from: u64) -> (Vec<NamedTransition>, u64) {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = entries.recent.iter().filter(|(number, _)| *number >= from);
        (newer.map(|(_, transition)| transition.clone()).collect(), entries.next)
    }
}
