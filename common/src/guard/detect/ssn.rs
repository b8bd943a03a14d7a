//! US social security numbers: `AAA-GG-SSSS` with hyphens or spaces. Nine bare digits are not taken for one.

use super::{Ahead, Category, Text, Try};

static US_SSN: Category = Category { word: "us_ssn", placeholder: "[US_SSN]" };

/// Bytes of a number with its separators.
const LEN: usize = 11;

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    if text.continues_digits(start, b"-. ") {
        return Try::No;
    }
    let mut separator = None;
    for offset in 0..LEN {
        match (offset, text.at(start + offset)) {
            (_, Ahead::More) => return Try::Need,
            (3, Ahead::Byte(byte @ (b'-' | b' '))) => separator = Some(byte),
            (6, Ahead::Byte(byte)) if Some(byte) == separator => {}
            (0..=2 | 4..=5 | 7..=10, Ahead::Byte(byte)) if byte.is_ascii_digit() => {}
            (_, Ahead::Byte(_) | Ahead::End) => return Try::No,
        }
    }
    let end = start + LEN;
    match text.at(end) {
        Ahead::More => return Try::Need,
        Ahead::Byte(byte) if byte.is_ascii_alphanumeric() => return Try::No,
        Ahead::Byte(b'-') => match text.at(end + 1) {
            Ahead::More => return Try::Need,
            Ahead::Byte(byte) if byte.is_ascii_digit() => return Try::No,
            Ahead::Byte(_) | Ahead::End => {}
        },
        Ahead::Byte(_) | Ahead::End => {}
    }
    let part = |from: usize, to: usize| text.bytes.get(start + from..start + to).unwrap_or_default();
    // Never given out (source: SSA, POMS RM 10201.035).
    let void =
        matches!(part(0, 3), b"000" | b"666" | [b'9', ..]) || part(4, 6) == b"00" || part(7, 11) == b"0000";
    if void { Try::No } else { Try::Found(end, &US_SSN) }
}
