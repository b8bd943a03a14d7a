//! Two notions of time, wall and monotonic, that must not be mixed. Neither has a `now()`: shells own the clock and pass times in.

use std::time::Duration;

/// Wall-clock time: milliseconds since 1970-01-01 UTC. For records that people read; it may jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub u64);

/// Monotonic time: milliseconds since some start of the process. For intervals; it never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoMillis(pub u64);

/// Monotonic time: nanoseconds since some start of the process, for rates of many a millisecond; 584 years fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MonoNanos(pub u64);

impl MonoMillis {
    /// Returns the time `after` this one; saturates.
    #[must_use]
    pub fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Returns how long before this time `earlier` was; zero if it was not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl UnixMillis {
    /// Reads RFC 3339. What is finer than a millisecond is cut.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (seconds, nanos) = parse_rfc3339(text)?;
        let millis = u64::try_from(nanos).ok()? / 1_000_000;
        Some(Self(u64::try_from(seconds).ok()?.checked_mul(1_000)?.checked_add(millis)?))
    }

    /// Writes the time as RFC 3339 in UTC with milliseconds: `2026-11-20T14:35:00.000Z`.
    ///
    /// Source of the calendar rule: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let (days, millis_of_day) = (self.0 / 86_400_000, self.0 % 86_400_000);
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let (hour, minute) = (millis_of_day / 3_600_000, millis_of_day / 60_000 % 60);
        let (second, millis) = (millis_of_day / 1_000 % 60, millis_of_day % 1_000);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Reads `2026-11-20T14:35:00.123Z`, also with an offset (`+09:00`) instead of `Z`, as seconds since 1970 and nanoseconds.
/// None if it is no time from 1970 on.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<(i64, i32)> {
    let (date, time) = text.split_once(['T', 't'])?;
    let (year, month, day) = triple(date, '-', [4, 2, 2])?;
    let zone_start = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_start);
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, rest)| (clock, Some(rest)));
    let (hour, minute, second) = triple(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 || day == 0 || day > days_of(year, month)? {
        return None;
    }
    let seconds =
        days_from_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    let nanos = match fraction {
        Some(digits) if (1..=9).contains(&digits.len()) => {
            i32::try_from(number(&format!("{digits:0<9}"))?).ok()?
        }
        Some(_) => return None,
        None => 0,
    };
    (seconds >= 0).then_some((seconds, nanos))
}

fn number(digits: &str) -> Option<i64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn triple(text: &str, separator: char, widths: [usize; 3]) -> Option<(i64, i64, i64)> {
    let mut parts = text
        .split(separator)
        .zip(widths)
        .map(|(part, width)| if part.len() == width { number(part) } else { None });
    let all = (parts.next()??, parts.next()??, parts.next()??);
    (text.len() == widths.iter().sum::<usize>() + 2).then_some(all)
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let fits = hour.len() == 2 && minute.len() == 2;
    let (hour, minute) = (number(hour)?, number(minute)?);
    (fits && hour <= 23 && minute <= 59).then_some(sign * (hour * 3_600 + minute * 60))
}

fn days_of(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil, for years from 0 on.
fn days_from_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_of_known_times() {
        let check = |millis, expect: &str| assert_eq!(UnixMillis(millis).to_rfc3339(), expect);
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(1_710_513_300_123, "2024-03-15T14:35:00.123Z");
        check(4_102_444_799_999, "2099-12-31T23:59:59.999Z");
    }

    #[test]
    fn rfc3339_is_read_as_it_is_written() {
        for millis in [0, 951_782_400_000, 1_710_513_300_123, 4_102_444_799_999] {
            assert_eq!(UnixMillis::from_rfc3339(&UnixMillis(millis).to_rfc3339()), Some(UnixMillis(millis)));
        }
        assert_eq!(UnixMillis::from_rfc3339("2026-06-08T18:45:44Z"), Some(UnixMillis(1_780_944_344_000)));
        for wrong in ["", "now", "2026-06-08", "1969-12-31T23:59:59Z", "2026-02-30T00:00:00Z"] {
            assert_eq!(UnixMillis::from_rfc3339(wrong), None, "{wrong}");
        }
    }
}
