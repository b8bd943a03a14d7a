//! Calls to other nodes. This release runs one node: there is nobody to call, and whoever tries is told so.

use std::future::Future;

use openraft::{
    OptionalSend, RaftNetworkFactory,
    errors::{RPCError, ReplicationClosed, StreamingError, Unreachable},
    impls::BasicNode,
    network::{RPCOption, v2::RaftNetworkV2},
    raft::{AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse},
};

use super::types::{Snapshot, Types, Vote};
use crate::store::snapshot::SnapshotFile;

/// The cluster has more than one voter, and this release cannot reach the others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "node {target} at {address:?} cannot be reached: this release runs clusters of one node; remove the other nodes"
)]
pub(crate) struct NotReachable {
    target: u64,
    address: String,
}

/// Makes the ways to other nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peers;

/// The way to one other node.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    reason: NotReachable,
}

impl Peer {
    fn unreachable(&self) -> Unreachable<Types> {
        Unreachable::new(&self.reason)
    }
}

impl RaftNetworkFactory<Types> for Peers {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &BasicNode) -> Peer {
        Peer { reason: NotReachable { target, address: node.addr.clone() } }
    }
}

impl RaftNetworkV2<Types> for Peer {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        _rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        Err(self.unreachable().into())
    }

    async fn vote(
        &mut self,
        _rpc: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        Err(self.unreachable().into())
    }

    /// Refuses like the rest: openraft's default would grant every pre-vote.
    async fn pre_vote(
        &mut self,
        _rpc: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        Err(self.unreachable().into())
    }

    async fn full_snapshot(
        &mut self,
        _vote: Vote,
        _snapshot: Snapshot,
        _cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        Err(self.unreachable().into())
    }
}
