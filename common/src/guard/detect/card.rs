//! Payment card numbers: 12 to 19 digits of a known issuer that pass Luhn's check, bare or in groups.

use super::{Ahead, Category, Text, Try};

static CREDIT_CARD: Category = Category { word: "credit_card", placeholder: "[CREDIT_CARD]" };

/// Digits of the shortest and of the longest number (source: ISO/IEC 7812-1).
const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 19;
/// Digits of the first group where a number is written in groups.
const FIRST_GROUP: usize = 4;

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    if text.continues_digits(start, b".,") {
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

/// Issuer ranges: the first four digits from and to, and the lengths they come in (source: public ranges of the card
/// networks: Visa, Mastercard, American Express, Diners Club, JCB, Discover, UnionPay, Maestro).
const ISSUERS: &[(u32, u32, &[usize])] = &[
    (4000, 4999, &[13, 16, 19]),
    (5100, 5599, &[16]),
    (2221, 2720, &[16]),
    (3400, 3499, &[15]),
    (3700, 3799, &[15]),
    (3000, 3059, &[14, 16, 19]),
    (3095, 3095, &[14, 16, 19]),
    (3600, 3699, &[14, 16, 19]),
    (3800, 3999, &[14, 16, 19]),
    (3500, 3599, &[16, 19]),
    (1800, 1800, &[15]),
    (2131, 2131, &[15]),
    (6011, 6011, &[16, 19]),
    (6440, 6599, &[16, 19]),
    (6200, 6299, &[16, 17, 18, 19]),
    (5018, 5018, MAESTRO),
    (5020, 5020, MAESTRO),
    (5038, 5038, MAESTRO),
    (5800, 5899, MAESTRO),
    (6304, 6304, MAESTRO),
    (6390, 6390, MAESTRO),
    (6700, 6799, MAESTRO),
    (604, 604, MAESTRO),
];
const MAESTRO: &[usize] = &[12, 13, 14, 15, 16, 17, 18, 19];

fn head(digits: &[u8]) -> u32 {
    digits.iter().take(FIRST_GROUP).fold(0, |sum, digit| sum * 10 + u32::from(*digit))
}

/// Whether a number of these first digits may belong to an issuer, so that other numbers are not held back.
fn may_be_issued(digits: &[u8]) -> bool {
    let open = u32::try_from(FIRST_GROUP.saturating_sub(digits.len())).unwrap_or_default();
    let (low, width) = (head(digits) * 10_u32.pow(open), 10_u32.pow(open));
    ISSUERS.iter().any(|(from, to, _)| low <= *to && *from < low + width)
}

/// Whether the first digits and the length are an issuer's.
fn is_issued(digits: &[u8]) -> bool {
    let head = head(digits);
    ISSUERS.iter().any(|(from, to, lengths)| (from..=to).contains(&&head) && lengths.contains(&digits.len()))
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
