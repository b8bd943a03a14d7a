//! The assembler: builds the parts, hands them to each other, starts their tasks, and ends them in order.

mod first;
mod secrets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use breakwater_control_core::{Act, Command};
use breakwater_runtime::{CancellationToken, Readiness, Secret, SharedClock, SystemClock, Tasks, tls};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::admin::{Admin, Ask};
use crate::config::Config;
use crate::fleet::{Acts, ActsSink, Explainer, Registry};
use crate::grpc::Services;
use crate::ledger::Ledger;
use crate::metrics::{Metrics, Sources};
use crate::publish::{Projector, Publisher, Settings};
use crate::raft::{self, Raft};
use crate::replica::Replica;
use crate::rest::Rest;
use crate::secret_files;
use crate::server::{Port, Server};
use first::bootstrap;
use secrets::Secrets;

/// Longest wait for the first ruleset before the start returns.
const FIRST_RULESET_DEADLINE: Duration = Duration::from_secs(5);

/// A control plane of one node that runs.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    has_tls: bool,
    admin_token: Secret<String>,
    proxy_token: Option<Secret<String>>,
    readiness: Readiness,
    drain: Duration,
    root: Tasks,
    edge: Tasks,
    inner: Tasks,
    store: Tasks,
    raft: Raft,
}

/// What stands between the replica and the port.
struct Middle {
    services: Services,
    projector: Projector,
    acts: Acts<Act>,
    metrics: Metrics,
}

impl App {
    /// Starts a control plane and returns when the admin port answers and the first ruleset is published.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        config.validate()?;
        warn_of_bends(&config);
        let secrets = Secrets::read(&config)?;
        let clock = SystemClock::shared();
        let root = Tasks::new();
        let (edge, inner, store) = (root.child(), root.child(), root.child());
        let tls = tls_of(&config)?;
        let server = Server::bind(config.admin.listen, tls).await.with_context(|| {
            format!("cannot listen on {}: check that the port is free", config.admin.listen)
        })?;
        let address = server.address()?;
        let raft = start_raft(&config, address, clock.clone(), store.clone()).await?;
        let replica: Arc<dyn Replica> = Arc::new(raft.clone());
        let admin = Admin::new(replica.clone(), clock.clone());
        if let Err(error) = bootstrap(&admin, &raft, &secrets).await {
            raft.shutdown().await;
            return Err(error);
        }
        let readiness = Readiness::new();
        let (admin_token, proxy_token) = (secrets.admin_token.clone(), secrets.proxy_token.clone());
        let middle = Middle::new(&config, replica, clock, secrets, &readiness, &edge);
        let app = Self {
            address,
            has_tls: config.has_tls(),
            admin_token,
            proxy_token,
            readiness: readiness.clone(),
            drain: Duration::from_millis(config.shutdown.drain_ms.into()),
            root,
            edge,
            inner,
            store,
            raft,
        };
        if let Err(error) = app.run(middle, server, admin) {
            app.shutdown().await;
            return Err(error);
        }
        app.settle().await;
        Ok(app)
    }

    /// Waits a moment for the first ruleset. A node that cannot publish one (another sealing key, say) stays up and not
    /// ready: an operator can reach it and write the secrets anew.
    async fn settle(&self) {
        let failed = self.root.root_token();
        // Both arms only wait.
        let ready = tokio::select! {
            ready = tokio::time::timeout(FIRST_RULESET_DEADLINE, self.readiness.wait()) => ready.is_ok(),
            () = failed.cancelled() => false,
        };
        if !ready {
            tracing::error!(missing = ?self.readiness.missing(), "started, and not ready");
        }
    }

    fn run(&self, middle: Middle, server: Server, admin: Admin) -> anyhow::Result<()> {
        let Middle { services, projector, acts, metrics } = middle;
        let health = HealthReporter::new();
        let grpc = services.router(&health).context("the reflection service refuses the descriptors")?;
        let names: Vec<String> = grpc.names().map(str::to_owned).collect();
        let rest = Rest::new(grpc.clone()).map_err(anyhow::Error::msg)?;
        let port = Port {
            grpc,
            rest,
            admin: admin.clone(),
            readiness: self.readiness.clone(),
            metrics: Arc::new(metrics),
        };
        let inner_end = self.inner.token();
        self.inner.spawn("ruleset projector", projector.run(inner_end.clone()));
        self.inner.spawn("acts to the ledger", acts.run(inner_end, move |acts| record(admin.clone(), acts)));
        self.edge.spawn("health", report_health(health, names, self.readiness.clone(), self.edge.token()));
        self.edge.spawn("admin port", server.run(port, self.edge.clone()));
        Ok(())
    }

    /// Returns the address of the admin port.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the admin port.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("{}://{}", if self.has_tls { "https" } else { "http" }, self.address)
    }

    /// Returns the first admin's token.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        self.admin_token.expose()
    }

    /// Returns the first proxies' token; empty if production names none.
    #[must_use]
    pub fn proxy_token(&self) -> &str {
        self.proxy_token.as_ref().map_or("", |token| token.expose())
    }

    /// Returns the token that is cancelled when a part failed: then the process should end.
    #[must_use]
    pub fn failed(&self) -> CancellationToken {
        self.root.root_token()
    }

    /// Ends everything in order: the port and its streams, then what feeds them, then the store. A part that does not end
    /// in time is named in the log and left.
    pub async fn shutdown(self) {
        drop(self.edge.shutdown(self.drain).await);
        drop(self.inner.shutdown(self.drain).await);
        self.raft.shutdown().await;
        drop(self.store.shutdown(self.drain).await);
        self.root.root_token().cancel();
    }
}

