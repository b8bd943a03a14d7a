//! Inclusion proofs: that a record is in a tree, in a few hashes.

use super::tree::{Hash, empty_root, node_hash};

/// Returns the proof that the leaf at `index` is in the tree of these leaves: sibling hashes from the leaf up (RFC 6962,
/// 2.1.1). None if there is no such leaf.
///
/// Takes time in proportion to the number of leaves.
#[must_use]
pub fn inclusion_proof(leaf_hashes: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let mut index = usize::try_from(index).ok().filter(|index| *index < leaf_hashes.len())?;
    let mut part = leaf_hashes;
    let mut proof = Vec::new();
    while part.len() > 1 {
        let (left, right) = halves(part);
        if index < left.len() {
            proof.push(root_of(right));
            part = left;
        } else {
            index -= left.len();
            proof.push(root_of(left));
            part = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Whether the proof shows that a leaf with that hash is at `index` in the tree of `size` leaves with that root
/// (algorithm: RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Splits at the largest power of two below the length; the length is at least 2.
fn halves(hashes: &[Hash]) -> (&[Hash], &[Hash]) {
    let middle = hashes.len().next_power_of_two() / 2;
    hashes.split_at_checked(middle).unwrap_or((hashes, &[]))
}

fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = halves(hashes);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{hex, leaf_hash, unhex, vectors};
    use super::*;

    #[test]
    fn proofs_are_those_of_rfc_6962() {
        let check = |index, size, expect: &[&str]| {
            let proof = inclusion_proof(&vectors::hashes(size), index).unwrap();
            assert_eq!(proof.iter().map(|hash| hex(hash)).collect::<Vec<_>>(), expect);
        };
        check(0, 1, &[]);
        check(
            0,
            8,
            &[
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        );
        check(
            5,
            8,
            &[
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        );
        check(2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]);
        assert_eq!(inclusion_proof(&vectors::hashes(3), 3), None);
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_nothing_else_is() {
        for size in 1..=70_u64 {
            let leaves: Vec<Hash> = (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect();
            let root = root_of(&leaves);
            for (index, leaf) in (0..).zip(&leaves) {
                let proof = inclusion_proof(&leaves, index).unwrap();
                assert!(verify_inclusion(leaf, index, size, &proof, &root));
                assert!(!verify_inclusion(&[7; 32], index, size, &proof, &root));
                assert!(!verify_inclusion(leaf, (index + 1) % (size + 1), size, &proof, &root));
                assert!(!verify_inclusion(leaf, index, size, &proof, &[7; 32]));
                let longer: Vec<Hash> = proof.iter().copied().chain([[7; 32]]).collect();
                assert!(!verify_inclusion(leaf, index, size, &longer, &root));
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(!verify_inclusion(leaf, index, size, shorter, &root));
                }
            }
        }
    }

    #[test]
    fn the_root_of_a_proof_is_the_root_of_the_head() {
        for (size, root) in vectors::ROOTS.iter().enumerate() {
            assert_eq!(root_of(&vectors::hashes(size)), unhex(root).unwrap());
        }
    }
}
