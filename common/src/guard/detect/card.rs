//! Payment card numbers: 13 to 19 digits of a known issuer that pass Luhn's check, bare or in groups.

use super::{Ahead, Category, Text, Try};

static CREDIT_CARD: Category = Category { word: "credit_card", placeholder: "[CREDIT_CARD]" };

/// Digits of the shortest and of the longest number (source: ISO/IEC 7812-1).
const DIGITS_MIN: usize = 13;
const DIGITS_MAX: usize = 19;
/// Digits of the first group where a number is written in groups.
const FIRST_GROUP: usize = 4;

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    if !text.starts_word(start) || text.continues_digits(start, b".,") {
        return Try::No;
    }
    let mut digits = [0_u8; DIGITS_MAX];
    let mut count = 0;
    let mut separator = None;
    let mut found = None;
    let mut at = start;
    loop {
        match text.at(at) {
            Ahead::More => return Try::Need,
            Ahead::Byte(byte) if byte.is_ascii_digit() => {
                let Some(slot) = digits.get_mut(count) else { break };
                *slot = byte - b'0';
                count += 1;
                at += 1;
                if !may_be_issued(digits.get(..count).unwrap_or_default()) {
                    return Try::No;
                }
                continue;
            }
            Ahead::Byte(byte) if byte.is_ascii_alphabetic() => break,
            Ahead::Byte(_) | Ahead::End => {}
        }
        let number = digits.get(..count).unwrap_or_default();
        if count >= DIGITS_MIN && is_issued(number) && luhn(number) {
            found = Some(at);
        }
        match (text.at(at), text.at(at + 1)) {
            (Ahead::Byte(byte @ (b' ' | b'-')), next)
                if separator.is_none_or(|first| first == byte)
                    && (separator.is_some() || count == FIRST_GROUP) =>
            {
                match next {
                    Ahead::More => return Try::Need,
                    Ahead::Byte(digit) if digit.is_ascii_digit() => {
                        separator = Some(byte);
                        at += 1;
                    }
                    Ahead::Byte(_) | Ahead::End => break,
                }
            }
            _ => break,
        }
    }
    found.map_or(Try::No, |end| Try::Found(end, &CREDIT_CARD))
}

/// Whether a number of these first digits may belong to an issuer, so that other numbers are not held back.
fn may_be_issued(digits: &[u8]) -> bool {
    match digits {
        [2] | [3..=6] => true,
        [2, rest @ ..] => matches!(rest, [2..=7, ..]),
        [3, second, ..] => matches!(second, 0 | 4..=9),
        [4 | 5, ..] => true,
        [6, second, ..] => matches!(second, 0 | 2 | 4 | 5),
        _ => false,
    }
}

/// Whether the first digits and the length are an issuer's (source: public issuer ranges of the card networks).
fn is_issued(digits: &[u8]) -> bool {
    let head = digits.iter().take(4).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    match head {
        4000..=4999 => matches!(digits.len(), 13 | 16 | 19),
        5000..=5099 | 5600..=5999 => digits.len() <= 19,
        5100..=5599 | 2221..=2720 => digits.len() == 16,
        3400..=3499 | 3700..=3799 => digits.len() == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(digits.len(), 14..=19),
        3500..=3599 => matches!(digits.len(), 15..=19),
        6011 | 6200..=6299 | 6440..=6599 | 6000..=6010 => matches!(digits.len(), 16..=19),
        _ => false,
    }
}

/// Luhn's check (source: ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
