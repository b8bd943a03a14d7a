//! Accepts connections and serves the stack on them: TLS if configured, HTTP/1.1 and HTTP/2, bounds on everything that a
//! client can make long, and a drain with a deadline.

mod connection;
mod ends;
mod sniff;
mod stall;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use breakwater_common::limits::PROXY_CONNECTIONS_MAX;
use breakwater_runtime::{CancellationToken, Tasks};
use http::Request;
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::util::BoxCloneSyncService;

use crate::call::Reply;
use crate::metrics::Metrics;

/// The finished stack.
pub(crate) type Stack = BoxCloneSyncService<Request<Incoming>, Reply, std::convert::Infallible>;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A listening port. Nothing is accepted before [`Server::run`].
pub(crate) struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// What every connection of a port needs.
pub(crate) struct Shared {
    stack: Stack,
    tls: Option<TlsAcceptor>,
    head_timeout: Duration,
    stall_timeout: Duration,
    metrics: Metrics,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

/// How connections of a port are served.
#[derive(Clone)]
pub(crate) struct Settings {
    /// TLS, or none.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Time for a request's head, for TLS, and of an idle connection.
    pub(crate) head_timeout: Duration,
    /// Longest time that a client may take no byte of an answer that is there.
    pub(crate) stall_timeout: Duration,
}

impl Server {
    /// Makes a server on a bound port. `tasks` gets a task for each connection; its token starts the drain.
    pub(crate) fn new(
        listener: TcpListener,
        stack: Stack,
        settings: Settings,
        metrics: Metrics,
        tasks: Tasks,
    ) -> Self {
        let shared = Shared {
            stack,
            tls: settings.tls,
            head_timeout: settings.head_timeout,
            stall_timeout: settings.stall_timeout,
            metrics,
            slots: Arc::new(Semaphore::new(PROXY_CONNECTIONS_MAX)),
            stop: tasks.token(),
        };
        Self { listener, shared: Arc::new(shared), tasks }
    }

    /// Accepts until the token is cancelled. Connections then finish the calls they have; whoever owns the tasks waits for
    /// them to a deadline.
    pub(crate) async fn run(self) {
        loop {
            // A slot first: at the cap connections wait in the kernel's queue. Never closed, so never an error.
            let Ok(slot) = self.shared.slots.clone().acquire_owned().await else { return };
            // Cancel-safe: an accept that is dropped has accepted nothing.
            let accepted = tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.start(stream, peer, slot),
                Err(error) => {
                    // Out of descriptors, or the client was gone before we came. Waiting a moment lets others close.
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    fn start(&self, stream: TcpStream, peer: SocketAddr, slot: tokio::sync::OwnedSemaphorePermit) {
        let shared = self.shared.clone();
        let open = shared.metrics.connection();
        self.tasks.spawn_contained("connection", async move {
            // A socket that is gone already is found by its first read.
            drop(stream.set_nodelay(true));
            connection::serve(&shared, stream, Peer(peer)).await;
            drop((slot, open));
        });
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}
