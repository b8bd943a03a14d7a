//! Framers: how bytes are cut changes no frame, and no byte is lost.

use breakwater_dialect::{eventstream, sse};
use bytes::{BufMut, BytesMut};

/// Feeds an input to the framer of server-sent events. Its first byte is the size of pieces.
pub fn sse(data: &[u8]) {
    let Some((size, body)) = data.split_first() else { return };
    let whole = sse_frames([body].into_iter());
    let cut = sse_frames(body.chunks(usize::from(size % 32) + 1));
    assert_eq!(whole, cut);
    let Ok(frames) = whole else { return };
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
    assert_eq!(bytes, body);
    for frame in &frames {
        // Another data line, and the frame is one frame still.
        let changed = frame.with_data("{}");
        let again = sse_frames([changed.as_ref()].into_iter()).expect("it is no larger");
        assert_eq!(again.len(), 1, "{frame:?} became {again:?}");
        assert_eq!(again[0].data(), Some(&b"{}"[..]), "{frame:?} became {again:?}");
    }
}

fn sse_frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<sse::Frame>, sse::EventTooLarge> {
    let mut framer = sse::Framer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame()? {
            frames.push(frame);
        }
    }
    frames.extend(framer.finish());
    Ok(frames)
}

/// Feeds an input to the framer of AWS's event streams: as it is, and as headers and payload of messages that are whole.
pub fn eventstream(data: &[u8]) {
    let Some((size, body)) = data.split_first() else { return };
    let size = usize::from(size % 32) + 1;
    event_frames(size, body);
    let mut messages = BytesMut::new();
    // Each piece: the length of its headers, its headers, its payload.
    for piece in body.split(|byte| *byte == b'\n') {
        let Some((headers, rest)) = piece.split_first() else { continue };
        let headers = usize::from(*headers).min(rest.len());
        put_message(&rest[..headers], &rest[headers..], &mut messages);
    }
    event_frames(size, &messages);
    if let Ok(payload) = std::str::from_utf8(body) {
        written(payload);
    }
}

fn event_frames(size: usize, body: &[u8]) {
    let (frames, fault) = cut_events([body].into_iter());
    let cut = cut_events(body.chunks(size));
    assert_eq!((&frames, fault), (&cut.0, cut.1));
    let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.to_vec()).collect();
    assert!(body.starts_with(&bytes));
    for frame in &frames {
        std::hint::black_box(frame.header(":event-type"));
        if let Ok(payload) = std::str::from_utf8(frame.payload()) {
            assert_eq!(frame.with_payload(payload), frame.bytes);
        }
    }
}

fn written(payload: &str) {
    let mut out = BytesMut::new();
    eventstream::write(eventstream::MessageType::Event, "kind", payload, &mut out);
    let (frames, fault) = cut_events([out.as_ref()].into_iter());
    assert_eq!((frames.len(), fault), (1, None));
    assert_eq!((frames[0].kind.as_str(), frames[0].payload()), ("kind", payload.as_bytes()));
}

fn cut_events<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<eventstream::Frame>, Option<eventstream::Fault>) {
    let mut framer = eventstream::Framer::default();
    let mut frames = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
    }
    (frames, None)
}

/// Writes a message by the specification alone.
fn put_message(headers: &[u8], payload: &[u8], out: &mut BytesMut) {
    let mut message = BytesMut::new();
    message.put_u32(u32::try_from(headers.len() + payload.len() + 16).expect("inputs are short"));
    message.put_u32(u32::try_from(headers.len()).expect("inputs are short"));
    message.put_u32(crc32fast::hash(&message));
    message.put_slice(headers);
    message.put_slice(payload);
    message.put_u32(crc32fast::hash(&message));
    out.extend_from_slice(&message);
}
