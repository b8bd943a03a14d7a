//! The state image: every row of the applied state in sled, written behind.
//!
//! It is what a node starts from and where the ledger's leaves are read. It may be behind the log, never ahead of it on
//! a single node, and it can be rebuilt from a snapshot and the log: so when it does not open, panics or does not add
//! up, it is moved aside and begun again. All of sled's pitfalls that we know are answered here and in `writer`.

mod release;
mod rows;
mod writer;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
};

use breakwater_common::limits::IMAGE_QUEUE_MAX;
use tokio::sync::{mpsc, oneshot, watch};

use self::{
    release::{RELEASE_MAX, wait_for_release},
    rows::Rows,
    writer::{Work, Writer},
};
pub use self::{
    rows::{Applied, Row},
    writer::{Progress, RowSource},
};
use super::disk;

/// Bytes of one of sled's segments: a leaf must stay below a quarter of it.
const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
/// Bytes of sled's cache. Only ledger reads and old values come from it.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Why the image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// sled refused.
    #[error("state image: {0}; check the disk's space and health")]
    Sled(#[source] sled::Error),
    /// The file system refused.
    #[error("state image: {0}; check the disk's space and health")]
    Io(#[source] io::Error),
    /// An earlier image of this directory is not closed yet.
    #[error(
        "state image {path} is still held after {waited:?}: wait until the process that holds it has ended"
    )]
    Held {
        /// sled's file.
        path: PathBuf,
        /// How long it was waited for.
        waited: std::time::Duration,
    },
    /// The rows do not add up.
    #[error("state image does not add up to what was written")]
    Mismatch,
    /// A replacement was not finished.
    #[error("state image was being replaced when the node stopped")]
    Unfinished,
    /// It panicked.
    #[error("state image made sled panic when it was read")]
    Panicked,
    /// A row that is written once was made again with other bytes.
    #[error(
        "ledger row {} made again differs from the one stored: this node has diverged; stop it and rebuild it from a peer",
        hex(key)
    )]
    Divergence {
        /// Its key.
        key: Vec<u8>,
    },
    /// A row's key is empty or of the image's own tables.
    #[error("row key is not of a table of the state")]
    Key,
    /// The writer has stopped.
    #[error("state image's writer has stopped: {0}")]
    Stopped(String),
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was in the image.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Rows that are not of the bulk table, by key.
    pub rows: Vec<Row>,
    /// How far it was; `None` in a new image.
    pub applied: Option<Applied>,
    /// Why the old one was moved aside, and where to.
    pub moved: Option<(String, PathBuf)>,
}

/// The image.
#[derive(Debug)]
pub struct Image {
    directory: PathBuf,
    bulk: u8,
    /// None after it is closed: whoever still holds the image must not keep sled's files open.
    db: Mutex<Option<sled::Db>>,
    queue: Mutex<Option<mpsc::Sender<Work>>>,
    progress: watch::Receiver<Progress>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Image {
    /// Opens the image of a directory. Rows whose key starts with `bulk` stay on disk and are written once.
    ///
    /// # Errors
    /// If neither it nor a new one can be opened.
    pub fn open(directory: &Path, bulk: u8) -> Result<(Self, Loaded), ImageError> {
        Self::open_sized(directory, bulk, SEGMENT_BYTES)
    }

    /// Opens it with another size of sled's segments, so that a test sees them reused.
    fn open_sized(directory: &Path, bulk: u8, segment: usize) -> Result<(Self, Loaded), ImageError> {
        let mut moved = None;
        let (db, rows, loaded) = match probe(directory, bulk, segment) {
            Ok(opened) => opened,
            // Somebody holds the files, or the device is full: nothing is wrong with what is in them.
            Err(error @ ImageError::Held { .. }) => return Err(error),
            Err(ImageError::Io(error)) if !is_damage(&error) => return Err(ImageError::Io(error)),
            Err(error) => {
                let aside = move_aside(directory).map_err(ImageError::Io)?;
                tracing::error!(%error, aside = %aside.display(), "state image moved aside; rebuilding from snapshot and log");
                moved = Some((error.to_string(), aside));
                probe(directory, bulk, segment)?
            }
        };
        let index = loaded.applied.as_ref().map_or(0, |applied| applied.index);
        let (progress, watched) = watch::channel(Progress { index, failed: None });
        let (queue, work) = mpsc::channel(IMAGE_QUEUE_MAX);
        let writer = Writer::new(directory, rows, bulk, progress).map_err(ImageError::Io)?;
        let writer = std::thread::Builder::new()
            .name("image".to_owned())
            .spawn(move || writer.run(work))
            .map_err(ImageError::Io)?;
        let image = Self {
            directory: directory.to_owned(),
            bulk,
            db: Mutex::new(Some(db)),
            queue: Mutex::new(Some(queue)),
            progress: watched,
            writer: Mutex::new(Some(writer)),
        };
        Ok((image, Loaded { moved, ..loaded }))
    }

    /// Hands a group of changes to the writer; waits while the queue is full.
    ///
    /// # Errors
    /// If the writer stopped: the owner must stop applying.
    pub async fn write(
        &self,
        changes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
        applied: Applied,
    ) -> Result<(), ImageError> {
        self.send(Work::Group { changes, applied }).await
    }

    /// Puts other rows in the place of all, after what was handed over before, and waits until they are on the device.
    ///
    /// # Errors
    /// If the rows cannot be read or written.
    pub async fn replace(&self, rows: RowSource, applied: Applied) -> Result<(), ImageError> {
        let (done, answer) = oneshot::channel();
        self.send(Work::Replace { rows, applied, done }).await?;
        answer.await.map_err(|_| self.stopped())?
    }

    async fn send(&self, work: Work) -> Result<(), ImageError> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let queue = queue.ok_or_else(|| self.stopped())?;
        queue.send(work).await.map_err(|_| self.stopped())
    }

