//! The admin port: one listener for gRPC and REST, HTTP/1.1 and HTTP/2, with or without TLS. Bounds on connections,
//! streams, headers and idle time; bodies are bounded where they are read.

mod connection;
mod port;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use breakwater_common::limits::ADMIN_CONNECTIONS_MAX;
use breakwater_runtime::Tasks;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

pub use port::Port;

/// Wait after an accept that failed: the process may be out of file descriptors, and a tight loop frees none.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// Longest TLS handshake.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);

/// A bound port.
pub struct Server {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Binds the port.
    pub async fn bind(address: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, tls: tls.map(TlsAcceptor::from) })
    }

    /// Returns the address that is bound: with the port that was free if 0 was asked for.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Accepts until the tasks' token is cancelled. Connections are tasks of the same group: they end what they answer
    /// and then themselves.
    pub async fn run(self, port: Port, tasks: Tasks) {
        let end = tasks.token();
        let places = Arc::new(Semaphore::new(ADMIN_CONNECTIONS_MAX));
        loop {
            // A place first: beyond the limit, connections wait in the kernel.
            let place = tokio::select! {
                () = end.cancelled() => return,
                place = places.clone().acquire_owned() => place,
            };
            let Ok(place) = place else { return };
            let accepted = tokio::select! {
                () = end.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (port, tls, end) = (port.clone(), self.tls.clone(), end.clone());
                    tasks.spawn_contained("admin connection", async move {
                        serve(stream, tls, port, end).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address().ok()).finish_non_exhaustive()
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    port: Port,
    end: breakwater_runtime::CancellationToken,
) {
    // Heartbeats and acknowledgements are small and must not wait for company.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    match tls {
        None => connection::serve(stream, port, end).await,
        Some(acceptor) => match tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => connection::serve(stream, port, end).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake took too long"),
        },
    }
}
