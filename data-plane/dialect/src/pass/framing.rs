//! The pieces of which a stream is made, whatever frames them.

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;
use bytes::Bytes;

use crate::{StreamFault, eventstream, json, sse};

/// What frames a format's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// AWS's binary event stream.
    EventStream,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug)]
pub(super) enum Framer {
    Sse(sse::Framer),
    EventStream(eventstream::Framer),
}

impl Framer {
    pub(super) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(sse::Framer::default()),
            Framing::EventStream => Self::EventStream(eventstream::Framer::default()),
        }
    }

    /// Whether everything pushed was cut into server-sent events, so that the next byte begins one.
    pub(super) fn between_events(&self) -> bool {
        match self {
            Self::Sse(framer) => framer.between_events(),
            Self::EventStream(_) => false,
        }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(framer) => framer.push(bytes),
            Self::EventStream(framer) => framer.push(bytes),
        }
    }

    pub(super) fn next_frame(&mut self) -> Result<Option<Frame>, StreamFault> {
        let too_large = StreamFault::EventTooLarge { limit: SSE_EVENT_BYTES_MAX };
        match self {
            Self::Sse(framer) => match framer.next_frame() {
                Ok(frame) => Ok(frame.map(Frame::Sse)),
                Err(sse::EventTooLarge) => Err(too_large),
            },
            Self::EventStream(framer) => match framer.next_frame() {
                Ok(frame) => Ok(frame.map(Frame::EventStream)),
                Err(eventstream::Fault::TooLarge) => Err(too_large),
                Err(eventstream::Fault::Broken) => Err(StreamFault::Garbage),
            },
        }
    }

    /// Returns what is left of a stream that is over: an event without its empty line is one, half an event or half a message
    /// is none, because a stream that breaks off there is cut and not wrong.
    pub(super) fn finish(&mut self) -> Option<Frame> {
        let is_whole = |frame: &sse::Frame| {
            frame.data().is_none_or(|data| data.trim_ascii() == b"[DONE]" || json::check(data).is_ok())
        };
        match self {
            Self::Sse(framer) => std::mem::take(framer).finish().filter(is_whole).map(Frame::Sse),
            Self::EventStream(_) => None,
        }
    }
}

/// One frame with the bytes it came as.
#[derive(Debug)]
pub(super) enum Frame {
    Sse(sse::Frame),
    EventStream(eventstream::Frame),
}

impl Frame {
    /// Returns the event's name.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Sse(frame) => &frame.event,
            Self::EventStream(frame) if frame.message_type == eventstream::MessageType::Event => &frame.kind,
            // Both kinds of failure read as one, with the failure's name as code.
            Self::EventStream(_) => "exception",
        }
    }

    /// Returns the data; none for comments and the like.
    pub(super) fn data(&self) -> Option<&[u8]> {
        match self {
            Self::Sse(frame) => frame.data(),
            Self::EventStream(frame) if frame.message_type == eventstream::MessageType::Event => {
                Some(frame.payload())
            }
            Self::EventStream(frame) => Some(frame.kind.as_bytes()),
        }
    }

    /// Returns the bytes, with the end that the last event of a stream may lack.
    pub(super) fn whole(&self) -> Bytes {
        match self {
            Self::Sse(frame) => frame.whole(),
            Self::EventStream(frame) => frame.bytes.clone(),
        }
    }

    /// Returns the bytes with other data.
    pub(super) fn with_data(&self, data: &str) -> Bytes {
        match self {
            Self::Sse(frame) => frame.with_data(data),
            Self::EventStream(frame) => frame.with_payload(data),
        }
    }
}
