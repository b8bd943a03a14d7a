//! Places in JSON text, so that a value can be read or replaced and all other bytes stay what they are.
//!
//! [`check`] proves once that a text is JSON; what follows only walks over it. Nothing here recurses, so that depth costs
//! no stack.

mod edits;
mod scan;

use std::borrow::Cow;
use std::ops::Range;

use bytes::{BufMut, BytesMut};

pub use edits::Edits;

/// Why bytes are not JSON. Never carries their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// Not UTF-8.
    #[error("it is not valid UTF-8 at byte {at}")]
    Utf8 {
        /// The first wrong byte, from 0.
        at: usize,
    },
    /// It ends too early.
    #[error("it ends at line {line} column {column} before it is complete")]
    Cut {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is wrong.
    #[error("it is not JSON at line {line} column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

/// Proves that bytes are one JSON value.
///
/// # Errors
///
/// They are not.
pub fn check(bytes: &[u8]) -> Result<&str, NotJson> {
    let text = utf8(bytes)?;
    if scan::scan(bytes, None).is_none() {
        check_slowly(text)?;
    }
    Ok(text)
}

/// Proves that bytes are one JSON value, and returns it with the members of the object that it is, in order; none of
/// anything else. Costs no more than [`check`].
///
/// # Errors
///
/// They are not.
pub fn check_members(bytes: &[u8]) -> Result<(Place<'_>, Vec<Member<'_>>), NotJson> {
    let text = utf8(bytes)?;
    let root = Place::root(text);
    let mut spans = Vec::new();
    if scan::scan(bytes, Some(&mut spans)).is_none() {
        check_slowly(text)?;
        return Ok((root, root.members().collect()));
    }
    let members = spans.into_iter().map(|scan::Span { key, value }| Member {
        key_start: key.start,
        key: decode(text.get(key).unwrap_or_default()),
        value: Place { text, start: value.start, end: value.end },
    });
    Ok((root, members.collect()))
}

/// Returns how long the contents of a text are, without its quotes, whose closing quote comes first; none if JSON does not
/// allow them, or they are not UTF-8.
#[inline]
pub(crate) fn contents(bytes: &[u8]) -> Option<usize> {
    scan::contents(bytes)
}

fn utf8(bytes: &[u8]) -> Result<&str, NotJson> {
    std::str::from_utf8(bytes).map_err(|error| NotJson::Utf8 { at: error.valid_up_to() })
}

/// What is not JSON is said as serde says it; what is nested so deep that the quick walk gives up is its to judge too.
fn check_slowly(text: &str) -> Result<(), NotJson> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() { NotJson::Cut { line, column } } else { NotJson::Syntax { line, column } }
    })?;
    Ok(())
}

/// A value in checked text, by its place.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    text: &'a str,
    start: usize,
    end: usize,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The key, decoded.
    pub key: Cow<'a, str>,
    /// Where the key begins, its quote included.
    pub key_start: usize,
    /// The value.
    pub value: Place<'a>,
}

impl<'a> Place<'a> {
    /// Returns the one value of a checked text.
    #[must_use]
    pub fn root(text: &'a str) -> Self {
        let start = skip_space(text.as_bytes(), 0);
        // There is nothing else, so that it need not be walked to find its end.
        let end = text.trim_ascii_end().len().max(start);
        Self { text, start, end }
    }

    /// Returns where it stands in the text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Returns its source.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }

    fn first(&self) -> u8 {
        self.text.as_bytes().get(self.start).copied().unwrap_or_default()
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.first() == b'{'
    }

    /// Whether it is an array.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.first() == b'['
    }

    /// Whether it is a string.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.first() == b'"'
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.first() == b'n'
    }

    /// Returns a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.first() {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// Returns a number that fits.
    #[must_use]
    pub fn as_u32(&self) -> Option<u32> {
        self.source().parse().ok()
    }

    /// Returns a string, decoded. A lone surrogate, which is no character, becomes U+FFFD.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        self.is_string().then(|| decode(self.source()))
    }

    /// Returns the members of an object in order; none of anything else.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + use<'a> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let mut at = if self.is_object() { self.start + 1 } else { bytes.len() };
        std::iter::from_fn(move || {
            let key_start = skip_to_item(bytes, at);
            if bytes.get(key_start) != Some(&b'"') {
                return None;
            }
            let key_end = skip_string(bytes, key_start);
            let start = skip_space(bytes, skip_space(bytes, key_end) + 1);
            let value = Place { text, start, end: skip_value(bytes, start) };
            at = value.end;
            Some(Member { key: decode(text.get(key_start..key_end)?), key_start, value })
        })
    }

    /// Returns the elements of an array in order; none of anything else.
    pub fn elements(&self) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let mut at = if self.is_array() { self.start + 1 } else { bytes.len() };
        std::iter::from_fn(move || {
            let start = skip_to_item(bytes, at);
            if matches!(bytes.get(start), None | Some(b']')) {
                return None;
            }
            let element = Place { text, start, end: skip_value(bytes, start) };
            at = element.end;
            Some(element)
        })
    }

    /// Returns the value of an object's first member of a name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Place<'a>> {
        self.members().find(|member| member.key == key).map(|member| member.value)
    }
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(rest.len())
}

fn skip_to_item(bytes: &[u8], from: usize) -> usize {
    let at = skip_space(bytes, from);
    if bytes.get(at) == Some(&b',') { skip_space(bytes, at + 1) } else { at }
}

/// Returns the place behind the string that begins here.
fn skip_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(skip) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += skip;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// Returns the place behind the value that begins here.
fn skip_value(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => at = skip_string(bytes, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            Some(_) if depth > 0 => at += 1,
            Some(_) => {
                let rest = bytes.get(at..).unwrap_or_default();
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                return at + rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Decodes a string literal.
fn decode(literal: &str) -> Cow<'_, str> {
    let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str::<String>(literal) {
        Ok(decoded) => Cow::Owned(decoded),
        Err(_) => Cow::Owned(decode_lossy(inner)),
    }
}

/// Decodes what serde refuses: literals with lone surrogates. Rare, so by way of UTF-16.
fn decode_lossy(inner: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escape)) = rest.find('\\').map(|at| rest.split_at(at)) {
        units.extend(plain.encode_utf16());
        let hex = escape.get(2..6).filter(|_| escape.starts_with("\\u"));
        let len = if let Some(unit) = hex.and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
            units.push(unit);
            6
        } else {
            let one = format!("\"{}\"", escape.get(..2).unwrap_or_default());
            units.extend(serde_json::from_str::<String>(&one).unwrap_or_default().encode_utf16());
            2
        };
        rest = escape.get(len..).unwrap_or_default();
    }
    units.extend(rest.encode_utf16());
    String::from_utf16_lossy(&units)
}

/// Writes a string literal.
#[must_use]
pub fn quote(text: &str) -> String {
    // A text is always JSON.
    serde_json::to_string(text).unwrap_or_default()
}

/// Writes a string literal behind what is there.
pub(crate) fn quote_into(text: &str, out: &mut BytesMut) {
    // A text is always JSON, and there is room for all.
    let _written = serde_json::to_writer(out.writer(), text);
}

#[cfg(test)]
mod tests;
