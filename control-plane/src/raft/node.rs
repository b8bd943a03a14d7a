//! The facade: what the rest of the control plane knows of Raft.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use breakwater_common::limits::{PROPOSALS_IN_FLIGHT_MAX, SUBMIT_MS_MAX};
use breakwater_control_core::{Proposal, Receipt, Refusal, State, snapshot::TABLE_LEDGER, wire};
use breakwater_runtime::{clock::SharedClock, tasks::Tasks};
use openraft::{
    ServerState,
    async_runtime::watch::WatchReceiver as _,
    errors::{ClientWriteError, RaftError},
};
use tokio::sync::{Semaphore, TryAcquireError, oneshot, watch};

use super::{
    state_machine::{Shared, StateMachine},
    types::{Payload, Types},
};
use crate::store::{
    identity::{Identity, Lock},
    image::ImageError,
    log::Log,
};

/// Why a change has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too many changes wait already; this one was not taken. Ask again later.
    #[error("{PROPOSALS_IN_FLIGHT_MAX} changes wait already; ask again in a moment")]
    Busy,
    /// Nobody leads the cluster now, or another node does; this change was not taken.
    #[error("this node does not lead the cluster; ask again in a moment, or ask node {leader:?}")]
    NoLeader {
        /// Who leads, as far as known.
        leader: Option<u64>,
    },
    /// It may or may not be carried out. Asking again with the same request id gives the answer.
    #[error("outcome is not known; ask again with the same request id {request_id:?}")]
    Unknown {
        /// The request id it was asked with.
        request_id: String,
    },
    /// The node has stopped; this change was not taken.
    #[error("the node has stopped; look for its last error in the log")]
    Stopped,
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The state image refused.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The reader was ended with the node.
    #[error("the node has stopped")]
    Stopped,
}

/// What a node does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Leader,
    /// It follows a leader.
    Follower,
    /// It asks to lead.
    Candidate,
    /// It follows without a vote.
    Learner,
    /// It has stopped.
    Stopped,
}

/// How the node stands. Indexes are of the Raft log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The cluster's id.
    pub cluster_id: String,
    /// This node.
    pub node_id: u64,
    /// What it does.
    pub role: Role,
    /// Raft's term.
    pub term: u64,
    /// Who leads, as far as known.
    pub leader: Option<u64>,
    /// Who votes.
    pub voters: Vec<u64>,
    /// Newest entry in the log.
    pub last_log_index: u64,
    /// Newest entry in the published state.
    pub applied_index: u64,
    /// Newest entry in the state image on disk.
    pub image_index: u64,
    /// Newest entry in the newest snapshot; 0 if there is none.
    pub snapshot_index: u64,
    /// Bytes of entries in the log.
    pub log_bytes: usize,
    /// Changes that wait for their answer.
    pub proposals_in_flight: usize,
    /// Changes refused because too many waited, since the start.
    pub proposals_refused_busy: u64,
}

