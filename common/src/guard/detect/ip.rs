//! IPv4 and IPv6 addresses.

use std::net::Ipv6Addr;

use super::{Ahead, Category, Text, Try};

static IP_ADDRESS: Category = Category { word: "ip_address", placeholder: "[IP_ADDRESS]" };

/// Bytes of the longest text of an IPv6 address, IPv4 at its end (source: POSIX INET6_ADDRSTRLEN less its zero).
const V6_BYTES_MAX: usize = 45;

pub(super) fn may_start(byte: &u8) -> bool {
    byte.is_ascii_hexdigit() || *byte == b':'
}

pub(super) fn try_at(text: &Text<'_>, start: usize) -> Try {
    match v4(text, start) {
        Try::No => v6(text, start),
        found @ (Try::Need | Try::Found(..) | Try::Open(..) | Try::Doubt(..)) => found,
    }
}

fn v4(text: &Text<'_>, start: usize) -> Try {
    if text.before(start) == Some(b'.') {
        return Try::No;
    }
    let mut at = start;
    for part in 0..4 {
        let mut value = 0_u32;
        let first = at;
        loop {
            match text.at(at) {
                Ahead::Byte(byte) if byte.is_ascii_digit() => {
                    value = value * 10 + u32::from(byte - b'0');
                    at += 1;
                    if value > 255 || at - first > 3 {
                        return Try::No;
                    }
                }
                Ahead::More => return Try::Need,
                Ahead::Byte(_) | Ahead::End => break,
            }
        }
        if at == first {
            return Try::No;
        }
        match (part, text.at(at)) {
            (3, _) => {}
            (_, Ahead::Byte(b'.')) => at += 1,
            (_, Ahead::Byte(_) | Ahead::End | Ahead::More) => return Try::No,
        }
    }
    match (text.at(at), text.at(at + 1)) {
        (Ahead::More, _) | (Ahead::Byte(b'.'), Ahead::More) => Try::Need,
        (Ahead::Byte(b'.'), Ahead::Byte(byte)) if byte.is_ascii_digit() => Try::No,
        (Ahead::Byte(byte), _) if byte.is_ascii_alphanumeric() || byte == b'_' => Try::No,
        (Ahead::Byte(_) | Ahead::End, _) => Try::Found(at, &IP_ADDRESS),
    }
}

fn v6(text: &Text<'_>, start: usize) -> Try {
    if matches!(text.before(start), Some(b':' | b'.' | b'_')) {
        return Try::No;
    }
    let mut at = start;
    let mut group = 0;
    loop {
        match text.at(at) {
            Ahead::Byte(byte) if byte.is_ascii_hexdigit() => group += 1,
            Ahead::Byte(b':' | b'.') => group = 0,
            Ahead::Byte(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => return Try::No,
            Ahead::Byte(_) | Ahead::End => break,
            Ahead::More => return Try::Need,
        }
        at += 1;
        if group > 4 || at - start > V6_BYTES_MAX {
            return Try::No;
        }
    }
    let run = text.bytes.get(start..at).and_then(|run| std::str::from_utf8(run).ok()).unwrap_or_default();
    let run = run.trim_end_matches('.');
    let run = if run.ends_with("::") { run } else { run.strip_suffix(':').unwrap_or(run) };
    if is_v6(run) { Try::Found(start + run.len(), &IP_ADDRESS) } else { Try::No }
}

/// Whether it reads as an address and as nothing else: `a::b` is a path in many languages, `[1::2]` a slice.
fn is_v6(run: &str) -> bool {
    if run.parse::<Ipv6Addr>().is_err() || !run.contains(|c: char| c.is_ascii_digit()) {
        return false;
    }
    !run.contains("::") || run.starts_with("::ffff:") || run.find(':').is_some_and(|first| first >= 3)
}
