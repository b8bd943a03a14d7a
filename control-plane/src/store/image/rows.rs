//! Rows in sled: long values cut into parts, and one number that all rows together add up to.
//!
//! The number is the sum over all rows of a checksum of key and value. It is kept in the same batch as the rows, so a page
//! that sled lost or brought back from an older time is found when everything is read at the start.

use std::collections::BTreeMap;

use breakwater_common::limits::IMAGE_VALUE_BYTES_MAX;
use sled::{Batch, IVec, Tree};

use super::ImageError;

/// Tables from here on are the image's own.
const OWN_TABLES: u8 = 0xf0;
const APPLIED_KEY: &[u8] = b"\xf0applied";
const PART_TABLE: u8 = 0xf1;
const WHOLE: u8 = 0;
const PARTS: u8 = 1;
const APPLIED_FORMAT: u8 = 1;

/// How far the image is: written with every batch.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Applied {
    /// Index of the newest entry whose rows are in the image.
    pub index: u64,
    /// What the owner keeps with it.
    pub bytes: Vec<u8>,
}

/// One row.
pub type Row = (Vec<u8>, Vec<u8>);
/// Rows that change: the new value, or `None` where the row goes.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The rows and their sum.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) tree: Tree,
    pub(super) sum: u64,
}

impl Rows {
    /// Makes the changes and the note of how far they go, in one atomic batch.
    ///
    /// Rows of `once` are written once: another value for one of them is an error.
    pub(super) fn write(
        &mut self,
        changes: &Changes,
        applied: Option<&Applied>,
        once: u8,
    ) -> Result<(), ImageError> {
        let mut batch = Batch::default();
        let mut sum = self.sum;
        for (key, value) in changes {
            let table = key.first().copied().unwrap_or(OWN_TABLES);
            if table >= OWN_TABLES {
                return Err(ImageError::Key);
            }
            if let Some((old, parts)) = get(&self.tree, key)? {
                if table == once && value.as_ref() != Some(&old) {
                    return Err(ImageError::Divergence { key: key.clone() });
                }
                sum = sum.wrapping_sub(checksum(key, &old));
                for part in 0..parts {
                    batch.remove(part_key(key, part));
                }
                batch.remove(key.as_slice());
            }
            if let Some(value) = value {
                sum = sum.wrapping_add(checksum(key, value));
                put(&mut batch, key, value);
            }
        }
        match applied {
            Some(applied) => batch.insert(APPLIED_KEY, encode_applied(sum, applied)),
            // Until the note is written again the image is not whole.
            None => batch.remove(APPLIED_KEY),
        }
        self.tree.apply_batch(batch).map_err(ImageError::Sled)?;
        self.sum = sum;
        Ok(())
    }

    /// Reads every row and checks that they add up; returns those that are not of the table `bulk`.
    pub(super) fn load(tree: Tree, bulk: u8) -> Result<(Self, Vec<Row>, Option<Applied>), ImageError> {
        let mut rows = Vec::new();
        let mut sum: u64 = 0;
        for item in tree.range(..[OWN_TABLES].as_slice()) {
            let (key, stored) = item.map_err(ImageError::Sled)?;
            let (value, _) = whole(&tree, &key, &stored)?;
            sum = sum.wrapping_add(checksum(&key, &value));
            if key.first() != Some(&bulk) {
                rows.push((key.to_vec(), value));
            }
        }
        let applied = match tree.get(APPLIED_KEY).map_err(ImageError::Sled)? {
            None if tree.is_empty() => None,
            None => return Err(ImageError::Unfinished),
            Some(stored) => {
                let (expected, applied) = decode_applied(&stored).ok_or(ImageError::Mismatch)?;
                if expected != sum {
                    return Err(ImageError::Mismatch);
                }
                Some(applied)
            }
        };
        Ok((Self { tree, sum }, rows, applied))
    }
}

/// Reads a row's value.
pub(super) fn value(tree: &Tree, key: &[u8]) -> Result<Option<Vec<u8>>, ImageError> {
    Ok(get(tree, key)?.map(|(value, _)| value))
}

fn get(tree: &Tree, key: &[u8]) -> Result<Option<(Vec<u8>, u32)>, ImageError> {
    let stored = tree.get(key).map_err(ImageError::Sled)?;
    stored.map(|stored| whole(tree, key, &stored)).transpose()
}

/// Puts a value together; also returns in how many parts it is stored.
pub(super) fn whole(tree: &Tree, key: &[u8], stored: &IVec) -> Result<(Vec<u8>, u32), ImageError> {
    match stored.split_first() {
        Some((&WHOLE, value)) => Ok((value.to_vec(), 0)),
        Some((&PARTS, count)) => {
            let count = count.try_into().map(u32::from_be_bytes).map_err(|_| ImageError::Mismatch)?;
            let mut value = Vec::new();
            for part in 0..count {
                let bytes = tree.get(part_key(key, part)).map_err(ImageError::Sled)?;
                value.extend_from_slice(&bytes.ok_or(ImageError::Mismatch)?);
            }
            Ok((value, count))
        }
        _ => Err(ImageError::Mismatch),
    }
}

fn put(batch: &mut Batch, key: &[u8], value: &[u8]) {
    if value.len() <= IMAGE_VALUE_BYTES_MAX {
        let mut stored = Vec::with_capacity(value.len() + 1);
        stored.push(WHOLE);
        stored.extend_from_slice(value);
        batch.insert(key, stored);
        return;
    }
    let mut count: u32 = 0;
    for part in value.chunks(IMAGE_VALUE_BYTES_MAX) {
        batch.insert(part_key(key, count), part);
        count += 1;
    }
    let mut stored = vec![PARTS];
    stored.extend_from_slice(&count.to_be_bytes());
    batch.insert(key, stored);
}

fn part_key(key: &[u8], part: u32) -> Vec<u8> {
    let mut bytes = vec![PART_TABLE];
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(&part.to_be_bytes());
    bytes
}

fn checksum(key: &[u8], value: &[u8]) -> u64 {
    let of_key = crc32c::crc32c(key);
    let of_both = crc32c::crc32c_append(of_key, value);
    // Mixed, so that two changes that undo each other in one checksum do not undo each other in the sum.
    let mixed = (u64::from(of_key) << 32 | u64::from(of_both)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn encode_applied(sum: u64, applied: &Applied) -> Vec<u8> {
    let mut bytes = vec![APPLIED_FORMAT];
    bytes.extend_from_slice(&sum.to_be_bytes());
    bytes.extend_from_slice(&applied.index.to_be_bytes());
    bytes.extend_from_slice(&applied.bytes);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_be_bytes());
    bytes
}

fn decode_applied(stored: &[u8]) -> Option<(u64, Applied)> {
    let (bytes, checksum) = stored.split_last_chunk::<4>()?;
    if crc32c::crc32c(bytes) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (&format, rest) = bytes.split_first()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (index, rest) = rest.split_first_chunk::<8>()?;
    (format == APPLIED_FORMAT).then(|| {
        (u64::from_be_bytes(*sum), Applied { index: u64::from_be_bytes(*index), bytes: rest.to_vec() })
    })
}
