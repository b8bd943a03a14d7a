//! Who holds a stream, runs what, and refused what.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use breakwater_common::limits::PROXIES_MAX;
use tokio::sync::Notify;

/// What is known of one proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its process.
    pub boot_id: String,
    /// Its release.
    pub version: String,
    /// Streams that it holds now; more than one for a moment after it came back.
    pub sessions: u32,
    /// The revision that it runs, as acknowledged.
    pub revision: u64,
    /// The revision that it refused, and why. Not sent again to this process.
    pub parked: Option<Parked>,
}

/// A refused ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which.
    pub revision: u64,
    /// Its digest.
    pub digest: [u8; 32],
    /// Why, for people.
    pub why: String,
}

/// The book.
#[derive(Debug, Default)]
pub struct Book {
    proxies: Mutex<BTreeMap<String, Entry>>,
    /// Told after each change that may bring the fleet nearer to a revision.
    pub(super) changed: Notify,
}

impl Book {
    /// Notes that a proxy opened a stream. What its process refused before stays parked; a new process is asked again.
    pub(super) fn opened(&self, proxy: &str, boot_id: &str, version: &str, revision: u64) {
        let mut proxies = self.lock();
        if proxies.len() >= PROXIES_MAX && !proxies.contains_key(proxy) {
            let gone = proxies.iter().find(|(_, entry)| entry.sessions == 0).map(|(id, _)| id.clone());
            if let Some(gone) = gone {
                proxies.remove(&gone);
            }
        }
        let entry = proxies.entry(proxy.to_owned()).or_default();
        if entry.boot_id != boot_id {
            entry.parked = None;
        }
        boot_id.clone_into(&mut entry.boot_id);
        version.clone_into(&mut entry.version);
        entry.revision = revision;
        entry.sessions = entry.sessions.saturating_add(1);
    }

    /// Notes that a stream ended.
    pub(super) fn closed(&self, proxy: &str) {
        if let Some(entry) = self.lock().get_mut(proxy) {
            entry.sessions = entry.sessions.saturating_sub(1);
        }
        self.changed.notify_waiters();
    }

    /// Notes what a proxy runs now.
    pub(super) fn acknowledged(&self, proxy: &str, revision: u64) {
        if let Some(entry) = self.lock().get_mut(proxy) {
            entry.revision = revision;
            if entry.parked.as_ref().is_some_and(|parked| parked.revision <= revision) {
                entry.parked = None;
            }
        }
        self.changed.notify_waiters();
    }

    /// Notes what a proxy refused.
    pub(super) fn refused(&self, proxy: &str, parked: Parked) {
        if let Some(entry) = self.lock().get_mut(proxy) {
            entry.parked = Some(parked);
        }
    }

    /// Whether this proxy's process refused this very ruleset.
    pub(super) fn is_parked(&self, proxy: &str, digest: &[u8; 32]) -> bool {
        let proxies = self.lock();
        let parked = proxies.get(proxy).and_then(|entry| entry.parked.as_ref());
        parked.is_some_and(|parked| parked.digest == *digest)
    }

    /// Returns how many proxies hold a stream now.
    pub(super) fn connected(&self) -> u32 {
        let connected = self.lock().values().filter(|entry| entry.sessions > 0).count();
        u32::try_from(connected).unwrap_or(u32::MAX)
    }

    /// Returns all entries by proxy.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, Entry> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
