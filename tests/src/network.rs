//! A link that can be cut: a forwarder between a client and a server, for partitions without root.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A forwarder to one address. Dropping it cuts it.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    up: Arc<watch::Sender<bool>>,
    task: tokio::task::JoinHandle<()>,
}

impl Link {
    /// Opens a link to `target` on a port of its own.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let (up, state) = watch::channel(true);
        let task = tokio::spawn(serve(listener, target, state));
        Self { addr, up: Arc::new(up), task }
    }

    /// Where to connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.up.send_replace(false);
    }

    /// Lets connections through again.
    pub fn mend(&self) {
        self.up.send_replace(true);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, state: watch::Receiver<bool>) {
    while let Ok((mut inward, _)) = listener.accept().await {
        let mut state = state.clone();
        tokio::spawn(async move {
            if !*state.borrow_and_update() {
                return;
            }
            let Ok(mut outward) = TcpStream::connect(target).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut inward, &mut outward) => {}
                _ = state.wait_for(|up| !up) => {}
            }
        });
    }
}
