//! AWS's binary event stream: a prelude of two lengths with a checksum, headers, a payload, and a checksum of all (source:
//! Smithy, `application/vnd.amazon.eventstream`). Checksums are computed bit by bit: few bytes pass here.

use bytes::Bytes;

/// Type of a header that holds a text.
const TEXT: u8 = 7;

/// Writes a message.
pub(in super::super) fn message(name: &str, payload: &[u8], exception: bool) -> Bytes {
    let (kind, key) = if exception { ("exception", ":exception-type") } else { ("event", ":event-type") };
    let mut headers = Vec::new();
    for (key, value) in [(key, name), (":content-type", "application/json"), (":message-type", kind)] {
        headers.push(u8::try_from(key.len()).unwrap_or(0));
        headers.extend_from_slice(key.as_bytes());
        headers.push(TEXT);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let all = 12 + headers.len() + payload.len() + 4;
    let mut message = Vec::with_capacity(all);
    message.extend_from_slice(&length(all));
    message.extend_from_slice(&length(headers.len()));
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    message.extend_from_slice(&headers);
    message.extend_from_slice(payload);
    message.extend_from_slice(&crc32(&message).to_be_bytes());
    Bytes::from(message)
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes()
}

/// CRC-32 of IEEE 802.3, reflected.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_ieee() {
        // The check value of the catalogue of CRCs.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn lengths_and_checksums_stand_where_readers_look() {
        let message = message("metadata", b"{}", false);
        assert_eq!(
            usize::try_from(u32::from_be_bytes(message[..4].try_into().unwrap())).unwrap(),
            message.len()
        );
        assert_eq!(message[8..12], crc32(&message[..8]).to_be_bytes());
        let end = message.len() - 4;
        assert_eq!(message[end..], crc32(&message[..end]).to_be_bytes());
    }
}
