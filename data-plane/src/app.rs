//! The only assembler: builds every part, wires them, starts them, and ends them in order.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use breakwater_common::limits::CONTROL_PLANE_GREETING_MS_MAX;
use breakwater_runtime::{CancellationToken, Readiness, SharedClock, SystemClock, Tasks, tls};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::agent::{Agent, Handles, Identity};
use crate::breakers::Breakers;
use crate::config::Config;
use crate::edge::doors::{Audience, Probes};
use crate::gate::Gate;
use crate::limiters::Limiters;
use crate::metrics::Metrics;
use crate::outcomes;
use crate::reroutes::Reroutes;
use crate::ruleset_cell::RulesetCell;
use crate::server::{Server, Settings};
use crate::stack::{self, Parts};
use crate::upstream::client::Clients;

/// Time that parts without calls get to end.
const PARTS_END: Duration = Duration::from_secs(2);

/// A running proxy.
#[derive(Debug)]
pub struct App {
    addr: SocketAddr,
    ops_addr: Option<SocketAddr>,
    readiness: Readiness,
    connections: Tasks,
    parts: Tasks,
    drain_deadline: Duration,
}

impl App {
    /// Starts a proxy. It listens at once and is ready when the first ruleset is in force.
    ///
    /// Errors: a configuration that is refused, a file that cannot be read, a port that is taken.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_with(config, SystemClock::shared()).await
    }

    /// Starts a proxy on another clock.
    pub async fn start_with(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        let wrong = config.validate();
        if !wrong.is_empty() {
            bail!("configuration is refused: {}", wrong.join("; "));
        }
        for bend in config.bends() {
            tracing::warn!(target: "breakwater::bends", "mode development: {bend}");
        }
        let listener = bind(config.listen).await?;
        let addr = listener.local_addr().context("the traffic port has no address")?;
        // One tree, two groups: calls end before the parts that serve them; a part that fails ends both.
        let root = Tasks::new();
        let (connections, tasks) = (root.child(), root.child());
        let readiness = Readiness::new();
        let metrics = Metrics::new();
        let (outcomes, folder, book) = outcomes::channel(metrics.clone());
        let parts = Parts {
            clock: clock.clone(),
            cell: RulesetCell::default(),
            breakers: Breakers::new(clock.clone(), number(&random()?)),
            limiters: Limiters::new(clock.clone()),
            gate: Gate::new(),
            reroutes: Reroutes::new(clock.clone(), metrics.clone()),
            outcomes,
            metrics: metrics.clone(),
            clients: Clients::new(config.upstream.ca_file.as_deref())?,
        };
        let handles = Handles {
            cell: parts.cell.clone(),
            breakers: parts.breakers.clone(),
            limiters: parts.limiters.clone(),
            reroutes: parts.reroutes.clone(),
            book,
            metrics: metrics.clone(),
            clock: clock.clone(),
            ruleset_ready: Handles::token(&readiness),
        };
        let agent = agent(&config, addr, handles)?;
        let tls = acceptor(&config)?;
        tasks.spawn("outcomes", folder.run(tasks.token()));
        tasks.spawn("agent", agent.run(tasks.token()));
        tasks.spawn("pulse", parts.gate.clone().pulse(clock, metrics, tasks.token()));
        let settings = Settings {
            tls,
            head_timeout: Duration::from_millis(config.head_timeout_ms),
            stall_timeout: Duration::from_millis(config.stall_timeout_ms),
        };
        let operators = Settings { tls: None, ..settings.clone() };
        let probes = |audience| {
            let (metrics, breakers) = (parts.metrics.clone(), parts.breakers.clone());
            Arc::new(Probes::new(readiness.clone(), metrics, breakers, audience))
        };
        serve(&parts, probes(Audience::Callers), listener, settings, &connections);
        let ops_addr = match config.ops.listen {
            Some(listen) => {
                let listener = bind(listen).await?;
                let addr = listener.local_addr().context("the operators' port has no address")?;
                serve(&parts, probes(Audience::Operators), listener, operators, &tasks);
                Some(addr)
            }
            None => None,
        };
        tracing::info!(%addr, "proxy listens");
        let drain_deadline = Duration::from_millis(config.drain_deadline_ms);
        Ok(Self { addr, ops_addr, readiness, connections, parts: tasks, drain_deadline })
    }

    /// Returns the address of the traffic port.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the address of the operators' port, if there is one.
    #[must_use]
    pub fn ops_addr(&self) -> Option<SocketAddr> {
        self.ops_addr
    }

    /// Waits until calls can be served. Cancel-safe.
    pub async fn ready(&self) {
        self.readiness.wait().await;
    }

    /// Returns a token that is cancelled when the proxy has lost a part of itself and must end.
    #[must_use]
    pub fn failed(&self) -> CancellationToken {
        self.parts.root_token()
    }

    /// Stops accepting, lets calls end to the drain deadline, then ends the rest. Returns whether all calls ended.
    pub async fn shutdown(self) -> bool {
        self.readiness.token("draining").not_ready("the proxy is stopping");
        let late = self.connections.shutdown(self.drain_deadline).await;
        let stuck = self.parts.shutdown(PARTS_END).await;
        late.is_empty() && stuck.is_empty()
    }
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}; is it taken?"))
}

