//! Records: what a frame's body holds.
//!
//! `kind u8 | bytes u32 | payload`, numbers big endian. A kind this release does not know stops the node: a log is never
//! read in part.

use bytes::Bytes;

/// One change of the log, or a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// An entry with its index.
    Entry {
        /// Its index.
        index: u64,
        /// Its bytes.
        bytes: Bytes,
    },
    /// The vote.
    Vote(Bytes),
    /// The newest index known to be committed.
    Committed(Bytes),
    /// Entries behind this index are gone; behind everything if `None`.
    Truncate(Option<u64>),
    /// Entries up to this index are gone.
    Purge {
        /// The newest index that is gone.
        index: u64,
        /// Its log id.
        bytes: Bytes,
    },
    /// The log was closed in order; it has no payload.
    Closed,
}

const ENTRY: u8 = 1;
const VOTE: u8 = 2;
const COMMITTED: u8 = 3;
const TRUNCATE: u8 = 4;
const PURGE: u8 = 5;
const CLOSED: u8 = 6;

/// Why a body cannot be read although its checksum is right: it is of another release, or the writer was wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Record {
    /// Appends the record to a body.
    pub(super) fn encode(&self, body: &mut Vec<u8>) {
        match self {
            Self::Entry { index, bytes } => put(body, ENTRY, &[&index.to_be_bytes(), bytes]),
            Self::Vote(bytes) => put(body, VOTE, &[bytes]),
            Self::Committed(bytes) => put(body, COMMITTED, &[bytes]),
            Self::Truncate(None) => put(body, TRUNCATE, &[]),
            Self::Truncate(Some(index)) => put(body, TRUNCATE, &[&index.to_be_bytes()]),
            Self::Purge { index, bytes } => put(body, PURGE, &[&index.to_be_bytes(), bytes]),
            Self::Closed => put(body, CLOSED, &[]),
        }
    }

    /// Returns bytes the record takes in a body, about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Entry { bytes, .. } | Self::Purge { bytes, .. } => bytes.len() + 13,
            Self::Vote(bytes) | Self::Committed(bytes) => bytes.len() + 5,
            Self::Truncate(_) | Self::Closed => 13,
        }
    }
}

fn put(body: &mut Vec<u8>, kind: u8, payload: &[&[u8]]) {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    body.push(kind);
    body.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    for part in payload {
        body.extend_from_slice(part);
    }
}

/// Reads the records of a body.
pub(super) fn decode_all(mut body: &[u8]) -> Result<Vec<Record>, Unreadable> {
    let mut records = Vec::new();
    while let Some((kind, rest)) = body.split_first() {
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(Unreadable)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Unreadable)?;
        let (payload, rest) = rest.split_at_checked(length).ok_or(Unreadable)?;
        records.push(decode(*kind, payload)?);
        body = rest;
    }
    Ok(records)
}

fn decode(kind: u8, payload: &[u8]) -> Result<Record, Unreadable> {
    let indexed = || {
        payload
            .split_first_chunk::<8>()
            .map(|(index, rest)| (u64::from_be_bytes(*index), rest))
            .ok_or(Unreadable)
    };
    match kind {
        ENTRY => {
            indexed().map(|(index, bytes)| Record::Entry { index, bytes: Bytes::copy_from_slice(bytes) })
        }
        VOTE => Ok(Record::Vote(Bytes::copy_from_slice(payload))),
        COMMITTED => Ok(Record::Committed(Bytes::copy_from_slice(payload))),
        TRUNCATE if payload.is_empty() => Ok(Record::Truncate(None)),
        TRUNCATE => indexed().map(|(index, _)| Record::Truncate(Some(index))),
        PURGE => {
            indexed().map(|(index, bytes)| Record::Purge { index, bytes: Bytes::copy_from_slice(bytes) })
        }
        CLOSED => Ok(Record::Closed),
        _ => Err(Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_strangers_are_refused() {
        let records = vec![
            Record::Vote(Bytes::from_static(b"v")),
            Record::Entry { index: 9, bytes: Bytes::from_static(b"entry") },
            Record::Entry { index: 10, bytes: Bytes::new() },
            Record::Committed(Bytes::new()),
            Record::Truncate(None),
            Record::Truncate(Some(3)),
            Record::Purge { index: 2, bytes: Bytes::from_static(b"id") },
            Record::Closed,
        ];
        let mut body = Vec::new();
        for record in &records {
            record.encode(&mut body);
        }
        assert_eq!(decode_all(&body), Ok(records));
        for length in 1..body.len() {
            // Every cut either falls between two records or is seen.
            if let Ok(fewer) = decode_all(&body[..length]) {
                assert!(fewer.len() < 8);
            }
        }
        assert_eq!(decode_all(&[99, 0, 0, 0, 0]), Err(Unreadable));
    }
}
