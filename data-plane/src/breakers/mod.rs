//! One breaker for each provider. The machine is pure; here are its lock (short, never across an await), its clock, the
//! permit that always comes back, and what the report to the control plane says about it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use breakwater_common::breaker::{self, Answer, Machine, Outcome, Settings, State, Transition};
use breakwater_common::limits::TRANSITIONS_MAX;
use breakwater_common::time::UnixMillis;
use breakwater_runtime::SharedClock;

/// Upper ends of the buckets of times to the first byte, in milliseconds (source: proxy.proto, `UpstreamReport`).
pub(crate) const FIRST_BYTE_BUCKETS_MS: [u64; 12] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// The breakers of all providers. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Breakers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    by_provider: ArcSwap<BTreeMap<String, Arc<Breaker>>>,
    transitions: Mutex<Transitions>,
}

#[derive(Debug, Default)]
struct Transitions {
    next: u64,
    recent: VecDeque<(u64, NamedTransition)>,
}

#[derive(Debug)]
struct Breaker {
    provider: String,
    cell: Mutex<Cell>,
}

#[derive(Debug)]
struct Cell {
    machine: Machine,
    counts: Counts,
}

/// What a provider's attempts came to since the start of the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Attempts that were let through.
    pub(crate) attempts: u64,
    /// Failed ones.
    pub(crate) failures: u64,
    /// The last failure.
    pub(crate) last_failure: Option<UnixMillis>,
    /// Times to the first byte: a count for each of [`FIRST_BYTE_BUCKETS_MS`] and one above.
    pub(crate) first_byte: [u64; 13],
}

/// A breaker as reports and metrics show it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The provider.
    pub(crate) provider: String,
    /// Its state now.
    pub(crate) state: State,
    /// Failures in a row.
    pub(crate) consecutive_failures: u32,
    /// When an open breaker lets a probe through.
    pub(crate) open_until: Option<UnixMillis>,
    /// Since the start.
    pub(crate) counts: Counts,
}

/// A change of one provider's breaker.
#[derive(Debug, Clone)]
pub(crate) struct NamedTransition {
    /// The provider.
    pub(crate) provider: String,
    /// When.
    pub(crate) time: UnixMillis,
    /// What.
    pub(crate) transition: Transition,
}

/// The right to one attempt. Dropped without a word it says that the attempt was abandoned, so that a probe whose caller
/// left, was shed or panicked does not bench the provider.
#[derive(Debug)]
#[must_use]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    breaker: Arc<Breaker>,
    permit: breaker::Permit,
    reported: bool,
}

// ===== impl Breakers =====

