//! Who this node is: written once, when the data directory is made, and never changed.
//!
//! The lock beside it keeps two processes from using one directory: both would believe they are the same voter.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::disk;

const FORMAT: u32 = 1;

/// Directory of the write-ahead log, within the data directory.
pub const LOG_DIRECTORY: &str = "raft";
/// Directory of the snapshots.
pub const SNAPSHOT_DIRECTORY: &str = "snap";
/// Directory of the state image.
pub const STATE_DIRECTORY: &str = "state";
const DATA_DIRECTORIES: [&str; 3] = [LOG_DIRECTORY, SNAPSHOT_DIRECTORY, STATE_DIRECTORY];

/// Who this node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Version of the data directory; 1.
    format: u32,
    /// The cluster it belongs to: a node never speaks with one of another cluster.
    pub cluster_id: String,
    /// Its number in the cluster; never used again after it leaves.
    pub node_id: u64,
}

impl Identity {
    /// Names a node of a cluster.
    #[must_use]
    pub const fn new(cluster_id: String, node_id: u64) -> Self {
        Self { format: FORMAT, cluster_id, node_id }
    }
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Another process holds it.
    #[error("data directory {0} is in use by another process; stop it, or use another directory")]
    InUse(PathBuf),
    /// It holds data, and not the file that says whose.
    #[error(
        "{path} is missing beside data of a cluster: put it back from a backup, or start with an empty data directory; \
         making a new cluster over old data would lose it"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Its identity cannot be read.
    #[error("{path} is damaged: {source}; restore it from a backup, or start with an empty data directory")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// It was written by a newer release.
    #[error("data directory has format {found}, this release reads up to {FORMAT}; use a newer release")]
    Newer {
        /// The format found.
        found: u32,
    },
    /// The file system refused.
    #[error("data directory {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Keeps other processes out of a data directory until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Makes the data directory if it is missing, and takes its lock.
///
/// # Errors
/// If another process holds it or the file system refuses.
pub fn lock(data_dir: &Path) -> Result<Lock, IdentityError> {
    let path = data_dir.join("LOCK");
    let failed = |source| IdentityError::Io { path: path.clone(), source };
    disk::make_directory(data_dir).map_err(failed)?;
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(IdentityError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Reads who this node is; `None` in a new directory.
///
/// # Errors
/// If the file is damaged, from a newer release, or missing beside data.
pub fn load(data_dir: &Path) -> Result<Option<Identity>, IdentityError> {
    let path = data_dir.join("cluster.json");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            // The identity is written before any data, so data without it has lost it.
            let has_data = DATA_DIRECTORIES.iter().any(|name| data_dir.join(name).exists());
            return if has_data { Err(IdentityError::Missing { path }) } else { Ok(None) };
        }
        Err(source) => return Err(IdentityError::Io { path, source }),
    };
    let identity: Identity =
        serde_json::from_slice(&bytes).map_err(|source| IdentityError::Damaged { path, source })?;
    if identity.format > FORMAT {
        return Err(IdentityError::Newer { found: identity.format });
    }
    Ok(Some(identity))
}

/// Writes who this node is, once.
///
/// # Errors
/// If the file system refuses.
pub fn create(data_dir: &Path, identity: &Identity) -> Result<(), IdentityError> {
    let path = data_dir.join("cluster.json");
    let bytes = serde_json::to_vec_pretty(identity)
        .map_err(|source| IdentityError::Damaged { path: path.clone(), source })?;
    disk::write_atomically(&path, &bytes).map_err(|source| IdentityError::Io { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_survives_and_strangers_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path()).unwrap(), None);
        let identity = Identity::new("0f3c".to_owned(), 1);
        create(dir.path(), &identity).unwrap();
        assert_eq!(load(dir.path()).unwrap(), Some(identity));
        fs::write(dir.path().join("cluster.json"), br#"{"format":2,"cluster_id":"x","node_id":1}"#).unwrap();
        assert!(matches!(load(dir.path()), Err(IdentityError::Newer { found: 2 })));
        fs::write(dir.path().join("cluster.json"), b"{").unwrap();
        assert!(matches!(load(dir.path()), Err(IdentityError::Damaged { .. })));
    }

    #[test]
    fn data_without_its_identity_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(LOG_DIRECTORY)).unwrap();
        assert!(matches!(load(dir.path()), Err(IdentityError::Missing { .. })));
    }

    #[test]
    fn second_process_is_kept_out() {
        let dir = tempfile::tempdir().unwrap();
        let held = lock(dir.path()).unwrap();
        assert!(matches!(lock(dir.path()), Err(IdentityError::InUse(_))));
        drop(held);
        lock(dir.path()).unwrap();
    }
}
