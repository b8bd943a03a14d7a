//! The seam between the door and the replicated log, so that the shells are tested without a disk and a quorum. The one
//! implementor outside of tests is [`crate::raft`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use breakwater_control_core::{Proposal, Receipt, Refusal, State};
use tokio::sync::watch;

use crate::raft::{self, Raft};

/// A future that is handed around.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The answer to a proposal that was applied: carried out, or refused by a rule.
pub type Decision = Result<Receipt, Refusal>;

/// A ledger record: its place and its bytes.
pub type Leaf = (u64, Vec<u8>);

/// A replica of the state, and the way to change it.
pub trait Replica: Send + Sync + fmt::Debug {
    /// Proposes and waits until it is applied here.
    fn submit(&self, proposal: Proposal) -> Pending<'_, Result<Decision, SubmitError>>;
    /// Returns the applied state.
    fn state(&self) -> Arc<State>;
    /// Returns a watch of the applied state.
    fn watch(&self) -> watch::Receiver<Arc<State>>;
    /// Reads ledger leaves from `start`, at most `limit`, in order.
    fn ledger_leaves(&self, start: u64, limit: usize) -> Pending<'_, Result<Vec<Leaf>, ReadError>>;
    /// Returns the cluster as this node sees it.
    fn status(&self) -> Status;
}

/// Why a proposal has no answer. Only `Unknown` may have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too many proposals wait.
    #[error("too many writes wait: try again later")]
    Busy,
    /// Nobody leads now.
    #[error("no node leads now: try again")]
    NoLeader,
    /// It may or may not have happened.
    #[error("the outcome of request {request_id:?} is unknown: ask again with the same request id")]
    Unknown {
        /// To ask again with.
        request_id: String,
    },
    /// This node ends.
    #[error("the node is shutting down")]
    Stopped,
}

/// The store could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger cannot be read from the store: {reason}")]
pub struct ReadError {
    /// The store's words.
    pub reason: String,
}

/// The cluster as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// This node.
    pub node_id: u64,
    /// The leader, if known.
    pub leader_id: Option<u64>,
    /// The Raft term.
    pub term: u64,
    /// The last log index here.
    pub last_log_index: u64,
    /// The last log index applied here.
    pub applied_index: u64,
    /// Voters.
    pub voters: Vec<u64>,
}

impl Replica for Raft {
    fn submit(&self, proposal: Proposal) -> Pending<'_, Result<Decision, SubmitError>> {
        Box::pin(async move {
            Self::submit(self, proposal).await.map_err(|error| match error {
                raft::SubmitError::Busy => SubmitError::Busy,
                raft::SubmitError::NoLeader { .. } => SubmitError::NoLeader,
                raft::SubmitError::Unknown { request_id } => SubmitError::Unknown { request_id },
                raft::SubmitError::Stopped => SubmitError::Stopped,
            })
        })
    }

    fn state(&self) -> Arc<State> {
        Self::state(self)
    }

    fn watch(&self) -> watch::Receiver<Arc<State>> {
        Self::watch(self)
    }

    fn ledger_leaves(&self, start: u64, limit: usize) -> Pending<'_, Result<Vec<Leaf>, ReadError>> {
        Box::pin(async move {
            let leaves = Self::ledger_leaves(self, start, limit).await;
            leaves.map_err(|error| ReadError { reason: error.to_string() })
        })
    }

    fn status(&self) -> Status {
        let status = Self::status(self);
        Status {
            node_id: status.node_id,
            leader_id: status.leader,
            term: status.term,
            last_log_index: status.last_log_index,
            applied_index: status.applied_index,
            voters: status.voters,
        }
    }
}
