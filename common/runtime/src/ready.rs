//! What is still missing before traffic may come. Each part takes a token at start and says when it is ready, and later
//! when it no longer is.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// The parts of a process that must be ready. Clones share them.
#[derive(Debug, Clone)]
pub struct Readiness {
    parts: Arc<watch::Sender<BTreeMap<&'static str, Option<String>>>>,
}

/// The word of one part.
#[derive(Debug, Clone)]
pub struct Token {
    part: &'static str,
    readiness: Readiness,
}

impl Readiness {
    /// Makes a list without parts: ready.
    #[must_use]
    pub fn new() -> Self {
        Self { parts: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }

    /// Adds a part, not ready yet.
    #[must_use]
    pub fn token(&self, part: &'static str) -> Token {
        let token = Token { part, readiness: self.clone() };
        token.not_ready("starting");
        token
    }

    /// Whether all parts are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.parts.borrow().values().all(Option::is_none)
    }

    /// Returns what is missing, `part: reason`, sorted by part.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let parts = self.parts.borrow();
        let missing = parts.iter().filter_map(|(part, why)| why.as_ref().map(|why| format!("{part}: {why}")));
        missing.collect()
    }

    /// Returns a watch of every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BTreeMap<&'static str, Option<String>>> {
        self.parts.subscribe()
    }

    /// Waits until all parts are ready. Cancel-safe.
    pub async fn wait(&self) {
        let mut watch = self.parts.subscribe();
        // The sender lives in self, so the channel cannot close while this waits.
        drop(watch.wait_for(|parts| parts.values().all(Option::is_none)).await);
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Token {
    /// Says that the part is ready.
    pub fn ready(&self) {
        self.set(None);
    }

    /// Says that the part is not ready, and why. Lower case, for people.
    pub fn not_ready(&self, why: &str) {
        self.set(Some(why.to_owned()));
    }

    fn set(&self, why: Option<String>) {
        let _ = self.readiness.parts.send_if_modified(|parts| {
            let changed = parts.get(self.part) != Some(&why);
            parts.insert(self.part, why);
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ready_only_when_every_part_is() {
        let readiness = Readiness::new();
        let (store, ruleset) = (readiness.token("store"), readiness.token("ruleset"));
        store.ready();
        ruleset.not_ready("none received");
        assert!(!readiness.is_ready());
        assert_eq!(readiness.missing(), ["ruleset: none received"]);
        ruleset.ready();
        readiness.wait().await;
        assert!(readiness.is_ready());
    }
}
