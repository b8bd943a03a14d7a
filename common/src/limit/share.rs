//! A rate with a burst.

/// Thousandths in one.
const MILLI: u64 = 1_000;

/// A rate with a burst. Rates are kept in thousandths of a unit a second, so that a small limit can be shared by many
/// proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    milli_per_s: u64,
    burst: u64,
}

impl Share {
    /// Makes a share of so many thousandths of a unit a second, at least one of them. `burst` is what may pass at once
    /// beyond the one unit that is due.
    #[must_use]
    pub fn new(milli_per_s: u64, burst: u64) -> Self {
        Self { milli_per_s: milli_per_s.max(1), burst }
    }

    /// Makes a share of so many units a second. Without a burst of its own a second's worth may pass at once.
    #[must_use]
    pub fn per_second(units: u32, burst: Option<u32>) -> Self {
        let burst = burst.unwrap_or(units.saturating_sub(1));
        Self::new(u64::from(units).saturating_mul(MILLI), u64::from(burst))
    }

    /// Makes a share of so many units a minute, all of which may pass at once.
    #[must_use]
    pub fn per_minute(units: u32) -> Self {
        Self::new(u64::from(units).saturating_mul(MILLI) / 60, u64::from(units).saturating_sub(1))
    }

    /// Returns the part of one of so many holders.
    #[must_use]
    pub fn divided(self, holders: u32) -> Self {
        let holders = u64::from(holders.max(1));
        // Of what may pass at once the one unit that is due is a part.
        let at_once = self.burst.saturating_add(1) / holders;
        Self::new(self.milli_per_s / holders, at_once.saturating_sub(1))
    }

    /// Returns the thousandths of a unit a second.
    #[must_use]
    pub fn milli_per_s(self) -> u64 {
        self.milli_per_s
    }

    /// Returns what may pass at once beyond the one unit that is due.
    #[must_use]
    pub fn burst(self) -> u64 {
        self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_together_are_never_more_than_the_whole() {
        for (share, holders) in [
            (Share::per_second(1_000, Some(50)), 3),
            (Share::per_second(7, None), 7),
            (Share::per_minute(2_000_000), 11),
        ] {
            let part = share.divided(holders);
            assert!(part.milli_per_s() * u64::from(holders) <= share.milli_per_s(), "{share:?}");
            assert!((part.burst() + 1) * u64::from(holders) <= share.burst() + 1, "{share:?}");
        }
        assert_eq!(Share::per_second(1, Some(0)).divided(1_000), Share::new(1, 0));
        assert_eq!(Share::per_second(5, None).divided(0), Share::per_second(5, None));
    }
}
