//! Secrets in the formats that vendors publish. Each begins with a known prefix, so one Aho-Corasick pass over the text
//! finds the places where a format is tried at all; entropy alone is never taken for a secret.

mod formats;
mod pem;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::{Ahead, Category, Class, Look, Tail, Text, Try, settle};
use crate::limits::STREAM_HOLD_BYTES_MAX;
use formats::{FORMATS, Format, Shape};

/// Finds the prefixes of all formats.
static PREFIXES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let prefixes = FORMATS.iter().map(|format| format.prefix);
    // Cannot fail for some eighty short prefixes; a test holds it, and without it every prefix is tried everywhere.
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(prefixes).ok()
});

/// Bytes of the longest prefix.
static PREFIX_BYTES_MAX: LazyLock<usize> =
    LazyLock::new(|| FORMATS.iter().map(|format| format.prefix.len()).max().unwrap_or_default());

pub(super) fn look(text: &Text<'_>, from: usize) -> Look {
    let mut at = from;
    while let Some(start) = next_prefix(text.bytes, at) {
        if text.starts_word(start)
            && let Some(look) = settle(start, try_formats(text, start))
        {
            return look;
        }
        at = start + 1;
    }
    Look::Clear(if text.whole { text.bytes.len() } else { begun_prefix(text, from.max(at)) })
}

fn next_prefix(bytes: &[u8], from: usize) -> Option<usize> {
    match PREFIXES.as_ref() {
        Some(automaton) => automaton.find(Input::new(bytes).range(from..)).map(|found| found.start()),
        None => (from..bytes.len()).find(|at| {
            bytes.get(*at..).is_some_and(|rest| FORMATS.iter().any(|format| rest.starts_with(format.prefix)))
        }),
    }
}

/// Returns the first place from which the text's end may grow into a prefix.
fn begun_prefix(text: &Text<'_>, from: usize) -> usize {
    let end = text.bytes.len();
    let floor = from.max(end.saturating_sub(*PREFIX_BYTES_MAX));
    (floor..end)
        .find(|at| {
            let begun = text.bytes.get(*at..).unwrap_or_default();
            text.starts_word(*at) && FORMATS.iter().any(|format| format.prefix.starts_with(begun))
        })
        .unwrap_or(end)
}

/// Tries every format whose prefix stands at a place; a prefix that is still being written keeps it undecided.
fn try_formats(text: &Text<'_>, start: usize) -> Try {
    let rest = text.bytes.get(start..).unwrap_or_default();
    let mut need = false;
    for format in FORMATS {
        if rest.starts_with(format.prefix) {
            match try_format(text, start, format) {
                Try::No => {}
                Try::Need => need = true,
                found @ (Try::Found(..) | Try::Open(..) | Try::Doubt(..)) if !need => return found,
                Try::Found(..) | Try::Open(..) | Try::Doubt(..) => {}
            }
        } else if !text.whole && format.prefix.starts_with(rest) {
            need = true;
        }
    }
    if need { Try::Need } else { Try::No }
}

fn try_format(text: &Text<'_>, start: usize, format: &'static Format) -> Try {
    let body = start + format.prefix.len();
    match format.shape {
        Shape::Open { class, min, mixed } => open(text, body, (class, min, mixed), &format.category),
        Shape::Exact { class, len } => exact(text, body, (class, len), &format.category),
        Shape::Jwt => jwt(text, body, &format.category),
        Shape::Pem => pem::try_at(text, body, &format.category),
        Shape::Assigned { class, len } => assigned(text, body, (class, len), &format.category),
    }
}

/// Counts the bytes of a class from a place on, up to a bound; none if more must come first.
fn count(text: &Text<'_>, from: usize, class: Class, max: usize) -> Option<usize> {
    let mut taken = 0;
    while taken < max {
        match text.at(from + taken) {
            Ahead::Byte(byte) if class.has(byte) => taken += 1,
            Ahead::Byte(_) | Ahead::End => break,
            Ahead::More => return None,
        }
    }
    Some(taken)
}

/// At least so many bytes of a class; certain at the least.
fn open(text: &Text<'_>, from: usize, shape: (Class, usize, bool), category: &'static Category) -> Try {
    let (class, min, mixed) = shape;
    match count(text, from, class, min) {
        None => Try::Need,
        Some(taken) if taken < min => Try::No,
        Some(_) => {
            let certain = text.bytes.get(from..from + min).unwrap_or_default();
            // Words in kebab case have no digits; what a generator made has.
            if mixed && !certain.iter().any(u8::is_ascii_digit) {
                return Try::No;
            }
            Try::Open(from + min, Tail::Run(class), category)
        }
    }
}

/// Exactly so many bytes of a class.
fn exact(text: &Text<'_>, from: usize, shape: (Class, usize), category: &'static Category) -> Try {
    let (class, len) = shape;
    match count(text, from, class, len + 1) {
        None => Try::Need,
        Some(taken) if taken == len => Try::Found(from + len, category),
        Some(_) => Try::No,
    }
}

/// The rest of a header, a dot, and enough of what follows it (source: RFC 7519; `eyJ` is base64 of `{"`).
fn jwt(text: &Text<'_>, from: usize, category: &'static Category) -> Try {
    const HEADER_MIN: usize = 7;
    const PAYLOAD_MIN: usize = 10;
    match count(text, from, Class::Url64, STREAM_HOLD_BYTES_MAX) {
        None => Try::Need,
        Some(taken) if taken < HEADER_MIN => Try::No,
        Some(taken) if taken == STREAM_HOLD_BYTES_MAX => Try::Doubt(from + taken, Tail::Dotted, category),
        Some(taken) => match text.at(from + taken) {
            Ahead::Byte(b'.') => match count(text, from + taken + 1, Class::Url64, PAYLOAD_MIN) {
                None => Try::Need,
                Some(PAYLOAD_MIN) => Try::Open(from + taken + 1 + PAYLOAD_MIN, Tail::Dotted, category),
                Some(_) => Try::No,
            },
            Ahead::More => Try::Need,
            Ahead::Byte(_) | Ahead::End => Try::No,
        },
    }
}

/// A name, what joins it to its value, and exactly so many bytes of a class.
fn assigned(text: &Text<'_>, from: usize, shape: (Class, usize), category: &'static Category) -> Try {
    const JOINT_BYTES_MAX: usize = 8;
    let mut at = from;
    while at - from < JOINT_BYTES_MAX {
        match text.at(at) {
            Ahead::Byte(b' ' | b'\t' | b'=' | b':' | b'"' | b'\'' | b'>' | b'\\') => at += 1,
            Ahead::Byte(_) | Ahead::End => break,
            Ahead::More => return Try::Need,
        }
    }
    if at == from { Try::No } else { exact(text, at, shape, category) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_build_an_automaton_and_are_all_found_by_it() {
        assert!(PREFIXES.is_some());
        for format in FORMATS {
            assert_eq!(next_prefix(format.prefix, 0), Some(0), "{}", format.category.word);
        }
    }
}
