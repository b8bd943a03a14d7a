//! Holds a rate: the generic cell rate algorithm in whole nanoseconds (source: ITU-T I.371, annex A.2, virtual scheduling).

use std::time::Duration;

use super::Share;
use crate::time::MonoNanos;

/// A second's nanoseconds times the thousandths of a rate.
const NANOS_MILLI: u64 = 1_000_000_000_000;

/// Holds a share. In any stretch of time `t` no more passes than `1 + burst + rate × t`.
///
/// One number is the whole state: the time until which everything that passed is paid for. A unit costs a whole number of
/// nanoseconds, rounded up, so a rate of a million a second is held to a thousandth, and never exceeded.
#[derive(Debug, Clone)]
pub struct Meter {
    share: Share,
    /// What a unit costs.
    interval: u64,
    /// How far the time that is paid for may be ahead.
    tolerance: u64,
    paid_until: u64,
}

impl Meter {
    /// Makes one that nothing has passed.
    #[must_use]
    pub fn new(share: Share) -> Self {
        let (interval, tolerance) = terms(share);
        Self { share, interval, tolerance, paid_until: 0 }
    }

    /// Whether so many units may pass at once now. More than may ever pass at once count as so many: a full allowance
    /// lets anything through, and what it costs beyond is owed.
    ///
    /// # Errors
    /// If not: the exact time after which they may, if nothing else passes before.
    pub fn check(&self, now: MonoNanos, units: u64) -> Result<(), Duration> {
        if units == 0 {
            return Ok(());
        }
        let at_once = units.min(self.share.burst().saturating_add(1));
        let room = self.tolerance.saturating_sub(self.interval.saturating_mul(at_once - 1));
        let due = self.paid_until.saturating_sub(room);
        if due <= now.0 { Ok(()) } else { Err(Duration::from_nanos(due - now.0)) }
    }

    /// Lets so many units pass, whether they may or not.
    pub fn take(&mut self, now: MonoNanos, units: u64) {
        let from = self.paid_until.max(now.0);
        self.paid_until = from.saturating_add(self.interval.saturating_mul(units));
    }

    /// Corrects what was taken to what it was. What was taken too much comes back as far as time has not given it back
    /// already.
    pub fn settle(&mut self, now: MonoNanos, taken: u64, was: u64) {
        if was > taken {
            self.take(now, was - taken);
        } else {
            self.paid_until = self.paid_until.saturating_sub(self.interval.saturating_mul(taken - was));
        }
    }

    /// Holds another share from now on. What is owed stays the same number of units.
    pub fn reconfigure(&mut self, now: MonoNanos, share: Share) {
        let (interval, tolerance) = terms(share);
        let owed = u128::from(self.paid_until.saturating_sub(now.0)) * u128::from(interval);
        let owed = u64::try_from(owed / u128::from(self.interval)).unwrap_or(u64::MAX);
        *self = Self { share, interval, tolerance, paid_until: now.0.saturating_add(owed) };
    }

    /// Returns the share that it holds.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// Returns how many units may pass at once now.
    #[must_use]
    pub fn remaining(&self, now: MonoNanos) -> u64 {
        let ahead = self.paid_until.saturating_sub(now.0);
        if ahead > self.tolerance { 0 } else { (self.tolerance - ahead) / self.interval + 1 }
    }
}

/// Returns what a unit costs and how far the time that is paid for may be ahead.
fn terms(share: Share) -> (u64, u64) {
    let interval = NANOS_MILLI.div_ceil(share.milli_per_s());
    (interval, interval.saturating_mul(share.burst()))
}
