//! `google.protobuf.Timestamp` as RFC 3339 text.

use prost_types::Timestamp;

use crate::time::UnixMillis;

/// Writes a time in UTC with milliseconds. Times before 1970 are written as 1970: nothing here is that old.
/// What is finer than a millisecond is cut.
pub(super) fn to_text(time: &Timestamp) -> String {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let nanos = u64::try_from(time.nanos).unwrap_or(0);
    UnixMillis(seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000)).to_rfc3339()
}

/// Reads `2026-11-20T14:35:00.123Z`, also with an offset (`+09:00`) instead of `Z`. None if it is no time from 1970 on.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
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
    (seconds >= 0).then_some(Timestamp { seconds, nanos })
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        let check =
            |text, seconds, nanos| assert_eq!(parse(text), Some(Timestamp { seconds, nanos }), "{text}");
        check("1970-01-01T00:00:00Z", 0, 0);
        check("2000-02-29T00:00:00.000Z", 951_782_400, 0);
        check("2024-03-15T23:35:00.123+09:00", 1_710_513_300, 123_000_000);
        check("2024-03-15t14:35:00.000000001z", 1_710_513_300, 1);
    }

    #[test]
    fn texts_that_are_no_time() {
        for text in [
            "",
            "2024-03-15",
            "2024-02-30T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-1-1T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2024-01-01T00:00:00+9:00",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00:00Z",
            "+024-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_times_are_read_back(millis in 0_u64..253_402_300_800_000) {
            let time = parse(&UnixMillis(millis).to_rfc3339()).unwrap();
            prop_assert_eq!(to_text(&time), UnixMillis(millis).to_rfc3339());
        }

        #[test]
        fn no_text_panics(text in "[0-9TtZz:.+-]{0,30}") {
            prop_assert!(parse(&text).is_none_or(|time| time.seconds >= 0));
        }
    }
}
