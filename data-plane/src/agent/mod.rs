//! The link to the control plane: rulesets down, reports up, questions answered. The proxy serves on without it; without it
//! and without any ruleset it is not ready.

mod assembly;
mod link;
mod reports;
mod rulesets;

use std::time::Duration;

use breakwater_runtime::{Readiness, SharedClock, ready};

use crate::breakers::Breakers;
use crate::limiters::Limiters;
use crate::metrics::Metrics;
use crate::outcomes::Book;
use crate::reroutes::Reroutes;
use crate::ruleset_cell::RulesetCell;

pub(crate) use link::Agent;

/// What the agent reads and writes.
#[derive(Debug)]
pub(crate) struct Handles {
    /// Where rulesets go.
    pub(crate) cell: RulesetCell,
    /// What reports say of providers; follows rulesets.
    pub(crate) breakers: Breakers,
    /// Follow rulesets.
    pub(crate) limiters: Limiters,
    /// Follows rulesets.
    pub(crate) reroutes: Reroutes,
    /// What reports say of calls, and what questions are answered from.
    pub(crate) book: Book,
    /// Counts rulesets.
    pub(crate) metrics: Metrics,
    /// The time.
    pub(crate) clock: SharedClock,
    /// Whether there is a ruleset.
    pub(crate) ruleset_ready: ready::Token,
}

/// Who the proxy is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// Stable over restarts.
    pub(crate) proxy_id: String,
    /// New with each start.
    pub(crate) boot_id: String,
}

impl Handles {
    /// Takes the token of readiness. Not ready until a ruleset is in force.
    pub(crate) fn token(readiness: &Readiness) -> ready::Token {
        let token = readiness.token("ruleset");
        token.not_ready("none received from the control plane yet");
        token
    }
}

/// Reads a time that the control plane said; 0 means the first of the pair, and the second is the longest.
fn believed(said_ms: u32, (default_ms, ms_max): (u64, u64)) -> Duration {
    let said_ms = u64::from(said_ms);
    Duration::from_millis(if said_ms == 0 { default_ms } else { said_ms.min(ms_max) })
}
