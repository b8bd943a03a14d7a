//! The simulator's listener: it accepts until the end, and not while a fault refuses.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use breakwater_runtime::Tasks;
use tokio::net::TcpListener;

use super::{connection, shared::Shared};

/// Wait after an accept or a listen that failed: descriptors or the port may be free again then.
const RETRY: Duration = Duration::from_millis(50);
/// How often it is looked whether the time of a refusal has begun or is over.
const LOOK: Duration = Duration::from_millis(20);

/// Accepts until the tasks' token is cancelled.
pub(super) async fn serve(mut listener: TcpListener, addr: SocketAddr, shared: Arc<Shared>, tasks: Tasks) {
    let token = tasks.token();
    let until_cancelled = async {
        loop {
            if shared.refuses() {
                // With nobody to listen the machine itself refuses. Another process may take the port meanwhile.
                drop(listener);
                listener = listen_again(addr, &shared).await;
            }
            // Cancel-safe: accept loses no connection when it is dropped.
            let accepted = tokio::select! {
                () = shared.changed.notified() => continue,
                () = tokio::time::sleep(LOOK), if shared.may_refuse() => continue,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let serving = connection::serve(stream, shared.clone(), tasks.clone());
                    tasks.spawn_contained("simulator connection", serving);
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        }
    };
    tokio::select! {
        () = token.cancelled() => {}
        () = until_cancelled => {}
    }
}

async fn listen_again(addr: SocketAddr, shared: &Shared) -> TcpListener {
    loop {
        if !shared.refuses() {
            if let Ok(listener) = TcpListener::bind(addr).await {
                return listener;
            }
            tokio::time::sleep(RETRY).await;
        }
        tokio::select! {
            () = shared.changed.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
