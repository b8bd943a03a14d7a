//! One connection: TLS, the protocol, its bounds, and its end.

use std::time::Duration;

use breakwater_common::limits::{CALL_BUFFER_BYTES_MAX, CALL_HEADER_BYTES_MAX, CALL_STREAMS_MAX};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::util::MapRequest;

use super::ends::Ending;
use super::sniff::{Protocol, Rewound, sniff};
use super::stall::Unstalled;
use super::{Peer, Shared, Stack};

/// Time between HTTP/2 pings on a connection with open streams, and for their answer. A client that vanished without a
/// word is found in two of these.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Serves a connection to its end. Nothing is returned: whatever ends a connection is counted here.
pub(super) async fn serve(shared: &Shared, stream: TcpStream, peer: Peer) {
    // Cancel-safe: a connection that is dropped here has asked for nothing yet. Pools hold such connections in reserve, and
    // a drain must not wait for a first byte that never comes. What is there already goes first.
    let begun = tokio::select! {
        biased;
        begun = timeout(shared.head_timeout, begin(shared, stream)) => begun,
        () = shared.stop.cancelled() => return,
    };
    let cause = match begun {
        Err(_elapsed) => Some("slow_client"),
        Ok(Err(cause)) => cause,
        Ok(Ok(Begun::Plain(protocol, io))) => speak(shared, protocol, io, peer).await,
        Ok(Ok(Begun::Tls(protocol, io))) => speak(shared, protocol, *io, peer).await,
    };
    if let Some(cause) = cause {
        shared.metrics.bad_input(cause);
        tracing::debug!(peer = %peer.0, cause, "connection ended badly");
    }
}

enum Begun {
    Plain(Protocol, Rewound<TcpStream>),
    Tls(Protocol, Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Errors: the cause to count; none if the client merely left.
async fn begin(shared: &Shared, stream: TcpStream) -> Result<Begun, Option<&'static str>> {
    let Some(acceptor) = &shared.tls else {
        let (protocol, io) = sniff(stream).await.map_err(|_left| None)?;
        return Ok(Begun::Plain(protocol, io));
    };
    let stream = acceptor.accept(stream).await.map_err(|_error| Some("tls_handshake"))?;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        Some(_) | None => Protocol::Http1,
    };
    Ok(Begun::Tls(protocol, Box::new(stream)))
}

async fn speak<I>(shared: &Shared, protocol: Protocol, io: I, peer: Peer) -> Option<&'static str>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stack = with_peer(shared.stack.clone(), peer);
    let ended = match protocol {
        Protocol::Http1 => speak_http1(shared, io, stack).await,
        Protocol::Http2 => speak_http2(shared, io, stack).await,
    };
    ended.err().and_then(|error| cause(&error))
}

async fn speak_http1<I, F>(shared: &Shared, io: I, stack: MapRequest<Stack, F>) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: FnMut(Request<Incoming>) -> Request<Incoming> + Clone + Send + 'static,
{
    let mut builder = http1::Builder::new();
    let _ = builder
        .timer(TokioTimer::new())
        .header_read_timeout(shared.head_timeout)
        .max_header_size(CALL_HEADER_BYTES_MAX)
        .max_buf_size(CALL_BUFFER_BYTES_MAX);
    let connection = builder.serve_connection(
        TokioIo::new(Unstalled::new(io, shared.stall_timeout)),
        TowerToHyperService::new(stack),
    );
    let mut connection = std::pin::pin!(connection);
    // Cancel-safe: the connection is polled in place by both arms and never dropped before its end.
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

async fn speak_http2<I, F>(shared: &Shared, io: I, stack: MapRequest<Stack, F>) -> hyper::Result<()>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: FnMut(Request<Incoming>) -> Request<Incoming> + Clone + Send + 'static,
{
    let ends = Ending { grace: shared.stall_timeout, metrics: shared.metrics.clone() };
    let mut builder = http2::Builder::new(ends);
    let _ = builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(CALL_STREAMS_MAX)
        .max_header_list_size(u32::try_from(CALL_HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    let connection = builder.serve_connection(
        TokioIo::new(Unstalled::new(io, shared.stall_timeout)),
        TowerToHyperService::new(stack),
    );
    let mut connection = std::pin::pin!(connection);
    // Cancel-safe: as above.
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = shared.stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

fn with_peer(
    stack: Stack,
    peer: Peer,
) -> MapRequest<Stack, impl FnMut(Request<Incoming>) -> Request<Incoming> + Clone + Send + 'static> {
    MapRequest::new(stack, move |mut request: Request<Incoming>| {
        let _none_before = request.extensions_mut().insert(peer);
        request
    })
}

/// Returns what to count; none for a client that merely left.
fn cause(error: &hyper::Error) -> Option<&'static str> {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let http2 = source.and_then(|source| source.downcast_ref::<h2::Error>());
    if io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
        Some("stalled_client")
    } else if error.is_parse_too_large() {
        Some("header_flood")
    } else if error.is_timeout() {
        Some("slow_client")
    } else if error.is_parse() {
        Some("not_http")
    } else {
        // Only where it is we who ended the connection; a client may end its own.
        http2.filter(|error| error.is_library()).and_then(h2::Error::reason).and_then(http2_cause)
    }
}

/// Returns what to count for a connection that we ended for this reason (RFC 9113, section 7).
fn http2_cause(reason: h2::Reason) -> Option<&'static str> {
    match reason {
        h2::Reason::NO_ERROR | h2::Reason::INTERNAL_ERROR => None,
        h2::Reason::ENHANCE_YOUR_CALM => Some("http2_flood"),
        _ => Some("not_http"),
    }
}
