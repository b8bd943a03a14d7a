//! The one thread that writes: everything in the order it was asked, one group, one sync, then the answers in order.

use std::{io, sync::Arc};

use breakwater_common::limits::WAL_GROUP_BYTES_MAX;
use tokio::sync::mpsc;

use super::{
    LogError, frame,
    record::Record,
    recover::{Current, Recovered, Sealed, begin_segment},
    segment_name,
    view::View,
};
use crate::store::disk::Disk;

/// Called once when an operation is on the device, or will never be.
pub type Done = Box<dyn FnOnce(io::Result<()>) + Send>;

/// One operation in the queue.
pub(super) struct Operation {
    pub(super) records: Vec<Record>,
    /// None where nobody waits and the operation may ride with the next group.
    pub(super) done: Option<Done>,
}

/// What the thread owns.
pub(super) struct Writer {
    disk: Arc<dyn Disk>,
    view: View,
    sealed: Vec<Sealed>,
    current: Current,
    sequence: u64,
    segment_bytes: usize,
    /// The first error; after it nothing is written and every asker gets it.
    failed: Option<String>,
}

impl Writer {
    pub(super) fn new(disk: Arc<dyn Disk>, recovered: Recovered, segment_bytes: usize) -> Self {
        let Recovered { mut view, sealed, current, sequence, torn_bytes: _ } = recovered;
        // Entries are needed only by readers, who have their own view.
        view.take(&Record::Truncate(None));
        Self { disk, view, sealed, current, sequence, segment_bytes, failed: None }
    }

    /// Writes until every sender is gone, then closes the log in order.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Operation>) {
        let mut waiting = Vec::new();
        while let Some(first) = queue.blocking_recv() {
            let mut bytes = size(&first);
            waiting.push(first);
            while bytes < WAL_GROUP_BYTES_MAX
                && let Ok(next) = queue.try_recv()
            {
                bytes += size(&next);
                waiting.push(next);
            }
            // What nobody waits for alone is not worth a sync.
            if waiting.iter().any(|operation| operation.done.is_some()) {
                self.write_group(std::mem::take(&mut waiting));
            }
        }
        waiting.push(Operation { records: vec![Record::Closed], done: None });
        self.write_group(waiting);
    }

    fn write_group(&mut self, group: Vec<Operation>) {
        let (records, dones): (Vec<_>, Vec<_>) =
            group.into_iter().map(|operation| (operation.records, operation.done)).unzip();
        let records: Vec<Record> = records.into_iter().flatten().collect();
        if self.failed.is_none()
            && let Err(error) =
                parts(&records, WAL_GROUP_BYTES_MAX).into_iter().try_for_each(|part| self.write(part))
        {
            tracing::error!(%error, "write-ahead log cannot be written; nothing is acknowledged from here on");
            self.failed = Some(error.to_string());
        }
        for done in dones.into_iter().flatten() {
            done(self.failed.as_ref().map_or(Ok(()), |error| Err(io::Error::other(error.clone()))));
        }
        if self.failed.is_none()
            && let Err(error) = self.remove_purged()
        {
            // Nothing acknowledged is at risk: the segments stay, and go with the next purge.
            tracing::warn!(%error, "purged segments of the write-ahead log could not be removed");
        }
    }

    fn write(&mut self, records: &[Record]) -> Result<(), LogError> {
        let mut body = Vec::new();
        for record in records {
            record.encode(&mut body);
        }
        let mut bytes = frame::encode(self.current.number, self.sequence, &body);
        if self.current.offset + bytes.len() > self.current.size {
            self.next_segment(bytes.len())?;
            bytes = frame::encode(self.current.number, self.sequence, &body);
        }
        let offset = u64::try_from(self.current.offset).unwrap_or(u64::MAX);
        self.current.file.write_at(offset, &bytes).map_err(LogError::Io)?;
        self.current.file.sync().map_err(LogError::Io)?;
        self.current.offset += bytes.len();
        self.sequence += 1;
        for record in records {
            if let Record::Entry { index, .. } = record {
                self.current.newest_entry = self.current.newest_entry.max(Some(*index));
            } else {
                self.view.take(record);
            }
        }
        Ok(())
    }

    fn next_segment(&mut self, needed: usize) -> Result<(), LogError> {
        let number = self.current.number + 1;
        // Room for the heading and the write that did not fit, whatever its size.
        let size = self.segment_bytes.max(needed + self.segment_bytes / 8);
        let next = begin_segment(&*self.disk, number, self.sequence, &self.view.heading(), size)?;
        self.sequence += 1;
        let full = std::mem::replace(&mut self.current, next);
        self.sealed.push(Sealed { number: full.number, newest_entry: full.newest_entry });
        Ok(())
    }

    /// Removes the oldest segments that hold no entry that is still needed. The current one repeats the vote and the purge.
    fn remove_purged(&mut self) -> Result<(), LogError> {
        let purged = self.view.purged_index();
        while let Some(oldest) = self.sealed.first().copied().filter(|segment| segment.newest_entry <= purged)
        {
            self.disk.remove(&segment_name(oldest.number)).map_err(LogError::Io)?;
            self.sealed.remove(0);
        }
        Ok(())
    }
}

/// Cuts a group so that no frame grows beyond what is believed on reading, however much is asked at once: a frame that is not
/// believed would be taken for a torn write, and what it holds was acknowledged. A cut group is whole after its last sync.
fn parts(mut records: &[Record], bytes_max: usize) -> Vec<&[Record]> {
    let mut parts = Vec::new();
    while !records.is_empty() {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            let is_first = bytes == 0;
            bytes += record.size();
            is_first || bytes <= bytes_max
        };
        let (part, rest) = records.split_at(records.iter().take_while(fits).count());
        parts.push(part);
        records = rest;
    }
    parts
}

fn size(operation: &Operation) -> usize {
    operation.records.iter().map(Record::size).sum()
}
