//! Answers that no server of HTTP would write.

use std::time::Duration;

use bytes::Bytes;

use super::super::{
    answer::{Answer, Body, Framing, Part},
    delivery::{CHUNKED, Close, Raw, Step, chunk, head, last_chunk, length},
    fault::{Fault, Kind},
    wire,
};

/// Largest value of one header of a large head.
const HEADER_BYTES: usize = 8_000;
/// Bytes of a wrong `content-length` beyond what is sent.
const NEVER_SENT: usize = 100;

/// Writes an answer with a fault.
pub(super) fn write(fault: &Fault, answer: &Answer, pause: Duration) -> Raw {
    let chunks = answer.chunks();
    let all: Vec<u8> = chunks.concat();
    let pen = Pen { answer, chunks: &chunks, all: &all, pause };
    let amount = Duration::from_millis(fault.amount);
    match fault.kind {
        Kind::NotHttp => bytes(&[b"220 simulated mail service ready\r\n"], Close::End),
        Kind::HangUp => bytes(&[], Close::End),
        Kind::Reset => bytes(&[], Close::Reset),
        Kind::HalfHead => {
            let head = pen.head();
            bytes(&[head.get(..head.len() / 2).unwrap_or_default()], Close::End)
        }
        Kind::ResetAfterHead => bytes(&[&pen.head()], Close::Reset),
        Kind::SlowHead => pen.slow_head(amount),
        Kind::Informational => {
            let hints = Step::Bytes(Bytes::from_static(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"));
            Raw::new(std::iter::once(hints).chain(pen.right()), Close::End).whole()
        }
        Kind::Cut => pen.first(fault.place(), 0, Close::End),
        Kind::CutInside => pen.first(fault.place(), 2, Close::End),
        Kind::Stall => pen.first(fault.place(), 0, Close::Stay),
        Kind::CutUtf8 => pen.cut_character(),
        Kind::Drip => pen.drip(amount),
        Kind::Pings => pen.pings(amount),
        Kind::Endless => pen.endless(amount),
        Kind::BigHeaders => pen.big_headers(fault.size()),
        Kind::EarlyEof => pen.with_length(all.len(), all.len() / 2, Close::End),
        Kind::LengthShort => pen.with_length(all.len() / 2, all.len(), Close::End).whole(),
        Kind::LengthLong => pen.with_length(all.len() + NEVER_SENT, all.len(), Close::Stay).whole(),
        Kind::BadChunk => pen.bad_chunk(),
        // The rest is no matter of bytes; silence is the safest answer to a defect.
        _ => bytes(&[], Close::Stay),
    }
}

fn bytes(pieces: &[&[u8]], close: Close) -> Raw {
    let steps: Vec<Step> = pieces.iter().map(|piece| Step::Bytes(Bytes::copy_from_slice(piece))).collect();
    Raw::new(steps, close)
}

/// Writes one answer.
struct Pen<'a> {
    answer: &'a Answer,
    chunks: &'a [Bytes],
    all: &'a [u8],
    pause: Duration,
}

impl Pen<'_> {
    /// The head of the right answer.
    fn head(&self) -> Bytes {
        if self.answer.is_stream() {
            head(self.answer, CHUNKED)
        } else {
            head(self.answer, &length(self.all.len()))
        }
    }

    /// The body of the right answer, with its pauses.
    fn body(&self) -> Vec<Step> {
        if !self.answer.is_stream() {
            return vec![Step::Bytes(Bytes::copy_from_slice(self.all))];
        }
        let paced = self.chunks.iter().flat_map(|bytes| [chunk(bytes), Step::Wait(self.pause)]);
        paced.chain([last_chunk()]).collect()
    }

    fn right(&self) -> Vec<Step> {
        std::iter::once(Step::Bytes(self.head())).chain(self.body()).collect()
    }

    fn slow_head(&self, wait: Duration) -> Raw {
        let mut first = self.head();
        let second = first.split_off(first.len() / 2);
        let steps = [Step::Bytes(first), Step::Wait(wait), Step::Bytes(second)];
        Raw::new(steps.into_iter().chain(self.body()).collect::<Vec<_>>(), Close::End).whole()
    }

    /// The first events, and the so-manieth part of the next; of a plain answer its half, and its third.
    fn first(&self, events: usize, part: usize, close: Close) -> Raw {
        let mut steps = vec![Step::Bytes(self.head())];
        if self.answer.is_stream() {
            let first = self.chunks.iter().take(events);
            steps.extend(first.flat_map(|bytes| [chunk(bytes), Step::Wait(self.pause)]));
            let next = self.chunks.get(events).filter(|_| part > 0);
            steps.extend(next.map(|bytes| chunk(bytes.get(..bytes.len() / part).unwrap_or_default())));
        } else {
            let half = self.all.len() / 2_usize.max(part + 1);
            steps.push(Step::Bytes(Bytes::copy_from_slice(self.all.get(..half).unwrap_or_default())));
        }
        Raw::new(steps, close)
    }

    /// Everything up to the first byte of the first character that has several; without one, to the middle.
    fn cut_character(&self) -> Raw {
        let begun = self.all.iter().position(|byte| *byte >= 0xc0).map(|at| at + 1);
        let sent = self.all.get(..begun.unwrap_or(self.all.len() / 2)).unwrap_or_default();
        let body =
            if self.answer.is_stream() { chunk(sent) } else { Step::Bytes(Bytes::copy_from_slice(sent)) };
        Raw::new([Step::Bytes(self.head()), body], Close::End)
    }

    fn drip(&self, wait: Duration) -> Raw {
        let stream = self.answer.is_stream();
        let bytes: Vec<u8> = self.all.into();
        let drops = bytes.into_iter().flat_map(move |byte| {
            let drop = if stream { chunk(&[byte]) } else { Step::Bytes(Bytes::copy_from_slice(&[byte])) };
            [drop, Step::Wait(wait)]
        });
        let end = stream.then(last_chunk);
        Raw::new(std::iter::once(Step::Bytes(self.head())).chain(drops).chain(end), Close::End).whole()
    }

    /// Pings without an end; of a plain answer the spaces that may stand before its JSON.
    fn pings(&self, wait: Duration) -> Raw {
        let ping = match &self.answer.body {
            Body::Whole(_) => Bytes::from_static(b" "),
            Body::Events(framing, _) => match framing.frame(&wire::ping(*framing)) {
                nothing if nothing.is_empty() || *framing == Framing::Lines => Bytes::from_static(b"\n"),
                ping => ping,
            },
        };
        let pings = std::iter::repeat_with(move || [chunk(&ping), Step::Wait(wait)]).flatten();
        Raw::new(std::iter::once(Step::Bytes(head(self.answer, CHUNKED))).chain(pings), Close::End)
    }

    /// The right beginning, then the first content again and again; of a plain answer its text.
    fn endless(&self, wait: Duration) -> Raw {
        let first = match &self.answer.body {
            Body::Whole(_) => self.all.get(..self.all.len() / 2).map(|half| (vec![chunk(half)], chunk(b"x"))),
            Body::Events(_, events) => {
                let at = events.iter().position(|event| event.part == Part::Content);
                at.and_then(|at| {
                    let begun = self.chunks.iter().take(at).map(|bytes| chunk(bytes)).collect::<Vec<_>>();
                    Some((begun, chunk(self.chunks.get(at)?)))
                })
            }
        };
        let (begun, more) = first.unwrap_or_else(|| (Vec::new(), chunk(b"x")));
        let again = std::iter::repeat_with(move || [more.clone(), Step::Wait(wait)]).flatten();
        let head = Step::Bytes(head(self.answer, CHUNKED));
        Raw::new(std::iter::once(head).chain(begun).chain(again), Close::End)
    }

    fn big_headers(&self, size: usize) -> Raw {
        let mut large = self.answer.clone();
        for number in 0..size.div_ceil(HEADER_BYTES) {
            large = large.with(&format!("x-large-{number}"), "x".repeat(HEADER_BYTES));
        }
        let framing = if self.answer.is_stream() { CHUNKED.to_owned() } else { length(self.all.len()) };
        let head = Step::Bytes(head(&large, &framing));
        Raw::new(std::iter::once(head).chain(self.body()).collect::<Vec<_>>(), Close::End)
    }

    /// A body with a `content-length` that says something else.
    fn with_length(&self, said: usize, sent: usize, close: Close) -> Raw {
        let body = self.all.get(..sent).unwrap_or_default();
        bytes(&[&head(self.answer, &length(said)), body], close)
    }

    fn bad_chunk(&self) -> Raw {
        let (first, rest) = self.all.split_at_checked(self.all.len() / 2).unwrap_or((self.all, &[]));
        let mut wrong = b"zz\r\n".to_vec();
        wrong.extend_from_slice(rest);
        Raw::new(
            [Step::Bytes(head(self.answer, CHUNKED)), chunk(first), Step::Bytes(Bytes::from(wrong))],
            Close::End,
        )
    }
}
