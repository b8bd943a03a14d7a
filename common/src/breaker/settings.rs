//! When a breaker opens and for how long.

use std::time::Duration;

use super::window::Count;

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it. At least 1.
    pub threshold: u32,
    /// How long it stays open at first before one probe is let through.
    pub open_ttl: Duration,
    /// The longest that it stays open, whatever failed probes, jitter and the provider's own wish make of `open_ttl`. With
    /// `open_ttl` itself here, the time is exact.
    pub open_ttl_max: Duration,
    /// The share of failures that opens it; none if only failures in a row do.
    pub failures: Option<Rule>,
    /// First tokens that are slow; none if they open nothing.
    pub slow: Option<Slow>,
    /// An operator's hand on it.
    pub force: Option<Force>,
}

/// A share of enough attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// In hundredths of a percent: 5000 is a half.
    pub share: u32,
    /// Fewer attempts than these say nothing.
    pub min_requests: u32,
    /// How far back attempts count, to a tenth of it.
    pub window: Duration,
}

/// What a slow provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slow {
    /// A first token that took longer is slow.
    pub first_token: Duration,
    /// How many slow ones open the breaker.
    pub rule: Rule,
}

/// An operator's hand on a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Force {
    /// Nothing goes through.
    Open,
    /// Everything goes through, whatever fails.
    Closed,
}

impl Settings {
    /// Seed 002, and no more: as many failures in a row, and exactly so long.
    #[must_use]
    pub fn exact(threshold: u32, open_ttl: Duration) -> Self {
        Self { threshold, open_ttl, open_ttl_max: open_ttl, failures: None, slow: None, force: None }
    }
}

impl Default for Settings {
    /// 5 failures and 60 s (source: circuit breaker guide, seed 002); up to 300 s, and a half of 20 or more in 30 s, because
    /// failures in a row alone are blind to a brown-out: at 20 % failing, five in a row take 3,905 calls (source: fleet.md
    /// §2.1, §2.2).
    fn default() -> Self {
        Self {
            open_ttl_max: Duration::from_secs(300),
            failures: Some(Rule::default()),
            ..Self::exact(5, Duration::from_secs(60))
        }
    }
}

impl Rule {
    /// Whether a count is enough.
    pub(super) fn holds(self, count: Count) -> bool {
        count.of >= self.min_requests.max(1)
            && u64::from(count.bad) * 10_000 >= u64::from(count.of) * u64::from(self.share)
    }
}

impl Default for Rule {
    /// A half of at least 20 within 30 s (source: fleet.md §2.2).
    fn default() -> Self {
        Self { share: 5_000, min_requests: 20, window: Duration::from_secs(30) }
    }
}

impl Force {
    /// Returns the word of manifests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    /// Returns the force of a word of manifests.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Closed].into_iter().find(|force| force.as_str() == word)
    }
}
