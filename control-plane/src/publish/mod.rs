//! From an applied revision to every proxy: one projection for each revision, with secrets opened, shared by all sessions;
//! one session for each proxy; and a book of who runs what.

mod book;
mod encode;
mod reached;
mod session;

use std::sync::Arc;
use std::time::Duration;

use breakwater_control_core::ruleset::project;
use breakwater_control_core::{State, Token};
use breakwater_runtime::ready;
use breakwater_runtime::{CancellationToken, Tasks};
use tokio::sync::watch;

use crate::replica::Replica;
use crate::seal::{Place, SealError, Sealer};

pub use book::{Book, Entry};
pub use encode::Encoded;
pub use reached::Reached;
pub use session::{Outbound, Session};

/// Settings of the streams.
#[derive(Debug, Clone)]
pub struct Settings {
    /// This node, for logs of proxies.
    pub node_id: u64,
    /// Between heartbeats.
    pub heartbeat: Duration,
    /// Between reports of a proxy.
    pub report_interval: Duration,
}

/// Publishes rulesets. Clones share all.
#[derive(Debug, Clone)]
pub struct Publisher {
    newest: watch::Receiver<Arc<Encoded>>,
    applied: watch::Receiver<Arc<State>>,
    book: Arc<Book>,
    settings: Settings,
    end: CancellationToken,
}

/// What the projecting task needs.
#[derive(Debug)]
pub struct Projector {
    applied: watch::Receiver<Arc<State>>,
    newest: watch::Sender<Arc<Encoded>>,
    sealer: Arc<Sealer>,
    ready: ready::Token,
}

impl Publisher {
    /// Makes the publisher of a replica and the task that feeds it.
    #[must_use]
    pub fn new(
        replica: &dyn Replica,
        sealer: Arc<Sealer>,
        settings: Settings,
        tasks: &Tasks,
        ready: ready::Token,
    ) -> (Self, Projector) {
        let (sender, newest) = watch::channel(Arc::new(Encoded::default()));
        let projector = Projector { applied: replica.watch(), newest: sender, sealer, ready };
        let end = tasks.token();
        (Self { newest, applied: replica.watch(), book: Arc::default(), settings, end }, projector)
    }

    /// Returns the book of who runs what.
    #[must_use]
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// Whether the token of a session is in force still.
    fn may_serve(&self, token: &str) -> bool {
        let state = self.applied.borrow();
        state.token(token).is_some_and(|token: &Arc<Token>| !token.revoked)
    }
}

impl Projector {
    /// Projects each newest state until `end`. A state whose secrets do not open is not published: proxies keep what they
    /// have, and this node says so and is not ready.
    pub async fn run(mut self, end: CancellationToken) {
        loop {
            let state = self.applied.borrow_and_update().clone();
            self.publish(&state);
            // Both arms are cancel-safe.
            let more = tokio::select! {
                () = end.cancelled() => false,
                changed = self.applied.changed() => changed.is_ok(),
            };
            if !more {
                return;
            }
        }
    }

    fn publish(&self, state: &State) {
        if state.cluster_id().is_empty() || self.newest.borrow().is_of(state) {
            return;
        }
        match encoded(state, &self.sealer) {
            Ok(encoded) => {
                tracing::info!(revision = encoded.revision, items = encoded.resources, "ruleset published");
                self.newest.send_replace(Arc::new(encoded));
                self.ready.ready();
            }
            Err(error) => {
                tracing::error!(revision = state.revision(), %error, "ruleset cannot be published");
                self.ready.not_ready(&error.to_string());
            }
        }
    }
}

/// Projects and encodes a state.
pub fn encoded(state: &State, sealer: &Sealer) -> Result<Encoded, SealError> {
    let ruleset = project(state, &|kind, name, field_path, sealed| {
        sealer.open(Place { kind, name, field_path }, sealed)
    })?;
    Ok(Encoded::new(state.cluster_id(), ruleset))
}

#[cfg(test)]
mod tests;
