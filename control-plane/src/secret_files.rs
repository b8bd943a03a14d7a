//! Files that hold one secret each: read, or made on the first start in development. Made files are for their owner
//! alone (0600) and are on the disk, name and all, before they are used.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use breakwater_runtime::Secret;
use ring::rand::{SecureRandom, SystemRandom};

/// Why a secret file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// It cannot be read or made.
    #[error("secret file {path} cannot be read or made: check that it exists and belongs to this user")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is there and holds nothing.
    #[error("secret file {path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The machine gives no randomness.
    #[error("the system gives no random bytes")]
    Random,
}

/// Bits of a mode that let a secret out. Not the group's right to read: systemd and Kubernetes hand credentials over with it
/// (an ACL for the one user shows as the group's bits).
const OPEN_TO_OTHERS: u32 = 0o037;

/// Reads a secret file. White space around the secret is dropped. A file that others may read is said on a warning line.
pub fn read(path: &Path) -> Result<Secret<String>, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & OPEN_TO_OTHERS != 0 {
        tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "secret file is readable by others");
    }
    let secret = text.trim();
    if secret.is_empty() {
        return Err(SecretFileError::Empty { path: path.to_owned() });
    }
    Ok(Secret::new(secret.to_owned()))
}

/// Reads a secret file, or makes it with what `make` gives if there is none.
pub fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Result<String, SecretFileError>,
) -> Result<Secret<String>, SecretFileError> {
    match read(path) {
        Err(SecretFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let secret = Secret::new(make()?);
    write(path, secret.expose()).map_err(|source| SecretFileError::Io { path: path.to_owned(), source })?;
    Ok(secret)
}

/// Returns random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N], SecretFileError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SecretFileError::Random)?;
    Ok(bytes)
}

fn write(path: &Path, secret: &str) -> io::Result<()> {
    // Made under another name and renamed, so that a crash leaves no empty secret behind.
    let draft = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let first = read_or_make(&path, || Ok("one".to_owned())).unwrap();
        let second = read_or_make(&path, || Ok("two".to_owned())).unwrap();
        assert_eq!((first.expose().as_str(), second.expose().as_str()), ("one", "one"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn an_empty_or_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(read(&path).unwrap_err().to_string().contains("key"));
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(read(&path), Err(SecretFileError::Empty { .. })));
    }
}