fn serve(parts: &Parts, probes: Arc<Probes>, listener: TcpListener, settings: Settings, tasks: &Tasks) {
    let stack = stack::build(parts, probes);
    let server = Server::new(listener, stack, settings, parts.metrics.clone(), tasks.clone());
    tasks.spawn("accept", server.run());
}

fn acceptor(config: &Config) -> anyhow::Result<Option<TlsAcceptor>> {
    let (Some(cert_file), Some(key_file)) = (&config.tls.cert_file, &config.tls.key_file) else {
        return Ok(None);
    };
    Ok(Some(TlsAcceptor::from(tls::server_config(cert_file, key_file, &[b"h2", b"http/1.1"])?)))
}

fn agent(config: &Config, addr: SocketAddr, handles: Handles) -> anyhow::Result<Agent> {
    let control_plane = &config.control_plane;
    let mut endpoint = Endpoint::from_shared(control_plane.url.clone())
        .context("control_plane.url is not an address like https://host:8090")?
        .connect_timeout(Duration::from_millis(CONTROL_PLANE_GREETING_MS_MAX))
        .tcp_nodelay(true);
    if let Some(ca_file) = &control_plane.ca_file {
        let certificate = Certificate::from_pem(read(ca_file, "control_plane.ca_file")?);
        endpoint = endpoint.tls_config(ClientTlsConfig::new().ca_certificate(certificate))?;
    }
    let boot_id: String = random()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let identity = Identity { proxy_id: proxy_id(config, addr), boot_id };
    Ok(Agent::new(endpoint, token(config)?, identity, handles, number(&random()?)))
}

fn random() -> anyhow::Result<[u8; 8]> {
    let mut bytes = [0_u8; 8];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_unspecified| anyhow::anyhow!("the system gives no randomness"))?;
    Ok(bytes)
}

fn number(bytes: &[u8; 8]) -> u64 {
    u64::from_be_bytes(*bytes)
}

fn token(config: &Config) -> anyhow::Result<MetadataValue<Ascii>> {
    let text = match &config.control_plane.token_file {
        Some(file) => String::from_utf8(read(file, "control_plane.token_file")?)
            .context("control_plane.token_file: the file holds no text")?,
        None => config.control_plane.token.expose().clone(),
    };
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", text.trim())
        .parse()
        .map_err(|_invalid| anyhow::anyhow!("control_plane.token_file: the file holds no token"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn read(file: &Path, key: &str) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{key}: cannot read {}", file.display()))
}

/// Returns the configured name, or the host's with the port.
fn proxy_id(config: &Config, addr: SocketAddr) -> String {
    if !config.proxy_id.is_empty() {
        return config.proxy_id.clone();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{}-{}", if host.is_empty() { "proxy" } else { host }, addr.port())
}
