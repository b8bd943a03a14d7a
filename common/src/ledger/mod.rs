//! The ledger: an RFC 6962 tree whose leaves also form a hash chain.

mod head;
mod tree;

pub use head::Head;
pub use tree::{Hash, empty_root, leaf_hash, node_hash};

/// Writes bytes in hexadecimal, lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
