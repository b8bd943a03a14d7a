//! Values of a fault: durations, sizes, shares, and what stands behind `retry_after=`.

use std::{fmt, time::Duration};

use super::FaultError;

/// Largest size that a fault may ask for.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What stands behind a kind's `=`, with what holds if nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A duration, in milliseconds.
    Millis(u64),
    /// A size.
    Bytes(u64),
    /// A status from 200 to 599, which must be said.
    Status,
    /// A text.
    Text(&'static str),
}

/// What stands behind `retry_after=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Whole seconds: `Retry-After: 2`.
    Seconds(u32),
    /// Milliseconds: `retry-after-ms: 1500`.
    Millis(u32),
    /// A date, 30 seconds ahead.
    Date,
    /// A wait of three years.
    Absurd,
}

impl RetryAfter {
    /// Reads `2`, `1500ms`, `date` or `absurd`.
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value {
            "date" => Some(Self::Date),
            "absurd" => Some(Self::Absurd),
            _ => match value.strip_suffix("ms") {
                Some(millis) => millis.parse().ok().map(Self::Millis),
                None => value.parse().ok().map(Self::Seconds),
            },
        }
    }

    /// Returns the header that says it, for an answer at this second since 1970.
    pub(in super::super) fn header(self, now: u64) -> (&'static str, String) {
        match self {
            Self::Seconds(seconds) => ("retry-after", seconds.to_string()),
            Self::Millis(millis) => ("retry-after-ms", millis.to_string()),
            Self::Date => ("retry-after", http_date(now + 30)),
            Self::Absurd => ("retry-after", "99999999".to_owned()),
        }
    }
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds}"),
            Self::Millis(millis) => write!(f, "{millis}ms"),
            Self::Date => f.write_str("date"),
            Self::Absurd => f.write_str("absurd"),
        }
    }
}

/// Writes a date as HTTP has it (RFC 9110, 5.6.7). Days to a date by Howard Hinnant's `civil_from_days`.
fn http_date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb"];
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin with March here, so that the leap day is their last.
    let shifted = days + 719_468;
    let (era, day) = (shifted / 146_097, shifted % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year + u64::from(month >= 10);
    let name = |names: &[&'static str], at: u64| {
        usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
    };
    let (weekday, month) = (name(&DAYS, days % 7), name(&MONTHS, month));
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{weekday}, {date:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// Makes the error of a value.
pub(super) fn bad(word: &str, value: &str, expected: &'static str) -> FaultError {
    FaultError::BadValue { word: word.to_owned(), value: value.to_owned(), expected }
}

/// Reads a whole number.
pub(super) fn number(word: &str, value: &str) -> Result<u64, FaultError> {
    value.parse().map_err(|_| bad(word, value, "a whole number"))
}

/// Reads a whole number from 1.
pub(super) fn positive(word: &str, value: &str) -> Result<u64, FaultError> {
    match number(word, value)? {
        0 => Err(bad(word, value, "a whole number from 1")),
        n => Ok(n),
    }
}

/// Reads a number of events.
pub(super) fn events(word: &str, value: &str) -> Result<u32, FaultError> {
    value.parse().map_err(|_| bad(word, value, "a number of events"))
}

/// Reads a duration.
pub(super) fn duration(word: &str, value: &str) -> Result<Duration, FaultError> {
    parse_duration(value).ok_or_else(|| bad(word, value, "a duration such as 500ms or 2s"))
}

/// Reads "64", "64k" or "2m" into bytes.
pub(super) fn bytes(word: &str, value: &str) -> Result<u64, FaultError> {
    let (digits, unit) = match value.as_bytes().last() {
        Some(b'k') => (value.trim_end_matches('k'), 1024),
        Some(b'm') => (value.trim_end_matches('m'), 1024 * 1024),
        _ => (value, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|size| size.checked_mul(unit));
    size.filter(|size| *size <= BYTES_MAX)
        .ok_or_else(|| bad(word, value, "a size such as 64k or 2m, at most 64m"))
}

/// Reads "25%" or "0.5%" into hundredths of a percent.
pub(super) fn share(value: &str) -> Result<u64, FaultError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_http() {
        // The example of RFC 9110, the leap day of 2024, and the first day of a year.
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(1_709_164_800), "Thu, 29 Feb 2024 00:00:00 GMT");
        assert_eq!(http_date(1_767_225_600), "Thu, 01 Jan 2026 00:00:00 GMT");
    }
}
