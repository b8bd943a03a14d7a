//! One breaker with its clock, and what its attempts came to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use breakwater_common::breaker::{Answer, Draw, Machine, Outcome, Report, Settings, State, Transition};
use breakwater_common::time::UnixMillis;

use super::Shared;
use super::gate::{Gate, Ticket};
use super::journal::NamedTransition;

/// Upper ends of the buckets of times to the first byte, in milliseconds (source: proxy.proto, `UpstreamReport`).
const FIRST_BYTE_BUCKETS_MS: [u64; 12] = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000];

/// A breaker: that of a provider, or of one model there.
#[derive(Debug)]
pub(super) struct Cell {
    provider: String,
    model: String,
    gate: Gate,
    tally: Tally,
}

/// [`Counts`] while they are counted.
#[derive(Debug, Default)]
struct Tally {
    /// Those that the gate did not count.
    attempts: AtomicU64,
    failures: AtomicU64,
    /// 0: none.
    last_failure: AtomicU64,
    first_byte: [AtomicU64; 13],
}

/// What a breaker's attempts came to since the start of the process.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Attempts that ended with an outcome; those that were abandoned are none.
    pub attempts: u64,
    /// Failed ones.
    pub failures: u64,
    /// The last failure.
    pub last_failure: Option<UnixMillis>,
    /// Times to the first byte: a count for each of [`FIRST_BYTE_BUCKETS_MS`] and one above.
    pub first_byte: [u64; 13],
}

/// How a breaker stands.
#[derive(Debug, Clone)]
pub struct CellStanding {
    /// The model; empty if it is the provider's own.
    pub model: String,
    /// Its state now.
    pub state: State,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// When an open breaker lets a probe through.
    pub open_until: Option<UnixMillis>,
    /// Since the start.
    pub counts: Counts,
}

impl Cell {
    pub(super) fn new(provider: &str, model: &str, settings: Settings) -> Self {
        Self {
            provider: provider.to_owned(),
            model: model.to_owned(),
            gate: Gate::new(Machine::new(settings)),
            tally: Tally::default(),
        }
    }

    /// Takes new settings.
    pub(super) fn reconfigure(&self, shared: &Shared, settings: Settings) {
        let now = shared.clock.mono();
        self.work(shared, |machine| self.record(shared, machine.reconfigure(now, settings)));
    }

    /// Asks for an attempt. Errors: when to ask again.
    pub(super) fn ask(&self, shared: &Shared) -> Result<Ticket, Duration> {
        if let Some(ticket) = self.gate.admit() {
            return Ok(ticket);
        }
        let now = shared.clock.mono();
        match self.work(shared, |machine| machine.ask(now, shared.draw())) {
            Answer::Permit(permit) => Ok(Ticket::of(permit)),
            Answer::Refused { retry_after } => Err(retry_after),
        }
    }

    /// Takes an attempt's outcome. Breakers that open together are given the same draw, so that they are probed together.
    pub(super) fn report(&self, shared: &Shared, draw: Draw, ticket: Ticket, report: Report) {
        if report.outcome == Outcome::Success
            && !ticket.probe
            && self.gate.succeeded(shared.clock.mono(), ticket)
        {
            return;
        }
        if report.outcome != Outcome::Abandoned {
            let _before = self.tally.attempts.fetch_add(1, Ordering::Relaxed);
        }
        if report.outcome == Outcome::Failure {
            self.tally.failed(shared.clock.wall());
        }
        // To a breaker that is closed these say nothing.
        if !ticket.probe && matches!(report.outcome, Outcome::Neutral | Outcome::Abandoned) {
            return;
        }
        let now = shared.clock.mono();
        self.work(shared, |machine| {
            let permit = ticket.permit(machine);
            self.record(shared, permit.and_then(|permit| machine.report(now, draw, permit, report)));
        });
    }

    /// Takes an attempt's time to the first byte.
    pub(super) fn first_byte(&self, after: Duration) {
        let millis = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        let bucket = FIRST_BYTE_BUCKETS_MS.iter().position(|end| millis <= *end);
        if let Some(count) = self.tally.first_byte.get(bucket.unwrap_or(12)) {
            let _before = count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes an attempt's time to the first content of a stream.
    pub(super) fn first_token(&self, shared: &Shared, draw: Draw, ticket: Ticket, took: Duration) {
        let now = shared.clock.mono();
        self.work(shared, |machine| {
            let permit = ticket.permit(machine);
            self.record(shared, permit.and_then(|permit| machine.first_token(now, draw, permit, took)));
        });
    }

    /// Returns how it stands.
    pub(super) fn standing(&self, shared: &Shared) -> CellStanding {
        let (mono, wall) = (shared.clock.mono(), shared.clock.wall());
        self.work(shared, |machine| CellStanding {
            model: self.model.clone(),
            state: machine.state(mono),
            consecutive_failures: machine.consecutive_failures(),
            open_until: machine.open_until().map(|until| UnixMillis(wall.0 + until.0.saturating_sub(mono.0))),
            counts: self.tally.counts(self.gate.passed()),
        })
    }

    /// Works on the machine, after the changes that are due by time alone were made and recorded.
    fn work<R>(&self, shared: &Shared, work: impl FnOnce(&mut Machine) -> R) -> R {
        let now = shared.clock.mono();
        self.gate.locked(now, |machine| {
            while let Some(turned) = machine.tick(now, shared.draw()) {
                self.record(shared, Some(turned));
            }
            work(machine)
        })
    }

    /// Records a change, within the lock: a breaker's changes stand in their order.
    fn record(&self, shared: &Shared, turned: Option<Transition>) {
        let Some(transition) = turned else { return };
        let (provider, model) = (self.provider.clone(), self.model.clone());
        shared.journal.record(NamedTransition { provider, model, time: shared.clock.wall(), transition });
    }
}

impl Tally {
    fn failed(&self, at: UnixMillis) {
        let _before = self.failures.fetch_add(1, Ordering::Relaxed);
        self.last_failure.store(at.0, Ordering::Relaxed);
    }

    fn counts(&self, passed: u64) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let last_failure = Some(read(&self.last_failure)).filter(|at| *at > 0).map(UnixMillis);
        Counts {
            attempts: read(&self.attempts).saturating_add(passed),
            failures: read(&self.failures),
            last_failure,
            first_byte: std::array::from_fn(|bucket| self.first_byte.get(bucket).map_or(0, read)),
        }
    }
}
