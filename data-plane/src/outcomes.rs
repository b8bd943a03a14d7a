//! What became of calls, on its way from the call's end to everybody who wants to know: metrics, the totals of the report
//! and the memory of `why`. The queue is bounded; when it is full an outcome is dropped and counted, never waited for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use breakwater_common::limits::{CALL_TRACES_MAX, OUTCOMES_QUEUE_MAX};
use breakwater_runtime::CancellationToken;
use tokio::sync::mpsc;

use crate::metrics::Metrics;
use crate::trace::{Ending, Facts};

/// Where calls leave their outcome. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Outcomes {
    sender: mpsc::Sender<Box<Facts>>,
    metrics: Metrics,
}

/// Takes outcomes off the queue.
#[derive(Debug)]
pub(crate) struct Folder {
    receiver: mpsc::Receiver<Box<Facts>>,
    metrics: Metrics,
    book: Book,
}

/// What the reporter reads: totals since the start, and the last calls. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(Arc<Pages>);

#[derive(Debug, Default)]
struct Pages {
    calls: AtomicU64,
    failed_calls: AtomicU64,
    recent: Mutex<VecDeque<Arc<Facts>>>,
}

/// Makes the queue and both its ends.
pub(crate) fn channel(metrics: Metrics) -> (Outcomes, Folder, Book) {
    let (sender, receiver) = mpsc::channel(OUTCOMES_QUEUE_MAX);
    let book = Book::default();
    let folder = Folder { receiver, metrics: metrics.clone(), book: book.clone() };
    (Outcomes { sender, metrics }, folder, book)
}

impl Outcomes {
    /// Leaves an outcome; drops and counts it if the queue is full.
    pub(crate) fn leave(&self, facts: Facts) {
        if self.sender.try_send(Box::new(facts)).is_err() {
            self.metrics.dropped_outcome();
        }
    }
}

impl Folder {
    /// Runs until the token is cancelled, then takes what is left.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        loop {
            // Cancel-safe: `recv` loses nothing when dropped.
            tokio::select! {
                biased;
                facts = self.receiver.recv() => match facts {
                    Some(facts) => self.fold(*facts),
                    None => return,
                },
                () = token.cancelled() => break,
            }
        }
        while let Ok(facts) = self.receiver.try_recv() {
            self.fold(*facts);
        }
    }

    fn fold(&self, facts: Facts) {
        self.metrics.call(&facts);
        if facts.is_call {
            self.book.enter(facts);
        }
    }
}

impl Book {
    fn enter(&self, facts: Facts) {
        let _ = self.0.calls.fetch_add(1, Ordering::Relaxed);
        if facts.not_the_callers || facts.ending == Ending::Cut {
            let _ = self.0.failed_calls.fetch_add(1, Ordering::Relaxed);
        }
        let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= CALL_TRACES_MAX {
            drop(recent.pop_front());
        }
        recent.push_back(Arc::new(facts));
    }

    /// Returns calls and failed calls since the start.
    pub(crate) fn totals(&self) -> (u64, u64) {
        (self.0.calls.load(Ordering::Relaxed), self.0.failed_calls.load(Ordering::Relaxed))
    }

    /// Returns the notes of a call, if it is among the last [`CALL_TRACES_MAX`].
    pub(crate) fn find(&self, request_id: &str) -> Option<Arc<Facts>> {
        let recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().find(|facts| facts.request_id == request_id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(id: usize) -> Facts {
        Facts { request_id: id.to_string(), is_call: true, ..Facts::default() }
    }

    #[tokio::test]
    async fn a_full_queue_drops_and_counts() {
        let metrics = Metrics::new();
        let (outcomes, folder, book) = channel(metrics.clone());
        for id in 0..OUTCOMES_QUEUE_MAX + 3 {
            outcomes.leave(facts(id));
        }
        assert_eq!(metrics.dropped_outcomes(), 3);
        drop(outcomes);
        folder.run(CancellationToken::new()).await;
        assert_eq!(book.totals().0, u64::try_from(OUTCOMES_QUEUE_MAX).unwrap());
    }

    #[test]
    fn the_oldest_calls_are_forgotten_first() {
        let book = Book::default();
        for id in 0..=CALL_TRACES_MAX {
            book.enter(facts(id));
        }
        assert!(book.find("0").is_none());
        assert!(book.find("1").is_some());
        assert!(book.find(&CALL_TRACES_MAX.to_string()).is_some());
    }
}
