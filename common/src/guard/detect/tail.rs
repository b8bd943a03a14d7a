//! The open end of a match: how much of what follows belongs to it.

use super::{Ahead, Text};

/// A set of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::guard) enum Class {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_`.
    Word,
    /// Letters, digits, `-`.
    AlnumDash,
    /// Letters, digits, `_`, `-`: base64url.
    Url64,
    /// Letters, digits, `+`, `/`: base64.
    Base64,
    /// Digits and `a` to `f`.
    Hex,
    /// Digits and capital letters.
    Upper,
    /// Letters.
    Alpha,
}

impl Class {
    pub(in crate::guard) fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::AlnumDash => byte.is_ascii_alphanumeric() || byte == b'-',
            Self::Url64 => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            Self::Hex => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::Upper => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::Alpha => byte.is_ascii_alphabetic(),
        }
    }
}

/// The open end of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::guard) enum Tail {
    /// Bytes of a class.
    Run(Class),
    /// A domain: labels, with dots and hyphens only between them.
    Domain,
    /// base64url with dots only between parts.
    Dotted,
    /// What stands before the path of a URL.
    Authority,
    /// The body and the last line of a PEM block.
    Pem {
        /// Hyphens in a row.
        dashes: u8,
        /// The last line has begun.
        closing: bool,
    },
}

/// Hyphens on each side of a PEM boundary (source: RFC 7468).
const PEM_DASHES: u8 = 5;

impl Tail {
    /// Takes what belongs to the match from a place on. Returns where that ends, and whether it is over.
    pub(in crate::guard) fn swallow(&mut self, text: &Text<'_>, from: usize) -> (usize, bool) {
        match self {
            Self::Run(class) => run(text, from, |byte| class.has(byte)),
            Self::Domain => joined(text, from, is_domain, b".-"),
            Self::Dotted => joined(text, from, |byte| Class::Url64.has(byte), b"."),
            Self::Authority => run(text, from, is_authority),
            Self::Pem { dashes, closing } => pem(text, from, dashes, closing),
        }
    }
}

/// A byte of a domain's label. International names are found in their ASCII form only.
pub(super) fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// A byte that may stand between `://` and the path.
pub(super) fn is_authority(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'<' | b'>' | b'`' | b'\\')
}

fn run(text: &Text<'_>, from: usize, has: impl Fn(u8) -> bool) -> (usize, bool) {
    let mut at = from;
    loop {
        match text.at(at) {
            Ahead::Byte(byte) if has(byte) => at += 1,
            Ahead::Byte(_) | Ahead::End => return (at, true),
            Ahead::More => return (at, false),
        }
    }
}

/// A run in which a joint belongs to it only with a byte of the run behind it.
fn joined(text: &Text<'_>, from: usize, has: impl Fn(u8) -> bool, joints: &[u8]) -> (usize, bool) {
    let mut taken = from;
    let mut at = from;
    loop {
        match text.at(at) {
            Ahead::Byte(byte) if has(byte) => {
                at += 1;
                taken = at;
            }
            Ahead::Byte(byte) if joints.contains(&byte) && at == taken => at += 1,
            Ahead::Byte(_) | Ahead::End => return (taken, true),
            Ahead::More => return (taken, false),
        }
    }
}

/// Swallows up to the second row of hyphens, or to a byte that no PEM block holds.
fn pem(text: &Text<'_>, from: usize, dashes: &mut u8, closing: &mut bool) -> (usize, bool) {
    let mut at = from;
    loop {
        match text.at(at) {
            Ahead::Byte(b'-') => {
                at += 1;
                *dashes = dashes.saturating_add(1);
                if *dashes == PEM_DASHES && *closing {
                    return (at, true);
                }
            }
            Ahead::Byte(byte) if is_pem(byte) => {
                at += 1;
                *closing = *closing || *dashes >= PEM_DASHES;
                *dashes = 0;
            }
            Ahead::Byte(_) | Ahead::End => return (at, true),
            Ahead::More => return (at, false),
        }
    }
}

/// A byte of a PEM block's body: base64, white space (also escaped, as in JSON and shell), header lines.
fn is_pem(byte: u8) -> bool {
    Class::Base64.has(byte)
        || byte.is_ascii_whitespace()
        || matches!(byte, b'=' | b':' | b',' | b'.' | b'\\' | b'(' | b')')
}
