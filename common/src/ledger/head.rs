//! The head of a ledger: all that is needed to append, and to know the root, without the leaves.

use super::tree::{Hash, empty_root, leaf_hash, node_hash};

/// Size, newest leaf and tree of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Head {
    /// Records.
    pub size: u64,
    /// Leaf hash of the newest record; 32 zeros if there is none.
    pub last_leaf: Hash,
    /// Roots of the perfect subtrees that the size is made of, largest first: one for each 1 in its binary form.
    pub peaks: Vec<Hash>,
}

impl Head {
    /// Appends a record and returns its leaf hash.
    pub fn append(&mut self, leaf: &[u8]) -> Hash {
        let hash = leaf_hash(leaf);
        let mut carry = hash;
        let mut below = self.size;
        while below & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            carry = node_hash(&left, &carry);
            below >>= 1;
        }
        self.peaks.push(carry);
        self.size += 1;
        self.last_leaf = hash;
        hash
    }

    /// Returns the root of the tree (RFC 6962, 2.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// Whether the parts fit together: one peak for each 1 in the size. A head read from disk is asked this first.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        usize::try_from(self.size.count_ones()).is_ok_and(|ones| ones == self.peaks.len())
            && (self.size != 0 || self.last_leaf == Hash::default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{hex, vectors};
    use super::*;

    #[test]
    fn roots_are_those_of_rfc_6962() {
        let mut head = Head::default();
        assert_eq!(hex(&head.root()), vectors::ROOTS[0]);
        for (leaf, root) in vectors::leaves().iter().zip(&vectors::ROOTS[1..]) {
            let hash = head.append(leaf);
            assert_eq!(head.last_leaf, hash);
            assert_eq!(hex(&head.root()), *root);
            assert!(head.is_sound());
        }
    }

    #[test]
    fn a_head_that_does_not_fit_is_found() {
        let mut head = Head { last_leaf: [1; 32], ..Head::default() };
        assert!(!head.is_sound());
        head.last_leaf = [0; 32];
        head.append(b"a");
        head.append(b"b");
        assert!(head.is_sound());
        head.size = 3;
        assert!(!head.is_sound());
    }
}
