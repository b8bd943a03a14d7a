//! Snapshot files: every row of the state at one index, in one file that is there whole or not at all.
//!
//! ```text
//! "BWSN" | format u32 | about bytes u32 | about | rows ... | end
//! row:  key bytes u32 | value bytes u32 | key | value
//! end:  u32::MAX | rows u64 | SHA-256 of everything before it
//! ```
//!
//! Numbers are big endian. A file is written aside, synced, read again whole, and only then named; so the log may be cut
//! behind it. Two are kept. Compression is left to file systems and backups.

mod read;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use breakwater_common::limits::SNAPSHOTS_KEPT;
use ring::digest::{Context, SHA256};

use self::read::{Rows, check};
use super::{disk, image::Row};

const MAGIC: &[u8; 4] = b"BWSN";
const FORMAT: u32 = 1;
const END: u32 = u32::MAX;

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file system refused.
    #[error("snapshot {path}: {source}; check the disk's space and health")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A snapshot that was read whole once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    path: PathBuf,
    about: Vec<u8>,
}

/// The directory of snapshots. Clones are the same directory.
#[derive(Clone, Debug)]
pub struct Snapshots {
    directory: PathBuf,
    gate: Arc<Gate>,
}

/// Lets one write at a time, and none after the end.
#[derive(Debug, Default)]
struct Gate {
    writing: Mutex<()>,
    closed: AtomicBool,
}

impl SnapshotFile {
    /// Returns what its maker said about it.
    #[must_use]
    pub fn about(&self) -> &[u8] {
        &self.about
    }

    /// Reads the rows, in order; the end is checked like everything else. Blocks.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn rows(&self) -> io::Result<impl Iterator<Item = io::Result<Row>> + Send + use<>> {
        Rows::open(&self.path)
    }
}

impl Snapshots {
    /// Opens the directory, and removes what was not finished.
    ///
    /// # Errors
    /// If the directory cannot be made or read.
    pub fn open(directory: &Path) -> Result<Self, SnapshotError> {
        let snapshots = Self { directory: directory.to_owned(), gate: Arc::default() };
        let failed = |source| SnapshotError::Io { path: directory.to_owned(), source };
        disk::make_directory(directory).map_err(failed)?;
        for path in snapshots.list("tmp").map_err(failed)? {
            fs::remove_file(&path).map_err(failed)?;
        }
        Ok(snapshots)
    }

    /// Returns whether a snapshot is already one of these.
    #[must_use]
    pub fn owns(&self, file: &SnapshotFile) -> bool {
        file.path.parent() == Some(self.directory.as_path())
    }

    /// Writes a snapshot of an index, after one that is being written. Blocks.
    ///
    /// # Errors
    /// If the rows cannot be read, the file cannot be written and read again, or the directory was closed.
    pub fn write(
        &self,
        index: u64,
        about: &[u8],
        rows: impl Iterator<Item = io::Result<Row>>,
    ) -> Result<SnapshotFile, SnapshotError> {
        let path = self.directory.join(format!("{index:016x}.snap"));
        let _alone = self.gate.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_to(&path, about, rows)
            .map_err(|source| SnapshotError::Io { path: path.clone(), source })?;
        Ok(SnapshotFile { path, about: about.to_vec() })
    }

