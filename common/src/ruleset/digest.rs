//! The digest that says that a ruleset is whole.

use sha2::{Digest, Sha256};

use super::Item;

/// Begins the hashed bytes, so that this digest is never mistaken for another.
const DOMAIN: &[u8] = b"breakwater ruleset v1";

/// Returns the SHA-256 of a ruleset: the domain, the revision, the number of items, and of each item its kind, name,
/// revision and body. Numbers are 8 bytes, big-endian; texts and bodies come after their length as such a number, so
/// that no two rulesets have the same hashed bytes.
#[must_use]
pub fn digest(revision: u64, items: &[Item]) -> [u8; 32] {
    let mut hash = Sha256::new();
    prefixed(&mut hash, DOMAIN);
    hash.update(revision.to_be_bytes());
    hash.update(length(items.len()));
    for item in items {
        prefixed(&mut hash, item.kind.as_bytes());
        prefixed(&mut hash, item.name.as_bytes());
        hash.update(item.revision.to_be_bytes());
        prefixed(&mut hash, &item.body);
    }
    hash.finalize().into()
}

fn prefixed(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(length(bytes.len()));
    hash.update(bytes);
}

/// Saturates where a length would not fit in 64 bits; no machine has such memory.
fn length(length: usize) -> [u8; 8] {
    u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes()
}
