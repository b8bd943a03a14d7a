//! Server-sent events as bytes (source: WHATWG HTML, 9.2): lines end by LF, CR or CRLF, a byte order mark may stand first,
//! comments and unknown fields are kept, an event may have several `data` lines, and the last may lack its empty line.
//!
//! A frame keeps the bytes it came as, and so a stream in which nothing changes passes byte for byte.

use std::ops::Range;

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;
use bytes::{Buf, Bytes, BytesMut};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event with the bytes it came as, up to the end of its empty line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// All of its bytes.
    pub bytes: Bytes,
    /// Its data.
    pub data: Data,
    /// The `event` field; empty if there is none.
    pub event: String,
    /// Its empty line came too.
    pub terminated: bool,
}

/// The data of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// None: comments and the like.
    None,
    /// One line, at this place of the frame's bytes.
    At(Range<usize>),
    /// Several lines, joined by LF; or a line without a colon, where no place takes other data.
    Joined(Vec<u8>),
}

/// An event is larger than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event has more than {SSE_EVENT_BYTES_MAX} bytes")]
pub struct EventTooLarge;

impl Frame {
    /// Returns the data's bytes; none if the event has no data.
    #[must_use]
    pub fn data(&self) -> Option<&[u8]> {
        match &self.data {
            Data::None => None,
            Data::At(place) => self.bytes.get(place.clone()),
            Data::Joined(joined) => Some(joined),
        }
    }

    /// Returns the frame's bytes with other data of one line.
    #[must_use]
    pub fn with_data(&self, data: &str) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.bytes.len() + data.len());
        let place = match &self.data {
            Data::At(place) => place.clone(),
            Data::None | Data::Joined(_) => {
                if !self.event.is_empty() {
                    bytes.extend_from_slice(format!("event: {}\n", self.event).as_bytes());
                }
                bytes.extend_from_slice(format!("data: {data}\n\n").as_bytes());
                return bytes.freeze();
            }
        };
        bytes.extend_from_slice(self.bytes.get(..place.start).unwrap_or_default());
        bytes.extend_from_slice(data.as_bytes());
        bytes.extend_from_slice(self.bytes.get(place.end..).unwrap_or_default());
        if !self.terminated {
            bytes.extend_from_slice(closing(&self.bytes));
        }
        bytes.freeze()
    }

    /// Returns the frame's bytes, with an empty line if it lacks one.
    #[must_use]
    pub fn whole(&self) -> Bytes {
        if self.terminated {
            return self.bytes.clone();
        }
        [&self.bytes, closing(&self.bytes)].concat().into()
    }
}

/// Cuts a stream of bytes, in any pieces, into frames.
#[derive(Debug, Default)]
pub struct Framer {
    held: BytesMut,
    /// Where the line at hand begins, and how far it was searched for its end.
    line: usize,
    searched: usize,
    /// The line before ended by a CR alone, so that an LF cannot belong to the next CR.
    bare_cr: bool,
    started: bool,
    /// Where the event ends that was found and not yet taken.
    found: Option<usize>,
}

