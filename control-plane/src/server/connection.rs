//! One connection: HTTP/1.1 or HTTP/2 as its first bytes say.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use breakwater_common::limits::{
    ADMIN_HEADER_BYTES_MAX, ADMIN_HEADERS_MAX, ADMIN_STREAMS_PER_CONNECTION_MAX,
};
use breakwater_runtime::CancellationToken;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;

use super::Port;

/// Longest wait for the first request of a connection. Who sends nothing holds a place for no longer.
const FIRST_REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// Longest wait for the headers of a request, over HTTP/1.1.
const HEADERS_DEADLINE: Duration = Duration::from_secs(10);
/// Between pings of an HTTP/2 connection, and the longest wait for their answer.
const PING: Duration = Duration::from_secs(20);

/// Serves a connection until it ends or `end` asks it to: then what runs is answered, and nothing more.
pub(super) async fn serve<I>(stream: I, port: Port, end: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let began = Arc::new(AtomicBool::new(false));
    let noted = began.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        noted.store(true, Ordering::Relaxed);
        let port = port.clone();
        async move { Ok::<_, Infallible>(port.answer(request.map(Body::new)).await) }
    });
    let builder = builder();
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut idle = pin!(tokio::time::sleep(FIRST_REQUEST_DEADLINE));
    let mut watch_idle = true;
    let mut draining = false;
    loop {
        // The connection is resumed by reference; the others only wait.
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended early");
                }
                return;
            }
            () = end.cancelled(), if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            () = idle.as_mut(), if watch_idle => {
                watch_idle = false;
                if !began.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_DEADLINE)
        .max_headers(ADMIN_HEADERS_MAX)
        .max_buf_size(ADMIN_HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(ADMIN_STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(u32::try_from(ADMIN_HEADER_BYTES_MAX).unwrap_or(u32::MAX))
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
