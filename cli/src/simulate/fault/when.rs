//! When a fault acts: decided by what it looked at and by the time since it was set, never by chance.

use std::{fmt, time::Duration};

use super::{
    FaultError,
    value::{duration, positive, share},
};

/// Which calls are hit. What is not said holds for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Only each so-manieth; never 0.
    pub every: Option<u64>,
    /// Only this share, evenly spread, in hundredths of a percent; 1 to 10,000.
    pub rate: Option<u64>,
    /// Not the first so many.
    pub skip: u64,
    /// At most so many.
    pub count: Option<u64>,
    /// From so long after it was set.
    pub wait: Duration,
    /// For so long from then.
    pub lasts: Option<Duration>,
    /// Only calls of this model.
    pub model: Option<String>,
}

/// What a fault has seen since it was set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Calls that it looked at.
    pub calls: u64,
    /// Calls that it hit.
    pub hits: u64,
}

impl When {
    /// Takes a word; false if it is none of these.
    pub(super) fn add(&mut self, word: &str, value: &str) -> Result<bool, FaultError> {
        match word {
            "every" => self.every = Some(positive(word, value)?),
            "rate" => self.rate = Some(share(value)?),
            "skip" => self.skip = positive(word, value)?,
            "count" => self.count = Some(positive(word, value)?),
            "wait" => self.wait = duration(word, value)?,
            "for" => self.lasts = Some(duration(word, value)?),
            "model" => self.model = Some(value.to_owned()),
            _ => return Ok(false),
        }
        if self.every.is_some() && self.rate.is_some() {
            return Err(FaultError::TwoShares);
        }
        Ok(true)
    }

    /// Whether the fault is in force at all, so long after it was set.
    #[must_use]
    pub fn in_force(&self, elapsed: Duration) -> bool {
        let since = elapsed.checked_sub(self.wait);
        since.is_some_and(|since| self.lasts.is_none_or(|lasts| since < lasts))
    }

    /// Counts a call and returns whether it is hit.
    pub fn hits(&self, seen: &mut Seen, elapsed: Duration, model: &str) -> bool {
        if !self.in_force(elapsed) || self.model.as_deref().is_some_and(|wanted| wanted != model) {
            return false;
        }
        seen.calls += 1;
        let Some(number) = seen.calls.checked_sub(self.skip).filter(|number| *number > 0) else {
            return false;
        };
        let due = match (self.every, self.rate) {
            (Some(every), _) => number.is_multiple_of(every),
            (None, Some(share)) => {
                let hits_up_to = |calls: u64| calls.saturating_mul(share) / 10_000;
                hits_up_to(number) > hits_up_to(number - 1)
            }
            (None, None) => true,
        };
        let hit = due && self.count.is_none_or(|count| seen.hits < count);
        seen.hits += u64::from(hit);
        hit
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.every.map_or(Ok(()), |every| write!(f, ",every={every}"))?;
        self.rate.map_or(Ok(()), |share| write!(f, ",rate={}.{:02}%", share / 100, share % 100))?;
        if self.skip > 0 {
            write!(f, ",skip={}", self.skip)?;
        }
        self.count.map_or(Ok(()), |count| write!(f, ",count={count}"))?;
        if !self.wait.is_zero() {
            write!(f, ",wait={}ms", self.wait.as_millis())?;
        }
        self.lasts.map_or(Ok(()), |lasts| write!(f, ",for={}ms", lasts.as_millis()))?;
        self.model.iter().try_for_each(|model| write!(f, ",model={model}"))
    }
}
