//! Tells HTTP/2 from HTTP/1 by the first bytes of a connection without TLS, and gives the bytes back to whoever reads next.
//! It is ours so that a client that sends the first byte and then nothing runs into the head timeout.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What every HTTP/2 connection begins with. Source: RFC 9113, section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP/1.1 or older.
    Http1,
    /// HTTP/2, by prior knowledge or by ALPN.
    Http2,
}

/// A stream whose first bytes were read and are read again.
#[derive(Debug)]
pub(super) struct Rewound<S> {
    prefix: Bytes,
    stream: S,
}

/// Reads until it is clear what the client speaks. Errors: the client closed before, or the stream failed.
pub(super) async fn sniff<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(Protocol, Rewound<S>)> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    loop {
        let protocol = if !PREFACE.starts_with(&read) {
            Some(Protocol::Http1)
        } else if read.len() == PREFACE.len() {
            Some(Protocol::Http2)
        } else {
            None
        };
        if let Some(protocol) = protocol {
            return Ok((protocol, Rewound { prefix: read.freeze(), stream }));
        }
        let mut rest = (&mut stream).take(u64::try_from(PREFACE.len() - read.len()).unwrap_or(0));
        if rest.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix.split_to(count));
        if !self.prefix.has_remaining() {
            self.prefix = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(sent: &[u8], expect: Protocol) {
        let (protocol, mut rewound) = sniff(sent).await.unwrap();
        assert_eq!(protocol, expect);
        let mut again = Vec::new();
        let _ = rewound.read_to_end(&mut again).await.unwrap();
        assert_eq!(again, sent);
    }

    #[tokio::test]
    async fn the_first_bytes_decide_and_are_read_again() {
        check(b"GET / HTTP/1.1\r\n\r\n", Protocol::Http1).await;
        check(b"POST / HTTP/1.1\r\n\r\n", Protocol::Http1).await;
        check(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", Protocol::Http2).await;
        check(b"PRI * HTTP/2.1\r\n", Protocol::Http1).await;
        assert!(sniff(&b"PR"[..]).await.is_err());
    }
}
