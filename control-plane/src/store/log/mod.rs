//! The write-ahead log of Raft's entries and vote.
//!
//! How it works: an operation changes the view that readers see at once, and queues for one writer thread. The thread takes
//! what waits, writes it as one frame with one sync, and answers in order (docs/adr/0003). A start reads every frame back; what
//! is unreadable at the end was never acknowledged and is cleared, what is unreadable before the end stops the node.
//!
//! It does not know what an entry means, and it does not order its callers: whoever owns the write side calls one at a time.

mod frame;
mod record;
mod recover;
mod view;
mod writer;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use breakwater_common::limits::{WAL_QUEUE_MAX, WAL_SEGMENT_BYTES};
use bytes::Bytes;
use tokio::sync::mpsc;

use self::{
    record::Record,
    writer::{Operation, Writer},
};
pub use self::{view::View, writer::Done};
use crate::store::disk::{Directory, Disk};

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system refused.
    #[error("write-ahead log: {0}; check the disk's space and health")]
    Io(#[source] io::Error),
    /// Something that had been acknowledged cannot be read.
    #[error(
        "write-ahead log is damaged in segment {segment} at byte {offset}, before its end: acknowledged changes may be lost; \
         restore the node from a backup or remove it from the cluster and join a new one"
    )]
    Damaged {
        /// Number of the segment.
        segment: u64,
        /// Offset of the frame.
        offset: usize,
    },
    /// A record of a kind this release does not know.
    #[error(
        "write-ahead log has a record of a newer release in segment {segment} at byte {offset}; use that release"
    )]
    Unknown {
        /// Number of the segment.
        segment: u64,
        /// Offset of the frame.
        offset: usize,
    },
    /// A segment between two others is not there.
    #[error("write-ahead log segment {number} is missing; restore the node from a backup")]
    MissingSegment {
        /// Number of the segment.
        number: u64,
    },
    /// Entries between two others are not there.
    #[error(
        "write-ahead log has no entry {index} although it was not purged; restore the node from a backup"
    )]
    Hole {
        /// The missing index.
        index: u64,
    },
}

/// The log: a cheap handle to the view and the writer's queue.
#[derive(Debug)]
pub struct Log {
    view: Arc<Mutex<View>>,
    queue: Mutex<Option<mpsc::Sender<Operation>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Reads the log.
#[derive(Clone, Debug)]
pub struct Reader {
    view: Arc<Mutex<View>>,
}

impl Reader {
    /// Returns the log as of now, locked: hold it for a look only.
    pub fn view(&self) -> MutexGuard<'_, View> {
        // A view is whole between two records, so a panic elsewhere does not spoil it.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Opens the log in a directory, or begins one.
    ///
    /// # Errors
    /// If acknowledged bytes cannot be read, or the file system refuses.
    pub fn open(directory: &Path) -> Result<Self, LogError> {
        Self::open_on(Arc::new(Directory::open(directory).map_err(LogError::Io)?), WAL_SEGMENT_BYTES)
    }

    /// Opens the log on a disk, with segments of a size.
    ///
    /// # Errors
    /// If acknowledged bytes cannot be read, or the disk refuses.
    pub fn open_on(disk: Arc<dyn Disk>, segment_bytes: usize) -> Result<Self, LogError> {
        let recovered = recover::recover(&*disk, segment_bytes)?;
        if recovered.torn_bytes > 0 {
            tracing::info!(
                bytes = recovered.torn_bytes,
                "cleared an unfinished write at the end of the write-ahead log"
            );
        }
        let view = Arc::new(Mutex::new(recovered.view.clone()));
        let (queue, operations) = mpsc::channel(WAL_QUEUE_MAX);
        let writer = Writer::new(disk, recovered, segment_bytes);
        let writer = std::thread::Builder::new().name("wal".to_owned()).spawn(move || writer.run(operations));
        let writer = writer.map_err(LogError::Io)?;
        Ok(Self { view, queue: Mutex::new(Some(queue)), writer: Mutex::new(Some(writer)) })
    }

    /// Returns a reader.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { view: Arc::clone(&self.view) }
    }

    /// Appends entries; they can be read when this returns and are durable when `done` is called with `Ok`.
    pub async fn append(&self, entries: Vec<(u64, Bytes)>, done: Done) {
        let records = entries.into_iter().map(|(index, bytes)| Record::Entry { index, bytes }).collect();
        self.submit(records, Some(done)).await;
    }

    /// Keeps a vote.
    pub async fn save_vote(&self, bytes: Bytes, done: Done) {
        self.submit(vec![Record::Vote(bytes)], Some(done)).await;
    }

    /// Keeps what is committed, with the next group: it may be lost in a crash, and openraft finds it again.
    pub async fn save_committed(&self, bytes: Bytes) {
        self.submit(vec![Record::Committed(bytes)], None).await;
    }

    /// Removes the entries behind `last`.
    pub async fn truncate_after(&self, last: Option<u64>, done: Done) {
        self.submit(vec![Record::Truncate(last)], Some(done)).await;
    }

    /// Removes the entries up to `index`, whose log id is `bytes`.
    pub async fn purge(&self, index: u64, bytes: Bytes, done: Done) {
        self.submit(vec![Record::Purge { index, bytes }], Some(done)).await;
    }

    async fn submit(&self, records: Vec<Record>, done: Option<Done>) {
        {
            let mut view = self.view.lock().unwrap_or_else(PoisonError::into_inner);
            records.iter().for_each(|record| view.take(record));
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = match queue {
            Some(queue) => {
                queue.send(Operation { records, done }).await.err().and_then(|refused| refused.0.done)
            }
            None => done,
        };
        if let Some(done) = refused {
            done(Err(io::Error::other("the write-ahead log is closed")));
        }
    }

    /// Writes what waits, closes the log in order and waits for it. Blocks.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("write-ahead log's writer panicked");
        }
    }
}

fn segment_name(number: u64) -> String {
    format!("wal-{number:016x}")
}

fn segment_number(name: &str) -> Option<u64> {
    name.strip_prefix("wal-").and_then(|digits| u64::from_str_radix(digits, 16).ok())
}

#[cfg(test)]
mod tests;
