//! The log as readers see it: in memory, whole since the last purge, ahead of the device by what waits to be written.

use std::{collections::BTreeMap, ops::RangeBounds};

use bytes::Bytes;

use super::record::Record;

/// What the records so far add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    entries: BTreeMap<u64, Bytes>,
    entry_bytes: usize,
    vote: Option<Bytes>,
    committed: Option<Bytes>,
    purged: Option<(u64, Bytes)>,
}

impl View {
    /// Takes one record in.
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Entry { index, bytes } => {
                self.entry_bytes += bytes.len();
                if let Some(replaced) = self.entries.insert(*index, bytes.clone()) {
                    self.entry_bytes -= replaced.len();
                }
            }
            Record::Vote(bytes) => self.vote = Some(bytes.clone()),
            Record::Committed(bytes) => self.committed = Some(bytes.clone()),
            Record::Truncate(last) => {
                let gone = self.entries.split_off(&last.map_or(0, |last| last + 1));
                self.forget(&gone);
            }
            Record::Purge { index, bytes } => {
                let kept = self.entries.split_off(&(index + 1));
                let gone = std::mem::replace(&mut self.entries, kept);
                self.forget(&gone);
                if self.purged.as_ref().is_none_or(|(purged, _)| purged < index) {
                    self.purged = Some((*index, bytes.clone()));
                }
            }
            Record::Closed => {}
        }
    }

    fn forget(&mut self, gone: &BTreeMap<u64, Bytes>) {
        self.entry_bytes -= gone.values().map(Bytes::len).sum::<usize>();
    }

    /// Returns the first index that should be there and is not.
    pub(super) fn first_hole(&self) -> Option<u64> {
        let first = match &self.purged {
            Some((purged, _)) => purged + 1,
            None => *self.entries.keys().next()?,
        };
        // Without a purge the first entry of a log is 0 or 1: 1 where the membership came from elsewhere.
        if self.purged.is_none() && first > 1 {
            return Some(0);
        }
        (first..)
            .zip(self.entries.keys())
            .find_map(|(expected, found)| (expected != *found).then_some(expected))
    }

    /// Returns the entries of a range that are there, in order.
    pub fn entries(&self, range: impl RangeBounds<u64>) -> Vec<Bytes> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        // BTreeMap::range panics on a range that ends before it starts; here that is an empty one.
        let start = match range.start_bound() {
            Included(start) => *start,
            Excluded(start) => start.saturating_add(1),
            Unbounded => 0,
        };
        let end = match range.end_bound() {
            Included(end) => end.saturating_add(1),
            Excluded(end) => *end,
            Unbounded => u64::MAX,
        };
        if start >= end {
            Vec::new()
        } else {
            self.entries.range(start..end).map(|(_, bytes)| bytes.clone()).collect()
        }
    }

    /// Returns the newest entry.
    #[must_use]
    pub fn last_entry(&self) -> Option<Bytes> {
        self.entries.last_key_value().map(|(_, bytes)| bytes.clone())
    }

    /// Returns the vote.
    #[must_use]
    pub fn vote(&self) -> Option<Bytes> {
        self.vote.clone()
    }

    /// Returns what was last known to be committed; it may lag behind the truth after a crash.
    #[must_use]
    pub fn committed(&self) -> Option<Bytes> {
        self.committed.clone()
    }

    /// Returns the log id up to which entries are gone.
    #[must_use]
    pub fn purged(&self) -> Option<Bytes> {
        self.purged.as_ref().map(|(_, bytes)| bytes.clone())
    }

    /// Returns the index up to which entries are gone.
    pub(super) fn purged_index(&self) -> Option<u64> {
        self.purged.as_ref().map(|(index, _)| *index)
    }

    /// Returns the bytes of all entries held.
    #[must_use]
    pub const fn entry_bytes(&self) -> usize {
        self.entry_bytes
    }

    /// Returns what a new segment repeats, so that it can be read without the ones before it.
    pub(super) fn heading(&self) -> Vec<Record> {
        let purged = self.purged.clone().map(|(index, bytes)| Record::Purge { index, bytes });
        let vote = self.vote.clone().map(Record::Vote);
        purged.into_iter().chain(vote).chain(self.committed.clone().map(Record::Committed)).collect()
    }
}
