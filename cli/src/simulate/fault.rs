//! Faults of the simulated provider: what goes wrong, and at which calls.
//!
//! ```text
//! fault   = what *("," when)
//! what    = "status=" CODE ["," "retry_after=" SECONDS]   an error of that status, 400 to 599
//!         | "cut_after=" N      the connection ends after N events (of a plain answer: in its middle)
//!         | "stall_after=" N    N events, then silence while the caller stays
//!         | "error_event=" N | "error_event"   N events, then an error event; a plain answer becomes a 500
//!         | "bad_json"          the second event (or the plain answer) is broken JSON
//!         | "hang_up"           the connection ends without an answer
//!         | "slow=" DURATION    the first byte comes that much later ("500ms", "2s"); adds to other faults
//! when    = "every=" N          calls N, 2N, 3N, ...
//!         | "first=" N          calls 1 to N
//!         | "after=" N          calls from N + 1 on
//!         | "rate=" PERCENT     that share of calls, evenly spread ("25%")
//!         | "model=" NAME       only calls of that model
//! ```
//!
//! Without `every`, `first`, `after` or `rate` a fault hits each call. Everything is decided by a counter, nothing by
//! chance: the same calls in the same order meet the same faults. Of several faults that hit one call the first of the
//! list acts, except `slow`, which always adds.

use std::{fmt, str::FromStr, time::Duration};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// An error answer of this status; `retry_after` in seconds.
    Status {
        /// 400 to 599.
        code: u16,
        /// Value of the Retry-After header, in seconds.
        retry_after: Option<u32>,
    },
    /// The connection ends after so many events.
    CutAfter(u32),
    /// Silence after so many events.
    StallAfter(u32),
    /// An error event after so many events.
    ErrorEvent(u32),
    /// Broken JSON.
    BadJson,
    /// The connection ends without an answer.
    HangUp,
    /// The first byte comes later.
    Slow(Duration),
}

/// Which calls are hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// All.
    Always,
    /// Each so-manieth; never 0.
    Every(u64),
    /// The first so many.
    First(u64),
    /// All but the first so many.
    After(u64),
    /// This share, in hundredths of a percent; 1 to 10,000.
    Rate(u64),
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// When.
    pub turn: Turn,
    /// Only at calls of this model; at all calls if none.
    pub model: Option<String>,
}

/// Why a fault could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// The word before `=` is none of ours.
    #[error(
        "unknown word {0:?} in a fault; what: status=503 cut_after=3 stall_after=2 error_event=2 bad_json hang_up slow=2s; when: every=3 first=2 after=5 rate=25% model=NAME"
    )]
    UnknownWord(String),
    /// The value is not of the right form.
    #[error("{word}={value} in a fault: expected {expected}")]
    BadValue {
        /// The word before `=`.
        word: String,
        /// What stood after it.
        value: String,
        /// What is right.
        expected: &'static str,
    },
    /// The fault does not begin with what goes wrong.
    #[error("the fault {0:?} must begin with what goes wrong, for example status=503")]
    NoKind(String),
    /// Two `when` of the kind that excludes others.
    #[error("a fault takes one of every, first, after and rate")]
    TwoTurns,
}

// ===== reading =====

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut parts = text.split(',').map(|part| {
            let (word, value) = part.trim().split_once('=').unwrap_or((part.trim(), ""));
            (word, value.trim())
        });
        let (word, value) = parts.next().unwrap_or_default();
        let kind = parse_kind(text, word, value)?;
        let mut fault = Self { kind, turn: Turn::Always, model: None };
        for (word, value) in parts {
            fault.add(word, value)?;
        }
        Ok(fault)
    }
}

impl Fault {
    fn add(&mut self, word: &str, value: &str) -> Result<(), FaultError> {
        let turn = match word {
            "every" => Turn::Every(positive(word, value)?),
            "first" => Turn::First(number(word, value)?),
            "after" => Turn::After(number(word, value)?),
            "rate" => Turn::Rate(rate(value)?),
            "model" => {
                self.model = Some(value.to_owned());
                return Ok(());
            }
            "retry_after" => return self.add_retry_after(value),
            _ => return Err(FaultError::UnknownWord(word.to_owned())),
        };
        if self.turn != Turn::Always {
            return Err(FaultError::TwoTurns);
        }
        self.turn = turn;
        Ok(())
    }

    fn add_retry_after(&mut self, value: &str) -> Result<(), FaultError> {
        let FaultKind::Status { retry_after, .. } = &mut self.kind else {
            return Err(bad("retry_after", value, "to stand with status=CODE"));
        };
        *retry_after = Some(value.parse().map_err(|_| bad("retry_after", value, "whole seconds"))?);
        Ok(())
    }

    /// Returns whether the `count`-th call (from 1) that this fault looks at is hit.
    #[must_use]
    pub fn hits(&self, count: u64) -> bool {
        match self.turn {
            Turn::Always => true,
            Turn::Every(n) => count.is_multiple_of(n),
            Turn::First(n) => count <= n,
            Turn::After(n) => count > n,
            Turn::Rate(share) => {
                let hits_up_to = |calls: u64| calls.saturating_mul(share) / 10_000;
                hits_up_to(count) > hits_up_to(count.saturating_sub(1))
            }
        }
    }
}

