//! Builds a snapshot: the rows of a state that no longer changes, and the ledger's leaves from the image.

use std::{io, sync::Arc};

use breakwater_common::limits::LEDGER_PAGE_MAX;
use breakwater_control_core::State;
use openraft::RaftSnapshotBuilder;

use super::{
    codec::{self, Position},
    state_machine::Shared,
    types::{Snapshot, SnapshotMeta, Types},
};
use crate::store::{
    image::{Image, Row},
    snapshot::SnapshotFile,
};

/// A state as of one index.
#[derive(Debug)]
pub(crate) struct SnapshotBuilder {
    shared: Shared,
    state: State,
    position: Position,
}

impl SnapshotBuilder {
    pub(crate) const fn new(shared: Shared, state: State, position: Position) -> Self {
        Self { shared, state, position }
    }
}

impl RaftSnapshotBuilder<Types> for SnapshotBuilder {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let index = self.position.applied.map_or(0, |id| id.index);
        // The leaves up to here must be in the image. Leaves never change, so that it may be ahead does no harm.
        self.shared.image.reached(index).await.map_err(io::Error::other)?;
        let (shared, state, about) =
            (self.shared.clone(), self.state.clone(), codec::encode_position(&self.position));
        let written = tokio::task::spawn_blocking(move || {
            let rows = state.rows().into_iter().map(Ok).chain(Leaves::new(shared.image, state.ledger().size));
            shared.snapshots.write(index, &about, rows)
        });
        let file = written.await.map_err(io::Error::other)?.map_err(io::Error::other)?;
        tracing::info!(index, ledger_size = self.state.ledger().size, "snapshot built");
        describe(file)
    }
}

/// Makes openraft's snapshot of a file.
pub(crate) fn describe(file: SnapshotFile) -> io::Result<Snapshot> {
    let position = codec::decode_position(file.about())?;
    Ok(Snapshot {
        meta: SnapshotMeta { last_log_id: position.applied, last_membership: position.membership },
        snapshot: file,
    })
}

/// The first leaves of the ledger, page by page.
struct Leaves {
    image: Arc<Image>,
    next: u64,
    size: u64,
    page: std::vec::IntoIter<Row>,
}

impl Leaves {
    fn new(image: Arc<Image>, size: u64) -> Self {
        Self { image, next: 0, size, page: Vec::new().into_iter() }
    }
}

impl Iterator for Leaves {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.size {
            return None;
        }
        let row = match self.page.next() {
            Some(row) => Some(row),
            None => match self.image.bulk_rows(&self.next.to_be_bytes(), LEDGER_PAGE_MAX) {
                Ok(page) => {
                    self.page = page.into_iter();
                    self.page.next()
                }
                Err(error) => return Some(Err(io::Error::other(error))),
            },
        };
        let expected = breakwater_control_core::snapshot::ledger_key(self.next);
        self.next += 1;
        let row = row.filter(|(key, _)| *key == expected);
        Some(row.ok_or_else(|| {
            io::Error::other(format!("ledger record {} is not in the state image", self.next - 1))
        }))
    }
}
