//! A provider that speaks the wire formats of real ones, for the first ten minutes, for drills and for tests: latency,
//! tokens per second, a library of faults, and replays of recorded traffic.
//!
//! How it works: [`Simulator::start`] listens; each call is recorded, delayed, and answered by a scripted reply, by the
//! recording or by a made-up model (see `model.rs` for what a prompt can ask of it) in the format of its [`Dialect`]; then a
//! [`Fault`] changes the answer or takes over the connection (see [`fault`] for their grammar). Everything is decided by
//! counters and the time since a fault was set, so a run can be repeated. `/simulator/faults` switches faults while calls
//! run.
//!
//! What it does not do: understand anything, or check credentials. It speaks HTTP/1.1 only, without TLS.

mod admin;
mod answer;
mod ask;
mod body;
mod breaking;
#[expect(
    clippy::indexing_slicing,
    reason = "reads of members of JSON, which give null; writes to objects made here"
)]
mod calls;
mod connection;
mod delivery;
pub mod fault;
mod model;
pub mod replay;
mod server;
#[cfg(test)]
mod server_tests;
mod shared;
#[expect(
    clippy::indexing_slicing,
    reason = "reads of members of JSON, which give null; writes to objects made here"
)]
mod wire;

use std::{io, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use breakwater_runtime::Tasks;
use bytes::Bytes;

pub use fault::{Fault, FaultError, Kind, LIBRARY};
pub use replay::{Replay, ReplayError};

use shared::Shared;

/// Time that [`Simulator::shutdown`] waits for calls that still run.
const DRAIN_MAX: Duration = Duration::from_secs(1);

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// OpenAI's; Azure's deployment paths are answered too.
    #[default]
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Mistral's.
    Mistral,
    /// Gemini's.
    Gemini,
    /// Bedrock's Converse.
    Bedrock,
    /// Ollama's own.
    Ollama,
}

/// What a simulator does.
#[derive(Debug, Default)]
pub struct Options {
    /// The wire format.
    pub dialect: Dialect,
    /// Time before the first byte of each answer to a call.
    pub latency: Duration,
    /// Speed of streams; as fast as possible if none. 0 counts as 1.
    pub tokens_per_second: Option<u32>,
    /// What goes wrong, in order of precedence.
    pub faults: Vec<Fault>,
    /// Answers from a recording instead of the made-up model.
    pub replay: Option<Replay>,
    /// How many calls [`Simulator::requests`] keeps, the newest; at most 4096. 0, the default, keeps none.
    pub requests_kept: usize,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The method.
    pub method: http::Method,
    /// Path and query.
    pub path: String,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An answer to be given as it is, for tests.
#[derive(Debug, Clone)]
pub struct Scripted {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// Written one by one, with the simulator's pace between them.
    pub chunks: Vec<Bytes>,
    /// The connection ends after the last chunk without the body's proper end.
    pub cut: bool,
}

/// What a simulator counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that came.
    pub connections: u64,
    /// Calls of a model.
    pub calls: u64,
    /// Calls whose answer went out with all of its content: what a provider would bill in full.
    pub completed: u64,
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A word that is no format.
    #[error("unknown dialect {0:?}; known are openai, anthropic, mistral, gemini, bedrock, ollama")]
    UnknownDialect(String),
    /// The address cannot be listened on.
    #[error("the simulator cannot listen on {addr}: {source}")]
    Bind {
        /// Where it was to listen.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A running simulator. Dropping it asks it to end; [`Simulator::shutdown`] also waits.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: Tasks,
}

impl Simulator {
    /// Listens on an address (port 0: any free one) and answers from then on.
    ///
    /// Errors: an address that is taken.
    pub async fn start(addr: SocketAddr, options: Options) -> Result<Self, SimulatorError> {
        let bind = |source| SimulatorError::Bind { addr, source };
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let shared = Arc::new(Shared::new(options));
        let tasks = Tasks::new();
        tasks.spawn("simulator", server::serve(listener, addr, shared.clone(), tasks.clone()));
        Ok(Self { addr, shared, tasks })
    }

    /// Returns where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the newest requests in order, as many as [`Options::requests_kept`] says.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.requests()
    }

    /// Replaces all faults; their counters start again.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.set_faults(faults);
    }

    /// Returns what was counted since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Adds an answer for the next call; several are given in order, before anything else is considered.
    pub fn script(&self, reply: Scripted) {
        self.shared.script(reply);
    }

    /// Ends it: no new connections, calls that run get a second, then the listener is gone.
    pub async fn shutdown(self) {
        let _late = self.tasks.shutdown(DRAIN_MAX).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

impl Dialect {
    /// Returns what a `base_url` of a provider of this type has behind the address.
    #[must_use]
    pub fn root(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Mistral => "/v1",
            Self::Anthropic | Self::Gemini | Self::Bedrock | Self::Ollama => "",
        }
    }
}

impl FromStr for Dialect {
    type Err = SimulatorError;

    fn from_str(text: &str) -> Result<Self, SimulatorError> {
        match text {
            "openai" | "azure_openai" | "openai_compatible" => Ok(Self::OpenAi),
            "anthropic" => Ok(Self::Anthropic),
            "mistral" => Ok(Self::Mistral),
            "gemini" => Ok(Self::Gemini),
            "bedrock" => Ok(Self::Bedrock),
            "ollama" => Ok(Self::Ollama),
            _ => Err(SimulatorError::UnknownDialect(text.to_owned())),
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Mistral => "mistral",
            Self::Gemini => "gemini",
            Self::Bedrock => "bedrock",
            Self::Ollama => "ollama",
        })
    }
}
