//! A control plane and a proxy in this process, wired through a link that can be cut.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::caller::{Answer, Caller};
use crate::certificates::Certificates;
use crate::network::Link;
use crate::phases::until;

/// A control plane of one node and one proxy, with a tenant `acme` that has a key.
pub struct Cluster {
    control: Option<breakwater_control_plane::App>,
    proxy: Option<breakwater_data_plane::App>,
    link: Link,
    key: String,
    admin_token: String,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("link", &self.link).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts both planes, applies `manifests`, makes a key for tenant `acme` (which `manifests` must hold) and waits until
    /// the proxy takes that key.
    pub async fn start(manifests: Vec<Value>) -> Self {
        Self::start_with(manifests, None).await
    }

    /// The same, where both planes listen with these certificates and everybody trusts their authority alone.
    pub async fn start_over_tls(manifests: Vec<Value>, certificates: Certificates) -> Self {
        Self::start_with(manifests, Some(certificates)).await
    }

    async fn start_with(manifests: Vec<Value>, certificates: Option<Certificates>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let control = start_control(folder.path(), "127.0.0.1:0", certificates.as_ref()).await;
        let link = Link::to(control.admin_addr()).await;
        let admin_token = control.admin_token().to_owned();
        let proxy = start_proxy(&link, control.proxy_token(), certificates.as_ref()).await;
        let mut cluster = Self {
            certificates,
            control: Some(control),
            proxy: Some(proxy),
            link,
            key: String::new(),
            admin_token,
            folder,
        };
        cluster.apply(manifests).await;
        let made = cluster.admin().post("/v1/keys", &json!({"tenant": "acme"})).await;
        assert_eq!(made.status, 200, "{}", made.text());
        cluster.key = made.json()["api_key"].as_str().expect("a new key is shown once").to_owned();
        let caller = cluster.caller();
        until("the proxy takes the new key", || async { caller.get("/v1/models").await.status == 200 }).await;
        cluster
    }

    /// The tenant's key, for callers that are not [`Caller`].
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// A caller with the tenant's key.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller_of(self.proxy().addr(), &self.key)
    }

    /// An operator with the admin token.
    #[must_use]
    pub fn admin(&self) -> Caller {
        self.caller_of(self.control().admin_addr(), &self.admin_token)
    }

    fn caller_of(&self, addr: SocketAddr, bearer: &str) -> Caller {
        match &self.certificates {
            Some(certificates) => Caller::over_tls(addr, bearer, &certificates.ca_file()),
            None => Caller::new(addr, bearer),
        }
    }

    /// The certificates with which both planes listen.
    ///
    /// # Panics
    ///
    /// If they listen without.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        self.certificates.as_ref().expect("the cluster was started over TLS")
    }

    /// The proxy.
    #[must_use]
    pub fn proxy(&self) -> &breakwater_data_plane::App {
        self.proxy.as_ref().expect("it runs until the cluster ends")
    }

    /// The control plane.
    #[must_use]
    pub fn control(&self) -> &breakwater_control_plane::App {
        self.control.as_ref().expect("it runs until it is stopped")
    }

    /// The link between proxy and control plane.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Where the control plane keeps its data.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Applies manifests and expects success.
    pub async fn apply(&self, manifests: Vec<Value>) -> Value {
        let answer = self.try_apply(manifests).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Applies manifests and returns what came back.
    pub async fn try_apply(&self, manifests: Vec<Value>) -> Answer {
        self.admin().post("/v1/resources:apply", &json!({ "manifests": manifests })).await
    }

    /// Stops the control plane and starts it again from its data.
    pub async fn restart_control(&mut self) {
        let old = self.control.take().expect("it runs until it is stopped");
        let addr = old.admin_addr();
        old.shutdown().await;
        let certificates = self.certificates.as_ref();
        self.control = Some(start_control(self.folder.path(), &addr.to_string(), certificates).await);
    }

    /// Stops everything in order.
    pub async fn shutdown(mut self) {
        if let Some(proxy) = self.proxy.take() {
            proxy.shutdown().await;
        }
        if let Some(control) = self.control.take() {
            control.shutdown().await;
        }
    }
}

async fn start_control(
    folder: &Path,
    listen: &str,
    certificates: Option<&Certificates>,
) -> breakwater_control_plane::App {
    let mut config = breakwater_control_plane::Config::development(folder);
    config.admin.listen = listen.parse().expect("an address");
    if let Some(certificates) = certificates {
        config.admin.tls_cert_file = certificates.cert_file();
        config.admin.tls_key_file = certificates.key_file();
    }
    breakwater_control_plane::App::start(config).await.expect("the control plane starts")
}

async fn start_proxy(
    link: &Link,
    token: &str,
    certificates: Option<&Certificates>,
) -> breakwater_data_plane::App {
    let scheme = if certificates.is_some() { "https" } else { "http" };
    let mut config = breakwater_data_plane::Config::development(format!("{scheme}://{}", link.addr()), token);
    config.listen = "127.0.0.1:0".parse().expect("an address");
    if let Some(certificates) = certificates {
        config.control_plane.ca_file = Some(certificates.ca_file());
        config.tls.cert_file = Some(certificates.cert_file());
        config.tls.key_file = Some(certificates.key_file());
    }
    breakwater_data_plane::App::start(config).await.expect("the proxy starts")
}
