//! Acts of proxies on their way to the ledger: batched, bounded, tried again. An act that was recorded before is dropped
//! by the state machine (its generation), so trying again is safe.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use breakwater_common::limits::{ACTS_MAX, ACTS_QUEUE_MAX};
use breakwater_runtime::{Backoff, CancellationToken};
use tokio::sync::mpsc;

const RETRY_BASE: Duration = Duration::from_millis(100);
const RETRY_CAP: Duration = Duration::from_secs(5);
/// Tries of one batch: with the waits above about half a minute, longer than an election.
const TRIES_MAX: u32 = 12;

/// Where acts are put. Clones share the queue.
#[derive(Debug)]
pub struct ActsSink<A> {
    queue: mpsc::Sender<A>,
    dropped: Arc<AtomicU64>,
}

/// The task that brings acts to the ledger.
#[derive(Debug)]
pub struct Acts<A> {
    queue: mpsc::Receiver<A>,
    dropped: Arc<AtomicU64>,
}

impl<A: Clone + Send + 'static> Acts<A> {
    /// Makes the queue: where acts are put, and the task that takes them.
    #[must_use]
    pub fn new() -> (ActsSink<A>, Self) {
        let (sender, receiver) = mpsc::channel(ACTS_QUEUE_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        (ActsSink { queue: sender, dropped: dropped.clone() }, Self { queue: receiver, dropped })
    }

    /// Takes acts in batches until `end`, and gives each to `record` until that returns true, a few times.
    pub async fn run<F>(mut self, end: CancellationToken, record: impl Fn(Vec<A>) -> F)
    where
        F: Future<Output = bool>,
    {
        let mut batch = Vec::with_capacity(ACTS_MAX);
        loop {
            // Both arms are cancel-safe: recv_many leaves what it did not take.
            let taken = tokio::select! {
                () = end.cancelled() => 0,
                taken = self.queue.recv_many(&mut batch, ACTS_MAX) => taken,
            };
            if taken == 0 {
                return;
            }
            let acts = std::mem::take(&mut batch);
            let count = u64::try_from(acts.len()).unwrap_or(0);
            if !try_to_record(acts, &end, &record).await {
                self.dropped.fetch_add(count, Ordering::Relaxed);
                tracing::error!(acts = count, "acts of proxies did not reach the ledger");
            }
        }
    }
}

async fn try_to_record<A: Clone, F>(
    acts: Vec<A>,
    end: &CancellationToken,
    record: &impl Fn(Vec<A>) -> F,
) -> bool
where
    F: Future<Output = bool>,
{
    let mut backoff = Backoff::new(RETRY_BASE, RETRY_CAP, u64::from(std::process::id()));
    for _ in 0..TRIES_MAX {
        if record(acts.clone()).await {
            return true;
        }
        // Both arms only wait.
        tokio::select! {
            () = end.cancelled() => return false,
            () = tokio::time::sleep(backoff.next_wait()) => {}
        }
    }
    false
}

impl<A> ActsSink<A> {
    /// Puts an act in; if the queue is full it is dropped and counted.
    pub fn put(&self, act: A) {
        if self.queue.try_send(act).is_err() {
            self.drop_one();
        }
    }

    /// Counts an act that was dropped before it was put in.
    pub fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many acts were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl<A> Clone for ActsSink<A> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), dropped: self.dropped.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn a_batch_that_fails_is_tried_again_whole() {
        let (sink, acts) = Acts::new();
        for act in 0..3 {
            sink.put(act);
        }
        let end = CancellationToken::new();
        let seen = Mutex::new(Vec::new());
        acts.run(end.clone(), |batch| {
            let mut seen = seen.lock().unwrap();
            seen.push(batch);
            let done = seen.len() == 2;
            if done {
                end.cancel();
            }
            async move { done }
        })
        .await;
        assert_eq!(*seen.lock().unwrap(), [vec![0, 1, 2], vec![0, 1, 2]]);
        assert_eq!(sink.dropped(), 0);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (sink, _acts) = Acts::new();
        for act in 0..=ACTS_QUEUE_MAX {
            sink.put(act);
        }
        assert_eq!(sink.dropped(), 1);
    }
}
