//! The assembler: builds the parts, hands them to each other, starts their tasks, and ends them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use breakwater_control_core::{Act, Command, CreateToken, Principal, Role};
use breakwater_runtime::{CancellationToken, Readiness, Secret, SharedClock, SystemClock, Tasks, tls};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::admin::{Admin, Ask};
use crate::caller::{public_part, sha256};
use crate::config::{Config, Mode};
use crate::fleet::{Acts, ActsSink, Explainer, Registry};
use crate::grpc::Services;
use crate::ledger::{Ledger, LogKey};
use crate::metrics::{Metrics, Sources};
use crate::publish::{Projector, Publisher, Settings};
use crate::raft::{self, Raft};
use crate::replica::Replica;
use crate::rest::Rest;
use crate::seal::Sealer;
use crate::server::{Port, Server};
use crate::{seal, secret_files};

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

/// What is read from files before anything starts.
struct Secrets {
    sealer: Arc<Sealer>,
    log_key: LogKey,
    admin_token: Secret<String>,
    proxy_token: Option<Secret<String>>,
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
        bootstrap(&admin, &raft, &secrets).await?;
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
        app.run(middle, server, admin).await?;
        readiness.wait().await;
        Ok(app)
    }

    async fn run(&self, middle: Middle, server: Server, admin: Admin) -> anyhow::Result<()> {
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

impl Secrets {
    fn read(config: &Config) -> anyhow::Result<Self> {
        let develops = config.mode == Mode::Development;
        let read = |path: std::path::PathBuf, make: fn() -> Result<String, secret_files::SecretFileError>| {
            if develops { secret_files::read_or_make(&path, make) } else { secret_files::read(&path) }
        };
        if develops {
            make_directory(&config.data_dir)?;
        }
        let token = || crate::caller::mint_token().map(|minted| minted.text);
        let sealing_key = read(config.sealing_key_file(), seal::generate_key)?;
        let log_key = read(config.log_key_file(), LogKey::generate)?;
        let admin_token = read(config.admin_token_file(), token)?;
        let proxy_token = config.proxy_token_file().map(|path| read(path, token)).transpose()?;
        for (token, key) in [
            (Some(&admin_token), "secrets.admin_token_file"),
            (proxy_token.as_ref(), "secrets.proxy_token_file"),
        ] {
            let is_token = token.is_none_or(|token| public_part(token.expose()).is_some());
            anyhow::ensure!(
                is_token,
                "{key}: the file must hold a token: bwt-, 16 of 0-9 a-f, 43 of base64url"
            );
        }
        Ok(Self {
            sealer: Arc::new(Sealer::from_key_text(sealing_key.expose())?),
            log_key: LogKey::from_text(log_key.expose())?,
            admin_token,
            proxy_token,
        })
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

/// Makes the cluster's first entry, with the tokens of the files. In a cluster that is there, the tokens of the files are
/// looked up: one that is not in force is said, because whoever holds the file waits in vain.
async fn bootstrap(admin: &Admin, raft: &Raft, secrets: &Secrets) -> anyhow::Result<()> {
    let tokens = [
        (Some(&secrets.admin_token), "admin", Role::Admin),
        (secrets.proxy_token.as_ref(), "proxy", Role::Proxy),
    ];
    if !raft.needs_bootstrap() {
        for (token, subject, _) in tokens {
            let in_force =
                token.is_none_or(|token| admin.state().authenticate(&sha256(token.expose())).is_some());
            if !in_force {
                tracing::warn!(
                    subject,
                    "the token of the file is not in force: it was revoked or another file's"
                );
            }
        }
        return Ok(());
    }
    let first = tokens.into_iter().filter_map(|(token, subject, role)| {
        let text = token?.expose();
        let id = public_part(text)?.to_owned();
        Some(CreateToken { id, sha256: sha256(text), subject: subject.to_owned(), role })
    });
    let command =
        Command::Bootstrap { cluster_id: raft.identity().cluster_id.clone(), tokens: first.collect() };
    let principal = Principal::system("bootstrap");
    let ask = Ask { principal, request_id: String::new(), validate_only: false, command };
    let receipt = admin.submit(ask).await.context("the cluster's first entry was not accepted")?;
    tracing::info!(revision = receipt.revision, "cluster made");
    Ok(())
}

/// Records acts of proxies; false if it is worth trying again.
async fn record(admin: Admin, acts: Vec<Act>) -> bool {
    let principal = Principal::system("fleet");
    let ask = Ask {
        principal,
        request_id: String::new(),
        validate_only: false,
        command: Command::RecordActs { acts },
    };
    match admin.submit(ask).await {
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
    if config.mode == Mode::Production {
        return;
    }
    if !config.has_tls() {
        tracing::warn!("mode development: the admin port speaks no TLS");
    }
    tracing::warn!(data_dir = %config.data_dir.display(), "mode development: missing tokens and keys are made here");
}

fn make_directory(path: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("cannot make the data directory {}", path.display()))
}
