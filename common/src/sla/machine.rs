//! The machine itself.

use std::time::Duration;

use super::window::{Counts, Window};
use crate::limits::{
    SLA_ANSWER_MS_PER_TOKEN, SLA_BAD_CALLS_MIN, SLA_GOOD_PROBES_MIN, SLA_HOLD_MS, SLA_LATENCY_WINDOW_MS,
    SLA_PROBE_EVERY, SLA_PROBE_INTERVAL_MS, SLA_SOON_MS, SLA_TIMED_CALLS_MIN,
};
use crate::time::MonoMillis;

/// What a route asks of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Longest time to the first token; none: it is not asked for.
    pub failover_latency: Option<Duration>,
    /// Lowest share of good calls in percent; none: it is not asked for.
    pub min_availability: Option<f64>,
    /// The window of that share.
    pub availability_window: Duration,
}

impl Settings {
    /// Returns how long good probes must run before an endpoint is taken back: ten times the latency, or a tenth of the
    /// availability's window, whichever is longer, within [`SLA_HOLD_MS`].
    #[must_use]
    pub fn hold(&self) -> Duration {
        let latency = self.failover_latency.map_or(Duration::ZERO, |latency| latency.saturating_mul(10));
        let window = self.min_availability.map_or(Duration::ZERO, |_| self.availability_window / 10);
        let (shortest, longest) = SLA_HOLD_MS;
        latency.max(window).clamp(Duration::from_millis(shortest), Duration::from_millis(longest))
    }
}

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The endpoint answered.
    pub good: bool,
    /// Its time to the first token, or that in which it gave none; none if that is not known.
    pub first_token: Option<Duration>,
}

impl Sample {
    /// Makes the sample of a call that took so long to its first content, or to its failure.
    ///
    /// Nobody sees the first token of an answer in one piece, so that is granted [`SLA_ANSWER_MS_PER_TOKEN`] for each of its
    /// `tokens`. A failure that came sooner than the limit says nothing about time.
    #[must_use]
    pub fn of(settings: &Settings, good: bool, taken: Duration, tokens: u64) -> Self {
        let granted = Duration::from_millis(tokens.saturating_mul(SLA_ANSWER_MS_PER_TOKEN));
        let first_token = taken.saturating_sub(granted);
        let tells = good || settings.failover_latency.is_some_and(|limit| first_token > limit);
        Self { good, first_token: tells.then_some(first_token) }
    }
}

/// Whether a call may go to the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Here,
    /// It may, to see how the endpoint does.
    Probe,
    /// Another endpoint should be asked first.
    Elsewhere,
}

/// A change of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Calls go elsewhere: the time to the first token is above what is asked.
    LeftForLatency,
    /// Calls go elsewhere: the share of good calls is below what is asked.
    LeftForAvailability,
    /// Calls come back.
    Returned,
}

/// The machine of one endpoint of one route.
#[derive(Debug, Clone)]
pub struct Machine {
    settings: Settings,
    latency: Window,
    availability: Window,
    away: Option<Away>,
    /// When calls came back last, and how long they had to wait.
    returned: Option<(MonoMillis, Duration)>,
}

#[derive(Debug, Clone, Copy)]
struct Away {
    hold: Duration,
    /// Calls sent elsewhere since the last probe.
    passed: u64,
    last_probe: MonoMillis,
    /// Good probes in a row, and when the first of them ended.
    good: u64,
    good_since: MonoMillis,
}

impl Machine {
    /// Makes the machine of an endpoint that nothing is known of: calls go there.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let latency = Window::new(Duration::from_millis(SLA_LATENCY_WINDOW_MS));
        let availability = Window::new(settings.availability_window);
        Self { settings, latency, availability, away: None, returned: None }
    }

    /// Returns what it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether calls go elsewhere.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Decides about one call.
    pub fn ask(&mut self, now: MonoMillis) -> Verdict {
        let Some(away) = &mut self.away else { return Verdict::Here };
        away.passed += 1;
        let waited = now.since(away.last_probe) >= Duration::from_millis(SLA_PROBE_INTERVAL_MS);
        if away.passed < SLA_PROBE_EVERY || !waited {
            return Verdict::Elsewhere;
        }
        (away.passed, away.last_probe) = (0, now);
        Verdict::Probe
    }

    /// Takes in what became of a call at the endpoint; returns whether that changes where calls go.
    pub fn report(&mut self, now: MonoMillis, sample: Sample) -> Option<Change> {
        if self.away.is_some() {
            return self.probed(now, sample);
        }
        if let (Some(limit), Some(taken)) = (self.settings.failover_latency, sample.first_token) {
            self.latency.add(now, taken > limit);
        }
        self.availability.add(now, !sample.good);
        let change = self.verdict(now)?;
        self.leave(now);
        Some(change)
    }

    fn verdict(&mut self, now: MonoMillis) -> Option<Change> {
        let Counts { all, bad } = self.latency.counts(now);
        if all >= SLA_TIMED_CALLS_MIN && bad.saturating_mul(2) > all {
            return Some(Change::LeftForLatency);
        }
        let lowest = self.settings.min_availability?;
        let Counts { all, bad } = self.availability.counts(now);
        #[expect(clippy::cast_precision_loss, reason = "counts of calls in a window stay far below 2^53")]
        let share = 100.0 * (all.saturating_sub(bad)) as f64 / all.max(1) as f64;
        (bad >= SLA_BAD_CALLS_MIN && share < lowest).then_some(Change::LeftForAvailability)
    }

    fn leave(&mut self, now: MonoMillis) {
        let first = self.settings.hold();
        let soon = Duration::from_millis(SLA_SOON_MS);
        let hold = match self.returned {
            Some((at, hold)) if now.since(at) < soon => hold.saturating_mul(2).min(soon.max(first)),
            _ => first,
        };
        self.away = Some(Away { hold, passed: 0, last_probe: now, good: 0, good_since: now });
    }

    fn probed(&mut self, now: MonoMillis, sample: Sample) -> Option<Change> {
        let fast = match (self.settings.failover_latency, sample.first_token) {
            // 0.8 of the limit: what is just below it would be above it again at once.
            (Some(limit), Some(taken)) => taken <= limit * 4 / 5,
            _ => true,
        };
        let away = self.away.as_mut()?;
        if !(sample.good && fast) {
            away.good = 0;
            return None;
        }
        if away.good == 0 {
            away.good_since = now;
        }
        away.good += 1;
        if away.good < SLA_GOOD_PROBES_MIN || now.since(away.good_since) < away.hold {
            return None;
        }
        self.returned = Some((now, away.hold));
        self.away = None;
        // What was measured before says nothing about now.
        self.latency.clear();
        self.availability.clear();
        Some(Change::Returned)
    }
}
