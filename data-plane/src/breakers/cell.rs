//! One machine with its lock, and what its attempts came to.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breakwater_common::breaker::{
    Answer, Draw, Machine, Outcome, Permit, Report, Settings, State, Transition,
};
use breakwater_common::time::UnixMillis;

use super::Shared;
use super::journal::NamedTransition;

/// Upper ends of the buckets of times to the first byte, in milliseconds (source: proxy.proto, `UpstreamReport`).
pub(crate) const FIRST_BYTE_BUCKETS_MS: [u64; 12] =
    [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// A breaker: that of a provider, or of one model there.
#[derive(Debug)]
pub(super) struct Cell {
    provider: String,
    model: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    machine: Machine,
    counts: Counts,
}

/// What a breaker's attempts came to since the start of the process.
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

/// How a breaker stands.
#[derive(Debug, Clone)]
pub(crate) struct CellStanding {
    /// The model; empty if it is the provider's own.
    pub(crate) model: String,
    /// Its state now.
    pub(crate) state: State,
    /// Failures in a row.
    pub(crate) consecutive_failures: u32,
    /// When an open breaker lets a probe through.
    pub(crate) open_until: Option<UnixMillis>,
    /// Since the start.
    pub(crate) counts: Counts,
}

impl Cell {
    pub(super) fn new(provider: &str, model: &str, settings: Settings) -> Self {
        let inner = Mutex::new(Inner { machine: Machine::new(settings), counts: Counts::default() });
        Self { provider: provider.to_owned(), model: model.to_owned(), inner }
    }

    /// Takes new settings.
    pub(super) fn reconfigure(&self, shared: &Shared, settings: Settings) {
        let mut inner = self.settled(shared);
        let turned = inner.machine.reconfigure(shared.clock.mono(), settings);
        self.record(shared, turned);
    }

    /// Asks for an attempt. Errors: when to ask again.
    pub(super) fn ask(&self, shared: &Shared) -> Result<Permit, Duration> {
        let mut inner = self.settled(shared);
        match inner.machine.ask(shared.clock.mono(), shared.draw()) {
            Answer::Permit(permit) => {
                inner.counts.attempts += 1;
                Ok(permit)
            }
            Answer::Refused { retry_after } => Err(retry_after),
        }
    }

    /// Takes an attempt's outcome. Breakers that open together are given the same draw, so that they are probed together.
    pub(super) fn report(&self, shared: &Shared, draw: Draw, permit: Permit, report: Report) {
        let mut inner = self.settled(shared);
        if report.outcome == Outcome::Failure {
            inner.counts.failures += 1;
            inner.counts.last_failure = Some(shared.clock.wall());
        }
        let turned = inner.machine.report(shared.clock.mono(), draw, permit, report);
        self.record(shared, turned);
    }

    /// Takes an attempt's time to the first byte.
    pub(super) fn first_byte(&self, after: Duration) {
        let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let bucket = FIRST_BYTE_BUCKETS_MS.iter().position(|end| millis <= *end);
        if let Some(count) = self.lock().counts.first_byte.get_mut(bucket.unwrap_or(12)) {
            *count += 1;
        }
    }

    /// Takes an attempt's time to the first content of a stream.
    pub(super) fn first_token(&self, shared: &Shared, draw: Draw, permit: Permit, took: Duration) {
        let mut inner = self.settled(shared);
        let turned = inner.machine.first_token(shared.clock.mono(), draw, permit, took);
        self.record(shared, turned);
    }

    /// Returns how it stands.
    pub(super) fn standing(&self, shared: &Shared) -> CellStanding {
        let inner = self.settled(shared);
        let (mono, wall) = (shared.clock.mono(), shared.clock.wall());
        let until = inner.machine.open_until();
        CellStanding {
            model: self.model.clone(),
            state: inner.machine.state(mono),
            consecutive_failures: inner.machine.consecutive_failures(),
            open_until: until.map(|until| UnixMillis(wall.0 + until.0.saturating_sub(mono.0))),
            counts: inner.counts.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the lock, and makes and records the changes that are due by time alone.
    fn settled(&self, shared: &Shared) -> MutexGuard<'_, Inner> {
        let mut inner = self.lock();
        while let Some(turned) = inner.machine.tick(shared.clock.mono(), shared.draw()) {
            self.record(shared, Some(turned));
        }
        inner
    }

    fn record(&self, shared: &Shared, turned: Option<Transition>) {
        let Some(transition) = turned else { return };
        let (provider, model) = (self.provider.clone(), self.model.clone());
        shared.journal.record(NamedTransition { provider, model, time: shared.clock.wall(), transition });
    }
}