/// A node of the cluster. Clones are handles to the same node.
#[derive(Clone, Debug)]
pub struct Raft {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) raft: openraft::Raft<Types, StateMachine>,
    pub(super) log: Arc<Log>,
    pub(super) shared: Shared,
    pub(super) identity: Identity,
    pub(super) clock: SharedClock,
    pub(super) tasks: Tasks,
    pub(super) permits: Arc<Semaphore>,
    pub(super) refused_busy: AtomicU64,
    pub(super) lock: Mutex<Option<Lock>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Raft").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Raft {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Proposes a change and waits until it is applied here. The proposal's time is stamped now.
    ///
    /// Dropping the future does not take the change back.
    ///
    /// # Errors
    /// If there is no answer: see [`SubmitError`] for which of them say that the change was not taken.
    pub async fn submit(&self, mut proposal: Proposal) -> Result<Result<Receipt, Refusal>, SubmitError> {
        let inner = &self.inner;
        let permit = match Arc::clone(&inner.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::NoPermits) => {
                let _count = inner.refused_busy.fetch_add(1, Ordering::Relaxed);
                return Err(SubmitError::Busy);
            }
            Err(TryAcquireError::Closed) => return Err(SubmitError::Stopped),
        };
        proposal.stamped = inner.clock.wall();
        let request_id = proposal.request_id.clone();
        let bytes = wire::encode_proposal(&proposal).into();
        let payload = Payload { proposal: Arc::new(proposal), bytes };
        let (sender, answer) = oneshot::channel();
        let raft = inner.raft.clone();
        // A task of its own: a caller that leaves must not free the place of a change that still runs.
        inner.tasks.spawn_contained("submit", async move {
            let written = raft.client_write(payload).await;
            drop(permit);
            // The caller may have left.
            drop(sender.send(written));
        });
        let unknown = || SubmitError::Unknown { request_id: request_id.clone() };
        let deadline = Duration::from_millis(SUBMIT_MS_MAX);
        let Ok(Ok(written)) = tokio::time::timeout(deadline, answer).await else { return Err(unknown()) };
        match written {
            Ok(response) => response.data.ok_or_else(unknown),
            // openraft answers this only before the entry is appended.
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
                Err(SubmitError::NoLeader { leader: forward.leader_id })
            }
            Err(_) => Err(unknown()),
        }
    }

    /// Returns the newest applied state.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        Arc::clone(&self.inner.shared.published.borrow())
    }

    /// Watches the applied state: one change for each group of entries; who is slow sees only the newest.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.inner.shared.published.subscribe()
    }

    /// Reads up to `limit` records of the ledger from index `start` on, with their indexes. Waits until what is applied now is
    /// on disk.
    ///
    /// # Errors
    /// If the image cannot be read.
    pub async fn ledger_leaves(&self, start: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        let shared = self.inner.shared.clone();
        let applied = shared.applied_index.load(Ordering::Acquire);
        shared.image.reached(applied).await?;
        let read = self
            .inner
            .tasks
            .blocking("ledger read", move || shared.image.bulk_rows(&start.to_be_bytes(), limit));
        let rows = read.await.ok_or(ReadError::Stopped)??;
        let index = |key: &[u8]| {
            key.split_last_chunk::<8>()
                .filter(|(table, _)| *table == [TABLE_LEDGER])
                .map(|(_, be)| u64::from_be_bytes(*be))
        };
        Ok(rows.into_iter().filter_map(|(key, leaf)| Some((index(&key)?, leaf))).collect())
    }

    /// Returns how the node stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let metrics = inner.raft.metrics().borrow_watched().clone();
        Status {
            cluster_id: inner.identity.cluster_id.clone(),
            node_id: inner.identity.node_id,
            role: match metrics.state {
                ServerState::Leader => Role::Leader,
                ServerState::Follower => Role::Follower,
                ServerState::Candidate => Role::Candidate,
                ServerState::Learner => Role::Learner,
                ServerState::Shutdown => Role::Stopped,
            },
            term: metrics.current_term,
            leader: metrics.current_leader,
            voters: metrics.membership_config.voter_ids().collect(),
            last_log_index: metrics.last_log_index.unwrap_or(0),
            applied_index: inner.shared.applied_index.load(Ordering::Acquire),
            image_index: inner.shared.image.progress().index,
            snapshot_index: metrics.snapshot.map_or(0, |id| id.index),
            log_bytes: inner.log.reader().view().entry_bytes(),
            proposals_in_flight: PROPOSALS_IN_FLIGHT_MAX.saturating_sub(inner.permits.available_permits()),
            proposals_refused_busy: inner.refused_busy.load(Ordering::Relaxed),
        }
    }

    /// Returns whether the cluster still has no first entry: then its maker proposes `Command::Bootstrap`, also after a
    /// crash between the two.
    #[must_use]
    pub fn needs_bootstrap(&self) -> bool {
        self.state().cluster_id().is_empty()
    }

    /// Returns who this node is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// Builds a snapshot soon, and cuts the log behind it.
    ///
    /// # Errors
    /// If the node has stopped.
    pub async fn snapshot(&self) -> Result<(), ReadError> {
        self.inner.raft.trigger().snapshot().await.map_err(|_| ReadError::Stopped)
    }

    /// Stops the node in order: no more entries, then snapshots, log and image are closed and the directory is let go. Changes
    /// still waiting get an unknown outcome.
    pub async fn shutdown(&self) {
        let inner = &self.inner;
        inner.permits.close();
        if inner.raft.shutdown().await.is_err() {
            tracing::error!("Raft's core panicked before its end");
        }
        let (log, image) = (Arc::clone(&inner.log), Arc::clone(&inner.shared.image));
        let snapshots = inner.shared.snapshots.clone();
        let closed = inner.tasks.blocking("store close", move || {
            // A snapshot that is being built reads the image.
            snapshots.close();
            log.close();
            image.close();
        });
        if closed.await.is_some() {
            tracing::info!("log and state image closed");
        }
        drop(inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
