//! Events that are like one that was read. A provider writes the same event again and again, and only the contents of a few
//! texts differ. A mould is what such events have in common; the next event that fits it byte for byte, but for these
//! contents, would be read the same, and need not be.
//!
//! Nothing is given up for it: contents that fit are what JSON allows in a text (its escapes, no control characters, UTF-8),
//! and an event that does not fit in every other byte goes the long way.

use std::ops::Range;

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;

use crate::{json, sse};

/// Texts, reasoning and arguments of tools have a mould each, and so have the choices: more than these alternate rarely.
const RECENT_MAX: usize = 4;

/// What ends an event, as providers write it.
const ENDS: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];

/// What an event holds that differs from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hole {
    /// The contents of a text, without its quotes.
    Text,
    /// A whole number of at most nine digits.
    Number,
}

/// What events have in common.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mould {
    /// Bytes that are the same in each, and the hole behind them.
    parts: Vec<(Vec<u8>, Hole)>,
    /// What stands behind the last hole, up to the object's bracket, without the spaces before it: Anthropic pads there.
    tail: Vec<u8>,
    end: &'static [u8],
    /// The tail, the bracket and the end where nothing pads.
    closing: Vec<u8>,
}

/// A part of an event that fits.
#[derive(Debug)]
pub(crate) struct Fitting {
    /// Where the bytes stand that are the same in each.
    pub(crate) same: Range<usize>,
    /// Where the contents of the hole behind them stand.
    pub(crate) contents: Range<usize>,
}

/// Where an event that fits ends.
#[derive(Debug)]
pub(crate) struct Fit {
    /// What stands behind the last hole, without its padding.
    pub(crate) tail: Range<usize>,
    /// Where the next event begins.
    pub(crate) end: usize,
}

impl Mould {
    /// Makes a mould of an event, with where its data has what is the same: before, between and behind the holes. `holes` are
    /// places of whole values in the data, in order. None if the event is not written as most are.
    pub(crate) fn new(
        frame: &sse::Frame,
        holes: &[(Range<usize>, Hole)],
    ) -> Option<(Self, Vec<Range<usize>>)> {
        let sse::Data::At(at) = &frame.data else { return None };
        let data = std::str::from_utf8(frame.bytes.get(at.clone())?).ok()?;
        let end = ENDS.into_iter().find(|end| frame.bytes.get(at.end..) == Some(*end))?;
        let mut begin = 0;
        let mut stretches = Vec::new();
        let mut parts = Vec::new();
        for (place, hole) in holes {
            // The quotes of a text are the same in each.
            let quote = usize::from(*hole == Hole::Text);
            let stretch = begin..place.start + quote;
            parts.push((data.get(stretch.clone())?.as_bytes().to_vec(), *hole));
            stretches.push(stretch);
            begin = place.end.checked_sub(quote)?;
        }
        parts.first_mut()?.0.splice(0..0, frame.bytes.get(..at.start)?.iter().copied());
        let bracket = data.len().checked_sub(1).filter(|last| data.get(*last..) == Some("}"))?;
        let tail = data.get(begin..bracket)?.trim_end_matches(' ').as_bytes();
        stretches.push(begin..begin + tail.len());
        let closing = [tail, b"}", end].concat();
        Some((Self { parts, tail: tail.to_vec(), end, closing }, stretches))
    }

    /// Goes over the event that begins at a place and gives its parts to `each`, in order; what was given is worth nothing if
    /// it does not fit.
    pub(crate) fn fit(&self, bytes: &[u8], start: usize, mut each: impl FnMut(Fitting)) -> Option<Fit> {
        let mut at = start;
        for (same, hole) in &self.parts {
            let behind = after(bytes, at, same)?;
            let len = match hole {
                Hole::Text => json::contents(bytes.get(behind..)?)?,
                Hole::Number => number(bytes.get(behind..)?)?,
            };
            each(Fitting { same: at..behind, contents: behind..behind + len });
            at = behind + len;
        }
        let tail = at..at + self.tail.len();
        let end = after(bytes, at, &self.closing).or_else(|| self.padded(bytes, at))?;
        (end - start <= SSE_EVENT_BYTES_MAX).then_some(Fit { tail, end })
    }

    fn padded(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let padding = after(bytes, at, &self.tail)?;
        let spaces = bytes.get(padding..)?.iter().take_while(|byte| **byte == b' ').count();
        after(bytes, after(bytes, padding + spaces, b"}")?, self.end)
    }
}

/// What is known of the events of one stream, the one that fitted last first.
#[derive(Debug)]
pub(crate) struct Recent<T>(Vec<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Recent<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one in the place of the one that fitted longest ago.
    pub(crate) fn keep(&mut self, known: T) {
        if !self.0.contains(&known) {
            self.0.truncate(RECENT_MAX - 1);
            self.0.insert(0, known);
        }
    }

    /// Returns the first that fits, with what it gives.
    pub(crate) fn find<R>(&mut self, mut fits: impl FnMut(&T) -> Option<R>) -> Option<(&T, R)> {
        let (index, found) =
            self.0.iter().enumerate().find_map(|(index, known)| Some((index, fits(known)?)))?;
        if index > 0 {
            self.0.get_mut(..=index)?.rotate_right(1);
        }
        Some((self.0.first()?, found))
    }
}

/// Returns the place behind bytes that must stand here.
fn after(bytes: &[u8], at: usize, same: &[u8]) -> Option<usize> {
    let end = at + same.len();
    (bytes.get(at..end)? == same).then_some(end)
}

/// Returns how many digits stand here; none if JSON does not allow them, or they are beyond any number of events.
fn number(bytes: &[u8]) -> Option<usize> {
    let len = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let plain = bytes.first()? != &b'0' || len == 1;
    (plain && (1..=9).contains(&len)).then_some(len)
}