impl Breakers {
    /// Makes an empty set.
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self(Arc::new(Shared { clock, by_provider: ArcSwap::default(), transitions: Mutex::default() }))
    }

    /// Follows a new ruleset: new settings reach breakers that stay, with their state; others come and go. Called by one
    /// task only.
    pub(crate) fn follow<'a>(&self, providers: impl Iterator<Item = (&'a str, Settings)>) {
        let old = self.0.by_provider.load();
        let new = providers.map(|(name, settings)| {
            let breaker = match old.get(name) {
                Some(breaker) => {
                    breaker.cell().machine.reconfigure(settings);
                    breaker.clone()
                }
                None => Breaker::new(name, settings),
            };
            (name.to_owned(), breaker)
        });
        self.0.by_provider.store(Arc::new(new.collect()));
    }

    /// Asks for an attempt at a provider. Errors: when to ask again. A provider that is gone since the call pinned its
    /// ruleset gets the benefit of the doubt.
    pub(crate) fn ask(&self, provider: &str, settings: Settings) -> Result<Permit, Duration> {
        let known = self.0.by_provider.load().get(provider).cloned();
        let breaker = known.unwrap_or_else(|| Breaker::new(provider, settings));
        let answer = {
            let mut cell = breaker.cell();
            let now = self.0.clock.mono();
            self.0.settle(&breaker.provider, &mut cell);
            let answer = cell.machine.ask(now);
            if let Answer::Permit(_) = answer {
                cell.counts.attempts += 1;
            }
            answer
        };
        match answer {
            Answer::Permit(permit) => Ok(Permit { shared: self.0.clone(), breaker, permit, reported: false }),
            Answer::Refused { retry_after } => Err(retry_after),
        }
    }

    /// Returns all breakers as they stand, by provider.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        let (mono, wall) = (self.0.clock.mono(), self.0.clock.wall());
        let standing = |breaker: &Arc<Breaker>| {
            let mut cell = breaker.cell();
            self.0.settle(&breaker.provider, &mut cell);
            let open_until = cell.machine.open_until();
            Standing {
                provider: breaker.provider.clone(),
                state: cell.machine.state(mono),
                consecutive_failures: cell.machine.consecutive_failures(),
                open_until: open_until.map(|until| UnixMillis(wall.0 + until.0.saturating_sub(mono.0))),
                counts: cell.counts.clone(),
            }
        };
        self.0.by_provider.load().values().map(standing).collect()
    }

    /// Returns the remembered transitions from number `from` on, and the number to ask from next time.
    pub(crate) fn transitions(&self, from: u64) -> (Vec<NamedTransition>, u64) {
        let transitions = self.0.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = transitions.recent.iter().filter(|(number, _)| *number >= from);
        (newer.map(|(_, transition)| transition.clone()).collect(), transitions.next)
    }
}

// ===== impl Shared =====

impl Shared {
    /// Makes the changes that are due by time alone, so that they are recorded.
    fn settle(&self, provider: &str, cell: &mut Cell) {
        while let Some(transition) = cell.machine.tick(self.clock.mono()) {
            self.record(provider, transition);
        }
    }

    fn record(&self, provider: &str, transition: Transition) {
        tracing::info!(
            provider,
            from = transition.from.as_str(),
            to = transition.to.as_str(),
            reason = transition.reason.as_str(),
            "circuit breaker changed"
        );
        let mut transitions = self.transitions.lock().unwrap_or_else(PoisonError::into_inner);
        if transitions.recent.len() >= TRANSITIONS_MAX {
            drop(transitions.recent.pop_front());
        }
        let number = transitions.next;
        let named = NamedTransition { provider: provider.to_owned(), time: self.clock.wall(), transition };
        transitions.recent.push_back((number, named));
        transitions.next += 1;
    }
}

// ===== impl Breaker =====

impl Breaker {
    fn new(provider: &str, settings: Settings) -> Arc<Self> {
        let cell = Mutex::new(Cell { machine: Machine::new(settings), counts: Counts::default() });
        Arc::new(Self { provider: provider.to_owned(), cell })
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// ===== impl Permit =====

impl Permit {
    /// Says how the attempt ended. Only the first word counts.
    pub(crate) fn report(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        let mut cell = self.breaker.cell();
        if outcome == Outcome::Failure {
            cell.counts.failures += 1;
            cell.counts.last_failure = Some(self.shared.clock.wall());
        }
        self.shared.settle(&self.breaker.provider, &mut cell);
        if let Some(transition) = cell.machine.report(self.shared.clock.mono(), self.permit, outcome) {
            self.shared.record(&self.breaker.provider, transition);
        }
    }

    /// Notes the time to the first byte. A probe has then proved what it had to: it need not wait for a long answer's end.
    pub(crate) fn first_byte(&mut self, after: Duration) {
        let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let bucket = FIRST_BYTE_BUCKETS_MS.iter().position(|end| millis <= *end);
        if let Some(count) = self.breaker.cell().counts.first_byte.get_mut(bucket.unwrap_or(12)) {
            *count += 1;
        }
        if self.permit.probe {
            self.report(Outcome::Success);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.report(Outcome::Abandoned);
    }
}
