//! A short way for the frames of a stream that nobody judges. A provider writes the same frame again and again, and only the
//! contents of a few texts differ. So a frame that was read is kept as a mould: what it had before, between and behind
//! these texts, and what the caller got of that. The next frame that fits the mould byte for byte, but for these contents,
//! would be read the same, and is written without being read.
//!
//! Nothing is given up for it: contents that fit are what JSON allows in a text (its escapes, no control characters, UTF-8),
//! and a frame that does not fit in every other byte goes the long way. The room says which texts may differ: those that it
//! does not look into unless the stream is guarded.

use std::ops::Range;

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;
use bytes::BytesMut;

use super::{Chunk, EventReader};
use crate::json::Place;
use crate::sse;

/// Texts, reasoning and arguments of tools have a mould each, and so have the choices: more than these alternate rarely.
const MOULDS_MAX: usize = 4;

/// What ends a frame, as providers write it.
const ENDS: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];

/// What a frame holds that differs from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hole {
    /// The contents of a text, without its quotes.
    Text,
    /// A whole number, which the reader is told.
    Number,
}

/// Bytes that are the same in each frame, with what the caller gets for them, and the hole behind them.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    literal: Vec<u8>,
    /// None: the same.
    with: Option<Vec<u8>>,
    hole: Hole,
}

/// One mould.
#[derive(Debug, PartialEq, Eq)]
struct Mould {
    parts: Vec<Part>,
    /// What stands behind the last hole, up to the object's bracket, without the spaces before it: Anthropic pads there.
    tail: Vec<u8>,
    tail_with: Option<Vec<u8>>,
    end: &'static [u8],
}

/// The moulds of one stream, the one that fitted last first.
#[derive(Debug, Default)]
pub(super) struct Moulds(Vec<Mould>);

impl Moulds {
    /// Keeps a frame that was read as a mould, if the next may be like it.
    pub(super) fn keep(&mut self, frame: &sse::Frame, chunk: &Chunk, reader: &dyn EventReader) {
        let plain = chunk.usage.is_none()
            && !chunk.unasked
            && !chunk.last
            && chunk.stage == 0
            && chunk.choices.iter().all(|(_, ends)| !ends);
        let sse::Data::At(at) = &frame.data else { return };
        let Some(text) = frame.data().filter(|_| plain).and_then(|data| std::str::from_utf8(data).ok())
        else {
            return;
        };
        let holes = reader.holes(Place::root(text));
        if let Some(mould) = Mould::new(frame, at, text, holes, chunk)
            && self.0.iter().all(|other| *other != mould)
        {
            self.0.truncate(MOULDS_MAX - 1);
            self.0.insert(0, mould);
        }
    }

    /// Writes the frames that fit, and returns how many bytes they have.
    pub(super) fn pass(&mut self, bytes: &[u8], reader: &mut dyn EventReader, out: &mut BytesMut) -> usize {
        let mut copy = Copy { bytes, from: 0 };
        let mut at = 0;
        while let Some((index, end)) = self
            .0
            .iter()
            .enumerate()
            .find_map(|(index, mould)| Some((index, mould.pass(&mut copy, at, reader, out)?)))
        {
            if let Some(before) = self.0.get_mut(..=index) {
                before.rotate_right(1);
            }
            at = end;
        }
        copy.up_to(at, out);
        at
    }
}

/// Copies as late and as much at once as it can.
struct Copy<'a> {
    bytes: &'a [u8],
    from: usize,
}

impl Copy<'_> {
    fn up_to(&mut self, at: usize, out: &mut BytesMut) {
        out.extend_from_slice(self.bytes.get(self.from..at).unwrap_or_default());
        self.from = at;
    }

    fn replace(&mut self, place: Range<usize>, with: Option<&[u8]>, out: &mut BytesMut) {
        if let Some(with) = with {
            self.up_to(place.start, out);
            out.extend_from_slice(with);
            self.from = place.end;
        }
    }
}

