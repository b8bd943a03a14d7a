//! Streams, cut into frames without cunning: over the whole text at once.

use breakwater_dialect::Format;
use serde_json::{Value, json};

/// One frame: where its bytes end, and its event. No event: a comment, or the `[DONE]` of chat completions.
#[derive(Debug)]
pub struct Frame {
    /// The place after its last byte.
    pub end: usize,
    /// What it says.
    pub event: Option<Value>,
    /// It is `[DONE]`.
    pub done: bool,
    /// The name that its `event:` line gives it.
    pub name: String,
}

/// Cuts a stream. An error says what is no frame.
pub fn split(format: Format, bytes: &[u8]) -> Result<Vec<Frame>, String> {
    match format {
        Format::Converse => split_binary(bytes),
        Format::Ollama => split_lines(bytes),
        _ => split_sse(bytes),
    }
}

/// The events of a stream, without what says nothing.
pub fn events(frames: Vec<Frame>) -> Vec<Value> {
    frames.into_iter().filter_map(|frame| frame.event).collect()
}

fn split_sse(bytes: &[u8]) -> Result<Vec<Frame>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut frames = Vec::new();
    let (mut data, mut name, mut end) = (Vec::new(), String::new(), 0);
    let mut close = |data: &mut Vec<String>, name: &mut String, end: usize| -> Result<(), String> {
        let joined = std::mem::take(data).join("\n");
        let name = std::mem::take(name);
        let done = joined.trim() == "[DONE]";
        let event = match joined.trim() {
            "" | "[DONE]" => None,
            json => Some(serde_json::from_str(json).map_err(|error| format!("{error}: {json:.80}"))?),
        };
        frames.push(Frame { end, event, done, name });
        Ok(())
    };
    for line in text.split_inclusive('\n') {
        end += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            if !data.is_empty() || !name.is_empty() {
                close(&mut data, &mut name, end)?;
            }
        } else if let Some(value) = line.strip_prefix("data:") {
            data.push(value.trim_start().to_owned());
        } else if let Some(value) = line.strip_prefix("event:") {
            name = value.trim().to_owned();
        }
    }
    if !data.is_empty() {
        close(&mut data, &mut name, end)?;
    }
    Ok(frames)
}

fn split_lines(bytes: &[u8]) -> Result<Vec<Frame>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut end = 0;
    let mut frames = Vec::new();
    for line in text.split_inclusive('\n') {
        end += line.len();
        if !line.trim().is_empty() {
            let event = serde_json::from_str(line).map_err(|error| format!("{error}: {line:.80}"))?;
            frames.push(Frame { end, event: Some(event), done: false, name: String::new() });
        }
    }
    Ok(frames)
}

/// Frames of `application/vnd.amazon.eventstream`: total length, length of headers, their CRC-32, headers, payload, CRC-32
/// of all. The event becomes `{"<event-type>": payload}`, an exception `{"<exception-type>": payload, "exception": true}`.
fn split_binary(bytes: &[u8]) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let frame = bytes.get(at..).filter(|rest| rest.len() >= 16).ok_or("a frame without a prelude")?;
        let (total, headers) = (number(frame, 0), number(frame, 4));
        if frame.len() < total || total < headers + 16 {
            return Err(format!("a frame of {total} bytes, of which {} are there", frame.len()));
        }
        if crc32(&frame[..8]) != number(frame, 8) || crc32(&frame[..total - 4]) != number(frame, total - 4) {
            return Err("a frame with a wrong checksum".to_owned());
        }
        let fields = headers_of(&frame[12..12 + headers])?;
        let payload = &frame[12 + headers..total - 4];
        let payload: Value = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let field =
            |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        at += total;
        let (name, event) = match field(":event-type") {
            Some(kind) => (kind.clone(), json!({ kind: payload })),
            None => {
                let kind = field(":exception-type").ok_or("a frame without a type")?;
                (kind.clone(), json!({ kind: payload, "exception": true }))
            }
        };
        frames.push(Frame { end: at, event: Some(event), done: false, name });
    }
    Ok(frames)
}

fn headers_of(mut bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let mut fields = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at(usize::from(*length));
        let [7, high, low, rest @ ..] = rest else { return Err("a header that is no text".to_owned()) };
        let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        fields.push((text(name), text(value)));
        bytes = rest;
    }
    Ok(fields)
}

fn number(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// CRC-32 (IEEE), bit by bit: nothing here is shared with the code under test.
fn crc32(bytes: &[u8]) -> usize {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    usize::try_from(!crc).expect("32 bits fit")
}
