//! E-mail addresses: `local@label.tld`, as people write them; quoted locals and address literals are left alone.

use super::{Ahead, Category, Look, Tail, Text, Try, settle, tail};

static EMAIL: Category = Category { word: "email", placeholder: "[EMAIL]" };

/// Bytes of the part before `@` (source: RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of a label (source: RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Bytes after `@` within which a top-level domain must begin. Names with more are not seen in practice.
const DOMAIN_DOUBT_BYTES_MAX: usize = 128;

pub(super) fn look(text: &Text<'_>, from: usize) -> Look {
    let mut at = from;
    loop {
        let Some(skip) = text.bytes.get(at..).and_then(|rest| memchr::memchr(b'@', rest)) else {
            let end = text.bytes.len();
            return Look::Clear(if text.whole { end } else { local_start(text, from, end) });
        };
        let sign = at + skip;
        let mut start = local_start(text, from, sign);
        while text.bytes.get(start).is_some_and(u8::is_ascii_punctuation) && start < sign {
            start += 1;
        }
        if start < sign
            && let Some(look) = settle(start, domain(text, sign + 1))
        {
            return look;
        }
        at = sign + 1;
    }
}

/// Walks back over the part before `@`, not beyond its bound.
fn local_start(text: &Text<'_>, from: usize, end: usize) -> usize {
    let floor = from.max(end.saturating_sub(LOCAL_BYTES_MAX));
    let mut start = end;
    while start > floor {
        match text.before(start) {
            Some(byte) if is_local(byte) => start -= 1,
            // The second byte of U+00C0 to U+024F: Latin letters with marks. Other scripts write no spaces between
            // words, so their letters end the part.
            Some(0x80..=0xBF)
                if start >= floor + 2 && matches!(text.before(start - 1), Some(0xC3..=0xC9)) =>
            {
                start -= 2;
            }
            Some(_) | None => break,
        }
    }
    start
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

/// Looks for labels up to one that begins with two letters and is not the first: from there it is an address.
fn domain(text: &Text<'_>, from: usize) -> Try {
    let mut label = from;
    let mut at = from;
    loop {
        if at - from > DOMAIN_DOUBT_BYTES_MAX || at - label > LABEL_BYTES_MAX {
            return Try::No;
        }
        match text.at(at) {
            Ahead::Byte(byte) if tail::is_domain(byte) || (byte == b'-' && at > label) => at += 1,
            Ahead::Byte(b'.') if at > label => {
                at += 1;
                label = at;
            }
            Ahead::Byte(_) | Ahead::End => return Try::No,
            Ahead::More => return Try::Need,
        }
        let begun = text.bytes.get(label..at).unwrap_or_default();
        if label > from && begun.len() == 2 && begun.iter().all(u8::is_ascii_alphabetic) {
            return Try::Open(at, Tail::Domain, &EMAIL);
        }
    }
}
