//! AWS's binary event stream, `application/vnd.amazon.eventstream` (source: Smithy 2.0, "Amazon Event Stream"): a message is
//! its length, the length of its headers, a checksum of these two, the headers, a payload, and a checksum of all before it.
//! Numbers are big-endian, checksums CRC-32 (IEEE).
//!
//! A frame keeps the bytes it came as, and so a stream in which nothing changes passes byte for byte.

use std::ops::Range;

use breakwater_common::limits::SSE_EVENT_BYTES_MAX;
use bytes::{BufMut, Bytes, BytesMut};

/// The two lengths and their checksum.
const PRELUDE_BYTES: usize = 12;
/// A checksum.
const CRC_BYTES: usize = 4;
/// The type of a header's value that is a text.
const TEXT: u8 = 7;

/// Why bytes are no event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A message is larger than the bound.
    #[error("a message has more than {SSE_EVENT_BYTES_MAX} bytes")]
    TooLarge,
    /// Lengths, checksums or headers are wrong. What follows cannot be found.
    #[error("a message is broken")]
    Broken,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageType {
    /// `event`: what the stream is about.
    Event,
    /// `exception`: a failure that the service's model knows. The last message.
    Exception,
    /// `error`: one that it does not. The last message.
    Error,
}

impl MessageType {
    /// Returns the header's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Exception => "exception",
            Self::Error => "error",
        }
    }
}

/// One message with the bytes it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// All of its bytes.
    pub bytes: Bytes,
    /// `:message-type`; an event if there is none.
    pub message_type: MessageType,
    /// `:event-type`, `:exception-type` or `:error-code`, whichever its type has; empty if there is none.
    pub kind: String,
    headers: Range<usize>,
    payload: Range<usize>,
}

impl Frame {
    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(self.payload.clone()).unwrap_or_default()
    }

    /// Returns the value of a header that is a text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = Headers(self.bytes.get(self.headers.clone())?);
        while let Ok(Some((key, value))) = headers.next_header() {
            if key == name.as_bytes() {
                return value.and_then(|value| std::str::from_utf8(value).ok());
            }
        }
        None
    }

    /// Returns the message with another payload: the same headers, lengths and checksums of its own.
    #[must_use]
    pub fn with_payload(&self, payload: &str) -> Bytes {
        let headers = self.bytes.get(self.headers.clone()).unwrap_or_default();
        let mut out = BytesMut::with_capacity(headers.len() + payload.len() + PRELUDE_BYTES + CRC_BYTES);
        put_message(headers, payload.as_bytes(), &mut out);
        out.freeze()
    }
}

/// Cuts a stream of bytes, in any pieces, into messages.
#[derive(Debug, Default)]
pub struct Framer {
    held: BytesMut,
    /// A fault was found: nothing behind it can be believed.
    fault: Option<Fault>,
}

impl Framer {
    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.fault.is_none() {
            self.held.extend_from_slice(chunk);
        }
    }

    /// Returns the next message that is complete.
    ///
    /// # Errors
    ///
    /// The bytes are no message, or one larger than the bound. Lengths are judged before the message is awaited.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let next = self.cut();
        self.fault = next.as_ref().err().copied();
        next
    }

    /// Whether a message has begun that is not complete.
    #[must_use]
    pub fn holds_rest(&self) -> bool {
        !self.held.is_empty()
    }

    fn cut(&mut self) -> Result<Option<Frame>, Fault> {
        let Some(prelude) = self.held.get(..PRELUDE_BYTES) else { return Ok(None) };
        let (total, headers) = lengths(prelude)?;
        if self.held.len() < total {
            return Ok(None);
        }
        let bytes = self.held.split_to(total).freeze();
        let end = total - CRC_BYTES;
        let body = bytes.get(..end).ok_or(Fault::Broken)?;
        if number(&bytes, end) != Some(crc32fast::hash(body)) {
            return Err(Fault::Broken);
        }
        let payload = PRELUDE_BYTES + headers..end;
        let headers = PRELUDE_BYTES..PRELUDE_BYTES + headers;
        let (message_type, kind) = sort(bytes.get(headers.clone()).ok_or(Fault::Broken)?)?;
        Ok(Some(Frame { bytes, message_type, kind, headers, payload }))
    }
}

