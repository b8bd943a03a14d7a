//! Whether an endpoint keeps what a route asks for: a time to the first token and a share of good calls. A pure machine, with
//! the time passed in, for each endpoint of each route that asks.
//!
//! It leaves an endpoint when, of at least [`limits::SLA_TIMED_CALLS_MIN`] timed calls of the last
//! [`limits::SLA_LATENCY_WINDOW_MS`], more than half were slower than `failover_latency` (their median is above it, without
//! sorting); or when at least [`limits::SLA_BAD_CALLS_MIN`] calls of `availability_window` were bad and the share of good
//! ones is below `min_availability`. Both windows are ten exact buckets.
//!
//! While it is left, a small share of calls goes there as probes: [`limits::SLA_PROBE_EVERY`]. It is taken back after a run of
//! good probes, each below 0.8 of the latency, that is long enough both in number and in time ([`Settings::hold`]). One that is
//! left again soon after must prove itself for twice as long each time, so that what swings does not swing the traffic.

mod machine;
mod window;

pub use machine::{Change, Machine, Sample, Settings, Verdict};

#[cfg(doc)]
use crate::limits;

#[cfg(test)]
mod tests;
