//! openraft's state machine: `control_core::State` in memory, the image written behind, snapshots from both.
//!
//! One group of entries is applied, handed to the image's writer as one batch, published once, and only then answered: who
//! has an answer reads its effect. The entries are on the device before they come here, so nothing waits for the image.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use breakwater_control_core::{
    State,
    snapshot::{TABLE_LEDGER, ledger_key},
};
use futures::{Stream, StreamExt};
use openraft::{
    EntryPayload, OptionalSend,
    storage::{EntryResponder, RaftStateMachine},
};
use tokio::sync::watch;

use super::{
    codec::{self, Position},
    snapshot_builder::SnapshotBuilder,
    types::{LogId, Snapshot, SnapshotMeta, StoredMembership, Types},
};
use crate::store::{
    image::{Applied, Image, Loaded},
    snapshot::{SnapshotFile, Snapshots},
};

/// Why the state cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The rows are not a state.
    #[error("state image: {0}; use the release that wrote it, or restore the node from a backup")]
    Rows(#[from] breakwater_control_core::snapshot::RowsError),
    /// The ledger's leaves and its head disagree.
    #[error(
        "ledger on disk does not match its head at record {index}: it was changed or lost; restore the node from a backup"
    )]
    Ledger {
        /// The record.
        index: u64,
    },
    /// The position cannot be read, or a file system error.
    #[error("state: {0}")]
    Io(#[from] io::Error),
}

/// What readers share with the state machine.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) image: Arc<Image>,
    pub(crate) snapshots: Snapshots,
    /// Index of the newest entry in the published state.
    pub(crate) applied_index: Arc<AtomicU64>,
    pub(crate) published: watch::Sender<Arc<State>>,
}

/// The state machine.
#[derive(Debug)]
pub(crate) struct StateMachine {
    state: State,
    position: Position,
    shared: Shared,
}

impl StateMachine {
    /// Takes up the state that the image holds. Blocks.
    pub(crate) fn open(image: Arc<Image>, snapshots: Snapshots, loaded: Loaded) -> Result<Self, StateError> {
        let position = match &loaded.applied {
            Some(applied) => codec::decode_position(&applied.bytes)?,
            None => Position::default(),
        };
        // Before the first proposal there is a position and no row.
        let state = if loaded.rows.is_empty() { State::default() } else { State::from_rows(loaded.rows)? };
        check_ledger(&image, &state)?;
        let applied_index = Arc::new(AtomicU64::new(position.applied.map_or(0, |id| id.index)));
        let (published, _) = watch::channel(Arc::new(state.clone()));
        Ok(Self { state, position, shared: Shared { image, snapshots, applied_index, published } })
    }

    /// Returns what readers share with it.
    pub(crate) fn shared(&self) -> Shared {
        self.shared.clone()
    }

    fn publish(&self) {
        let index = self.position.applied.map_or(0, |id| id.index);
        self.shared.applied_index.store(index, Ordering::Release);
        drop(self.shared.published.send_replace(Arc::new(self.state.clone())));
    }

    fn applied(&self) -> Applied {
        Applied {
            index: self.position.applied.map_or(0, |id| id.index),
            bytes: codec::encode_position(&self.position),
        }
    }
}

/// The leaf of the head's size is there and hashes to the head; there is none behind it.
fn check_ledger(image: &Image, state: &State) -> Result<(), StateError> {
    let head = state.ledger();
    let row = |index| image.row(&ledger_key(index)).map_err(io::Error::other);
    let last = match head.size.checked_sub(1) {
        Some(last) => {
            row(last)?.is_some_and(|leaf| breakwater_common::ledger::leaf_hash(&leaf) == head.last_leaf)
        }
        None => true,
    };
    if last && row(head.size)?.is_none() {
        Ok(())
    } else {
        Err(StateError::Ledger { index: head.size.saturating_sub(1) })
    }
}

impl RaftStateMachine<Types> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.position.applied, self.position.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<Types>>> + Unpin + OptionalSend,
    {
        let mut changes = Vec::new();
        let mut answers = Vec::new();
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            self.position.applied = Some(entry.log_id);
            let answer = match entry.payload {
                EntryPayload::Blank => None,
                EntryPayload::Normal(payload) => {
                    let applied = self.state.apply(&payload.proposal);
                    changes.extend(applied.rows.into_iter().map(|row| (row.key, row.value)));
                    Some(applied.outcome)
                }
                EntryPayload::Membership(membership) => {
                    self.position.membership = StoredMembership::new(Some(entry.log_id), membership);
                    None
                }
            };
            if let Some(responder) = responder {
                answers.push((responder, answer));
            }
        }
        // A leaf that was made before and differs now is refused by the image's writer, which stops this node.
        self.shared.image.write(changes, self.applied()).await.map_err(io::Error::other)?;
        self.publish();
        for (responder, answer) in answers {
            responder.send(answer);
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder::new(self.shared(), self.state.clone(), self.position.clone())
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotFile) -> io::Result<()> {
        let position = Position { applied: meta.last_log_id, membership: meta.last_membership.clone() };
        let index = position.applied.map_or(0, |id| id.index);
        let about = codec::encode_position(&position);
        let snapshots = self.shared.snapshots.clone();
        // Kept before the image is touched: a crash in between starts again from here.
        let (kept, state) = tokio::task::spawn_blocking(move || {
            let kept = if snapshots.owns(&snapshot) {
                snapshot
            } else {
                snapshots.write(index, &about, snapshot.rows()?).map_err(io::Error::other)?
            };
            let rows =
                kept.rows()?.filter(|row| !matches!(row, Ok((key, _)) if key.first() == Some(&TABLE_LEDGER)));
            let state = State::from_rows(rows.collect::<io::Result<Vec<_>>>()?).map_err(io::Error::other)?;
            Ok::<_, io::Error>((kept, state))
        })
        .await
        .map_err(io::Error::other)??;
        (self.state, self.position) = (state, position);
        let rows = Box::new(kept.rows()?);
        self.shared.image.replace(rows, self.applied()).await.map_err(io::Error::other)?;
        let (image, state) = (Arc::clone(&self.shared.image), self.state.clone());
        let checked = tokio::task::spawn_blocking(move || check_ledger(&image, &state)).await;
        checked.map_err(io::Error::other)?.map_err(io::Error::other)?;
        self.publish();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let snapshots = self.shared.snapshots.clone();
        let newest =
            tokio::task::spawn_blocking(move || snapshots.newest()).await.map_err(io::Error::other)?;
        newest.map_err(io::Error::other)?.map(super::snapshot_builder::describe).transpose()
    }
}
