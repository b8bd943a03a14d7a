//! The signals that end a process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, listened for from when it is made. Until then a signal ends the process at once, without a drain.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Starts to listen. Errors: no signal handler could be installed.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next signal and returns its name. A signal that came since listening began is not lost.
    pub async fn next(&mut self) -> &'static str {
        // Both arms only wait for a signal; dropping one loses nothing.
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Waits for SIGTERM or SIGINT and returns its name. Errors: no signal handler could be installed.
pub async fn wait() -> io::Result<&'static str> {
    Ok(Signals::listen()?.next().await)
}
