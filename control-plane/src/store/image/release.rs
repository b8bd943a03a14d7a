//! Waits until sled has let go of its file.
//!
//! sled 0.34.7 writes buffers and truncates its file in a pool of threads of the process, and each such piece of work holds
//! the file and its lock (`segment.rs`, `logger.rs`: `threadpool::spawn`). The last handle's drop waits for none of them: an
//! image opened right after would find the lock taken, or, without a lock, its file cut under it.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    sync::mpsc,
    time::Duration,
};

use super::ImageError;

/// Longest wait for sled. What it may still do are a few writes of at most a segment of 8 MiB.
pub(super) const RELEASE_MAX: Duration = Duration::from_secs(10);

/// Waits until nobody holds the lock of sled's file; at once if there is no file. Blocks.
///
/// # Errors
/// If it is still held after `longest`.
pub(super) fn wait_for_release(directory: &Path, longest: Duration) -> Result<(), ImageError> {
    let path = directory.join("db");
    let file = match File::options().read(true).write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ImageError::Io(error)),
    };
    match file.try_lock() {
        // The lock goes with the handle.
        Ok(()) => return Ok(()),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(ImageError::Io(error)),
    }
    let (sender, locked) = mpsc::sync_channel(1);
    let waiter = std::thread::Builder::new().name("image-release".to_owned());
    let waiting = waiter.spawn(move || {
        let waited = file.lock();
        drop(file);
        // Who waited may have given up.
        drop(sender.send(waited));
    });
    drop(waiting.map_err(ImageError::Io)?);
    match locked.recv_timeout(longest) {
        Ok(waited) => waited.map_err(ImageError::Io),
        Err(_) => Err(ImageError::Held { path, waited: longest }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_stays_held_is_named_and_one_that_is_let_go_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        wait_for_release(dir.path(), Duration::ZERO).unwrap();
        let held = File::create(dir.path().join("db")).unwrap();
        held.lock().unwrap();
        let error = wait_for_release(dir.path(), Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().contains("/db is still held after 1ms"), "{error}");
        drop(held);
        wait_for_release(dir.path(), RELEASE_MAX).unwrap();
    }
}
