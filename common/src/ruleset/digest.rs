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

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Item> {
        let item = |kind: &str, name: &str, body: &[u8]| Item {
            kind: kind.into(),
            name: name.into(),
            revision: 3,
            body: body.to_vec(),
        };
        vec![item("Endpoint", "primary", b"some body"), item("Key", "0001", b"another")]
    }

    #[test]
    fn the_digest_changes_with_every_bit_and_every_boundary() {
        let items = &items();
        let plain = digest(7, items);
        assert_eq!(plain, digest(7, items));
        let mut others = vec![digest(6, items), digest(7, &items[..1]), digest(7, &[])];
        for place in 0..items.len() {
            let change = |change: &dyn Fn(&mut Item)| {
                let mut changed = items.to_vec();
                change(&mut changed[place]);
                digest(7, &changed)
            };
            for bit in 0..64 {
                others.push(change(&|item| item.revision ^= 1 << bit));
            }
            for byte in 0..items[place].body.len() {
                for bit in 0..8 {
                    others.push(change(&|item| item.body[byte] ^= 1 << bit));
                }
            }
            others.push(change(&|item| item.name.push('x')));
            others.push(change(&|item| item.kind.push('x')));
            others.push(change(&|item| {
                let moved = item.name.remove(0);
                item.kind.push(moved);
            }));
            others.push(change(&|item| item.body.push(0)));
        }
        let mut swapped = items.to_vec();
        swapped.swap(0, 1);
        others.push(digest(7, &swapped));
        let count = others.len();
        others.push(plain);
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), count + 1);
    }

    #[test]
    fn the_digest_is_the_documented_one() {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, number: u64| bytes.extend(number.to_be_bytes());
        let text = |bytes: &mut Vec<u8>, text: &[u8]| {
            number(bytes, text.len() as u64);
            bytes.extend(text);
        };
        text(&mut bytes, b"breakwater ruleset v1");
        number(&mut bytes, 9);
        number(&mut bytes, 1);
        text(&mut bytes, b"Key");
        text(&mut bytes, b"ab");
        number(&mut bytes, 3);
        text(&mut bytes, b"body");
        let item = Item { kind: "Key".into(), name: "ab".into(), revision: 3, body: b"body".to_vec() };
        let expect: [u8; 32] = Sha256::digest(&bytes).into();
        assert_eq!(digest(9, &[item]), expect);
    }
}
