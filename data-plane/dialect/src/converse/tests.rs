//! Cases made by hand; `tests/corpus` has the recorded ones.

mod errors;
mod replies;
mod requests;
mod streams;
mod written;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::codec::{Caller, Target};
use crate::eventstream::{Frame, Framer, MessageType, write};
use crate::ir::{Accumulator, Event, Request};
use crate::quirks::PLAIN;
use crate::{Format, StreamFault};

fn target(model: &str) -> Target {
    Target {
        format: Format::Converse,
        model: model.to_owned(),
        max_output_tokens: None,
        embeddings: None,
        quirks: &PLAIN,
        reasons: None,
    }
}

fn caller() -> Caller {
    Caller {
        alias: "alias".to_owned(),
        id: "0123".to_owned(),
        created: 1_700_000_000,
        include_usage: false,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::new(Request::default()),
    }
}

/// Events of a stream that comes in pieces of a length, and the fault that ended it.
fn events(stream: &[u8], piece: usize) -> (Vec<Event>, Option<StreamFault>) {
    let (mut reader, mut events) = (super::stream_reader().unwrap(), Vec::new());
    for chunk in stream.chunks(piece.max(1)) {
        if let Err(fault) = reader.push(chunk, &mut events) {
            return (events, Some(fault));
        }
    }
    let fault = reader.finish(&mut events).err();
    (events, fault)
}

fn accumulated(events: &[Event]) -> Accumulator {
    let mut whole = Accumulator::default();
    events.iter().for_each(|event| whole.take(event));
    whole
}

fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut framer = Framer::default();
    framer.push(stream);
    let mut frames = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        frames.push(frame);
    }
    assert!(!framer.holds_rest());
    frames
}

/// A stream of events: kind and payload.
fn stream(of: &[(&str, &str)]) -> Bytes {
    let mut out = BytesMut::new();
    for (kind, payload) in of {
        write(MessageType::Event, kind, payload, &mut out);
    }
    out.freeze()
}
