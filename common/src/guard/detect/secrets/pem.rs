//! Private keys in PEM (source: RFC 7468; OpenPGP's armor, RFC 9580, has the same frame).

use super::{Ahead, Category, Class, Tail, Text, Try, count};

/// Bytes of a label, `RSA PRIVATE KEY`, without its hyphens.
const LABEL_BYTES_MAX: usize = 64;
/// Bytes between the first line and the body, escapes of line ends included.
const GAP_BYTES_MAX: usize = 16;
/// Bytes of the body that make it a key and not a mention of one.
const BODY_MIN: usize = 16;
/// What may stand in the place of the body's begin (sources: RFC 1421, RFC 9580).
const HEADERS: [&[u8]; 4] = [b"Proc-Type:", b"Version:", b"Comment:", b"Hash:"];

/// Tries what follows `-----BEGIN `.
pub(super) fn try_at(text: &Text<'_>, from: usize, category: &'static Category) -> Try {
    let mut at = from;
    loop {
        match text.at(at) {
            Ahead::Byte(byte) if byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ' => {
                at += 1
            }
            Ahead::Byte(b'-') => break,
            Ahead::Byte(_) | Ahead::End => return Try::No,
            Ahead::More => return Try::Need,
        }
        if at - from > LABEL_BYTES_MAX {
            return Try::No;
        }
    }
    let label = text.bytes.get(from..at).unwrap_or_default();
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return Try::No;
    }
    for _ in 0..5 {
        match text.at(at) {
            Ahead::Byte(b'-') => at += 1,
            Ahead::Byte(_) | Ahead::End => return Try::No,
            Ahead::More => return Try::Need,
        }
    }
    body(text, at, category)
}

fn body(text: &Text<'_>, from: usize, category: &'static Category) -> Try {
    let mut at = from;
    while at - from < GAP_BYTES_MAX {
        match (text.at(at), text.at(at + 1)) {
            (Ahead::Byte(byte), _) if byte.is_ascii_whitespace() => at += 1,
            (Ahead::Byte(b'\\'), Ahead::Byte(b'n' | b'r' | b'\\')) => at += 2,
            (Ahead::More, _) | (Ahead::Byte(b'\\'), Ahead::More) => return Try::Need,
            (Ahead::Byte(_) | Ahead::End, _) => break,
        }
    }
    let tail = Tail::Pem { dashes: 0, closing: false };
    let rest = text.bytes.get(at..).unwrap_or_default();
    for header in HEADERS {
        if rest.starts_with(header) {
            return Try::Open(at + header.len(), tail, category);
        }
        if !text.whole && header.starts_with(rest) {
            return Try::Need;
        }
    }
    match count(text, at, Class::Base64, BODY_MIN) {
        None => Try::Need,
        Some(BODY_MIN) => Try::Open(at + BODY_MIN, tail, category),
        Some(_) => Try::No,
    }
}
