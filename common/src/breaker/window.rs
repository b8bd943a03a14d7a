//! Counts of the recent past: ten buckets, each exact. No average that forgets a burst, no sum that drifts.

use std::time::Duration;

use crate::time::MonoMillis;

/// Buckets of a window.
const BUCKETS: usize = 10;

/// So many bad ones of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Count {
    /// Bad ones.
    pub bad: u32,
    /// All.
    pub of: u32,
}

/// A window that moves on by a tenth of itself.
#[derive(Debug, Clone)]
pub(super) struct Window {
    bucket_ms: u64,
    /// Each with the number of the tenth, since the start of time, that it counts.
    buckets: [(u64, Count); BUCKETS],
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        Self { bucket_ms: bucket_ms(length), buckets: [(0, Count::default()); BUCKETS] }
    }

    /// Takes another length; what was counted for the old one says nothing about it.
    pub(super) fn resize(&mut self, length: Duration) {
        if self.bucket_ms != bucket_ms(length) {
            *self = Self::new(length);
        }
    }

    pub(super) fn clear(&mut self) {
        self.buckets = Default::default();
    }

    /// Counts what happened at a time.
    pub(super) fn add(&mut self, at: MonoMillis, bad: u32, of: u32) {
        let number = at.0 / self.bucket_ms;
        let place = usize::try_from(number % 10).unwrap_or_default();
        let Some((counts, count)) = self.buckets.get_mut(place) else { return };
        if *counts < number {
            (*counts, *count) = (number, Count::default());
        }
        // What comes later than its whole window counts for nothing.
        if *counts == number {
            count.bad = count.bad.saturating_add(bad);
            count.of = count.of.saturating_add(of);
        }
    }

    /// Returns what happened within the window before a time.
    pub(super) fn sum(&self, now: MonoMillis) -> Count {
        let number = now.0 / self.bucket_ms;
        let recent = self.buckets.iter().filter(|(counts, _)| *counts + 10 > number);
        recent.fold(Count::default(), |sum, (_, count)| Count {
            bad: sum.bad.saturating_add(count.bad),
            of: sum.of.saturating_add(count.of),
        })
    }
}

fn bucket_ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis() / 10).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_forgets_by_tenths() {
        let mut window = Window::new(Duration::from_millis(1_000));
        for at in [0, 99, 100, 950] {
            window.add(MonoMillis(at), 1, 2);
        }
        let sum = |now| window.sum(MonoMillis(now));
        assert_eq!(sum(999), Count { bad: 4, of: 8 });
        assert_eq!(sum(1_000), Count { bad: 2, of: 4 });
        assert_eq!(sum(1_100), Count { bad: 1, of: 2 });
        assert_eq!(sum(1_899), Count { bad: 1, of: 2 });
        assert_eq!(sum(1_900), Count::default());
        assert_eq!(sum(1_000_000), Count::default());
    }

    #[test]
    fn what_is_older_than_its_bucket_s_next_use_is_not_counted() {
        let mut window = Window::new(Duration::from_millis(1_000));
        window.add(MonoMillis(1_050), 1, 1);
        window.add(MonoMillis(50), 1, 1);
        assert_eq!(window.sum(MonoMillis(1_050)), Count { bad: 1, of: 1 });
    }
}
