//! International bank account numbers, bare or with single spaces, checked by ISO 7064 mod 97-10.

use super::{Ahead, Category, Text, Try};

static IBAN: Category = Category { word: "iban", placeholder: "[IBAN]" };

/// Characters of each country's number (source: SWIFT IBAN registry, release 99).
#[rustfmt::skip]
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16), (b"BG", 22),
    (b"BH", 22), (b"BI", 27), (b"BR", 29), (b"BY", 28), (b"CH", 21), (b"CR", 22), (b"CY", 28), (b"CZ", 24),
    (b"DE", 22), (b"DJ", 27), (b"DK", 18), (b"DO", 28), (b"EE", 20), (b"EG", 29), (b"ES", 24), (b"FI", 18),
    (b"FK", 18), (b"FO", 18), (b"FR", 27), (b"GB", 22), (b"GE", 22), (b"GI", 23), (b"GL", 18), (b"GR", 27),
    (b"GT", 28), (b"HR", 21), (b"HU", 28), (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26), (b"IT", 27),
    (b"JO", 30), (b"KW", 30), (b"KZ", 20), (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20), (b"LU", 20),
    (b"LV", 21), (b"LY", 25), (b"MC", 27), (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MN", 20), (b"MR", 27),
    (b"MT", 31), (b"MU", 30), (b"NI", 28), (b"NL", 18), (b"NO", 15), (b"OM", 23), (b"PK", 24), (b"PL", 28),
    (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22), (b"RU", 33), (b"SA", 24), (b"SC", 31),
    (b"SD", 18), (b"SE", 24), (b"SI", 19), (b"SK", 24), (b"SM", 27), (b"SO", 23), (b"ST", 25), (b"SV", 28),
    (b"TL", 23), (b"TN", 24), (b"TR", 26), (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20), (b"YE", 30),
];

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    let mut check = Mod97::default();
    let mut taken = 0;
    let mut length = None;
    // In groups only if it begins in capitals: words in small letters stand in groups too.
    let capital = matches!(text.at(start), Ahead::Byte(byte) if byte.is_ascii_uppercase());
    let mut at = start;
    while length.is_none_or(|length| taken < length) {
        let byte = match text.at(at) {
            Ahead::Byte(byte) => byte.to_ascii_uppercase(),
            Ahead::More => return Try::Need,
            Ahead::End => return Try::No,
        };
        let fits = match taken {
            0 | 1 => byte.is_ascii_uppercase(),
            2 | 3 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        };
        match (fits, byte) {
            (true, _) => {
                check.take(taken, byte);
                taken += 1;
            }
            (false, b' ') if capital && taken >= 4 && text.before(at) != Some(b' ') => {}
            (false, _) => return Try::No,
        }
        at += 1;
        if taken == 4 && length.is_none() {
            let country = text.bytes.get(start..start + 2).unwrap_or_default();
            let same = |code: &[u8; 2]| code.eq_ignore_ascii_case(country);
            length = LENGTHS.iter().find(|(code, _)| same(code)).map(|(_, length)| *length);
            if length.is_none() {
                return Try::No;
            }
        }
    }
    match text.at(at) {
        Ahead::More => Try::Need,
        Ahead::Byte(byte) if byte.is_ascii_alphanumeric() => Try::No,
        Ahead::Byte(_) | Ahead::End if check.holds() => Try::Found(at, &IBAN),
        Ahead::Byte(_) | Ahead::End => Try::No,
    }
}

/// ISO 7064 mod 97-10 with the first four characters moved behind the others (source: ISO 13616-1).
#[derive(Debug, Default)]
struct Mod97 {
    rest: u32,
    head: [u8; 4],
}

impl Mod97 {
    fn take(&mut self, index: usize, byte: u8) {
        match self.head.get_mut(index) {
            Some(slot) => *slot = byte,
            None => self.rest = Self::step(self.rest, byte),
        }
    }

    fn step(rest: u32, byte: u8) -> u32 {
        if byte.is_ascii_digit() {
            (rest * 10 + u32::from(byte - b'0')) % 97
        } else {
            (rest * 100 + u32::from(byte - b'A') + 10) % 97
        }
    }

    fn holds(&self) -> bool {
        self.head.iter().fold(self.rest, |rest, byte| Self::step(rest, *byte)) == 1
    }
}
