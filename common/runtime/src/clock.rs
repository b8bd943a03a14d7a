//! The only place that reads a clock. Everything else is handed a [`SharedClock`], so that a test owns the time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use breakwater_common::time::{MonoMillis, MonoNanos, UnixMillis};

/// A source of both times.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Returns the wall time, for records; it may jump.
    fn wall(&self) -> UnixMillis;
    /// Returns the monotonic time, for intervals; milliseconds since some start of the process.
    fn mono(&self) -> MonoMillis;
    /// Returns the same time in nanoseconds.
    fn mono_nanos(&self) -> MonoNanos;
}

/// A clock that is handed around.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Instant,
}

/// A clock that stands until a test moves it.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicU64,
    mono: AtomicU64,
}

impl SystemClock {
    /// Makes a clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Makes a clock to hand around.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self::new())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn wall(&self) -> UnixMillis {
        UnixMillis(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    fn mono(&self) -> MonoMillis {
        MonoMillis(millis(self.start.elapsed()))
    }

    fn mono_nanos(&self) -> MonoNanos {
        MonoNanos(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl ManualClock {
    /// Makes a clock that stands at this wall time and at monotonic zero.
    #[must_use]
    pub fn at(wall: UnixMillis) -> Arc<Self> {
        Arc::new(Self { wall: AtomicU64::new(wall.0), mono: AtomicU64::new(0) })
    }

    /// Moves both times forward.
    pub fn advance(&self, by: Duration) {
        let _ = self.wall.fetch_add(millis(by), Ordering::SeqCst);
        let _ = self.mono.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Sets the wall time alone, also backwards, as an operator or NTP may.
    pub fn set_wall(&self, to: UnixMillis) {
        self.wall.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> UnixMillis {
        UnixMillis(self.wall.load(Ordering::SeqCst))
    }

    fn mono(&self) -> MonoMillis {
        MonoMillis(self.mono.load(Ordering::SeqCst))
    }

    fn mono_nanos(&self) -> MonoNanos {
        MonoNanos(self.mono.load(Ordering::SeqCst).saturating_mul(1_000_000))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(UnixMillis(1_000));
        assert_eq!((clock.wall(), clock.mono()), (UnixMillis(1_000), MonoMillis(0)));
        clock.advance(Duration::from_millis(5));
        clock.set_wall(UnixMillis(7));
        assert_eq!((clock.wall(), clock.mono()), (UnixMillis(7), MonoMillis(5)));
    }

    #[test]
    fn system_clock_is_after_2020_and_monotonic() {
        let clock = SystemClock::new();
        assert!(clock.wall() > UnixMillis(1_577_836_800_000));
        assert!(clock.mono() <= clock.mono());
    }
}
