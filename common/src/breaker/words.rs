//! What is asked of a breaker, and what it says.

use std::time::Duration;

use super::window::Count;

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

/// What chance says when a breaker opens: how much longer than its time it stays open, from nothing (0) to a fifth (65535), so
/// that a fleet does not probe in one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Draw(pub u16);

impl Draw {
    /// Returns `time` times a number from 1 to 1.2.
    #[must_use]
    pub fn stretch(self, time: Duration) -> Duration {
        let more = time.as_nanos() / 5 * u128::from(self.0) / u128::from(u16::MAX);
        time.saturating_add(Duration::from_nanos(u64::try_from(more).unwrap_or(u64::MAX)))
    }
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

/// An outcome with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// How the attempt ended.
    pub outcome: Outcome,
    /// If this failure opens the breaker, it stays open at least so long: what the provider asked for. Zero if nothing.
    pub open_at_least: Duration,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, open_at_least: Duration::ZERO }
    }
}

/// Why a breaker changed its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// As many failures in a row as the settings allow.
    ThresholdReached,
    /// Too large a share of the recent attempts failed.
    FailureRatioReached,
    /// Too large a share of the recent first tokens was slow.
    SlowRatioReached,
    /// The open time passed.
    OpenTtlPassed,
    /// The probe succeeded.
    ProbeSucceeded,
    /// The probe failed, or its first token was slow.
    ProbeFailed,
    /// The probe gave no outcome within its lease.
    ProbeLeaseExpired,
    /// An operator forced it open.
    ForcedOpen,
    /// An operator forced it closed.
    ForcedClosed,
    /// An operator took the hand off a breaker that was forced open.
    ForceLifted,
}

impl Reason {
    /// Returns the word of reports and of the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ThresholdReached => "threshold_reached",
            Self::FailureRatioReached => "failure_ratio_reached",
            Self::SlowRatioReached => "slow_ratio_reached",
            Self::OpenTtlPassed => "open_ttl_passed",
            Self::ProbeSucceeded => "probe_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeLeaseExpired => "probe_lease_expired",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
            Self::ForceLifted => "force_lifted",
        }
    }
}

/// What a breaker had counted when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Failures within the window of the share.
    pub failures: Count,
    /// Slow first tokens within theirs.
    pub slow: Count,
    /// How long it stays open, if it opened.
    pub open_for: Duration,
}

impl Evidence {
    /// Writes it as a record has it: `5 in a row; 12 of 40 failed; open for 60000 ms`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = vec![format!("{} in a row", self.consecutive_failures)];
        let mut share = |Count { bad, of }, word: &str| {
            if of > 0 {
                parts.push(format!("{bad} of {of} {word}"));
            }
        };
        share(self.failures, "failed");
        share(self.slow, "slow");
        if !self.open_for.is_zero() {
            parts.push(format!("open for {} ms", self.open_for.as_millis()));
        }
        parts.join("; ")
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
    /// On what grounds.
    pub evidence: Evidence,
}
