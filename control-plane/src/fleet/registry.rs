//! Who reported what, and when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breakwater_common::limits::PROXIES_MAX;
use breakwater_common::time::{MonoMillis, UnixMillis};
use breakwater_runtime::SharedClock;

use super::view::BreakerState;

/// How long a silent proxy is remembered.
const MEMORY: Duration = Duration::from_secs(600);

/// One report of a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The proxy.
    pub proxy: String,
    /// Its process.
    pub boot_id: String,
    /// The revision that it runs.
    pub revision: u64,
    /// Calls since its start.
    pub calls: u64,
    /// Calls that ended in an error of an upstream or of the proxy.
    pub failed_calls: u64,
    /// Each provider.
    pub upstreams: Vec<Upstream>,
}

/// One provider at one proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Its name.
    pub provider: String,
    /// State of its breaker.
    pub state: BreakerState,
    /// Consecutive failures.
    pub failures: u32,
    /// The last failure.
    pub last_failure: Option<UnixMillis>,
    /// When an open breaker lets a probe through.
    pub open_until: Option<UnixMillis>,
    /// An operator's hand on it: "open" or "closed"; empty if there is none.
    pub force: String,
    /// The breakers of its models, if it has several.
    pub deployments: Vec<Deployment>,
    /// Its credentials that are left alone.
    pub credentials: Vec<Credential>,
}

/// The breaker of one model of a provider, as a proxy sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deployment {
    /// The model.
    pub model: String,
    /// State of its breaker.
    pub state: BreakerState,
    /// Consecutive failures.
    pub failures: u32,
    /// The last failure.
    pub last_failure: Option<UnixMillis>,
    /// When an open breaker lets a probe through.
    pub open_until: Option<UnixMillis>,
}

/// A credential that a proxy leaves alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// Its name.
    pub name: String,
    /// For which model; empty if for all.
    pub model: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Option<UnixMillis>,
}

/// What is remembered of one proxy.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Its newest report.
    pub report: Report,
    /// When it came.
    pub at: UnixMillis,
    heard: MonoMillis,
}

/// The newest report of each proxy.
#[derive(Debug)]
pub struct Registry {
    clock: SharedClock,
    proxies: Mutex<BTreeMap<String, Proxy>>,
}

impl Registry {
    /// Makes an empty registry.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, proxies: Mutex::default() }
    }

    /// Takes a report in. Beyond [`PROXIES_MAX`] the longest silent proxy is forgotten.
    pub fn record(&self, report: Report) {
        let (at, heard) = (self.clock.wall(), self.clock.mono());
        let mut proxies = self.lock();
        if proxies.len() >= PROXIES_MAX && !proxies.contains_key(&report.proxy) {
            let silent = proxies.iter().min_by_key(|(_, proxy)| proxy.heard).map(|(id, _)| id.clone());
            if let Some(silent) = silent {
                tracing::warn!(proxy = silent, "too many proxies; the longest silent one is forgotten");
                proxies.remove(&silent);
            }
        }
        proxies.insert(report.proxy.clone(), Proxy { report, at, heard });
    }

    /// Returns the proxies that reported within the last 10 minutes, by id.
    #[must_use]
    pub fn proxies(&self) -> Vec<Proxy> {
        let now = self.clock.mono();
        let mut proxies = self.lock();
        proxies.retain(|_, proxy| now.since(proxy.heard) <= MEMORY);
        proxies.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Proxy>> {
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use breakwater_runtime::ManualClock;

    use super::*;

    #[test]
    fn a_proxy_is_remembered_for_ten_minutes_after_its_last_report() {
        let clock = ManualClock::at(UnixMillis(1_000));
        let registry = Registry::new(clock.clone());
        registry.record(Report { proxy: "p1".to_owned(), calls: 1, ..Report::default() });
        clock.advance(Duration::from_secs(600));
        registry.record(Report { proxy: "p2".to_owned(), ..Report::default() });
        assert_eq!(registry.proxies().len(), 2);
        clock.advance(Duration::from_millis(1));
        let left: Vec<String> = registry.proxies().into_iter().map(|proxy| proxy.report.proxy).collect();
        assert_eq!(left, ["p2"]);
    }

    #[test]
    fn the_longest_silent_proxy_makes_room() {
        let clock = ManualClock::at(UnixMillis(0));
        let registry = Registry::new(clock.clone());
        for number in 0..=PROXIES_MAX {
            registry.record(Report { proxy: format!("{number:06}"), ..Report::default() });
            clock.advance(Duration::from_millis(1));
        }
        let proxies = registry.proxies();
        assert_eq!(proxies.len(), PROXIES_MAX);
        assert_eq!(proxies[0].report.proxy, "000001");
    }
}
