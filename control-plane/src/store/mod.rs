//! What a node keeps on disk: bytes with versions and checksums, and nothing about Raft or resources.
//!
//! ```text
//! data/LOCK            held while a process uses the directory
//! data/cluster.json    who this node is                            identity
//! data/raft/wal-*      Raft's log and vote: the truth              log
//! data/snap/*.snap     images of the whole state at one index      snapshot
//! data/state/          sled: the applied state, written behind     image
//! ```
//!
//! An acknowledged write is in the log and on the device. The image and the snapshots can be made again from what is before
//! them, so the image is moved aside and rebuilt where it is damaged, and the log is cut only behind a snapshot that was
//! read again after it was written.

pub mod disk;
pub mod identity;
pub mod image;
pub mod log;
pub mod snapshot;
