//! What became of a call: asked of all proxies at once, because only the one that took it knows.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breakwater_common::limits::EXPLAIN_QUESTIONS_MAX;
use tokio::sync::mpsc;

/// Longest wait for the proxies.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);
/// Questions on their way to one proxy; beyond it that proxy is not asked.
const QUESTIONS_PER_PROXY_MAX: usize = 32;

/// Why a call is not explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// Every proxy answered, and none knows it.
    #[error(
        "no proxy remembers this call: each keeps its last calls only, and none over a restart; the id is in the answer's header x-breakwater-request-id"
    )]
    NotFound,
    /// Not every proxy answered in time, and none that did knows it.
    #[error("{asked} proxies were asked and {answered} answered in time; none of those remembers this call")]
    Incomplete {
        /// Proxies asked.
        asked: usize,
        /// Proxies that answered.
        answered: usize,
    },
    /// Too many questions wait.
    #[error("too many questions about calls wait: try again")]
    Busy,
}

/// A question: its number and the call's id.
pub(super) type Question = (u64, String);

/// Asks proxies. `A` is what they answer; clones share all.
#[derive(Debug)]
pub struct Explainer<A> {
    shared: Arc<Shared<A>>,
}

#[derive(Debug)]
struct Shared<A> {
    next: AtomicU64,
    streams: Mutex<BTreeMap<u64, mpsc::Sender<Question>>>,
    waiting: Mutex<BTreeMap<u64, mpsc::Sender<Option<A>>>>,
}

/// The questions to one proxy, as long as its stream lives.
#[derive(Debug)]
pub struct Questions<A> {
    stream: u64,
    receiver: mpsc::Receiver<Question>,
    shared: Arc<Shared<A>>,
}

/// Forgets a question, also when the asker left.
struct Waiting<A> {
    number: u64,
    shared: Arc<Shared<A>>,
}

impl<A: Send + 'static> Explainer<A> {
    /// Makes one that knows no proxies.
    #[must_use]
    pub fn new() -> Self {
        let shared = Shared { next: AtomicU64::new(1), streams: Mutex::default(), waiting: Mutex::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Adds a proxy's stream; it is asked until the returned questions are dropped.
    #[must_use]
    pub fn join(&self) -> Questions<A> {
        let (sender, receiver) = mpsc::channel(QUESTIONS_PER_PROXY_MAX);
        let stream = self.shared.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.shared.streams).insert(stream, sender);
        Questions { stream, receiver, shared: self.shared.clone() }
    }

    /// Takes a proxy's answer in; an answer to a question that nobody waits for is dropped.
    pub fn answer(&self, number: u64, explanation: Option<A>) {
        let asker = lock(&self.shared.waiting).get(&number).cloned();
        if let Some(asker) = asker {
            // The asker has room for one answer of each proxy; a second answer of one is dropped.
            drop(asker.try_send(explanation));
        }
    }

    /// Asks all proxies and returns the first explanation; waits at most [`DEADLINE`].
    pub async fn ask(&self, request_id: &str) -> Result<A, ExplainError> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let streams: Vec<mpsc::Sender<Question>> = lock(&self.shared.streams).values().cloned().collect();
        let (sender, mut answers) = mpsc::channel(streams.len().max(1));
        {
            let mut waiting = lock(&self.shared.waiting);
            if waiting.len() >= EXPLAIN_QUESTIONS_MAX {
                return Err(ExplainError::Busy);
            }
            waiting.insert(number, sender);
        }
        let waiting = Waiting { number, shared: self.shared.clone() };
        let reached =
            streams.iter().filter(|stream| stream.try_send((number, request_id.to_owned())).is_ok()).count();
        let mut answered = 0;
        let collect = async {
            while answered < reached {
                match answers.recv().await {
                    Some(Some(explanation)) => return Some(explanation),
                    Some(None) => answered += 1,
                    None => break,
                }
            }
            None
        };
        let found = tokio::time::timeout(DEADLINE, collect).await.ok().flatten();
        drop(waiting);
        let missing = if answered == streams.len() {
            ExplainError::NotFound
        } else {
            ExplainError::Incomplete { asked: streams.len(), answered }
        };
        found.ok_or(missing)
    }
}

impl<A> Questions<A> {
    /// Waits for the next question. Cancel-safe.
    pub async fn next(&mut self) -> Option<Question> {
        self.receiver.recv().await
    }
}

impl<A: Send + 'static> Default for Explainer<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Clone for Explainer<A> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<A> Drop for Questions<A> {
    fn drop(&mut self) {
        lock(&self.shared.streams).remove(&self.stream);
    }
}

impl<A> Drop for Waiting<A> {
    fn drop(&mut self) {
        lock(&self.shared.waiting).remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_proxy_that_knows_the_call_explains_it() {
        let explainer: Explainer<&str> = Explainer::new();
        let (mut knows, mut knows_not) = (explainer.join(), explainer.join());
        let proxies = async {
            let (number, request_id) = knows_not.next().await.unwrap();
            assert_eq!(request_id, "r-1");
            explainer.answer(number, None);
            let (number, _) = knows.next().await.unwrap();
            explainer.answer(number, Some("it fell back"));
        };
        let (answer, ()) = tokio::join!(explainer.ask("r-1"), proxies);
        assert_eq!(answer, Ok("it fell back"));
        assert!(lock(&explainer.shared.waiting).is_empty());
    }

    #[tokio::test]
    async fn a_call_that_nobody_knows_is_not_found_without_waiting() {
        let explainer: Explainer<()> = Explainer::new();
        assert_eq!(explainer.ask("r-1").await, Err(ExplainError::NotFound));
        let mut proxy = explainer.join();
        let proxies = async {
            let (number, _) = proxy.next().await.unwrap();
            explainer.answer(number, None);
        };
        let (answer, ()) = tokio::join!(explainer.ask("r-1"), proxies);
        assert_eq!(answer, Err(ExplainError::NotFound));
    }

    #[tokio::test]
    async fn a_proxy_that_left_is_not_asked() {
        let explainer: Explainer<()> = Explainer::new();
        drop(explainer.join());
        assert!(lock(&explainer.shared.streams).is_empty());
    }
}
