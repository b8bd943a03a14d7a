//! How many calls this proxy takes in at once: the pure gate with its lock (short, never across an await), the place that
//! always comes back, and the pulse that measures how long our own work waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breakwater_common::limit::{self, Priority};
use breakwater_common::limits::{GATE_PULSE_MS, PROXY_CALLS_MAX};
use breakwater_runtime::{CancellationToken, SharedClock};
use tokio::time::{Instant, sleep_until};

use crate::metrics::Metrics;

/// See the module. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Mutex<limit::Gate>>);

/// The place of one call, until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place(Gate);

impl Gate {
    /// Makes one that is open for [`PROXY_CALLS_MAX`] calls.
    pub(crate) fn new() -> Self {
        Self::of(PROXY_CALLS_MAX)
    }

    /// Makes one that is open for so many calls.
    pub(crate) fn of(most: u32) -> Self {
        Self(Arc::new(Mutex::new(limit::Gate::new(most))))
    }

    /// Takes a call in; none if there is no room for its priority.
    pub(crate) fn enter(&self, priority: Priority) -> Option<Place> {
        self.lock().enter(priority).then(|| Place(self.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, limit::Gate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Measures until the token is cancelled: how late a timer is heard is how long a task that could run waits to.
    pub(crate) async fn pulse(self, clock: SharedClock, metrics: Metrics, token: CancellationToken) {
        while !token.is_cancelled() {
            let due = Instant::now() + Duration::from_millis(GATE_PULSE_MS);
            // Cancel-safe: a timer and a token.
            tokio::select! {
                biased;
                () = token.cancelled() => return,
                () = sleep_until(due) => {}
            }
            let mut gate = self.lock();
            gate.waited(clock.mono(), due.elapsed());
            metrics.gate(gate.bound(), gate.running());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().leave();
    }
}
