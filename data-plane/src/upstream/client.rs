//! Connections to upstreams: pooled, HTTP/1.1 and HTTP/2, with TLS for `https` addresses. The time to connect is the
//! provider's, so there is a pool for each different one: in practice one.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::limits::{UPSTREAM_IDLE_CONNECTIONS_MAX, UPSTREAM_IDLE_MS_MAX, UPSTREAM_POOLS_MAX};
use breakwater_runtime::tls::{self, TlsError};
use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio_rustls::rustls;
use tower::Service;

/// One pool.
pub(crate) type Client = legacy::Client<Timed, Full<Bytes>>;

/// All pools. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    connector: HttpsConnector<HttpConnector>,
    pools: Arc<Mutex<BTreeMap<Duration, Client>>>,
}

/// A connector that gives up after a while: TCP and TLS together.
#[derive(Debug, Clone)]
pub(crate) struct Timed {
    connector: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Clients {
    /// Makes the pools, without a connection yet. Errors: the authorities cannot be read.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(Duration::from_secs(30)));
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_file {
            Some(ca_file) => builder.with_tls_config((*tls::client_config(ca_file, &[])?).clone()),
            None => match HttpsConnectorBuilder::new().with_native_roots() {
                Ok(builder) => builder,
                Err(error) => {
                    // A machine without authorities can still call upstreams without TLS, as a newcomer's does.
                    tracing::warn!(%error, "no certificate authorities: https upstreams cannot be called");
                    builder.with_tls_config(trusting_nobody()?)
                }
            },
        };
        let connector = builder.https_or_http().enable_all_versions().wrap_connector(http);
        Ok(Self { connector, pools: Arc::default() })
    }

    /// Returns the pool for a limit on connecting.
    pub(crate) fn get(&self, connect: Duration) -> Client {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = pools.get(&connect) {
            return client.clone();
        }
        if pools.len() >= UPSTREAM_POOLS_MAX {
            // Configurations came and went: start over. Calls under way keep the pool that they hold.
            pools.clear();
        }
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(UPSTREAM_IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(Duration::from_millis(UPSTREAM_IDLE_MS_MAX))
            .build(Timed { connector: self.connector.clone(), limit: connect });
        drop(pools.insert(connect, client.clone()));
        client
    }
}

/// Why there are no pools.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// `upstream.ca_file`.
    #[error("upstream.ca_file cannot be used")]
    CaFile(#[from] TlsError),
    /// rustls refuses its own defaults.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

fn trusting_nobody() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

impl Service<Uri> for Timed {
    type Response = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connected = self.connector.call(uri);
        let limit = self.limit;
        Box::pin(async move { tokio::time::timeout(limit, connected).await? })
    }
}
