//! The machine itself.

use std::time::Duration;

use super::settings::{Force, Rule, Settings};
use super::window::Window;
use super::words::{Answer, Draw, Evidence, Outcome, Permit, Reason, Report, State, Transition};
use crate::limits::PROBE_LEASE_MS;
use crate::time::MonoMillis;

/// The breaker of one provider, or of one deployment there.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: Settings,
    phase: Phase,
    generation: u64,
    consecutive_failures: u32,
    /// Since it last was closed: each one doubles the open time.
    failed_probes: u32,
    failures: Window,
    slow: Window,
}

/// The state with what only that state knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open {
        since: MonoMillis,
        draw: Draw,
        at_least: Duration,
    },
    /// `lease_end` is that of the probe under way; none if the next to ask gets it.
    HalfOpen {
        lease_end: Option<MonoMillis>,
    },
    ForcedOpen,
}

impl Machine {
    /// Makes a closed breaker, or one that is forced open.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let phase = if settings.force == Some(Force::Open) { Phase::ForcedOpen } else { Phase::Closed };
        Self {
            settings,
            phase,
            generation: 0,
            consecutive_failures: 0,
            failed_probes: 0,
            failures: window(settings.failures),
            slow: window(settings.slow.map(|slow| slow.rule)),
        }
    }

    /// Asks for the right to one attempt.
    pub fn ask(&mut self, now: MonoMillis, draw: Draw) -> Answer {
        while self.tick(now, draw).is_some() {}
        match self.phase {
            Phase::Closed => Answer::Permit(Permit { generation: self.generation, probe: false }),
            Phase::Open { .. } => {
                let end = self.open_until().unwrap_or(now);
                Answer::Refused { retry_after: end.since(now) }
            }
            Phase::ForcedOpen => Answer::Refused { retry_after: self.settings.open_ttl },
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
    pub fn report(
        &mut self,
        now: MonoMillis,
        draw: Draw,
        permit: Permit,
        report: impl Into<Report>,
    ) -> Option<Transition> {
        let Report { outcome, open_at_least } = report.into();
        while self.tick(now, draw).is_some() {}
        if permit.generation != self.generation {
            return None;
        }
        let open = Phase::Open { since: now, draw, at_least: open_at_least };
        match (self.phase, outcome) {
            (Phase::Closed, Outcome::Success) => {
                self.succeeded(now, 1);
                None
            }
            (Phase::Closed, Outcome::Failure) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                self.failures.add(now, 1, 1);
                let reason = self.grounds(now)?;
                Some(self.turn(now, open, reason))
            }
            (Phase::Closed, Outcome::Neutral | Outcome::Abandoned) => None,
            // No permit carries the generation of an open breaker or of a probe slot that nobody holds.
            (Phase::Open { .. } | Phase::ForcedOpen | Phase::HalfOpen { lease_end: None }, _) => None,
            (Phase::HalfOpen { lease_end: Some(_) }, Outcome::Success) => {
                self.forgive();
                Some(self.turn(now, Phase::Closed, Reason::ProbeSucceeded))
            }
            (Phase::HalfOpen { lease_end: Some(_) }, Outcome::Failure) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                Some(self.probe_failed(now, open))
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

    /// Takes successes of the current generation that a closed breaker was not told of one by one. In other states
    /// nothing happens.
    pub fn succeeded(&mut self, at: MonoMillis, times: u32) {
        if self.phase == Phase::Closed && times > 0 {
            self.consecutive_failures = 0;
            self.failures.add(at, 0, times);
        }
    }

    /// Takes how long the first token of an attempt took; returns the change of state that it made. Says nothing about the
    /// attempt's outcome, but for a probe: a slow one has failed.
    pub fn first_token(
        &mut self,
        now: MonoMillis,
        draw: Draw,
        permit: Permit,
        took: Duration,
    ) -> Option<Transition> {
        let slow = self.settings.slow?;
        while self.tick(now, draw).is_some() {}
        if permit.generation != self.generation {
            return None;
        }
        let is_slow = took > slow.first_token;
        let open = Phase::Open { since: now, draw, at_least: Duration::ZERO };
        match self.phase {
            Phase::Closed => {
                self.slow.add(now, u32::from(is_slow), 1);
                let trips = is_slow && self.may_open() && slow.rule.holds(self.slow.sum(now));
                trips.then(|| self.turn(now, open, Reason::SlowRatioReached))
            }
            Phase::HalfOpen { lease_end: Some(_) } if is_slow => Some(self.probe_failed(now, open)),
            Phase::Open { .. } | Phase::HalfOpen { .. } | Phase::ForcedOpen => None,
        }
    }

    /// Makes the next change of state that is due by time alone. [`Self::ask`] and [`Self::report`] do it themselves
    /// and drop what it returns; whoever records transitions calls it until it returns none, before either.
    pub fn tick(&mut self, now: MonoMillis, draw: Draw) -> Option<Transition> {
        match self.phase {
            Phase::Open { .. } if self.open_until()? <= now => {
                Some(self.turn(now, Phase::HalfOpen { lease_end: None }, Reason::OpenTtlPassed))
            }
            Phase::HalfOpen { lease_end: Some(end) } if end <= now => {
                self.failed_probes = self.failed_probes.saturating_add(1);
                let open = Phase::Open { since: end, draw, at_least: Duration::ZERO };
                Some(self.turn(now, open, Reason::ProbeLeaseExpired))
            }
            Phase::Closed | Phase::Open { .. } | Phase::HalfOpen { .. } | Phase::ForcedOpen => None,
        }
    }

    /// Returns the state at a time. Takes no permit and changes nothing.
    #[must_use]
    pub fn state(&self, now: MonoMillis) -> State {
        let mut later = self.clone();
        while later.tick(now, Draw::default()).is_some() {}
        later.phase.state()
    }

    /// Whether everything goes through: a state that time alone does not end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Returns the failures in a row: those that opened it, and failed probes since; 0 after a success.
    #[must_use]
    pub fn consecutive_failures(&self) -> u32 {
        self.consecutive_failures
    }

    /// Returns when an open breaker lets a probe through; none if it is not open, or if only an operator can say.
    #[must_use]
    pub fn open_until(&self) -> Option<MonoMillis> {
        match self.phase {
            Phase::Open { since, draw, at_least } => Some(since.plus(self.open_for(draw, at_least))),
            Phase::Closed | Phase::HalfOpen { .. } | Phase::ForcedOpen => None,
        }
    }

    /// Returns the generation: that of the newest permit.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns how it is configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the settings; returns the change of state that an operator's hand made. Else the state is kept: a new
    /// `open_ttl` counts from when the breaker opened; a lower threshold counts with the next failure; a window of another
    /// length begins empty. An open time that passed and that neither [`Self::tick`] nor [`Self::ask`] has noticed yet is
    /// measured anew. What was forced open is half-open when the hand is taken off: a probe decides.
    pub fn reconfigure(&mut self, now: MonoMillis, settings: Settings) -> Option<Transition> {
        self.settings = settings;
        self.failures.resize(length(settings.failures));
        self.slow.resize(length(settings.slow.map(|slow| slow.rule)));
        match (self.phase, settings.force) {
            (Phase::Closed | Phase::Open { .. } | Phase::HalfOpen { .. }, Some(Force::Open)) => {
                Some(self.turn(now, Phase::ForcedOpen, Reason::ForcedOpen))
            }
            (Phase::Open { .. } | Phase::HalfOpen { .. } | Phase::ForcedOpen, Some(Force::Closed)) => {
                self.forgive();
                Some(self.turn(now, Phase::Closed, Reason::ForcedClosed))
            }
            (Phase::ForcedOpen, None) => {
                self.failed_probes = 0;
                Some(self.turn(now, Phase::HalfOpen { lease_end: None }, Reason::ForceLifted))
            }
            (Phase::Closed, Some(Force::Closed) | None)
            | (Phase::Open { .. } | Phase::HalfOpen { .. }, None)
            | (Phase::ForcedOpen, Some(Force::Open)) => None,
        }
    }

    /// Whether anything but an operator may open it.
    fn may_open(&self) -> bool {
        self.settings.force.is_none()
    }

    /// Returns why the failure that was just counted opens a closed breaker.
    fn grounds(&self, now: MonoMillis) -> Option<Reason> {
        if !self.may_open() {
            return None;
        }
        if self.consecutive_failures >= self.settings.threshold.max(1) {
            return Some(Reason::ThresholdReached);
        }
        let rule = self.settings.failures?;
        rule.holds(self.failures.sum(now)).then_some(Reason::FailureRatioReached)
    }

    fn probe_failed(&mut self, now: MonoMillis, open: Phase) -> Transition {
        self.failed_probes = self.failed_probes.saturating_add(1);
        self.turn(now, open, Reason::ProbeFailed)
    }

    /// Forgets what was counted before it closed.
    fn forgive(&mut self) {
        (self.consecutive_failures, self.failed_probes) = (0, 0);
        self.failures.clear();
        self.slow.clear();
    }

    fn open_for(&self, draw: Draw, at_least: Duration) -> Duration {
        let Settings { open_ttl, open_ttl_max, .. } = self.settings;
        let doubled = open_ttl.saturating_mul(1_u32.checked_shl(self.failed_probes).unwrap_or(u32::MAX));
        draw.stretch(doubled).max(at_least).min(open_ttl_max.max(open_ttl))
    }

    fn turn(&mut self, now: MonoMillis, to: Phase, reason: Reason) -> Transition {
        let from = self.phase.state();
        self.generation = self.generation.saturating_add(1);
        self.phase = to;
        let open_for = match to {
            Phase::Open { draw, at_least, .. } => self.open_for(draw, at_least),
            Phase::Closed | Phase::HalfOpen { .. } | Phase::ForcedOpen => Duration::ZERO,
        };
        let evidence = Evidence {
            consecutive_failures: self.consecutive_failures,
            failures: self.failures.sum(now),
            slow: self.slow.sum(now),
            open_for,
        };
        Transition { from, to: to.state(), generation: self.generation, reason, evidence }
    }
}

impl Phase {
    fn state(self) -> State {
        match self {
            Self::Closed => State::Closed,
            Self::Open { .. } | Self::ForcedOpen => State::Open,
            Self::HalfOpen { .. } => State::HalfOpen,
        }
    }
}

fn window(rule: Option<Rule>) -> Window {
    Window::new(length(rule))
}

fn length(rule: Option<Rule>) -> Duration {
    rule.unwrap_or_default().window
}
