//! One connection: served by hyper until a fault takes it over.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use breakwater_runtime::Tasks;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{body::PacedBody, calls, delivery::Raw, shared::Shared};

/// Time that a running answer gets when the simulator ends.
const DRAIN_MAX: Duration = Duration::from_millis(500);
/// What a client that expects TLS or HTTP is greeted with.
const GARBAGE: &[u8] = b"\x07\x00garbage, neither TLS nor HTTP\r\n\r\n";

/// A fault writes the answer: the connection is no more HTTP's.
#[derive(Debug, thiserror::Error)]
#[error("taken over by a simulated fault")]
pub(super) struct TakenOver;

/// Where a fault leaves what it wants to write.
pub(super) type Takeover = Arc<Mutex<Option<Raw>>>;

type Answering = Pin<Box<dyn Future<Output = Result<Response<PacedBody>, TakenOver>> + Send>>;

/// Serves a connection to its end.
pub(super) async fn serve(mut stream: TcpStream, shared: Arc<Shared>, tasks: Tasks) {
    let token = tasks.token();
    // Without it each small event waits for the acknowledgement of the one before.
    drop(stream.set_nodelay(true));
    let greeting = shared.greeting();
    if shared.refuses() {
        // It came between the fault and the end of the listener.
        drop(stream.set_zero_linger());
        return;
    }
    tokio::time::sleep(greeting.slow).await;
    if greeting.garbage {
        drop(stream.write_all(GARBAGE).await);
        return;
    }
    let takeover = Takeover::default();
    let (calls_shared, calls_takeover) = (shared.clone(), takeover.clone());
    let service = service_fn(move |request: Request<Incoming>| -> Answering {
        Box::pin(calls::handle(calls_shared.clone(), calls_takeover.clone(), request))
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // Cancel-safe: the connection keeps its own state between polls.
    tokio::select! {
        _ = poll_fn(|context| connection.poll_without_shutdown(context)) => {}
        () = token.cancelled() => {
            Pin::new(&mut connection).graceful_shutdown();
            // A stalled answer would never end by itself.
            let rest = poll_fn(|context| connection.poll_without_shutdown(context));
            drop(tokio::time::timeout(DRAIN_MAX, rest).await);
        }
    }
    let stream = connection.into_parts().io.into_inner();
    let raw = takeover.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(raw) = raw else { return };
    let whole = raw.whole;
    let played = tokio::select! {
        played = raw.play(stream) => played,
        () = token.cancelled() => false,
    };
    if played && whole {
        let _before = shared.completed.fetch_add(1, Ordering::Relaxed);
    }
}