    /// Ends a write in the middle and waits until it has ended; there is no other from here on. What was not finished is
    /// removed by the next start. Blocks.
    pub fn close(&self) {
        self.gate.closed.store(true, Ordering::Release);
        drop(self.gate.writing.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_open(&self) -> io::Result<()> {
        if self.gate.closed.load(Ordering::Acquire) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the node is stopping"));
        }
        Ok(())
    }

    fn write_to(
        &self,
        path: &Path,
        about: &[u8],
        rows: impl Iterator<Item = io::Result<Row>>,
    ) -> io::Result<()> {
        self.is_open()?;
        let unfinished = path.with_extension("tmp");
        let mut output =
            Summed { inner: BufWriter::new(File::create(&unfinished)?), context: Context::new(&SHA256) };
        output.write_all(MAGIC)?;
        output.write_all(&FORMAT.to_be_bytes())?;
        output.write_all(&length(about)?.to_be_bytes())?;
        output.write_all(about)?;
        let mut count: u64 = 0;
        for row in rows {
            self.is_open()?;
            let (key, value) = row?;
            output.write_all(&length(&key)?.to_be_bytes())?;
            output.write_all(&length(&value)?.to_be_bytes())?;
            output.write_all(&key)?;
            output.write_all(&value)?;
            count += 1;
        }
        output.write_all(&END.to_be_bytes())?;
        output.write_all(&count.to_be_bytes())?;
        let Summed { mut inner, context } = output;
        inner.write_all(context.finish().as_ref())?;
        inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        check(&unfinished)?;
        fs::rename(&unfinished, path)?;
        disk::sync_directory(&self.directory)?;
        self.prune()
    }

    /// Returns the newest snapshot that can be read whole; a damaged one is reported and passed over. Blocks.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn newest(&self) -> Result<Option<SnapshotFile>, SnapshotError> {
        let listed =
            self.list("snap").map_err(|source| SnapshotError::Io { path: self.directory.clone(), source })?;
        for path in listed.into_iter().rev() {
            match check(&path) {
                Ok(about) => return Ok(Some(SnapshotFile { path, about })),
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "snapshot cannot be read; trying the one before")
                }
            }
        }
        Ok(None)
    }

    /// Keeps the newest; removes what is older.
    fn prune(&self) -> io::Result<()> {
        let listed = self.list("snap")?;
        let surplus = listed.len().saturating_sub(SNAPSHOTS_KEPT);
        listed.iter().take(surplus).try_for_each(fs::remove_file)
    }

    fn list(&self, extension: &str) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|found| found == extension) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length != END)
        .ok_or_else(|| io::Error::other("a row is too long for a snapshot"))
}

/// Sums what is written.
struct Summed {
    inner: BufWriter<File>,
    context: Context,
}

impl Summed {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.context.update(bytes);
        self.inner.write_all(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: u8) -> Vec<Row> {
        (0..count).map(|n| (vec![1, n], vec![n; 100])).collect()
    }

    #[test]
    fn newest_whole_snapshot_is_found_and_any_flipped_byte_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(dir.path()).unwrap();
        assert_eq!(snapshots.newest().unwrap(), None);
        for index in 1..=4 {
            let written = snapshots
                .write(index, format!("about {index}").as_bytes(), rows(5).into_iter().map(Ok))
                .unwrap();
            assert_eq!(snapshots.newest().unwrap(), Some(written));
        }
        assert_eq!(snapshots.list("snap").unwrap().len(), SNAPSHOTS_KEPT);
        let newest = snapshots.newest().unwrap().unwrap();
        assert_eq!(newest.about(), b"about 4");
        assert_eq!(newest.rows().unwrap().collect::<io::Result<Vec<_>>>().unwrap(), rows(5));
        let bytes = fs::read(&newest.path).unwrap();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            fs::write(&newest.path, &flipped).unwrap();
            assert_eq!(snapshots.newest().unwrap().unwrap().about(), b"about 3", "flip at {at} was not seen");
        }
        fs::write(&newest.path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(snapshots.newest().unwrap().unwrap().about(), b"about 3");
    }

    #[test]
    fn close_ends_a_write_in_the_middle_and_waits_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(dir.path()).unwrap();
        let (begun, has_begun) = std::sync::mpsc::sync_channel(1);
        let writer = snapshots.clone();
        let thread = std::thread::spawn(move || {
            // Rows without an end: only the close ends it.
            let rows = (0_u64..).map(|n| {
                let _told_already = begun.try_send(());
                Ok((n.to_be_bytes().to_vec(), Vec::new()))
            });
            writer.write(1, b"", rows).unwrap_err().to_string()
        });
        has_begun.recv().unwrap();
        snapshots.close();
        assert!(snapshots.gate.writing.try_lock().is_ok(), "nothing is being written");
        assert!(thread.join().unwrap().contains("the node is stopping"));
        snapshots.write(2, b"", rows(1).into_iter().map(Ok)).unwrap_err();
        assert_eq!(Snapshots::open(dir.path()).unwrap().newest().unwrap(), None);
    }

    #[test]
    fn unfinished_snapshot_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(dir.path()).unwrap();
        let broken = rows(3).into_iter().map(Ok).chain([Err(io::Error::other("gone"))]);
        snapshots.write(1, b"", broken).unwrap_err();
        let snapshots = Snapshots::open(dir.path()).unwrap();
        assert!(snapshots.list("tmp").unwrap().is_empty() && snapshots.newest().unwrap().is_none());
    }
}
