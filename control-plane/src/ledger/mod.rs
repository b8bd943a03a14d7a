//! Reading and proving the ledger. Nothing here writes: records are made by the state machine alone.

mod sign;

use std::sync::Arc;

use breakwater_common::ledger::{Checkpoint, Hash, inclusion_proof, leaf_hash};
use breakwater_common::limits::LEDGER_PAGE_MAX;
use breakwater_control_core::State;
use tokio::sync::Mutex;

use crate::replica::{Leaf, ReadError, Replica};

pub use sign::{LogKey, LogKeyError};

/// Records on a page, if the request does not say.
const PAGE_DEFAULT: usize = 100;

/// Why the ledger did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such record.
    #[error("there is no record {index}: the ledger has {size}")]
    NoRecord {
        /// Which was asked for.
        index: u64,
        /// Records there are.
        size: u64,
    },
    /// The records do not give the root that the state holds.
    #[error(
        "the stored records do not give the state's root: stop this node and run `breakwater ledger verify`"
    )]
    Diverged,
}

/// A signed tree head.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The tree head.
    pub checkpoint: Checkpoint,
    /// The C2SP signed note.
    pub note: String,
    /// The verifier's key in C2SP form.
    pub public_key: String,
}

/// A proof that a record is in the tree of a checkpoint.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The record's leaf hash.
    pub leaf_hash: Hash,
    /// Siblings from the leaf up.
    pub hashes: Vec<Hash>,
    /// The tree.
    pub signed: Signed,
}

/// Reads and proofs. Clones share the key and the hashes.
#[derive(Debug, Clone)]
pub struct Ledger {
    replica: Arc<dyn Replica>,
    key: Arc<LogKey>,
    /// Hashes of the first leaves, read as far as a proof needed them. 32 bytes a record.
    hashes: Arc<Mutex<Vec<Hash>>>,
}

impl Ledger {
    /// Makes the reader of a replica's ledger.
    #[must_use]
    pub fn new(replica: Arc<dyn Replica>, key: LogKey) -> Self {
        Self { replica, key: Arc::new(key), hashes: Arc::default() }
    }

    /// Returns a page of records in order and the ledger's size. Newest first: the page ends before `start`, or at the
    /// end if `start` is 0. A page size of 0 means 100; at most [`LEDGER_PAGE_MAX`] are returned.
    pub async fn records(
        &self,
        start: u64,
        size: usize,
        newest_first: bool,
    ) -> Result<(Vec<Leaf>, u64), LedgerError> {
        let total = self.replica.state().ledger().size;
        let size = if size == 0 { PAGE_DEFAULT } else { size.min(LEDGER_PAGE_MAX) };
        let span = u64::try_from(size).unwrap_or(u64::MAX);
        let (from, until) = if newest_first {
            let end = if start == 0 { total } else { start.min(total) };
            (end.saturating_sub(span), end)
        } else {
            (start.min(total), start.saturating_add(span).min(total))
        };
        let mut leaves = self.read(from, until).await?;
        if newest_first {
            leaves.reverse();
        }
        Ok((leaves, total))
    }

    /// Signs the newest tree head.
    #[must_use]
    pub fn checkpoint(&self) -> Signed {
        self.signed(&self.replica.state())
    }

    /// Proves that a record is in the newest tree.
    pub async fn proof(&self, index: u64) -> Result<Proof, LedgerError> {
        let state = self.replica.state();
        let head = state.ledger();
        if index >= head.size {
            return Err(LedgerError::NoRecord { index, size: head.size });
        }
        let mut hashes = self.hashes.lock().await;
        let mut known = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
        while known < head.size {
            let until = head.size.min(known.saturating_add(u64::try_from(LEDGER_PAGE_MAX).unwrap_or(1)));
            hashes.extend(self.read(known, until).await?.iter().map(|(_, leaf)| leaf_hash(leaf)));
            known = until;
        }
        let count = usize::try_from(head.size).unwrap_or(usize::MAX);
        let tree = hashes.get(..count).ok_or(LedgerError::Diverged)?;
        let leaf = usize::try_from(index).ok().and_then(|index| tree.get(index)).copied();
        let proof = inclusion_proof(tree, index).zip(leaf);
        let (siblings, leaf_hash) = proof.ok_or(LedgerError::Diverged)?;
        let signed = self.signed(&state);
        let holds = breakwater_common::ledger::verify_inclusion(
            &leaf_hash,
            index,
            head.size,
            &siblings,
            &signed.checkpoint.root,
        );
        if !holds {
            hashes.clear();
            return Err(LedgerError::Diverged);
        }
        Ok(Proof { leaf_hash, hashes: siblings, signed })
    }

    fn signed(&self, state: &State) -> Signed {
        let head = state.ledger();
        let origin = format!("{}/audit", state.cluster_id());
        let checkpoint = Checkpoint { origin, size: head.size, root: head.root() };
        let note = self.key.sign(&checkpoint);
        let public_key = self.key.public(&checkpoint.origin);
        Signed { checkpoint, note, public_key }
    }

    async fn read(&self, from: u64, until: u64) -> Result<Vec<Leaf>, LedgerError> {
        let count = usize::try_from(until.saturating_sub(from)).unwrap_or(0);
        if count == 0 {
            return Ok(Vec::new());
        }
        let leaves = self.replica.ledger_leaves(from, count).await?;
        let in_order = leaves.iter().map(|(index, _)| *index).eq(from..until);
        if in_order { Ok(leaves) } else { Err(LedgerError::Diverged) }
    }
}