    fn stopped(&self) -> ImageError {
        ImageError::Stopped(self.progress.borrow().failed.as_deref().unwrap_or("closed").to_owned())
    }

    /// Waits until the rows of an index are on the device.
    ///
    /// # Errors
    /// If the writer stopped before.
    pub async fn reached(&self, index: u64) -> Result<(), ImageError> {
        let mut progress = self.progress.clone();
        let seen = progress.wait_for(|progress| progress.index >= index || progress.failed.is_some()).await;
        match seen {
            Ok(seen) if seen.failed.is_none() => Ok(()),
            _ => Err(self.stopped()),
        }
    }

    /// Returns how far the image on the device is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Reads up to `limit` bulk rows from the key suffix `start` on, in order. Blocks.
    ///
    /// # Errors
    /// If sled refuses or the image is closed.
    pub fn bulk_rows(&self, start: &[u8], limit: usize) -> Result<Vec<Row>, ImageError> {
        let db =
            self.db.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(|| self.stopped())?;
        let from = [&[self.bulk], start].concat();
        let range = db.range(from..vec![self.bulk + 1]).take(limit);
        range
            .map(|item| {
                let (key, stored) = item.map_err(ImageError::Sled)?;
                let (value, _) = rows::whole(&db, &key, &stored)?;
                Ok((key.to_vec(), value))
            })
            .collect()
    }

    /// Reads one row. Blocks.
    ///
    /// # Errors
    /// If sled refuses or the image is closed.
    pub fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ImageError> {
        let db =
            self.db.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(|| self.stopped())?;
        rows::value(&db, key)
    }

    /// Writes what waits and lets go of the files: when it returns, sled writes no more and they can be opened anew. Blocks.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if writer.is_some_and(|writer| writer.join().is_err()) {
            tracing::error!(directory = %self.directory.display(), "state image's writer panicked");
        }
        let db = self.db.lock().unwrap_or_else(PoisonError::into_inner).take();
        let held = db.is_some();
        drop(db);
        if held && let Err(error) = wait_for_release(&self.directory, RELEASE_MAX) {
            tracing::error!(%error, "state image is not closed");
        }
    }
}

/// Opens and reads everything in a thread of its own: sled panics on some damage instead of saying so.
fn probe(directory: &Path, bulk: u8, segment: usize) -> Result<(sled::Db, Rows, Loaded), ImageError> {
    let directory = directory.to_owned();
    let probe = std::thread::Builder::new()
        .name("image-probe".to_owned())
        .spawn(move || read(&directory, bulk, segment));
    probe.map_err(ImageError::Io)?.join().unwrap_or(Err(ImageError::Panicked))
}

fn read(directory: &Path, bulk: u8, segment: usize) -> Result<(sled::Db, Rows, Loaded), ImageError> {
    disk::make_directory(directory).map_err(ImageError::Io)?;
    for entry in fs::read_dir(directory).map_err(ImageError::Io)? {
        let path = entry.map_err(ImageError::Io)?.path();
        // What a crash during an earlier start left: sled would take it for a finished snapshot (sled issue 1533).
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(&path).map_err(ImageError::Io)?;
        }
    }
    wait_for_release(directory, RELEASE_MAX)?;
    let config = sled::Config::new()
        .path(directory)
        .segment_size(segment)
        .cache_capacity(CACHE_BYTES)
        .flush_every_ms(None);
    let db = config.open().map_err(|error| match error {
        sled::Error::Io(error) => ImageError::Io(error),
        other => ImageError::Sled(other),
    })?;
    let (rows, kept, applied) = Rows::load((*db).clone(), bulk)?;
    let _bytes = db.flush().map_err(ImageError::Sled)?;
    for name in ["db", "conf"] {
        fs::File::open(directory.join(name)).and_then(|file| file.sync_all()).map_err(ImageError::Io)?;
    }
    disk::sync_directory(directory).map_err(ImageError::Io)?;
    Ok((db, rows, Loaded { rows: kept, applied, moved: None }))
}

/// Files that end early or make no sense are damage; everything else is the system's.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// Keeps the damaged image for whoever wants to know why; an older one makes room.
fn move_aside(directory: &Path) -> io::Result<PathBuf> {
    let aside = directory.with_extension("damaged");
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    fs::rename(directory, &aside)?;
    aside.parent().map_or(Ok(()), disk::sync_directory)?;
    Ok(aside)
}

#[cfg(test)]
mod tests;