fn parse_kind(text: &str, word: &str, value: &str) -> Result<FaultKind, FaultError> {
    match word {
        "status" => match value.parse() {
            Ok(code @ 400..=599) => Ok(FaultKind::Status { code, retry_after: None }),
            Ok(_) | Err(_) => Err(bad(word, value, "a status from 400 to 599")),
        },
        "cut_after" => Ok(FaultKind::CutAfter(events(word, value)?)),
        "stall_after" => Ok(FaultKind::StallAfter(events(word, value)?)),
        "error_event" if value.is_empty() => Ok(FaultKind::ErrorEvent(1)),
        "error_event" => Ok(FaultKind::ErrorEvent(events(word, value)?)),
        "bad_json" if value.is_empty() => Ok(FaultKind::BadJson),
        "hang_up" if value.is_empty() => Ok(FaultKind::HangUp),
        "slow" => parse_duration(value)
            .map(FaultKind::Slow)
            .ok_or_else(|| bad(word, value, "a duration such as 500ms or 2s")),
        "every" | "first" | "after" | "rate" | "model" | "retry_after" | "" => {
            Err(FaultError::NoKind(text.to_owned()))
        }
        _ => Err(FaultError::UnknownWord(word.to_owned())),
    }
}

fn bad(word: &str, value: &str, expected: &'static str) -> FaultError {
    FaultError::BadValue { word: word.to_owned(), value: value.to_owned(), expected }
}

fn number(word: &str, value: &str) -> Result<u64, FaultError> {
    value.parse().map_err(|_| bad(word, value, "a whole number"))
}

fn positive(word: &str, value: &str) -> Result<u64, FaultError> {
    match number(word, value)? {
        0 => Err(bad(word, value, "a whole number from 1")),
        n => Ok(n),
    }
}

fn events(word: &str, value: &str) -> Result<u32, FaultError> {
    value.parse().map_err(|_| bad(word, value, "a number of events"))
}

/// Reads "25%" or "0.5%" into hundredths of a percent.
fn rate(value: &str) -> Result<u64, FaultError> {
    let expected = "a share above 0% and up to 100%, with at most two decimals";
    let parse = || {
        let (whole, decimals) =
            value.strip_suffix('%')?.split_once('.').unwrap_or((value.strip_suffix('%')?, ""));
        let decimals = match decimals.len() {
            0 => 0,
            1 => decimals.parse::<u64>().ok()? * 10,
            2 => decimals.parse::<u64>().ok()?,
            _ => return None,
        };
        whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(decimals)
    };
    match parse() {
        Some(share @ 1..=10_000) => Ok(share),
        Some(_) | None => Err(bad("rate", value, expected)),
    }
}

/// Reads "200ms", "2s" or "1m". Returns none for anything else.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at_checked(digits)?;
    let amount: u32 = amount.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(u64::from(amount))),
        "s" => Some(Duration::from_secs(u64::from(amount))),
        "m" => Some(Duration::from_secs(u64::from(amount) * 60)),
        _ => None,
    }
}

// ===== writing =====

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Status { code, retry_after } => {
                write!(f, "status={code}")?;
                retry_after.map_or(Ok(()), |seconds| write!(f, ",retry_after={seconds}"))?;
            }
            FaultKind::CutAfter(n) => write!(f, "cut_after={n}")?,
            FaultKind::StallAfter(n) => write!(f, "stall_after={n}")?,
            FaultKind::ErrorEvent(n) => write!(f, "error_event={n}")?,
            FaultKind::BadJson => f.write_str("bad_json")?,
            FaultKind::HangUp => f.write_str("hang_up")?,
            FaultKind::Slow(time) => write!(f, "slow={}ms", time.as_millis())?,
        }
        match self.turn {
            Turn::Always => {}
            Turn::Every(n) => write!(f, ",every={n}")?,
            Turn::First(n) => write!(f, ",first={n}")?,
            Turn::After(n) => write!(f, ",after={n}")?,
            Turn::Rate(share) => write!(f, ",rate={}.{:02}%", share / 100, share % 100)?,
        }
        self.model.iter().try_for_each(|model| write!(f, ",model={model}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for text in [
            "status=503",
            "status=429,retry_after=2,first=3",
            "cut_after=3,every=2",
            "stall_after=0,after=1,model=gpt-4o",
            "error_event=2,rate=12.50%",
            "bad_json",
            "hang_up",
            "slow=250ms",
        ] {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), text);
        }
        assert_eq!("slow=2s".parse::<Fault>().unwrap().kind, FaultKind::Slow(Duration::from_secs(2)));
        assert_eq!("error_event".parse::<Fault>().unwrap().kind, FaultKind::ErrorEvent(1));
    }

    #[test]
    fn wrong_faults_are_refused_with_what_is_right() {
        let check = |text: &str, part: &str| {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        };
        check("", "must begin with");
        check("every=2", "must begin with");
        check("status=200", "from 400 to 599");
        check("status=x", "from 400 to 599");
        check("explode", "unknown word");
        check("status=503,sometimes=1", "unknown word");
        check("bad_json=1", "unknown word");
        check("cut_after", "a number of events");
        check("status=503,every=0", "from 1");
        check("status=503,rate=0%", "above 0%");
        check("status=503,rate=101%", "up to 100%");
        check("status=503,rate=0.5", "at most two decimals");
        check("status=503,first=1,after=3", "one of every");
        check("bad_json,retry_after=2", "with status=CODE");
        check("slow=fast", "a duration");
    }

    #[test]
    fn turns_are_decided_by_the_counter() {
        let check = |text: &str, expect: &[u64]| {
            let fault: Fault = text.parse().unwrap();
            let hit: Vec<u64> = (1..=8).filter(|count| fault.hits(*count)).collect();
            assert_eq!(hit, expect, "{text}");
        };
        check("bad_json", &[1, 2, 3, 4, 5, 6, 7, 8]);
        check("bad_json,every=3", &[3, 6]);
        check("bad_json,first=2", &[1, 2]);
        check("bad_json,first=0", &[]);
        check("bad_json,after=6", &[7, 8]);
        check("bad_json,rate=25%", &[4, 8]);
        check("bad_json,rate=100%", &[1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
