//! When a breaker opens and for how long.

use std::time::Duration;

/// When a breaker opens and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it. At least 1.
    pub threshold: u32,
    /// How long it stays open before one probe is let through.
    pub open_ttl: Duration,
}

impl Default for Settings {
    /// 5 failures, 60 s (source: circuit breaker guide, seed 002).
    fn default() -> Self {
        Self { threshold: 5, open_ttl: Duration::from_secs(60) }
    }
}