impl Middle {
    fn new(
        config: &Config,
        replica: Arc<dyn Replica>,
        clock: SharedClock,
        secrets: Secrets,
        readiness: &Readiness,
        edge: &Tasks,
    ) -> Self {
        let settings = Settings {
            node_id: config.node_id,
            heartbeat: Duration::from_millis(config.fleet.heartbeat_ms.into()),
            report_interval: Duration::from_millis(config.fleet.report_interval_ms.into()),
        };
        let ready = readiness.token("ruleset");
        let (publisher, projector) =
            Publisher::new(replica.as_ref(), secrets.sealer.clone(), settings, edge, ready);
        let (sink, acts): (ActsSink<Act>, Acts<Act>) = Acts::new();
        let registry = Arc::new(Registry::new(clock.clone()));
        let metrics = Metrics::new(Sources {
            replica: replica.clone(),
            proxies: registry.clone(),
            book: publisher.book().clone(),
            acts: sink.clone(),
        });
        let services = Services {
            admin: Admin::new(replica.clone(), clock),
            ledger: Ledger::new(replica.clone(), secrets.log_key),
            replica,
            sealer: secrets.sealer,
            publisher,
            registry,
            explainer: Explainer::new(),
            acts: sink,
            tasks: edge.clone(),
        };
        Self { services, projector, acts, metrics }
    }
}

async fn start_raft(
    config: &Config,
    address: SocketAddr,
    clock: SharedClock,
    tasks: Tasks,
) -> anyhow::Result<Raft> {
    let cluster_id = format!("bw-{}", breakwater_common::ledger::hex(&secret_files::random::<8>()?));
    let raft = raft::Config {
        data_dir: config.data_dir.clone(),
        new_identity: crate::store::identity::Identity::new(cluster_id, config.node_id),
        address: address.to_string(),
    };
    Raft::start(raft, clock, tasks)
        .await
        .with_context(|| format!("cannot start on {}", config.data_dir.display()))
}

/// Records acts of proxies; false if it is worth trying again.
async fn record(admin: Admin, acts: Vec<Act>) -> bool {
    match admin.submit(Ask::by_system("fleet", Command::RecordActs { acts })).await {
        Ok(_) => true,
        Err(error @ crate::admin::AdminError::Submit(_)) => {
            tracing::warn!(%error, "acts of proxies wait for the ledger");
            false
        }
        Err(error) => {
            tracing::error!(?error, "acts of proxies were refused");
            true
        }
    }
}

/// Says on the gRPC health service what /readyz says.
async fn report_health(
    health: HealthReporter,
    names: Vec<String>,
    readiness: Readiness,
    end: CancellationToken,
) {
    let mut changes = readiness.watch();
    loop {
        let status = if readiness.is_ready() { ServingStatus::Serving } else { ServingStatus::NotServing };
        for name in names.iter().map(String::as_str).chain([""]) {
            health.set_service_status(name, status).await;
        }
        // Both arms are cancel-safe.
        let more = tokio::select! {
            () = end.cancelled() => false,
            changed = changes.changed() => changed.is_ok(),
        };
        if !more {
            return;
        }
    }
}

fn tls_of(config: &Config) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    if !config.has_tls() {
        return Ok(None);
    }
    let admin = &config.admin;
    let server = tls::server_config(&admin.tls_cert_file, &admin.tls_key_file, &[b"h2", b"http/1.1"])
        .context("admin.tls_cert_file or admin.tls_key_file")?;
    Ok(Some(server))
}

fn warn_of_bends(config: &Config) {
    for bend in config.bends() {
        tracing::warn!(target: "breakwater::bends", "mode development: {bend}");
    }
}
