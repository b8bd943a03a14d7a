//! Counts over a sliding window of ten exact buckets: what is older than the window by a bucket's width or more is gone.

use std::time::Duration;

use crate::time::MonoMillis;

const BUCKETS: usize = 10;
const COUNT: u64 = 10;

/// Two counts over a window.
#[derive(Debug, Clone)]
pub(super) struct Window {
    width_ms: u64,
    /// Number of the newest bucket since the start of time.
    newest: u64,
    buckets: [Counts; BUCKETS],
}

/// How many, and how many of these were bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: u64,
    pub(super) bad: u64,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let width_ms = (length / COUNT).max(1);
        Self { width_ms, newest: 0, buckets: [Counts::default(); BUCKETS] }
    }

    pub(super) fn add(&mut self, now: MonoMillis, bad: bool) {
        self.advance(now);
        let at = self.newest % COUNT;
        if let Some(bucket) = usize::try_from(at).ok().and_then(|at| self.buckets.get_mut(at)) {
            bucket.all = bucket.all.saturating_add(1);
            bucket.bad = bucket.bad.saturating_add(u64::from(bad));
        }
    }

    pub(super) fn counts(&mut self, now: MonoMillis) -> Counts {
        self.advance(now);
        self.buckets.iter().fold(Counts::default(), |sum, bucket| Counts {
            all: sum.all.saturating_add(bucket.all),
            bad: sum.bad.saturating_add(bucket.bad),
        })
    }

    pub(super) fn clear(&mut self) {
        self.buckets = Default::default();
    }

    /// Empties the buckets between the newest and that of `now`; a time before the newest counts into the newest.
    fn advance(&mut self, now: MonoMillis) {
        let number = now.0 / self.width_ms;
        let steps = number.saturating_sub(self.newest).min(COUNT);
        for step in 1..=steps {
            let at = usize::try_from((number - steps + step) % COUNT).unwrap_or_default();
            if let Some(bucket) = self.buckets.get_mut(at) {
                *bucket = Counts::default();
            }
        }
        self.newest = self.newest.max(number);
    }
}
