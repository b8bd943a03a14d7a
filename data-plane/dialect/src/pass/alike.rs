//! A short way for the frames of a stream that nobody judges: one that is like one that was read ([`crate::mould`]) is
//! written as that one was, and not read. The room says which texts may differ: those that it does not look into unless the
//! stream is guarded.

use std::ops::Range;

use bytes::BytesMut;

use super::{Chunk, EventReader};
use crate::json::Place;
use crate::mould::{Hole, Mould, Recent};
use crate::sse;

/// A mould, and what the caller gets of what events that fit it have in common.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    mould: Mould,
    /// For the bytes before each hole; none: the same.
    parts: Vec<(Option<Vec<u8>>, Hole)>,
    tail: Option<Vec<u8>>,
}

/// The moulds of one stream.
#[derive(Debug, Default)]
pub(super) struct Moulds(Recent<Written>);

impl Moulds {
    /// Keeps a frame that was read as a mould, if the next may be like it.
    pub(super) fn keep(&mut self, frame: &sse::Frame, chunk: &Chunk, reader: &dyn EventReader) {
        let plain = chunk.usage.is_none()
            && !chunk.unasked
            && !chunk.last
            && chunk.stage == 0
            && chunk.choices.iter().all(|(_, ends)| !ends);
        let Some(text) = frame.data().filter(|_| plain).and_then(|data| std::str::from_utf8(data).ok())
        else {
            return;
        };
        let holes = reader.holes(Place::root(text));
        if let Some(written) = Written::new(frame, text, holes, chunk) {
            self.0.keep(written);
        }
    }

    /// Writes the frames that fit, and returns how many bytes they have.
    pub(super) fn pass(&mut self, bytes: &[u8], reader: &mut dyn EventReader, out: &mut BytesMut) -> usize {
        if self.0.is_empty() {
            return 0;
        }
        out.reserve(bytes.len());
        let mut copy = Copy { bytes, from: 0 };
        let mut at = 0;
        while let Some((_, end)) = self.0.find(|written| written.pass(&mut copy, at, reader, out)) {
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

impl Written {
    fn new(
        frame: &sse::Frame,
        text: &str,
        mut holes: Vec<(Range<usize>, Hole)>,
        chunk: &Chunk,
    ) -> Option<Self> {
        holes.sort_by_key(|(place, _)| place.start);
        let (mould, mut stretches) = Mould::new(frame, &holes)?;
        let edits = chunk.edits.sorted();
        let is_inside = |place: &Range<usize>, stretch: &Range<usize>| {
            stretch.start <= place.start && place.end <= stretch.end
        };
        if !edits.iter().all(|(place, _)| stretches.iter().any(|stretch| is_inside(place, stretch))) {
            return None;
        }
        let with = |stretch: Range<usize>| {
            let inside = edits.iter().filter(|(place, _)| is_inside(place, &stretch));
            with_edits(text, &stretch, inside)
        };
        let tail = with(stretches.pop()?);
        let mut parts: Vec<_> =
            stretches.into_iter().zip(&holes).map(|(stretch, (_, hole))| (with(stretch), *hole)).collect();
        // What stands before the data.
        if let (Some((Some(first), _)), sse::Data::At(data)) = (parts.first_mut(), &frame.data) {
            first.splice(0..0, frame.bytes.get(..data.start)?.iter().copied());
        }
        Some(Self { mould, parts, tail })
    }

    /// Writes the frame that begins here if it fits, and returns its end.
    fn pass(
        &self,
        copy: &mut Copy<'_>,
        start: usize,
        reader: &mut dyn EventReader,
        out: &mut BytesMut,
    ) -> Option<usize> {
        let (bytes, written, from) = (copy.bytes, out.len(), copy.from);
        let mut parts = self.parts.iter();
        let mut number = None;
        let fit = self.mould.fit(bytes, start, |fitting| {
            let Some((with, hole)) = parts.next() else { return };
            if *hole == Hole::Number {
                number = bytes.get(fitting.contents).and_then(|digits| std::str::from_utf8(digits).ok());
            }
            copy.replace(fitting.same, with.as_deref(), out);
        });
        let Some(fit) = fit else {
            out.truncate(written);
            copy.from = from;
            return None;
        };
        copy.replace(fit.tail, self.tail.as_deref(), out);
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            reader.passed(number);
        }
        Some(fit.end)
    }
}

/// Returns a stretch of the data with the edits that are inside it; none if it stays the same.
fn with_edits<'a>(
    text: &str,
    stretch: &Range<usize>,
    edits: impl Iterator<Item = &'a (Range<usize>, &'a str)>,
) -> Option<Vec<u8>> {
    let same = text.get(stretch.clone())?;
    let mut with = String::with_capacity(same.len() + 64);
    let mut from = stretch.start;
    for (place, replacement) in edits {
        with.push_str(text.get(from..place.start)?);
        with.push_str(replacement);
        from = place.end;
    }
    with.push_str(text.get(from..stretch.end)?);
    (with != same).then(|| with.into_bytes())
}

#[cfg(test)]
mod tests;
