//! The one thread that writes the image: takes what waits, one batch, `flush`, and an `fdatasync` of sled's file.
//!
//! sled 0.34.7's `flush` does not reach the device, and it overwrites old segments once their copy is flushed; so nothing is
//! ever flushed without the `fdatasync` behind it.

use std::{fs::File, io, path::Path, sync::Arc};

use breakwater_common::limits::{IMAGE_GROUP_MAX, IMAGE_VALUE_BYTES_MAX};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    ImageError,
    rows::{Applied, Changes, Row, Rows},
};

/// How far the image on the device is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// The newest index whose rows are on the device.
    pub index: u64,
    /// Why nothing more will be written.
    pub failed: Option<Arc<str>>,
}

/// Rows from elsewhere, in order.
pub type RowSource = Box<dyn Iterator<Item = io::Result<Row>> + Send>;

pub(super) enum Work {
    Group { changes: Vec<(Vec<u8>, Option<Vec<u8>>)>, applied: Applied },
    Replace { rows: RowSource, applied: Applied, done: oneshot::Sender<Result<(), ImageError>> },
}

pub(super) struct Writer {
    rows: Rows,
    file: File,
    once: u8,
    progress: watch::Sender<Progress>,
}

impl Writer {
    pub(super) fn new(
        directory: &Path,
        rows: Rows,
        once: u8,
        progress: watch::Sender<Progress>,
    ) -> io::Result<Self> {
        let file = File::options().read(true).write(true).open(directory.join("db"))?;
        Ok(Self { rows, file, once, progress })
    }

    /// Writes until every sender is gone. After an error it refuses everything: who applies sees that in the progress.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Work>) {
        let mut next = queue.blocking_recv();
        while let Some(work) = next.take() {
            let written = match work {
                Work::Replace { rows, applied, done } => {
                    let index = applied.index;
                    let replaced = self.replace(rows, &applied);
                    let failed = replaced.as_ref().err().map(ToString::to_string);
                    drop(done.send(replaced));
                    failed.map_or(Ok(index), Err)
                }
                Work::Group { changes, applied } => {
                    let mut merged: Changes = changes.into_iter().collect();
                    let mut newest = applied;
                    let mut groups = 1;
                    while groups < IMAGE_GROUP_MAX {
                        match queue.try_recv() {
                            Ok(Work::Group { changes, applied }) => {
                                merged.extend(changes);
                                newest = applied;
                                groups += 1;
                            }
                            Ok(other @ Work::Replace { .. }) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    self.write(&merged, Some(&newest))
                        .map(|()| newest.index)
                        .map_err(|error| error.to_string())
                }
            };
            match written {
                Ok(index) => drop(self.progress.send_replace(Progress { index, failed: None })),
                Err(error) => {
                    tracing::error!(error, "state image cannot be written; the node stops applying");
                    self.progress.send_modify(|progress| progress.failed = Some(error.into()));
                    return;
                }
            }
            if next.is_none() {
                next = queue.blocking_recv();
            }
        }
    }

    fn write(&mut self, changes: &Changes, applied: Option<&Applied>) -> Result<(), ImageError> {
        self.rows.write(changes, applied, self.once)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), ImageError> {
        let _bytes = self.rows.tree.flush().map_err(ImageError::Sled)?;
        self.file.sync_data().map_err(ImageError::Io)
    }

    /// Puts other rows in the place of all. A crash in the middle leaves an image without a note, which is then rebuilt.
    fn replace(&mut self, rows: RowSource, applied: &Applied) -> Result<(), ImageError> {
        self.write(&Changes::new(), None)?;
        self.rows.tree.clear().map_err(ImageError::Sled)?;
        self.rows.sum = 0;
        self.sync()?;
        let mut changes = Changes::new();
        let mut bytes = 0;
        for row in rows {
            let (key, value) = row.map_err(ImageError::Io)?;
            bytes += key.len() + value.len();
            changes.insert(key, Some(value));
            if bytes > IMAGE_VALUE_BYTES_MAX * IMAGE_GROUP_MAX {
                self.write(&std::mem::take(&mut changes), None)?;
                bytes = 0;
            }
        }
        self.write(&changes, Some(applied))
    }
}
