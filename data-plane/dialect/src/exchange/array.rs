//! The stream of a Gemini caller who did not say `alt=sse`: one JSON array of what would be events. Providers are always
//! asked for events, and so only the last step is another.

use bytes::BytesMut;

use super::AnswerStream;
use crate::pass::{StreamEnd, StreamStep};
use crate::{StreamFault, sse};

/// A stream whose events become elements of an array.
#[derive(Debug)]
pub struct ArrayStream {
    inner: AnswerStream,
    array: Array,
}

impl ArrayStream {
    pub(super) fn new(inner: AnswerStream) -> Self {
        Self { inner, array: Array::default() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<StreamStep, StreamFault> {
        let step = self.inner.push(bytes)?;
        let mut out = BytesMut::with_capacity(step.bytes.len());
        self.array.add(&step.bytes, &mut out);
        Ok(StreamStep { bytes: out.freeze(), ..step })
    }

    pub(super) fn finish(mut self) -> StreamEnd {
        let end = self.inner.finish();
        let mut out = BytesMut::with_capacity(end.bytes.len() + 2);
        self.array.add(&end.bytes, &mut out);
        self.array.end(&mut out);
        StreamEnd { bytes: out.freeze(), ..end }
    }
}

/// Makes an array of a stream that came at once.
pub(super) fn whole(stream: StreamEnd) -> StreamEnd {
    let mut array = Array::default();
    let mut out = BytesMut::with_capacity(stream.bytes.len());
    array.add(&stream.bytes, &mut out);
    array.end(&mut out);
    StreamEnd { bytes: out.freeze(), ..stream }
}

/// An array that grows.
#[derive(Debug, Default)]
struct Array {
    framer: sse::Framer,
    begun: bool,
}

impl Array {
    /// Adds the events of these bytes. Comments and other frames without data say nothing here.
    fn add(&mut self, bytes: &[u8], out: &mut BytesMut) {
        self.framer.push(bytes);
        // Events beyond the bound were refused before they came here.
        while let Ok(Some(frame)) = self.framer.next_frame() {
            if let Some(data) = frame.data() {
                let begun = std::mem::replace(&mut self.begun, true);
                out.extend_from_slice(if begun { b",\n" } else { b"[" });
                out.extend_from_slice(data);
            }
        }
    }

    fn end(&self, out: &mut BytesMut) {
        out.extend_from_slice(if self.begun { b"]" } else { b"[]" });
    }
}
