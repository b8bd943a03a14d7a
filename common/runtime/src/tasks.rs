//! The only place that spawns. A task has a name and an exit rule; a group of tasks has a token that asks them to end
//! and a drain that waits for them, to a deadline.
//!
//! Groups: [`Tasks::child`] makes a group that can be drained alone, so that the assembler ends its parts in order
//! (accept first, storage last). All groups of one tree share the root token.
//!
//! Exit rule of [`Tasks::spawn`]: a task that panics or returns an error is logged at error and cancels the root token,
//! because a server that has lost a part of itself must end and be restarted, not limp. [`Tasks::spawn_contained`] is for
//! work on behalf of one peer (a connection, a call): it is logged and ends alone.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A group of tasks. Clones share the group.
#[derive(Debug, Clone)]
pub struct Tasks {
    root: CancellationToken,
    token: CancellationToken,
    failed: Arc<AtomicBool>,
    tracker: TaskTracker,
    running: Arc<Running>,
}

/// What a task may return: nothing, or a result whose error ends the process.
pub trait Exit: Send {
    /// Returns the error, if it is one.
    fn into_error(self) -> Option<String>;
}

#[derive(Debug, Default)]
struct Running {
    next: AtomicU64,
    names: Mutex<BTreeMap<u64, &'static str>>,
}

/// Takes the name off the list also when the task is dropped unfinished.
struct Entry {
    running: Arc<Running>,
    id: u64,
}

impl Tasks {
    /// Makes the root group of a process.
    #[must_use]
    pub fn new() -> Self {
        let root = CancellationToken::new();
        Self {
            token: root.clone(),
            root,
            failed: Arc::default(),
            tracker: TaskTracker::new(),
            running: Arc::default(),
        }
    }

    /// Makes a group that ends with this one and can be ended before it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            root: self.root.clone(),
            token: self.token.child_token(),
            failed: self.failed.clone(),
            tracker: TaskTracker::new(),
            running: Arc::default(),
        }
    }

    /// Returns the token that asks this group's tasks to end.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Returns the token of the whole process: cancelled by a failed task or by whoever ends the process.
    #[must_use]
    pub fn root_token(&self) -> CancellationToken {
        self.root.clone()
    }

    /// Whether a task of the tree failed.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Starts a task of the process. It should end soon after [`Tasks::token`] is cancelled. A panic or an error cancels
    /// the root token.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future + Send + 'static,
        F::Output: Exit,
    {
        let (root, failed) = (self.root.clone(), self.failed.clone());
        let future = outcome(future);
        self.start(name, async move {
            let error = match future.await {
                Ok(exit) => exit.into_error(),
                Err(panic) => Some(panic),
            };
            if let Some(error) = error {
                tracing::error!(task = name, error, "task failed; the process ends");
                failed.store(true, Ordering::SeqCst);
                root.cancel();
            }
        });
    }

    /// Starts work on behalf of one peer: a panic is logged and ends that work alone.
    pub fn spawn_contained<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let future = outcome(future);
        self.start(name, async move {
            if let Err(panic) = future.await {
                tracing::error!(task = name, error = panic, "contained task panicked");
            }
        });
    }

    /// Runs blocking work off the async threads and returns its result; `None` if it panicked (logged).
    pub async fn blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match tokio::task::spawn_blocking(work).await {
            Ok(value) => Some(value),
            Err(error) => {
                tracing::error!(task = name, %error, "blocking work panicked");
                None
            }
        }
    }

    /// Names of the tasks that run now, sorted.
    #[must_use]
    pub fn running(&self) -> Vec<&'static str> {
        let names = self.running.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = names.values().copied().collect();
        names.sort_unstable();
        names
    }

    /// Asks all tasks of this group to end and waits for them, at most `deadline`. Returns the names of those that did not.
    pub async fn shutdown(&self, deadline: Duration) -> Vec<&'static str> {
        self.token.cancel();
        let _ = self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait()).await.is_ok() {
            return Vec::new();
        }
        let late = self.running();
        tracing::warn!(tasks = ?late, deadline_ms = deadline.as_millis(), "tasks did not end in time");
        late
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    fn start(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let entry =
            Entry { id: self.running.next.fetch_add(1, Ordering::Relaxed), running: self.running.clone() };
        let mut names = self.running.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(entry.id, name);
        drop(names);
        let tracked = self.tracker.track_future(async move {
            future.await;
            drop(entry);
        });
        drop(tokio::spawn(tracked));
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut names = self.running.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&self.id);
    }
}

impl Exit for () {
    fn into_error(self) -> Option<String> {
        None
    }
}

impl<E: fmt::Display + Send> Exit for Result<(), E> {
    fn into_error(self) -> Option<String> {
        // The alternate form prints the whole chain of an anyhow error.
        self.err().map(|error| format!("{error:#}"))
    }
}

/// Runs a future to its end; a panic becomes its message. What the future held is dropped, so no broken state is seen.
///
/// The future is boxed before any other holds it: each async block that took it by value would keep room for a second one,
/// and a connection's future is large.
fn outcome<F: Future>(future: F) -> impl Future<Output = Result<F::Output, String>> {
    let mut future = Box::pin(future);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(payload) => Poll::Ready(Err(panic_message(payload.as_ref()))),
    })
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    async fn broken() {
        panic!("broken");
    }

    #[tokio::test]
    async fn a_panicking_task_cancels_the_root() {
        let tasks = Tasks::new();
        tasks.child().spawn("breaks", broken());
        tokio::time::timeout(SOON, tasks.root_token().cancelled()).await.unwrap();
        assert!(tasks.failed());
    }

    #[tokio::test]
    async fn an_error_cancels_the_root() {
        let tasks = Tasks::new();
        tasks.spawn("fails", async { Err("no disk") });
        tokio::time::timeout(SOON, tasks.root_token().cancelled()).await.unwrap();
        assert!(tasks.failed());
    }

    #[tokio::test]
    async fn a_contained_panic_ends_alone() {
        let tasks = Tasks::new();
        tasks.spawn_contained("call", broken());
        assert_eq!(tasks.shutdown(SOON).await, Vec::<&str>::new());
        assert!(!tasks.failed());
    }

    #[tokio::test]
    async fn a_task_has_no_room_for_its_future_but_the_box() {
        let large = [0_u8; 4_096];
        let boxed = outcome(async move {
            tokio::task::yield_now().await;
            large.len()
        });
        assert!(size_of_val(&boxed) <= 4 * size_of::<usize>());
        assert_eq!(boxed.await, Ok(4_096));
    }

    #[tokio::test]
    async fn a_child_group_drains_without_its_parent() {
        let tasks = Tasks::new();
        let child = tasks.child();
        let token = child.token();
        child.spawn("child", async move { token.cancelled().await });
        assert_eq!(child.running(), ["child"]);
        assert_eq!(child.shutdown(SOON).await, Vec::<&str>::new());
        assert!(!tasks.token().is_cancelled());
        assert_eq!(child.running(), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_task_that_does_not_end_is_named() {
        let tasks = Tasks::new();
        tasks.spawn("stuck", std::future::pending::<()>());
        assert_eq!(tasks.shutdown(Duration::from_millis(10)).await, ["stuck"]);
    }
}
