//! The few file operations the write-ahead log is built from.
//!
//! They are a trait because the crash simulator must stand exactly here: it records writes and syncs, cuts them at any
//! point and loses or tears what was not yet synced.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

/// Where the log's files live. Every method returns only when its effect is on the device, except [`DiskFile::write_at`].
pub trait Disk: Send + Sync + 'static {
    /// Lists the names of the files there.
    ///
    /// # Errors
    /// If the directory cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Reads a whole file.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Makes a file of `size` bytes that begins with `head` and is zero behind it; after a crash it is there whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written or synced.
    fn create(&self, name: &str, head: &[u8], size: usize) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for writing.
    ///
    /// # Errors
    /// If it is not there.
    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;

    /// Removes a file.
    ///
    /// # Errors
    /// If it cannot be removed or the directory cannot be synced.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// One file, open for writing.
pub trait DiskFile: Send {
    /// Writes at an offset; not durable before [`DiskFile::sync`] returns.
    ///
    /// # Errors
    /// If the device refuses.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written durable. After an error nothing about earlier writes is known: the caller stops for good.
    ///
    /// # Errors
    /// If the device refuses.
    fn sync(&mut self) -> io::Result<()>;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Opens a directory and makes it if it is missing, durably.
    ///
    /// # Errors
    /// If it cannot be made or synced.
    pub fn open(path: &Path) -> io::Result<Self> {
        make_directory(path)?;
        // A process that was killed after it named a file may have left the name unsynced.
        sync_directory(path)?;
        Ok(Self { path: path.to_owned() })
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn create(&self, name: &str, head: &[u8], size: usize) -> io::Result<Box<dyn DiskFile>> {
        let unfinished = self.path.join(format!("{name}.tmp"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all(head)?;
        // Zeros are written and not only reserved: a later sync then has no allocation to journal.
        io::copy(
            &mut io::Read::take(io::repeat(0), u64::try_from(size.saturating_sub(head.len())).unwrap_or(0)),
            &mut file,
        )?;
        file.sync_all()?;
        fs::rename(&unfinished, self.path.join(name))?;
        sync_directory(&self.path)?;
        Ok(Box::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).write(true).open(self.path.join(name))?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))?;
        sync_directory(&self.path)
    }
}

impl DiskFile for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes a directory and its parents, and the new name durable in its parent.
///
/// # Errors
/// If a directory cannot be made or synced.
pub fn make_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    sync_directory(path)?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_directory)
}

/// Makes the names in a directory durable.
///
/// # Errors
/// If the device refuses.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Writes a file that is there whole or not at all, also after a crash.
///
/// # Errors
/// If it cannot be written, synced or named.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}
