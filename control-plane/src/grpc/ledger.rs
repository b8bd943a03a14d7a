//! The ledger: records, checkpoints, proofs.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::ledger::{hex, leaf_hash};
use breakwater_control_core::Action;
use breakwater_proto::v1::ledger_service_server::LedgerService;
use breakwater_proto::v1::{
    Checkpoint, GetCheckpointRequest, GetProofRequest, InclusionProof, ListRecordsRequest,
    ListRecordsResponse, Record,
};
use tonic::{Request, Response, Status};

use super::message::{caller, checked};
use super::status::{from_admin, plain};
use crate::admin::Admin;
use crate::ledger::{Ledger, LedgerError, Signed};

#[derive(Debug)]
pub(super) struct Records {
    pub(super) admin: Admin,
    pub(super) ledger: Ledger,
}

#[tonic::async_trait]
impl LedgerService for Records {
    async fn list_records(
        &self,
        request: Request<ListRecordsRequest>,
    ) -> Result<Response<ListRecordsResponse>, Status> {
        self.allow(&request)?;
        let request = request.into_inner();
        checked("ListRecordsRequest", &request)?;
        let size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        let (leaves, tree_size) =
            self.ledger.records(request.start, size, request.newest_first).await.map_err(from_ledger)?;
        let records =
            leaves.into_iter().map(|(index, leaf)| record_of(index, leaf)).collect::<Result<_, _>>()?;
        Ok(Response::new(ListRecordsResponse { records, tree_size }))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<Checkpoint>, Status> {
        self.allow(&request)?;
        Ok(Response::new(checkpoint_of(self.ledger.checkpoint())))
    }

    async fn get_proof(&self, request: Request<GetProofRequest>) -> Result<Response<InclusionProof>, Status> {
        self.allow(&request)?;
        let index = request.get_ref().index;
        let proof = self.ledger.proof(index).await.map_err(from_ledger)?;
        Ok(Response::new(InclusionProof {
            index,
            leaf_hash: hex(&proof.leaf_hash),
            hashes: proof.hashes.iter().map(|hash| hex(hash)).collect(),
            checkpoint: Some(checkpoint_of(proof.signed)),
        }))
    }
}

impl Records {
    fn allow<T>(&self, request: &Request<T>) -> Result<(), Status> {
        self.admin.allow(&caller(request)?.principal, Action::ReadLedger).map_err(from_admin)
    }
}

fn record_of(index: u64, leaf: Vec<u8>) -> Result<Record, Status> {
    let leaf_hash = hex(&leaf_hash(&leaf));
    // Leaves are JSON of our own making.
    let leaf = String::from_utf8(leaf).map_err(|_| from_ledger(LedgerError::Diverged))?;
    Ok(Record { index, leaf, leaf_hash })
}

fn checkpoint_of(signed: Signed) -> Checkpoint {
    Checkpoint {
        origin: signed.checkpoint.origin,
        tree_size: signed.checkpoint.size,
        root_hash: hex(&signed.checkpoint.root),
        note: signed.note,
        public_key: signed.public_key,
    }
}

fn from_ledger(error: LedgerError) -> Status {
    let kind = match &error {
        LedgerError::NoRecord { .. } => ErrorKind::NotFound,
        LedgerError::Read(_) => ErrorKind::Unavailable,
        LedgerError::Diverged => ErrorKind::Internal,
    };
    if kind == ErrorKind::Internal {
        tracing::error!(%error, "the ledger does not hold");
    }
    plain(kind, &error.to_string())
}
