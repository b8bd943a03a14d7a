//! Configuration of the control plane, by component. A file, flags and environment variables lead here (see [`keys`]);
//! nothing else reads any of them. Defaults are those of production, which refuses to start without TLS, an admin token,
//! a sealing key and a log key.

pub mod keys;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use breakwater_runtime::telemetry::Format;
use serde::{Deserialize, Serialize};

/// Configuration of the control plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How strict the start is.
    pub mode: Mode,
    /// Where everything is stored.
    pub data_dir: PathBuf,
    /// This node's number in the cluster, from 1.
    pub node_id: u64,
    /// The admin port: gRPC and REST.
    pub admin: Admin,
    /// Files that hold a secret each.
    pub secrets: Secrets,
    /// The streams to proxies.
    pub fleet: Fleet,
    /// Logs.
    pub log: Log,
    /// How long the end may take.
    pub shutdown: Shutdown,
}

/// How strict the start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No TLS needed; missing tokens and keys are made in the data directory. Each bend is said on a warning line.
    Development,
    /// Refuses to start without TLS, an admin token, a sealing key and a log key.
    Production,
}

/// The admin port.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// PEM file of the certificate chain; empty for no TLS.
    pub tls_cert_file: PathBuf,
    /// PEM file of the private key.
    pub tls_key_file: PathBuf,
}

/// Files that hold a secret each. Empty paths mean the file of the same name in the data directory, in development only.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// The first admin's token, in force from the cluster's first entry.
    pub admin_token_file: PathBuf,
    /// The first proxies' token, likewise. Optional in production: an admin can make one.
    pub proxy_token_file: PathBuf,
    /// The key that seals secrets of resources: 32 bytes in base64.
    pub sealing_key_file: PathBuf,
    /// The Ed25519 key that signs ledger checkpoints: PKCS#8 in base64.
    pub log_key_file: PathBuf,
}

/// The streams to proxies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fleet {
    /// Milliseconds between heartbeats. 100 to 60,000.
    pub heartbeat_ms: u32,
    /// Milliseconds between health reports. 100 to 60,000.
    pub report_interval_ms: u32,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// "text" or "json".
    pub format: Format,
    /// In the syntax of RUST_LOG.
    pub filter: String,
}

/// How long the end may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Shutdown {
    /// Milliseconds for calls and streams to end after the signal.
    pub drain_ms: u32,
}

/// Why a configuration does not start a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration is refused:{}", .reasons.iter().map(|reason| format!("\n  {reason}")).collect::<String>())]
pub struct Invalid {
    /// Every reason, `key: what to do`.
    pub reasons: Vec<String>,
}

/// File names in the data directory.
const ADMIN_TOKEN_FILE: &str = "admin-token";
const PROXY_TOKEN_FILE: &str = "proxy-token";
const SEALING_KEY_FILE: &str = "sealing-key";
const LOG_KEY_FILE: &str = "log-key";

/// Bounds of both intervals: below it is load, above it an operator waits.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 100..=60_000;

