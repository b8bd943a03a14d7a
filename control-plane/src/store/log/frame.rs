//! Frames: one group of operations, one write, one sync.
//!
//! ```text
//! magic u32 | body bytes u32 | sequence u64 | segment u64 | crc32c u32 | zero u32 | body ... | zeros up to a sector
//! ```
//!
//! All numbers are big endian. The checksum covers everything before it and the body. A frame starts on a sector and fills
//! its last one, so no sector that holds acknowledged bytes is written again. The sequence counts frames over the whole
//! life of the log: frame N + 1 is begun only after frame N is synced.

use breakwater_common::limits::WAL_FRAME_BYTES_MAX;

/// Bytes a device writes whole or not at all.
pub(super) const SECTOR_BYTES: usize = 512;
const HEAD_BYTES: usize = 32;
const MAGIC: u32 = 0x4257_4c31; // "BWL1"

/// One frame as read.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// Its number in the log's life.
    pub(super) sequence: u64,
    /// Its records.
    pub(super) body: &'a [u8],
    /// Bytes it takes, with its padding.
    pub(super) size: usize,
}

/// Writes a frame.
pub(super) fn encode(segment: u64, sequence: u64, body: &[u8]) -> Vec<u8> {
    let size = (HEAD_BYTES + body.len()).next_multiple_of(SECTOR_BYTES);
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&MAGIC.to_be_bytes());
    // A body is bounded by WAL_FRAME_BYTES_MAX long before; a wrong length here could only make the frame unreadable.
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&segment.to_be_bytes());
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&bytes), body);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(body);
    bytes.resize(size, 0);
    bytes
}

/// Reads the frame at the start of `bytes`; `None` if there is no whole frame of this segment.
pub(super) fn decode(segment: u64, bytes: &[u8]) -> Option<Frame<'_>> {
    let (summed, rest) = bytes.split_at_checked(24)?;
    let (magic, numbers) = summed.split_first_chunk::<4>()?;
    let (length, numbers) = numbers.split_first_chunk::<4>()?;
    let (sequence, numbers) = numbers.split_first_chunk::<8>()?;
    let (written_for, _) = numbers.split_first_chunk::<8>()?;
    if u32::from_be_bytes(*magic) != MAGIC || u64::from_be_bytes(*written_for) != segment {
        return None;
    }
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first_chunk::<4>()?;
    let length =
        usize::try_from(u32::from_be_bytes(*length)).ok().filter(|length| *length <= WAL_FRAME_BYTES_MAX)?;
    let body = rest.get(..length)?;
    if crc32c::crc32c_append(crc32c::crc32c(summed), body) != u32::from_be_bytes(*checksum) {
        return None;
    }
    Some(Frame {
        sequence: u64::from_be_bytes(*sequence),
        body,
        size: (HEAD_BYTES + length).next_multiple_of(SECTOR_BYTES),
    })
}

/// Finds a readable frame numbered `sequence` or later in `bytes`: the proof that what is unreadable before it had been synced.
pub(super) fn find_later(segment: u64, sequence: u64, bytes: &[u8]) -> Option<u64> {
    bytes.chunks(SECTOR_BYTES).enumerate().find_map(|(sector, _)| {
        let frame = decode(segment, bytes.get(sector * SECTOR_BYTES..)?)?;
        (frame.sequence >= sequence).then_some(frame.sequence)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_survives_and_any_flipped_bit_is_seen() {
        let body = b"records of one group".repeat(40);
        let bytes = encode(7, 42, &body);
        assert_eq!(bytes.len() % SECTOR_BYTES, 0);
        let frame = decode(7, &bytes).unwrap();
        assert_eq!((frame.sequence, frame.body, frame.size), (42, body.as_slice(), bytes.len()));
        assert!(decode(8, &bytes).is_none(), "a frame of another segment is not believed");
        for at in 0..HEAD_BYTES - 4 + body.len() {
            let mut damaged = bytes.clone();
            let at = if at >= 28 { at + 4 } else { at };
            damaged[at] ^= 0x10;
            assert!(decode(7, &damaged).is_none(), "flip at {at} was not seen");
        }
    }

    #[test]
    fn no_length_of_bytes_panics() {
        let bytes = encode(1, 1, &[9; 100]);
        for length in 0..132 {
            assert!(decode(1, &bytes[..length]).is_none());
        }
    }
}
