//! Proves in one walk that a text is JSON, and notes on the way where the members of its object stand: a call is large, and
//! each further walk over it costs as much as the first.

use std::ops::Range;

/// Words of eight bytes at the beginning of a string that are looked at one by one.
const WORDS: usize = 3;
/// The lowest bit of each byte of a word, and the highest.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A member of the outermost object: where its key stands, quotes included, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// What encloses a value, from the inside: a bit for each, set for an object. No list, so that small texts cost nothing.
#[derive(Debug, Default)]
struct Open {
    kinds: u128,
    depth: u32,
}

impl Open {
    /// Takes one more; `None`: there is no room.
    fn push(&mut self, object: bool) -> Option<()> {
        self.depth = (self.depth < u128::BITS).then_some(self.depth + 1)?;
        self.kinds = self.kinds << 1 | u128::from(object);
        Some(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.kinds >>= 1;
    }

    fn is_object(&self) -> bool {
        self.kinds & 1 == 1
    }
}

/// Walks over a text and gives the members of the outermost object to `members`, in order. `None`: it is not JSON, or
/// nested deeper than this looks.
pub(super) fn scan(bytes: &[u8], mut members: Option<&mut Vec<Span>>) -> Option<()> {
    let mut open = Open::default();
    let mut at = space(bytes, 0);
    loop {
        match bytes.get(at)? {
            b'"' => at = string(bytes, at)?,
            b'{' => {
                at = space(bytes, at + 1);
                if bytes.get(at)? != &b'}' {
                    open.push(true)?;
                    at = key(bytes, at, &open, &mut members)?;
                    continue;
                }
                at += 1;
            }
            b'[' => {
                at = space(bytes, at + 1);
                if bytes.get(at)? != &b']' {
                    open.push(false)?;
                    continue;
                }
                at += 1;
            }
            b't' => at = word(bytes, at, b"true")?,
            b'f' => at = word(bytes, at, b"false")?,
            b'n' => at = word(bytes, at, b"null")?,
            _ => at = number(bytes, at)?,
        }
        // A value is over. What encloses it goes on or is over too.
        loop {
            if open.depth == 0 {
                return (space(bytes, at) == bytes.len()).then_some(());
            }
            if open.depth == 1
                && let Some(member) = members.as_mut().and_then(|members| members.last_mut())
            {
                member.value.end = at;
            }
            at = space(bytes, at);
            match (open.is_object(), bytes.get(at)?) {
                (true, b',') => {
                    at = key(bytes, space(bytes, at + 1), &open, &mut members)?;
                    break;
                }
                (false, b',') => {
                    at = space(bytes, at + 1);
                    break;
                }
                (true, b'}') | (false, b']') => {
                    open.pop();
                    at += 1;
                }
                _ => return None,
            }
        }
    }
}

/// Reads a key and its colon, and returns where the value begins.
fn key(bytes: &[u8], from: usize, open: &Open, members: &mut Option<&mut Vec<Span>>) -> Option<usize> {
    if bytes.get(from)? != &b'"' {
        return None;
    }
    let end = string(bytes, from)?;
    let colon = space(bytes, end);
    if bytes.get(colon)? != &b':' {
        return None;
    }
    let value = space(bytes, colon + 1);
    if open.depth == 1
        && let Some(members) = members
    {
        members.push(Span { key: from..end, value: value..value });
    }
    Some(value)
}

fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

fn word(bytes: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// Returns how long the contents of a text are whose closing quote comes first; none if JSON does not allow them, or they are
/// not UTF-8.
#[inline]
pub(super) fn contents(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    // A piece of a stream is a word or two.
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let word = u64::from_le_bytes(*word);
        let special = specials(word);
        // The bits of the bytes before the first that is special; all if none is.
        let before = (special & special.wrapping_neg()).wrapping_sub(1);
        if word & HIGHS & before != 0 {
            break;
        }
        if special != 0 {
            at += skipped(special);
            if bytes.get(at) == Some(&b'"') {
                return Some(at);
            }
            break;
        }
        at += 8;
    }
    other_contents(bytes, at)
}

/// Goes on where contents are long, not plain or not whole. Apart, so that the short walk stays small where it is put in.
#[inline(never)]
fn other_contents(bytes: &[u8], plain: usize) -> Option<usize> {
    let end = behind_contents(bytes, plain)? - 1;
    std::str::from_utf8(bytes.get(plain..end)?).is_ok().then_some(end)
}

/// Returns the place behind the string that begins here.
fn string(bytes: &[u8], from: usize) -> Option<usize> {
    behind_contents(bytes, from + 1)
}

/// Returns the place behind the closing quote of the contents that begin here.
#[inline]
fn behind_contents(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at = plain(bytes, at);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => match bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' => {
                    let hex: &[u8; 4] = bytes.get(at + 2..)?.first_chunk()?;
                    if !hex.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at += 6;
                }
                _ => return None,
            },
            _ => return None,
        }
    }
}

/// Returns the place of the next byte that a string does not hold as itself: its end, an escape, or what may not be there.
fn plain(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    // Most strings end in the first few words, where a call of `memchr` costs more than it saves.
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else { break };
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return at + skipped(special);
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let run = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
    let run = rest.get(..run).unwrap_or_default();
    // A minimum has no early end, so that many bytes are looked at together.
    if run.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= 0x20 {
        return at + run.len();
    }
    at + run.iter().position(|byte| *byte < 0x20).unwrap_or(run.len())
}

/// Sets the high bit of the first byte that is special; of those behind it some that are not.
fn specials(word: u64) -> u64 {
    // A byte is zero where taking one from it borrows.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * 0x22));
    let backslash = zero(word ^ (ONES * 0x5c));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

/// Bytes before the first that is marked.
fn skipped(special: u64) -> usize {
    usize::try_from(special.trailing_zeros() / 8).unwrap_or_default()
}

/// Returns the place behind the number that begins here.
fn number(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from + usize::from(bytes.get(from)? == &b'-');
    at = match bytes.get(at)? {
        b'0' => at + 1,
        b'1'..=b'9' => digits(bytes, at)?,
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits(bytes, at + 1 + sign)?;
    }
    Some(at)
}

/// Returns the place behind the digits that begin here; there must be one.
fn digits(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let len = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    (len > 0).then_some(from + len)
}

#[cfg(test)]
mod tests;
