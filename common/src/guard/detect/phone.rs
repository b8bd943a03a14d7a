//! Telephone numbers: with `+` and a country, in the North American form, in national forms that begin with a zero, and any
//! run of seven to fifteen digits behind a word such as `phone`. Without one of these a run of digits is left alone: most
//! are years, amounts and identifiers.

use super::{Ahead, Category, Text, Try};

static PHONE: Category = Category { word: "phone", placeholder: "[PHONE]" };

/// Digits of the longest number, country included (source: ITU-T E.164).
const DIGITS_MAX: usize = 15;
/// Digits of the shortest number with a country that is taken for one.
const INTERNATIONAL_MIN: usize = 8;
/// Digits of the shortest number behind a word that announces one.
const ANNOUNCED_MIN: usize = 7;
/// Bytes before a number within which such a word stands.
const ANNOUNCED_WITHIN: usize = 24;
const ANNOUNCERS: [&[u8]; 10] =
    [b"phone", b"tel", b"mobile", b"cell", b"fax", b"call", b"whatsapp", b"sms", b"dial", b"text me"];
/// Groups of digits that are looked at.
const GROUPS_MAX: usize = 8;

pub(super) fn may_start(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'(')
}

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    if text.continues_digits(start, b"-.,/:_(") {
        return Try::No;
    }
    let plus = text.at(start) == Ahead::Byte(b'+');
    if !plus && text.before(start) == Some(b'+') {
        return Try::No;
    }
    let Some(chain) = Chain::read(text, if plus { start + 1 } else { start }) else { return Try::Need };
    let end = if plus { chain.international() } else { chain.national(text, start) };
    end.map_or(Try::No, |end| Try::Found(end, &PHONE))
}

/// Groups of digits with what joins them.
#[derive(Debug, Default)]
struct Chain {
    /// Digits in each group.
    groups: [u8; GROUPS_MAX],
    /// The byte that stood before each group; the last one if several.
    joints: [u8; GROUPS_MAX],
    /// Where each group ends.
    ends: [usize; GROUPS_MAX],
    count: usize,
    digits: usize,
    /// The first digits.
    head: [u8; 8],
    /// It went on beyond what a number may hold.
    long: bool,
    /// A letter, other than an extension's, follows at once.
    glued: bool,
}

impl Chain {
    /// Reads the chain that begins at a place; none if more must come first.
    fn read(text: &Text<'_>, start: usize) -> Option<Self> {
        let mut chain = Self::default();
        let mut at = start;
        let mut joint = 0;
        loop {
            // At most two bytes join groups: `) `, ` (`, `) -` is too many.
            let mut joints = 0;
            while let Ahead::Byte(byte @ (b' ' | b'-' | b'.' | b'/' | b'(' | b')')) = text.at(at) {
                joints += 1;
                if joints > 2 || (chain.count == 0 && byte != b'(') {
                    return Some(chain);
                }
                joint = byte;
                at += 1;
            }
            if text.at(at) == Ahead::More {
                return None;
            }
            let first = at;
            while let Ahead::Byte(digit @ b'0'..=b'9') = text.at(at) {
                if let Some(slot) = chain.head.get_mut(chain.digits) {
                    *slot = digit;
                }
                chain.digits += 1;
                at += 1;
                if chain.digits > DIGITS_MAX {
                    chain.long = true;
                    return Some(chain);
                }
            }
            if text.at(at) == Ahead::More {
                return None;
            }
            if at == first || !chain.push(at - first, joint, at) {
                return Some(chain);
            }
            chain.glued = matches!(text.at(at), Ahead::Byte(byte) if byte.is_ascii_alphabetic() && !matches!(byte, b'x' | b'e'));
        }
    }

    fn push(&mut self, digits: usize, joint: u8, end: usize) -> bool {
        let slots =
            (self.groups.get_mut(self.count), self.joints.get_mut(self.count), self.ends.get_mut(self.count));
        let (Some(group), Some(before), Some(ends)) = slots else {
            self.long = true;
            return false;
        };
        *group = u8::try_from(digits).unwrap_or(u8::MAX);
        *before = joint;
        *ends = end;
        self.count += 1;
        true
    }

    fn groups(&self) -> &[u8] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    fn end_of(&self, groups: usize) -> Option<usize> {
        groups.checked_sub(1).and_then(|last| self.ends.get(last)).copied()
    }

    /// `+` and a country: up to fifteen digits; the country 1 has ten more, whatever follows them.
    fn international(&self) -> Option<usize> {
        if self.head.first() == Some(&b'1') {
            let mut sum = 0;
            for (index, group) in self.groups().iter().enumerate() {
                sum += usize::from(*group);
                if sum == 11 {
                    return self.end_of(index + 1);
                }
            }
        }
        let fits = (INTERNATIONAL_MIN..=DIGITS_MAX).contains(&self.digits) && !self.long && !self.glued;
        if fits && self.head.first() != Some(&b'0') { self.end_of(self.count) } else { None }
    }

    fn national(&self, text: &Text<'_>, start: usize) -> Option<usize> {
        if let Some(groups) = self.north_american() {
            return self.end_of(groups);
        }
        if self.long || self.glued || text.continues_digits(start, b" ") {
            return None;
        }
        let announced = || self.digits >= ANNOUNCED_MIN && is_announced(text, start);
        if self.is_zero_form() || announced() { self.end_of(self.count) } else { None }
    }

    /// `(NXX) XXX-XXXX` with any separators, also with 1 or 001 before; returns how many groups it takes.
    fn north_american(&self) -> Option<usize> {
        let (skip, groups) = match self.groups() {
            [3, 3, 4, ..] => (0, 3),
            [1, 3, 3, 4, ..] if self.head.first() == Some(&b'1') => (1, 4),
            [3, 3, 3, 4, ..] if self.head.starts_with(b"001") => (3, 4),
            _ => return None,
        };
        // More of the same behind it makes it another kind of number.
        let goes_on = self.count > groups && self.joints.get(groups).is_some_and(|joint| *joint != b' ');
        let area = self.head.get(skip).is_some_and(|digit| *digit >= b'2');
        let glued = self.glued && self.count == groups;
        (area && !goes_on && !glued).then_some(groups)
    }

    /// A zero, then an area or country, in groups; dates look alike and are left out.
    fn is_zero_form(&self) -> bool {
        let international = self.head.starts_with(b"00");
        let digits = if international { 10..=DIGITS_MAX } else { 9..=12 };
        let slashes = self.joints.iter().filter(|joint| **joint == b'/').count();
        let dots = self.joints.contains(&b'.');
        let date = matches!(self.groups(), [2, 2, 4, ..] | [2, 2, 2, 2]);
        self.head.first() == Some(&b'0')
            && (international || self.head.get(1).is_some_and(|digit| *digit != b'0'))
            && digits.contains(&self.digits)
            && self.groups().first().is_some_and(|first| (2..=5).contains(first))
            && self.count >= 2
            && slashes <= 1
            && !dots
            && !date
    }
}

/// Whether a word that announces a number stands shortly before it.
fn is_announced(text: &Text<'_>, start: usize) -> bool {
    let before = text.bytes.get(start.saturating_sub(ANNOUNCED_WITHIN)..start).unwrap_or_default();
    let lower = before.to_ascii_lowercase();
    ANNOUNCERS.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}