impl Framer {
    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        self.held.extend_from_slice(chunk);
    }

    /// Returns the next frame that is complete.
    ///
    /// # Errors
    ///
    /// The event at hand is larger than the bound.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, EventTooLarge> {
        let end = self.find()?;
        Ok(end.map(|end| self.cut(end, true)))
    }

    /// Returns the bytes of the next event that is complete; [`Framer::skip`] or [`Framer::next_frame`] takes it.
    ///
    /// # Errors
    ///
    /// The event at hand is larger than the bound.
    pub(crate) fn peek(&mut self) -> Result<Option<&[u8]>, EventTooLarge> {
        let end = self.find()?;
        Ok(end.and_then(|end| self.held.get(..end)))
    }

    /// Takes the event that was peeked at, unread.
    pub(crate) fn skip(&mut self) {
        if let Some(end) = self.found {
            self.held.advance(end);
            self.begin();
        }
    }

    /// Finds where the next complete event ends.
    fn find(&mut self) -> Result<Option<usize>, EventTooLarge> {
        if self.found.is_some() {
            return Ok(self.found);
        }
        while let Some((end, next, bare)) = self.line_end() {
            let empty = end == self.line + if self.line == 0 { self.mark() } else { 0 };
            // An empty line before anything else separates nothing; it goes with what follows.
            let ends = empty && self.held.get(..self.line).is_some_and(has_line);
            self.line = next;
            self.searched = next;
            self.bare_cr = bare;
            if next > SSE_EVENT_BYTES_MAX {
                return Err(EventTooLarge);
            }
            if ends {
                self.found = Some(next);
                return Ok(self.found);
            }
        }
        if self.held.len() > SSE_EVENT_BYTES_MAX { Err(EventTooLarge) } else { Ok(None) }
    }

    /// Whether everything pushed was cut into events, and lines end by LF, so that the next byte begins an event.
    #[must_use]
    pub(crate) fn between_events(&self) -> bool {
        self.started && self.held.is_empty() && !self.bare_cr
    }

    /// Returns what is left when the stream is over, if anything is.
    #[must_use]
    pub fn finish(mut self) -> Option<Frame> {
        let rest = self.held.len();
        (rest > 0).then(|| self.cut(rest, false))
    }

    /// Finds the end of the line at hand: where its content ends, where the next line begins, and whether by CR alone.
    fn line_end(&mut self) -> Option<(usize, usize, bool)> {
        let rest = self.held.get(self.searched..).unwrap_or_default();
        let Some(skip) = memchr::memchr2(b'\n', b'\r', rest) else {
            self.searched = self.held.len();
            return None;
        };
        let end = self.searched + skip;
        match (self.held.get(end), self.held.get(end + 1)) {
            (Some(b'\n'), _) => Some((end, end + 1, false)),
            (_, Some(b'\n')) if !self.bare_cr => Some((end, end + 2, false)),
            (_, Some(_)) => Some((end, end + 1, true)),
            // A CR is the last byte so far. In a stream whose lines end by CR alone it is an end; else an LF may follow.
            (_, None) if self.bare_cr => Some((end, end + 1, true)),
            (_, None) => {
                self.searched = end;
                None
            }
        }
    }

    /// Bytes of the mark at the stream's start.
    fn mark(&self) -> usize {
        if !self.started && self.held.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }
    }

    /// The next byte begins an event.
    fn begin(&mut self) {
        self.line = 0;
        self.searched = 0;
        self.found = None;
        self.started = true;
    }

    fn cut(&mut self, len: usize, terminated: bool) -> Frame {
        let mark = self.mark();
        let bytes = self.held.split_to(len).freeze();
        self.begin();
        let (data, event) = fields(&bytes, mark);
        Frame { bytes, data, event, terminated }
    }
}

/// Returns how many bytes there are up to the end of the first event that is whole; all if none is, or its lines end otherwise
/// than by LF.
pub(crate) fn first_event(bytes: &[u8]) -> usize {
    let mut lines = memchr::memchr_iter(b'\n', bytes);
    let end = lines.find(|end| bytes.get(end + 1) == Some(&b'\n'));
    end.map_or(bytes.len(), |end| end + 2)
}

/// Returns what an event without its empty line lacks: its last line may have ended, or its empty line may have begun.
fn closing(bytes: &[u8]) -> &'static [u8] {
    let begun = match bytes {
        [.., b'\n'] => true,
        // A CR that may be the first half of a line's end: of the empty one, or in a stream whose lines end by CR alone.
        [before @ .., b'\r'] => {
            let last = memchr::memrchr2(b'\n', b'\r', before);
            last.is_some_and(|at| at + 1 == before.len() || before.get(at) == Some(&b'\r'))
        }
        _ => false,
    };
    if begun { b"\n" } else { b"\n\n" }
}

/// Whether any line stands there that is not empty.
fn has_line(before: &[u8]) -> bool {
    before.iter().any(|byte| !matches!(byte, b'\n' | b'\r'))
}

/// Reads the fields of an event.
fn fields(bytes: &[u8], mark: usize) -> (Data, String) {
    let mut data = Data::None;
    let mut event = String::new();
    let mut at = mark;
    while at < bytes.len() {
        let rest = bytes.get(at..).unwrap_or_default();
        let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..len).unwrap_or_default();
        let name = memchr::memchr(b':', line).unwrap_or(line.len());
        let space = usize::from(line.get(name + 1) == Some(&b' '));
        let value = (name + 1 + space).min(line.len());
        let content = line.get(value..).unwrap_or_default();
        match line.get(..name) {
            Some(b"data") => {
                data = match data {
                    Data::None if name == len => Data::Joined(Vec::new()),
                    Data::None => Data::At(at + value..at + len),
                    Data::At(place) => {
                        Data::Joined([bytes.get(place).unwrap_or_default(), b"\n", content].concat())
                    }
                    Data::Joined(joined) => Data::Joined([&joined, b"\n".as_slice(), content].concat()),
                }
            }
            Some(b"event") => event = String::from_utf8_lossy(content).into_owned(),
            Some(_) | None => {}
        }
        at += len + 1;
    }
    (data, event)
}

#[cfg(test)]
mod tests;
