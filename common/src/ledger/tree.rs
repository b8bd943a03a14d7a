//! The hashes of an RFC 6962 tree, and its inclusion proofs.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// Returns the hash of a leaf: SHA-256 of 0x00 and its bytes (RFC 6962, 2.1).
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0_u8]).chain_update(leaf).finalize().into()
}

/// Returns the hash of a node: SHA-256 of 0x01 and its two children (RFC 6962, 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1_u8]).chain_update(left).chain_update(right).finalize().into()
}

/// Returns the root of a tree without leaves: SHA-256 of nothing (RFC 6962, 2.1).
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}