impl Config {
    /// Makes a configuration for one machine: development, a free port on the loopback, secrets made in `data_dir`.
    #[must_use]
    pub fn development(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            mode: Mode::Development,
            data_dir: data_dir.into(),
            admin: Admin { listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), ..Admin::default() },
            fleet: Fleet { heartbeat_ms: 1_000, report_interval_ms: 1_000 },
            ..Self::default()
        }
    }

    /// Says every reason why this configuration does not start a server.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut reasons = Vec::new();
        let mut unless = |holds: bool, reason: &str| {
            if !holds {
                reasons.push(reason.to_owned());
            }
        };
        let is_set = |path: &Path| !path.as_os_str().is_empty();
        let (admin, secrets) = (&self.admin, &self.secrets);
        unless(is_set(&self.data_dir), "data_dir: name a directory on a local disk");
        unless(self.node_id > 0, "node_id: nodes are numbered from 1");
        let both_or_none = is_set(&admin.tls_cert_file) == is_set(&admin.tls_key_file);
        unless(both_or_none, "admin.tls_cert_file: set it together with admin.tls_key_file");
        unless(INTERVAL_MS.contains(&self.fleet.heartbeat_ms), "fleet.heartbeat_ms: 100 to 60000");
        unless(
            INTERVAL_MS.contains(&self.fleet.report_interval_ms),
            "fleet.report_interval_ms: 100 to 60000",
        );
        if self.mode == Mode::Production {
            let needed = "is needed in mode production (mode development does without)";
            let files = [
                ("admin.tls_cert_file", &admin.tls_cert_file),
                ("secrets.admin_token_file", &secrets.admin_token_file),
                ("secrets.sealing_key_file", &secrets.sealing_key_file),
                ("secrets.log_key_file", &secrets.log_key_file),
            ];
            for (key, path) in files {
                unless(is_set(path), &format!("{key}: {needed}"));
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Invalid { reasons }) }
    }

    /// Whether the admin port speaks TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        !self.admin.tls_cert_file.as_os_str().is_empty()
    }

    /// Returns the bends of development, each for one warning line; none in production.
    #[must_use]
    pub fn bends(&self) -> Vec<&'static str> {
        if self.mode == Mode::Production {
            return Vec::new();
        }
        let tls = (!self.has_tls()).then_some("the admin port speaks without TLS");
        tls.into_iter().chain(["missing tokens and keys are made in the data directory"]).collect()
    }

    /// Returns the file of the admin's token.
    #[must_use]
    pub fn admin_token_file(&self) -> PathBuf {
        self.file(&self.secrets.admin_token_file, ADMIN_TOKEN_FILE)
    }

    /// Returns the file of the proxies' token; none if production names none.
    #[must_use]
    pub fn proxy_token_file(&self) -> Option<PathBuf> {
        let unset = self.secrets.proxy_token_file.as_os_str().is_empty();
        let none = self.mode == Mode::Production && unset;
        (!none).then(|| self.file(&self.secrets.proxy_token_file, PROXY_TOKEN_FILE))
    }

    /// Returns the file of the sealing key.
    #[must_use]
    pub fn sealing_key_file(&self) -> PathBuf {
        self.file(&self.secrets.sealing_key_file, SEALING_KEY_FILE)
    }

    /// Returns the file of the key that signs checkpoints.
    #[must_use]
    pub fn log_key_file(&self) -> PathBuf {
        self.file(&self.secrets.log_key_file, LOG_KEY_FILE)
    }

    fn file(&self, set: &Path, name: &str) -> PathBuf {
        if set.as_os_str().is_empty() { self.data_dir.join(name) } else { set.to_owned() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Production,
            data_dir: PathBuf::new(),
            node_id: 1,
            admin: Admin::default(),
            secrets: Secrets::default(),
            fleet: Fleet::default(),
            log: Log::default(),
            shutdown: Shutdown::default(),
        }
    }
}

impl Default for Admin {
    /// Port 8090 on all addresses (source: contract, rest.md).
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8090),
            tls_cert_file: PathBuf::new(),
            tls_key_file: PathBuf::new(),
        }
    }
}

impl Default for Fleet {
    /// 5 s each (source: the design of the fleet's protocol).
    fn default() -> Self {
        Self { heartbeat_ms: 5_000, report_interval_ms: 5_000 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::Text, filter: "info,openraft=warn".to_owned() }
    }
}

impl Default for Shutdown {
    /// 10 s: below the 30 s that orchestrators give.
    fn default() -> Self {
        Self { drain_ms: 10_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_names_everything_that_is_missing() {
        let invalid = Config::default().validate().unwrap_err().to_string();
        for key in [
            "data_dir",
            "admin.tls_cert_file",
            "secrets.admin_token_file",
            "secrets.sealing_key_file",
            "secrets.log_key_file",
        ] {
            assert!(invalid.contains(&format!("{key}: ")), "{invalid}");
        }
    }

    #[test]
    fn development_needs_a_data_dir_alone() {
        assert_eq!(Config::development("/tmp/x").validate(), Ok(()));
        assert!(Config::development("").validate().is_err());
    }

    #[test]
    fn only_development_bends() {
        assert_eq!(Config::development("/tmp/x").bends().len(), 2);
        assert!(Config::default().bends().is_empty());
    }

    #[test]
    fn each_bound_is_held() {
        let check = |change: fn(&mut Config), expect: &str| {
            let mut config = Config::development("/tmp/x");
            change(&mut config);
            assert!(config.validate().unwrap_err().to_string().contains(expect));
        };
        check(|config| config.node_id = 0, "node_id");
        check(|config| config.fleet.heartbeat_ms = 0, "fleet.heartbeat_ms");
        check(|config| config.fleet.report_interval_ms = 60_001, "fleet.report_interval_ms");
        check(|config| config.admin.tls_key_file = "/x".into(), "admin.tls_cert_file");
    }
}