impl Mould {
    fn new(
        frame: &sse::Frame,
        data: &Range<usize>,
        text: &str,
        mut holes: Vec<(Range<usize>, Hole)>,
        chunk: &Chunk,
    ) -> Option<Self> {
        let rest = frame.bytes.get(data.end..)?;
        let end = ENDS.into_iter().find(|end| *end == rest)?;
        holes.sort_by_key(|(place, _)| place.start);
        let edits = chunk.edits.sorted();
        let mut begin = 0;
        let mut parts = Vec::new();
        let head = frame.bytes.get(..data.start)?;
        for (place, hole) in holes {
            // The quotes of a text are literal.
            let (start, end) = match hole {
                Hole::Text => (place.start + 1, place.end.checked_sub(1)?),
                Hole::Number => (place.start, place.end),
            };
            let (literal, with) = literal(text, begin..start, &edits)?;
            parts.push(Part { literal, with, hole });
            begin = end;
        }
        let first = parts.first_mut()?;
        first.literal.splice(0..0, head.iter().copied());
        if let Some(with) = &mut first.with {
            with.splice(0..0, head.iter().copied());
        }
        let last = text.len().checked_sub(1).filter(|last| text.get(*last..) == Some("}"))?;
        let padded = text.get(begin..last)?;
        let (tail, tail_with) = literal(text, begin..begin + padded.trim_end_matches(' ').len(), &edits)?;
        let known: usize = edits.iter().filter(|(place, _)| place.end <= last).count();
        (known == edits.len()).then_some(Self { parts, tail, tail_with, end })
    }

    /// Writes the frame that begins here if it fits, and returns its end.
    fn pass(
        &self,
        copy: &mut Copy<'_>,
        start: usize,
        reader: &mut dyn EventReader,
        out: &mut BytesMut,
    ) -> Option<usize> {
        let (written, from) = (out.len(), copy.from);
        let passed = self.walk(copy, start, out).filter(|(end, _)| end - start <= SSE_EVENT_BYTES_MAX);
        match passed {
            Some((_, number)) => number.into_iter().for_each(|number| reader.passed(number)),
            None => {
                out.truncate(written);
                copy.from = from;
            }
        }
        passed.map(|(end, _)| end)
    }

    /// Goes over a frame and writes it; what was written is worth nothing if it does not fit. Returns its end and its number.
    fn walk(&self, copy: &mut Copy<'_>, start: usize, out: &mut BytesMut) -> Option<(usize, Option<u64>)> {
        let bytes = copy.bytes;
        let mut number = None;
        let mut at = start;
        for part in &self.parts {
            let hole = after(bytes, at, &part.literal)?;
            let rest = bytes.get(hole..)?;
            let len = match part.hole {
                Hole::Text => text_len(rest)?,
                Hole::Number => {
                    let digits = number_of(rest)?;
                    number = digits.parse().ok();
                    digits.len()
                }
            };
            copy.replace(at..hole, part.with.as_deref(), out);
            at = hole + len;
        }
        let padding = after(bytes, at, &self.tail)?;
        copy.replace(at..padding, self.tail_with.as_deref(), out);
        let spaces = bytes.get(padding..)?.iter().take_while(|byte| **byte == b' ').count();
        let end = after(bytes, after(bytes, padding + spaces, b"}")?, self.end)?;
        Some((end, number))
    }
}

/// Returns a stretch of the data and what the caller gets for it; none if an edit goes beyond it.
fn literal(
    text: &str,
    at: Range<usize>,
    edits: &[(Range<usize>, &str)],
) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let literal = text.get(at.clone())?;
    let mut with = String::with_capacity(literal.len() + 64);
    let mut from = at.start;
    let inside = edits.iter().filter(|(place, _)| place.end > at.start && place.start < at.end);
    for (place, replacement) in inside {
        if place.start < at.start || place.end > at.end {
            return None;
        }
        with.push_str(text.get(from..place.start)?);
        with.push_str(replacement);
        from = place.end;
    }
    with.push_str(text.get(from..at.end)?);
    let changed = with != literal;
    Some((literal.as_bytes().to_vec(), changed.then(|| with.into_bytes())))
}

/// Returns the place behind bytes that must stand here.
fn after(bytes: &[u8], at: usize, literal: &[u8]) -> Option<usize> {
    let end = at + literal.len();
    (bytes.get(at..end)? == literal).then_some(end)
}

/// Returns how long the contents of a text are whose closing quote comes first; none if JSON does not allow them.
fn text_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            break;
        }
        at += match bytes.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if bytes.get(at + 2..at + 6)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
    }
    let contents = bytes.get(..at)?;
    let plain = contents.iter().fold(true, |plain, byte| plain & (*byte >= b' '));
    (plain && std::str::from_utf8(contents).is_ok()).then_some(at)
}

/// Returns the digits that stand here; none if JSON does not allow them, or they are beyond any number of events.
fn number_of(bytes: &[u8]) -> Option<&str> {
    let len = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let plain = bytes.first()? != &b'0' || len == 1;
    let digits = bytes.get(..len).filter(|_| plain && (1..=9).contains(&len))?;
    std::str::from_utf8(digits).ok()
}

#[cfg(test)]
mod tests;
