//! openraft's log storage over the write-ahead log.
//!
//! Answers come from the log's writer after its sync and in order, so a vote and an append are never reordered. openraft calls
//! the write side from one task.

use std::{fmt::Debug, io, ops::RangeBounds, sync::Arc};

use openraft::{
    LogState, OptionalSend,
    storage::{IOFlushed, RaftLogReader, RaftLogStorage},
};
use tokio::sync::oneshot;

use super::{
    codec,
    types::{Entry, LogId, Types, Vote},
};
use crate::store::log::{Done, Log, Reader};

/// The write side.
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    log: Arc<Log>,
}

/// The read side.
#[derive(Clone, Debug)]
pub(crate) struct LogReader {
    reader: Reader,
}

impl LogStore {
    pub(crate) const fn new(log: Arc<Log>) -> Self {
        Self { log }
    }
}

/// An answer that is awaited.
fn awaited() -> (Done, impl Future<Output = io::Result<()>>) {
    let (sender, receiver) = oneshot::channel();
    // Who asked may be gone; then nobody needs the answer.
    let done: Done = Box::new(move |result| drop(sender.send(result)));
    (done, async {
        receiver.await.map_err(|_| io::Error::other("the write-ahead log's writer has stopped"))?
    })
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = LogReader;

    async fn get_log_state(&mut self) -> io::Result<LogState<Types>> {
        let reader = self.log.reader();
        let view = reader.view();
        let purged = view.purged().map(|bytes| codec::decode_log_id(&bytes)).transpose()?.flatten();
        let last = view.last_entry().map(|bytes| codec::decode_entry_log_id(&bytes)).transpose()?;
        Ok(LogState { last_purged_log_id: purged, last_log_id: last.or(purged) })
    }

    async fn get_log_reader(&mut self) -> Self::LogReader {
        LogReader { reader: self.log.reader() }
    }

    async fn save_vote(&mut self, vote: &Vote) -> io::Result<()> {
        let (done, answer) = awaited();
        self.log.save_vote(codec::encode_vote(vote), done).await;
        answer.await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> io::Result<()> {
        self.log.save_committed(codec::encode_log_id(committed.as_ref())).await;
        Ok(())
    }

    async fn read_committed(&mut self) -> io::Result<Option<LogId>> {
        let committed = self.log.reader().view().committed();
        Ok(committed.map(|bytes| codec::decode_log_id(&bytes)).transpose()?.flatten())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> io::Result<()>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries =
            entries.into_iter().map(|entry| (entry.log_id.index, codec::encode_entry(&entry))).collect();
        self.log.append(entries, Box::new(|result| callback.io_completed(result))).await;
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> io::Result<()> {
        let (done, answer) = awaited();
        self.log.truncate_after(last_log_id.map(|id| id.index), done).await;
        answer.await
    }

    async fn purge(&mut self, log_id: LogId) -> io::Result<()> {
        let (done, answer) = awaited();
        self.log.purge(log_id.index, codec::encode_log_id(Some(&log_id)), done).await;
        answer.await
    }
}

impl RaftLogReader<Types> for LogReader {
    async fn try_get_log_entries<RB>(&mut self, range: RB) -> io::Result<Vec<Entry>>
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        // Decoded outside the lock: an entry can be large.
        let entries = self.reader.view().entries(range);
        entries.iter().map(codec::decode_entry).collect()
    }

    async fn read_vote(&mut self) -> io::Result<Option<Vote>> {
        let vote = self.reader.view().vote();
        vote.map(|bytes| codec::decode_vote(&bytes)).transpose()
    }
}
