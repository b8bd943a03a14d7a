//! What an operator can set. Every key has a flag and an environment variable (see `flags`); defaults are those of
//! production.

mod flags;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use breakwater_common::limits::{CALL_HEAD_MS_MAX, CALL_STALL_MS_MAX};
use breakwater_runtime::Secret;
use breakwater_runtime::config::{ConfigError, dump};
use breakwater_runtime::telemetry::Format;
use serde::{Deserialize, Serialize};

pub use flags::Flags;

/// What the proxy is told at its start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether the proxy bends for a newcomer.
    pub mode: Mode,
    /// Where LLM traffic comes in.
    pub listen: SocketAddr,
    /// The proxy's name towards the control plane, stable over restarts; host name and port if empty.
    pub proxy_id: String,
    /// Milliseconds that calls may take to end after the signal to stop.
    pub drain_deadline_ms: u64,
    /// Milliseconds in which a client must send a request's head.
    pub head_timeout_ms: u64,
    /// Milliseconds in which a client must take some of an answer that is there; of an HTTP/2 stream, after its call's end.
    pub stall_timeout_ms: u64,
    /// Where the configuration comes from.
    pub control_plane: ControlPlane,
    /// Certificate and key of the traffic port; required in production.
    pub tls: Tls,
    /// Trust in upstreams.
    pub upstream: Upstream,
    /// The operators' port.
    pub ops: Ops,
    /// Logs.
    pub log: Log,
}

/// Whether the proxy bends for a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// No TLS, a token in place of a token file: each bend is said on one warning line.
    Development,
    /// It does not start without TLS and a token file.
    #[default]
    Production,
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlPlane {
    /// Its admin port: `https://host:8090`.
    pub url: String,
    /// File with a token of role `proxy`.
    pub token_file: Option<PathBuf>,
    /// PEM file of the authority that signed the control plane's certificate; required for https.
    pub ca_file: Option<PathBuf>,
    /// The token itself; only for processes that embed the proxy.
    #[serde(skip)]
    pub token: Secret<String>,
}

/// Certificate and key of the traffic port.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM file with the certificate chain.
    pub cert_file: Option<PathBuf>,
    /// PEM file with its key.
    pub key_file: Option<PathBuf>,
}

/// Trust in upstreams.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// PEM file of the only authorities to trust; the system's if unset.
    pub ca_file: Option<PathBuf>,
}

/// The operators' port.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ops {
    /// Where /metrics, /healthz and /readyz are served to anybody; on the traffic port /metrics is for loopback only.
    pub listen: Option<SocketAddr>,
}

/// Logs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Form of a line.
    pub format: Format,
    /// Filter in the syntax of tracing: `info,breakwater_data_plane=debug`.
    pub filter: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 8080),
            proxy_id: String::new(),
            drain_deadline_ms: 30_000,
            head_timeout_ms: CALL_HEAD_MS_MAX,
            stall_timeout_ms: CALL_STALL_MS_MAX,
            control_plane: ControlPlane::default(),
            tls: Tls::default(),
            upstream: Upstream::default(),
            ops: Ops::default(),
            log: Log::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::default(), filter: "info".to_owned() }
    }
}

impl Config {
    /// Makes the configuration of a proxy that is embedded for development or a test: loopback, a free port.
    #[must_use]
    pub fn development(control_plane_url: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            mode: Mode::Development,
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            control_plane: ControlPlane {
                url: control_plane_url.into(),
                token: Secret::new(token.into()),
                ..ControlPlane::default()
            },
            ..Self::default()
        }
    }

    /// Returns everything that keeps the proxy from starting, each with its key and what would be right.
    #[must_use]
    pub fn validate(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |holds: bool, message: &str| {
            if !holds {
                wrong.push(message.to_owned());
            }
        };
        let url = &self.control_plane.url;
        check(!url.is_empty(), "control_plane.url: say where the control plane is, as in https://host:8090");
        check(
            url.is_empty() || url.starts_with("http://") || url.starts_with("https://"),
            "control_plane.url: must begin with https:// (or http:// in development)",
        );
        check(
            !url.starts_with("https://") || self.control_plane.ca_file.is_some(),
            "control_plane.ca_file: say which authority signed the control plane's certificate (PEM)",
        );
        check(self.drain_deadline_ms <= 3_600_000, "drain_deadline_ms: at most 3600000 (an hour)");
        let bounds = 100..=600_000;
        check(bounds.contains(&self.head_timeout_ms), "head_timeout_ms: from 100 to 600000 (ten minutes)");
        check(bounds.contains(&self.stall_timeout_ms), "stall_timeout_ms: from 100 to 600000 (ten minutes)");
        check(
            self.tls.cert_file.is_some() == self.tls.key_file.is_some(),
            "tls: cert_file and key_file go together",
        );
        if self.mode == Mode::Production {
            check(self.tls.cert_file.is_some(), "tls.cert_file: production does not start without TLS");
            check(
                !url.starts_with("http://"),
                "control_plane.url: production does not speak to the control plane without TLS; use https://",
            );
            check(
                self.control_plane.token_file.is_some(),
                "control_plane.token_file: production does not start without a token of role proxy",
            );
        }
        wrong
    }

    /// Writes the configuration in force; secrets are left out.
    ///
    /// Errors: a value that TOML cannot say, which none of ours is.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        dump(self)
    }

    /// Returns the bends of development, each for one warning line; none in production.
    #[must_use]
    pub fn bends(&self) -> Vec<&'static str> {
        let mut bends = Vec::new();
        if self.mode == Mode::Production {
            return bends;
        }
        if self.tls.cert_file.is_none() {
            bends.push("the traffic port speaks without TLS");
        }
        if self.control_plane.url.starts_with("http://") {
            bends.push("the control plane is spoken to without TLS");
        }
        bends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_names_everything_that_is_missing() {
        let wrong = Config::default().validate();
        for key in ["control_plane.url", "tls.cert_file", "control_plane.token_file"] {
            assert!(wrong.iter().any(|line| line.starts_with(key)), "{wrong:?} lacks {key}");
        }
    }

    #[test]
    fn the_file_of_all_keys_is_a_production_configuration() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config/data-plane.toml");
        let config: Config = breakwater_runtime::config::load(Some(file.as_ref()), &[]).unwrap();
        assert_eq!(config.validate(), Vec::<String>::new());
        let text = std::fs::read_to_string(file).unwrap();
        let defaults = Config::default();
        assert_eq!((config.listen, config.drain_deadline_ms), (defaults.listen, defaults.drain_deadline_ms));
        for key in [
            "mode",
            "proxy_id",
            "head_timeout_ms",
            "stall_timeout_ms",
            "url",
            "token_file",
            "ca_file",
            "cert_file",
            "key_file",
            "filter",
        ] {
            assert!(text.contains(&format!("{key} = ")), "{key} is not in the file");
        }
    }

    #[test]
    fn development_starts_with_a_url_and_a_token() {
        let config = Config::development("http://127.0.0.1:8090", "bwt-x");
        assert!(config.validate().is_empty());
        assert_eq!(config.bends().len(), 2);
    }
}
