//! Quantities as people write them: `2000ms`, `15%`, `$0.50`. The text is kept as written; these are its numbers.

use std::time::Duration;

use thiserror::Error;

/// Digits before the point of any quantity. With the largest unit (a day) still within a `Duration` and a `u64` of
/// micro-dollars.
const WHOLE_DIGITS_MAX: usize = 12;
/// Digits after the point: nanoseconds of a second.
const FRACTION_DIGITS_MAX: usize = 9;
/// Digits after the point of an amount of money: micro-dollars.
const MONEY_DIGITS_MAX: usize = 6;
/// Bytes of the written text that an error repeats.
const ECHO_CHARS_MAX: usize = 40;

/// Units of a length of time and their nanoseconds; `ms` before `m` and `s`, because they end alike.
const DURATION_UNITS: [(&str, u128); 5] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 86_400 * 1_000_000_000),
];

/// Why a text is not the quantity that its field asks for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// Not a length of time.
    #[error(
        "\"{0}\" is not a length of time; write a number and ms, s, m, h or d, like \"2000ms\" or \"1.5h\""
    )]
    Duration(String),
    /// Not a share.
    #[error("\"{0}\" is not a percentage; write a number and %, like \"15%\"")]
    Percent(String),
    /// Not an amount of money.
    #[error(
        "\"{0}\" is not an amount of money; write $ and a number with at most six decimals, like \"$0.50\""
    )]
    Money(String),
}

/// Reads a length of time: a decimal number and one of `ms`, `s`, `m`, `h`, `d`. What is finer than a nanosecond is cut.
///
/// # Errors
/// If the text has no unit, another unit, a sign, blanks, more than 12 digits before or 9 after the point.
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    parse_duration(text).ok_or_else(|| QuantityError::Duration(echo(text)))
}

/// Reads a share: a decimal number and `%`; returns percent, so `"15%"` is 15.0.
///
/// # Errors
/// If the text has no `%`, a sign, blanks, more than 12 digits before or 9 after the point.
pub fn percent(text: &str) -> Result<f64, QuantityError> {
    let number = text.strip_suffix('%').filter(|number| decimal(number).is_some());
    number.and_then(|number| number.parse().ok()).ok_or_else(|| QuantityError::Percent(echo(text)))
}

/// Reads an amount of US dollars: `$` and a decimal number; returns micro-dollars, so `"$0.50"` is 500,000.
///
/// # Errors
/// If the text has no `$`, a sign, blanks, more than 12 digits before or 6 after the point.
pub fn money(text: &str) -> Result<u64, QuantityError> {
    parse_money(text).ok_or_else(|| QuantityError::Money(echo(text)))
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit_nanos) =
        DURATION_UNITS.iter().find_map(|(unit, nanos)| Some((text.strip_suffix(unit)?, *nanos)))?;
    let (whole, billionths) = decimal(number)?;
    let nanos = u128::from(whole) * unit_nanos + u128::from(billionths) * unit_nanos / 1_000_000_000;
    let seconds = u64::try_from(nanos / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, rest))
}

fn parse_money(text: &str) -> Option<u64> {
    let number = text.strip_prefix('$')?;
    let (whole, billionths) = decimal(number)?;
    let decimals = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    (decimals <= MONEY_DIGITS_MAX).then(|| whole * 1_000_000 + billionths / 1_000)
}

/// Reads digits, or digits "." digits, as a whole number and billionths.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let fits = |digits: &str, max| {
        !digits.is_empty() && digits.len() <= max && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !fits(whole, WHOLE_DIGITS_MAX) || !fits(fraction, FRACTION_DIGITS_MAX) {
        return None;
    }
    let billionths = format!("{fraction:0<FRACTION_DIGITS_MAX$}").parse().ok()?;
    Some((whole.parse().ok()?, billionths))
}

fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_in_every_unit() {
        let check = |text, millis| assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        check("2000ms", 2_000);
        check("0s", 0);
        check("60s", 60_000);
        check("5m", 300_000);
        check("1.5h", 5_400_000);
        check("30d", 2_592_000_000);
        check("0.25s", 250);
        assert_eq!(duration("0.5ms"), Ok(Duration::from_micros(500)));
        assert_eq!(duration("0.000000001s"), Ok(Duration::from_nanos(1)));
        assert_eq!(duration("999999999999d").map(|value| value.as_secs()), Ok(999_999_999_999 * 86_400));
    }

    #[test]
    fn texts_that_are_no_duration() {
        for text in [
            "",
            "60",
            "s",
            "ms",
            "-1s",
            "+1s",
            "1 s",
            " 1s",
            "1S",
            "1.s",
            ".5s",
            "1e3s",
            "1w",
            "1m30s",
            "15%",
            "$1",
            "1.0000000001s",
            "1000000000000s",
            "１s",
        ] {
            assert_eq!(duration(text), Err(QuantityError::Duration(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn percentages() {
        let check = |text, expect: f64| {
            assert!((percent(text).unwrap() - expect).abs() < f64::EPSILON, "{text}");
        };
        check("15%", 15.0);
        check("99.9%", 99.9);
        check("0%", 0.0);
        for text in ["", "%", "15", "-1%", "1 %", "15%%", "inf%", "NaN%", "1e2%", "15s", "0x1%"] {
            assert_eq!(percent(text), Err(QuantityError::Percent(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn money_in_micro_dollars() {
        let check = |text, expect| assert_eq!(money(text), Ok(expect), "{text}");
        check("$0.50", 500_000);
        check("$500.00", 500_000_000);
        check("$1", 1_000_000);
        check("$0.000001", 1);
        check("$999999999999.999999", 999_999_999_999_999_999);
        for text in
            ["", "$", "0.50", "$-1", "-$1", "$ 1", "$1.", "$.5", "$0.0000001", "$1,000", "€1", "1$", "15%"]
        {
            assert_eq!(money(text), Err(QuantityError::Money(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn errors_say_what_to_write_and_repeat_little() {
        let long = "x".repeat(1_000);
        let message = duration(&long).unwrap_err().to_string();
        assert_eq!(
            message,
            format!(
                "\"{}\" is not a length of time; write a number and ms, s, m, h or d, like \"2000ms\" or \"1.5h\"",
                "x".repeat(40)
            )
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            drop((duration(&text), percent(&text), money(&text)));
        }

        #[test]
        fn whole_millis_come_back(millis in 0_u64..1_000_000_000_000) {
            prop_assert_eq!(duration(&format!("{millis}ms")), Ok(Duration::from_millis(millis)));
        }
    }
}
