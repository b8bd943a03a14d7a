//! `google.protobuf.Timestamp` as RFC 3339 text.

use prost_types::Timestamp;

use crate::time::{self, UnixMillis};

/// Writes a time in UTC with milliseconds. Times before 1970 are written as 1970: nothing here is that old.
/// What is finer than a millisecond is cut.
pub(super) fn to_text(time: &Timestamp) -> String {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let nanos = u64::try_from(time.nanos).unwrap_or(0);
    UnixMillis(seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000)).to_rfc3339()
}

/// Reads `2026-11-20T14:35:00.123Z`, also with an offset (`+09:00`) instead of `Z`. None if it is no time from 1970 on.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    time::parse_rfc3339(text).map(|(seconds, nanos)| Timestamp { seconds, nanos })
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