/// Reads a prelude: the message's length and that of its headers.
fn lengths(prelude: &[u8]) -> Result<(usize, usize), Fault> {
    let checked = prelude.get(..8).map(crc32fast::hash);
    if checked.is_none() || checked != number(prelude, 8) {
        return Err(Fault::Broken);
    }
    let length = |at| number(prelude, at).and_then(|length| usize::try_from(length).ok());
    let (Some(total), Some(headers)) = (length(0), length(4)) else { return Err(Fault::Broken) };
    if total > SSE_EVENT_BYTES_MAX {
        return Err(Fault::TooLarge);
    }
    match total.checked_sub(PRELUDE_BYTES + CRC_BYTES) {
        Some(rest) if headers <= rest => Ok((total, headers)),
        Some(_) | None => Err(Fault::Broken),
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Reads what a message is and its kind. All headers are walked, so that one that is wrong is found here.
fn sort(headers: &[u8]) -> Result<(MessageType, String), Fault> {
    let (mut message, mut event, mut exception, mut code) = (&b"event"[..], None, None, None);
    let mut headers = Headers(headers);
    while let Some((name, value)) = headers.next_header()? {
        match name {
            b":message-type" => message = value.unwrap_or_default(),
            b":event-type" => event = value,
            b":exception-type" => exception = value,
            b":error-code" => code = value,
            _ => {}
        }
    }
    let (message_type, kind) = match message {
        b"exception" => (MessageType::Exception, exception),
        b"error" => (MessageType::Error, code),
        _ => (MessageType::Event, event),
    };
    Ok((message_type, kind.map(|kind| String::from_utf8_lossy(kind).into_owned()).unwrap_or_default()))
}

/// A header's name, and its value if that is a text.
type Header<'a> = (&'a [u8], Option<&'a [u8]>);

/// Headers not yet read.
struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    /// Reads the next header.
    fn next_header(&mut self) -> Result<Option<Header<'a>>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let name_len = usize::from(self.byte()?);
        let name = self.take(name_len)?;
        let kind = self.byte()?;
        let len = match kind {
            // True, false; they need no more than their type.
            0 | 1 => 0,
            // Numbers of one, two, four and eight bytes, and a time.
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            // Bytes and text say their length.
            6 | TEXT => {
                let len = self.take(2)?.first_chunk().copied().ok_or(Fault::Broken)?;
                usize::from(u16::from_be_bytes(len))
            }
            // A UUID.
            9 => 16,
            _ => return Err(Fault::Broken),
        };
        let value = self.take(len)?;
        Ok(Some((name, (kind == TEXT).then_some(value))))
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.take(1)?.first().copied().ok_or(Fault::Broken)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Fault::Broken)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Writes a message of JSON, with the three headers that Bedrock gives and in its order.
pub fn write(message_type: MessageType, kind: &str, payload: &str, out: &mut BytesMut) {
    let kind_name = match message_type {
        MessageType::Event => ":event-type",
        MessageType::Exception => ":exception-type",
        MessageType::Error => ":error-code",
    };
    let mut headers = BytesMut::with_capacity(96);
    put_text(kind_name, kind, &mut headers);
    put_text(":content-type", "application/json", &mut headers);
    put_text(":message-type", message_type.as_str(), &mut headers);
    put_message(&headers, payload.as_bytes(), out);
}

/// Writes a header whose value is a text. Names and values are ours and short; longer ones are left out.
fn put_text(name: &str, value: &str, headers: &mut BytesMut) {
    let (Ok(name_len), Ok(value_len)) = (u8::try_from(name.len()), u16::try_from(value.len())) else {
        return;
    };
    headers.put_u8(name_len);
    headers.put_slice(name.as_bytes());
    headers.put_u8(TEXT);
    headers.put_u16(value_len);
    headers.put_slice(value.as_bytes());
}

/// Writes a message. One whose length does not fit its four bytes is left out: nobody holds so much.
fn put_message(headers: &[u8], payload: &[u8], out: &mut BytesMut) {
    let total = PRELUDE_BYTES + headers.len() + payload.len() + CRC_BYTES;
    let (Ok(total), Ok(headers_len)) = (u32::try_from(total), u32::try_from(headers.len())) else { return };
    let mut prelude = [0; 8];
    (&mut prelude[..]).put_u64(u64::from(total) << 32 | u64::from(headers_len));
    let prelude_crc = crc32fast::hash(&prelude);
    let mut crc = crc32fast::Hasher::new();
    for part in [&prelude[..], &prelude_crc.to_be_bytes(), headers, payload] {
        crc.update(part);
        out.put_slice(part);
    }
    out.put_u32(crc.finalize());
}

#[cfg(test)]
mod tests;
