//! Bodies of callers that came compressed: gzip, br and zstd (RFC 9110, section 8.4). The bound holds for what comes out, so
//! that a small body cannot become a large one.

use std::io::{self, Read};

use breakwater_common::limits::CALL_BODY_BYTES_MAX;
use bytes::Bytes;
use http::{HeaderMap, header};

use crate::fault::Fault;

/// What a body is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// Bodies up to this size are unpacked where they are read, larger ones on a thread that may block. In bytes, compressed.
const INLINE_BYTES_MAX: usize = 16 * 1024;

/// How a brotli stream begins whose window is larger than RFC 7932 has it (section 9.1: the pattern is invalid there).
const LARGE_WINDOW: u8 = 0x11;

impl Coding {
    /// Reads the coding of a request; none if the body is as it is. Errors: one that is not spoken here, or several.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(first) = codings.next() else { return Ok(None) };
        if codings.next().is_some() {
            return Err(Fault::ContentEncoding);
        }
        match first.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"identity" => Ok(None),
            b"gzip" | b"x-gzip" => Ok(Some(Self::Gzip)),
            b"br" => Ok(Some(Self::Brotli)),
            b"zstd" => Ok(Some(Self::Zstd)),
            _ => Err(Fault::ContentEncoding),
        }
    }
}

/// Unpacks a body. Errors: it is not what its head says, or more than the bound comes out.
pub(super) async fn inflate(coding: Coding, body: Bytes) -> Result<Bytes, Fault> {
    if body.len() <= INLINE_BYTES_MAX {
        return unpack(coding, &body);
    }
    let unpacked = tokio::task::spawn_blocking(move || unpack(coding, &body)).await;
    unpacked.map_err(|_panicked| Fault::Internal)?
}

fn unpack(coding: Coding, body: &[u8]) -> Result<Bytes, Fault> {
    let unpacked = match coding {
        Coding::Gzip => bounded(flate2::read::MultiGzDecoder::new(body)),
        // Not of RFC 7932, and a few bytes would reserve a gigabyte.
        Coding::Brotli if body.first().is_some_and(|byte| byte & 0x7f == LARGE_WINDOW) => {
            return Err(Fault::BrokenCoding);
        }
        Coding::Brotli => bounded(brotli_decompressor::Decompressor::new(body, 4_096)),
        Coding::Zstd => zstd::stream::read::Decoder::with_buffer(body).and_then(bounded),
    };
    let unpacked = unpacked.map_err(|_broken| Fault::BrokenCoding)?;
    if unpacked.len() > CALL_BODY_BYTES_MAX {
        return Err(Fault::BodyTooLarge { bytes_max: CALL_BODY_BYTES_MAX });
    }
    Ok(unpacked.into())
}

/// Reads up to one byte over the bound.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let bytes_max = u64::try_from(CALL_BODY_BYTES_MAX).unwrap_or(u64::MAX);
    let mut unpacked = Vec::new();
    let _bytes = reader.take(bytes_max.saturating_add(1)).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap().into()
    }

    #[tokio::test]
    async fn all_three_codings_come_out_as_they_went_in() {
        let text = br#"{"model":"m"}"#.repeat(3_000);
        let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
        // `{"model":"m"}`, by the reference encoder.
        let brotli = Bytes::from_static(b"\x0b\x06\x80{\"model\":\"m\"}\x03");
        assert_eq!(inflate(Coding::Gzip, gzip(&text)).await.unwrap(), text);
        assert_eq!(inflate(Coding::Zstd, zstd.into()).await.unwrap(), text);
        assert_eq!(inflate(Coding::Brotli, brotli).await.unwrap(), r#"{"model":"m"}"#);
    }

    #[tokio::test]
    async fn bombs_and_broken_bodies_are_refused() {
        let bomb = gzip(&vec![b' '; CALL_BODY_BYTES_MAX + 1]);
        assert!(bomb.len() < CALL_BODY_BYTES_MAX / 100, "it is a bomb");
        let too_large = Fault::BodyTooLarge { bytes_max: CALL_BODY_BYTES_MAX };
        assert_eq!(inflate(Coding::Gzip, bomb).await.unwrap_err(), too_large);
        for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let fault = inflate(coding, Bytes::from_static(b"{\"model\":1}")).await.unwrap_err();
            assert_eq!(fault, Fault::BrokenCoding, "{coding:?}");
        }
    }

    #[tokio::test]
    async fn a_brotli_window_beyond_the_standard_is_refused() {
        // The body above, in a large window (of 16 bits, to be kind to this test).
        const LARGE: &[u8] = b"\x11\x10\x18\x00\x02{\"model\":\"m\"}\x03";
        let fault = inflate(Coding::Brotli, Bytes::from_static(LARGE)).await.unwrap_err();
        assert_eq!(fault, Fault::BrokenCoding);
        let taken = bounded(brotli_decompressor::Decompressor::new(LARGE, 4_096)).unwrap();
        assert_eq!(taken, br#"{"model":"m"}"#, "the library would take it");
    }

    #[test]
    fn only_known_codings_are_read() {
        let check = |value: &'static str, expect: Result<Option<Coding>, Fault>| {
            let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, value.parse().unwrap())]);
            assert_eq!(Coding::of(&headers), expect, "{value}");
        };
        check("gzip", Ok(Some(Coding::Gzip)));
        check("GZIP", Ok(Some(Coding::Gzip)));
        check("br", Ok(Some(Coding::Brotli)));
        check("zstd", Ok(Some(Coding::Zstd)));
        check("identity", Ok(None));
        check("deflate", Err(Fault::ContentEncoding));
        check("gzip, br", Err(Fault::ContentEncoding));
    }
}
