//! What all connections of a simulator share: its faults with what they have seen, its counts, what it keeps for tests.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use breakwater_common::{limits, time::MonoMillis};
use breakwater_runtime::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{
    Counts, Dialect, Options, RecordedRequest, Replay, Scripted,
    fault::{Fault, Kind, Seen},
    wire::Stamp,
};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) dialect: Dialect,
    pub(super) latency: Duration,
    pub(super) pause: Duration,
    pub(super) replay: Option<Replay>,
    requests_kept: usize,
    clock: SystemClock,
    /// Said when the faults change.
    pub(super) changed: Notify,
    connections: AtomicU64,
    calls: AtomicU64,
    /// Calls whose answer went out whole.
    pub(super) completed: Arc<AtomicU64>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    set_at: MonoMillis,
    faults: Vec<(Fault, Seen)>,
    requests: VecDeque<RecordedRequest>,
    scripted: VecDeque<Scripted>,
}

/// What faults make of a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Time before the answer.
    pub(super) slow: Duration,
    /// What acts on the answer.
    pub(super) fault: Option<Fault>,
}

/// What faults make of a connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Time before it is served.
    pub(super) slow: Duration,
    /// It is greeted with garbage.
    pub(super) garbage: bool,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        let pause =
            options.tokens_per_second.map_or(Duration::ZERO, |speed| Duration::from_secs(1) / speed.max(1));
        let shared = Self {
            dialect: options.dialect,
            latency: options.latency,
            pause,
            replay: options.replay,
            requests_kept: options.requests_kept.min(limits::SIMULATOR_REQUESTS_MAX),
            clock: SystemClock::new(),
            changed: Notify::new(),
            connections: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            completed: Arc::default(),
            inner: Mutex::default(),
        };
        shared.set_faults(options.faults);
        shared
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    // ===== faults =====

    /// Replaces all faults; what they have seen starts again.
    pub(super) fn set_faults(&self, faults: Vec<Fault>) {
        let now = self.clock.mono();
        self.with(|inner| {
            inner.set_at = now;
            inner.faults = faults.into_iter().map(|fault| (fault, Seen::default())).collect();
        });
        self.changed.notify_waiters();
    }

    /// Asks each fault in force that `wanted` takes whether it hits, and hands those that do to `hit`.
    fn ask(&self, model: &str, wanted: impl Fn(Kind) -> bool, mut hit: impl FnMut(&Fault)) {
        let now = self.clock.mono();
        self.with(|inner| {
            let elapsed = Duration::from_millis(now.0.saturating_sub(inner.set_at.0));
            for (fault, seen) in &mut inner.faults {
                if wanted(fault.kind) && fault.when.hits(seen, elapsed, model) {
                    hit(fault);
                }
            }
        });
    }

    /// Whether nobody listens now.
    pub(super) fn refuses(&self) -> bool {
        let now = self.clock.mono();
        self.with(|inner| {
            let elapsed = Duration::from_millis(now.0.saturating_sub(inner.set_at.0));
            inner.faults.iter().any(|(fault, _)| fault.kind == Kind::Refuse && fault.when.in_force(elapsed))
        })
    }

    /// Whether there may be a time at which nobody listens.
    pub(super) fn may_refuse(&self) -> bool {
        self.with(|inner| inner.faults.iter().any(|(fault, _)| fault.kind == Kind::Refuse))
    }

    /// Counts a connection and returns what hits it.
    pub(super) fn greeting(&self) -> Greeting {
        let _before = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut greeting = Greeting::default();
        let wanted = |kind| matches!(kind, Kind::SlowAccept | Kind::TlsGarbage);
        self.ask("", wanted, |fault| match fault.kind {
            Kind::SlowAccept => greeting.slow += Duration::from_millis(fault.amount),
            _ => greeting.garbage = true,
        });
        greeting
    }

    /// Returns how much later the body of the next request is read.
    pub(super) fn slow_read(&self) -> Duration {
        let mut slow = Duration::ZERO;
        self.ask("", |kind| kind == Kind::SlowRead, |fault| slow += Duration::from_millis(fault.amount));
        slow
    }

    /// Counts a call at each fault that looks at its model and returns what hits it.
    pub(super) fn trouble(&self, model: &str) -> Trouble {
        let mut trouble = Trouble::default();
        let wanted =
            |kind| !matches!(kind, Kind::Refuse | Kind::SlowAccept | Kind::TlsGarbage | Kind::SlowRead);
        self.ask(model, wanted, |fault| match fault.kind {
            Kind::Slow => trouble.slow += Duration::from_millis(fault.amount),
            _ if trouble.fault.is_none() => trouble.fault = Some(fault.clone()),
            _ => {}
        });
        trouble
    }

    /// Writes the faults with what they have seen.
    pub(super) fn describe_faults(&self) -> Value {
        self.with(|inner| {
            let faults = inner.faults.iter();
            let faults = faults.map(
                |(fault, seen)| json!({"fault": fault.to_string(), "calls": seen.calls, "hits": seen.hits}),
            );
            json!({"faults": faults.collect::<Vec<_>>()})
        })
    }

    // ===== counts and records =====

    /// Returns what was counted.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            connections: self.connections.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
            completed: self.completed.load(Ordering::Relaxed),
        }
    }

    /// Counts a call and returns its stamp.
    pub(super) fn stamp(&self) -> Stamp {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        Stamp { number, created: self.clock.wall().0 / 1000 }
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.with(|inner| inner.requests.iter().cloned().collect())
    }

    pub(super) fn record(&self, request: RecordedRequest) {
        if self.requests_kept == 0 {
            return;
        }
        self.with(|inner| {
            if inner.requests.len() >= self.requests_kept {
                drop(inner.requests.pop_front());
            }
            inner.requests.push_back(request);
        });
    }

    pub(super) fn script(&self, reply: Scripted) {
        self.with(|inner| inner.scripted.push_back(reply));
    }

    pub(super) fn next_script(&self) -> Option<Scripted> {
        self.with(|inner| inner.scripted.pop_front())
    }
}
