//! The machine itself.

use std::time::Duration;

use super::Settings;
use crate::limits::PROBE_LEASE_MS;
use crate::time::MonoMillis;

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Everything.
    Closed,
    /// One probe at a time.
    HalfOpen,
    /// Nothing.
    Open,
}

impl State {
    /// Returns the word of reports and of the status endpoint: `half-open`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }

    /// Returns the value of the metric `breakwater_circuit_breaker_state`: 0 closed, 1 half-open, 2 open.
    #[must_use]
    pub fn gauge(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// Answers whether an attempt may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// It may; the outcome must be reported with this permit.
    Permit(Permit),
    /// It may not.
    Refused {
        /// When asking again makes sense: the rest of the open time, or of the running probe's lease.
        retry_after: Duration,
    },
}

/// The right to one attempt. Exactly one outcome must be reported for it; a lost one costs a probe its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    /// The generation that granted it.
    pub generation: u64,
    /// The attempt decides whether the breaker closes.
    pub probe: bool,
}

/// How an attempt ended, as far as the provider's health is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The provider works.
    Success,
    /// The provider does not work.
    Failure,
    /// The answer says nothing about it: the caller's fault, a rate limit, a bad key.
    Neutral,
    /// There was no answer to judge: the caller left, the call was shed or blocked.
    Abandoned,
}

/// Why a breaker changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// As many failures in a row as the settings allow.
    ThresholdReached,
    /// The open time passed.
    OpenTtlPassed,
    /// The probe succeeded.
    ProbeSucceeded,
    /// The probe failed.
    ProbeFailed,
    /// The probe gave no outcome within its lease.
    ProbeLeaseExpired,
}

impl Reason {
    /// Returns the word of reports and of the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThresholdReached => "threshold_reached",
            Self::OpenTtlPassed => "open_ttl_passed",
            Self::ProbeSucceeded => "probe_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeLeaseExpired => "probe_lease_expired",
        }
    }
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Transition {
    /// From which state.
    pub from: State,
    /// To which.
    pub to: State,
    /// The generation that it began. The first transition's is 1 or more; each later one's is greater.
    pub generation: u64,
    /// Why.
    pub reason: Reason,
}

/// The breaker of one provider.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: Settings,
    phase: Phase,
    generation: u64,
    consecutive_failures: u32,
}

/// The state with what only that state knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        since: MonoMillis,
    },
    /// `lease_end` is that of the probe under way; none if the next to ask gets it.
    HalfOpen {
        lease_end: Option<MonoMillis>,
    },
}

impl Machine {
    /// Makes a closed breaker.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, phase: Phase::Closed, generation: 0, consecutive_failures: 0 }
    }

    /// Asks for the right to one attempt.
    pub fn ask(&mut self, now: MonoMillis) -> Answer {
        while self.tick(now).is_some() {}
        match self.phase {
            Phase::Closed => Answer::Permit(Permit { generation: self.generation, probe: false }),
            Phase::Open { since } => Answer::Refused { retry_after: self.end_of_open(since).since(now) },
            Phase::HalfOpen { lease_end: Some(end) } => Answer::Refused { retry_after: end.since(now) },
            Phase::HalfOpen { lease_end: None } => {
                let end = now.plus(Duration::from_millis(PROBE_LEASE_MS));
                self.phase = Phase::HalfOpen { lease_end: Some(end) };
                Answer::Permit(Permit { generation: self.generation, probe: true })
            }
        }
    }

    /// Takes the outcome of an attempt; returns the change of state that it made. An outcome of an older generation
    /// is ignored.
    pub fn report(&mut self, now: MonoMillis, permit: Permit, outcome: Outcome) -> Option<Transition> {
        while self.tick(now).is_some() {}
        if permit.generation != self.generation {
            return None;
        }
        match (self.phase, outcome) {
            (Phase::Closed, Outcome::Success) => {
                self.consecutive_failures = 0;
                None
            }
            (Phase::Closed, Outcome::Failure) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                (self.consecutive_failures >= self.settings.threshold.max(1))
                    .then(|| self.turn(Phase::Open { since: now }, Reason::ThresholdReached))
            }
            (Phase::Closed, Outcome::Neutral | Outcome::Abandoned) => None,
            // No permit carries the generation of an open breaker or of a probe slot that nobody holds.
            (Phase::Open { .. } | Phase::HalfOpen { lease_end: None }, _) => None,
            (Phase::HalfOpen { lease_end: Some(_) }, Outcome::Success) => {
                self.consecutive_failures = 0;
                Some(self.turn(Phase::Closed, Reason::ProbeSucceeded))
            }
            (Phase::HalfOpen { lease_end: Some(_) }, Outcome::Failure) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                Some(self.turn(Phase::Open { since: now }, Reason::ProbeFailed))
            }
            (Phase::HalfOpen { lease_end: Some(_) }, Outcome::Neutral | Outcome::Abandoned) => {
                // The slot is free again. A new generation, so that a second report with the same permit cannot
                // speak for the next probe.
                self.generation = self.generation.saturating_add(1);
                self.phase = Phase::HalfOpen { lease_end: None };
                None
            }
        }
    }

    /// Makes the next change of state that is due by time alone. [`Self::ask`] and [`Self::report`] do it themselves
    /// and drop what it returns; whoever records transitions calls it until it returns none, before either.
    pub fn tick(&mut self, now: MonoMillis) -> Option<Transition> {
        match self.phase {
            Phase::Open { since } if self.end_of_open(since) <= now => {
                Some(self.turn(Phase::HalfOpen { lease_end: None }, Reason::OpenTtlPassed))
            }
            Phase::HalfOpen { lease_end: Some(end) } if end <= now => {
                Some(self.turn(Phase::Open { since: end }, Reason::ProbeLeaseExpired))
            }
            Phase::Closed | Phase::Open { .. } | Phase::HalfOpen { .. } => None,
        }
    }

    /// Returns the state at a time. Takes no permit and changes nothing.
    #[must_use]
    pub fn state(&self, now: MonoMillis) -> State {
        let mut later = self.clone();
        while later.tick(now).is_some() {}
        later.phase.state()
    }

    /// Returns the failures in a row: those that opened it, and failed probes since; 0 after a success.
    #[must_use]
    pub fn consecutive_failures(&self) -> u32 {
        self.consecutive_failures
    }

    /// Returns when an open breaker lets a probe through; none if it is not open.
    #[must_use]
    pub fn open_until(&self) -> Option<MonoMillis> {
        match self.phase {
            Phase::Open { since } => Some(self.end_of_open(since)),
            Phase::Closed | Phase::HalfOpen { .. } => None,
        }
    }

    /// Returns the generation: that of the newest permit.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Changes the settings and keeps the state. A new `open_ttl` counts from when the breaker opened; a lower
    /// threshold counts with the next failure. An open time that passed and that neither [`Self::tick`] nor
    /// [`Self::ask`] has noticed yet is measured anew.
    pub fn reconfigure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    fn end_of_open(&self, since: MonoMillis) -> MonoMillis {
        since.plus(self.settings.open_ttl)
    }

    fn turn(&mut self, to: Phase, reason: Reason) -> Transition {
        let from = self.phase.state();
        self.generation = self.generation.saturating_add(1);
        self.phase = to;
        Transition { from, to: to.state(), generation: self.generation, reason }
    }
}

impl Phase {
    fn state(self) -> State {
        match self {
            Self::Closed => State::Closed,
            Self::Open { .. } => State::Open,
            Self::HalfOpen { .. } => State::HalfOpen,
        }
    }
}
