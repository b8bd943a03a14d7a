//! What openraft's types are here.

use std::{fmt, sync::Arc};

use breakwater_control_core::{Proposal, Receipt, Refusal};
use bytes::Bytes;
use openraft::type_config::alias::{
    EntryOf, LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf, VoteOf,
};

use crate::store::snapshot::SnapshotFile;

openraft::declare_raft_types!(
    /// Types of this cluster: one leader a term, nodes are numbers with an address.
    pub(crate) Types:
        D = Payload,
        R = Answer,
        LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>,
        AsyncRuntime = openraft_rt_tokio::TokioRuntime,
);

/// What comes of an entry: nothing, for entries of Raft's own.
pub(crate) type Answer = Option<Result<Receipt, Refusal>>;

pub(crate) type Entry = EntryOf<Types>;
pub(crate) type LogId = LogIdOf<Types>;
pub(crate) type Vote = VoteOf<Types>;
pub(crate) type StoredMembership = StoredMembershipOf<Types>;
pub(crate) type SnapshotMeta = SnapshotMetaOf<Types>;
pub(crate) type Snapshot = SnapshotOf<Types, SnapshotFile>;

/// A proposal and the very bytes of it that are in the log.
#[derive(Clone)]
pub(crate) struct Payload {
    pub(crate) proposal: Arc<Proposal>,
    pub(crate) bytes: Bytes,
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Names the command only: openraft logs its entries, and a command may hold sealed secrets.
impl fmt::Display for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({} bytes)", self.proposal.command.word(), self.bytes.len())
    }
}
