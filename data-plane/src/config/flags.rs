//! The command line of `breakwater-data-plane`: every key as a flag and as an environment variable. A flag goes over the
//! environment, and both go over the file.

use std::path::PathBuf;

use breakwater_runtime::config::{ConfigError, Override, load};
use clap::Parser;

use super::Config;

/// The proxy in front of LLM traffic.
#[derive(Debug, Clone, Default, Parser)]
#[command(name = "breakwater-data-plane", version, about)]
pub struct Flags {
    /// Configuration file (TOML)
    #[arg(long, env = "BREAKWATER_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print the configuration in force and end
    #[arg(long)]
    pub dump_config: bool,
    /// production or development
    #[arg(long, env = "BREAKWATER_MODE")]
    mode: Option<String>,
    /// Address of LLM traffic
    #[arg(long, env = "BREAKWATER_LISTEN")]
    listen: Option<String>,
    /// Name towards the control plane
    #[arg(long, env = "BREAKWATER_PROXY_ID")]
    proxy_id: Option<String>,
    /// Milliseconds that calls may take to end after the signal to stop
    #[arg(long, env = "BREAKWATER_DRAIN_DEADLINE_MS")]
    drain_deadline_ms: Option<String>,
    /// Milliseconds in which a client must send a request's head
    #[arg(long, env = "BREAKWATER_HEAD_TIMEOUT_MS")]
    head_timeout_ms: Option<String>,
    /// Milliseconds in which a client must take some of an answer that is there
    #[arg(long, env = "BREAKWATER_STALL_TIMEOUT_MS")]
    stall_timeout_ms: Option<String>,
    /// Admin port of the control plane
    #[arg(long, env = "BREAKWATER_CONTROL_PLANE_URL")]
    control_plane_url: Option<String>,
    /// File with a token of role proxy
    #[arg(long, env = "BREAKWATER_CONTROL_PLANE_TOKEN_FILE")]
    control_plane_token_file: Option<String>,
    /// PEM file of the control plane's authority
    #[arg(long, env = "BREAKWATER_CONTROL_PLANE_CA_FILE")]
    control_plane_ca_file: Option<String>,
    /// PEM file with the traffic port's certificate chain
    #[arg(long, env = "BREAKWATER_TLS_CERT_FILE")]
    tls_cert_file: Option<String>,
    /// PEM file with its key
    #[arg(long, env = "BREAKWATER_TLS_KEY_FILE")]
    tls_key_file: Option<String>,
    /// PEM file of the only authorities to trust for upstreams
    #[arg(long, env = "BREAKWATER_UPSTREAM_CA_FILE")]
    upstream_ca_file: Option<String>,
    /// Address of the operators' port
    #[arg(long, env = "BREAKWATER_OPS_LISTEN")]
    ops_listen: Option<String>,
    /// text or json
    #[arg(long, env = "BREAKWATER_LOG_FORMAT")]
    log_format: Option<String>,
    /// Log filter, as in info,breakwater_data_plane=debug
    #[arg(long, env = "BREAKWATER_LOG_FILTER")]
    log_filter: Option<String>,
}

impl Flags {
    /// Reads the file and lays the flags over it. Errors name the key and where its value came from.
    pub fn load(&self) -> Result<Config, ConfigError> {
        load(self.config.as_deref(), &self.overrides())
    }

    fn overrides(&self) -> Vec<Override> {
        let keys = [
            ("mode", &self.mode),
            ("listen", &self.listen),
            ("proxy_id", &self.proxy_id),
            ("drain_deadline_ms", &self.drain_deadline_ms),
            ("head_timeout_ms", &self.head_timeout_ms),
            ("stall_timeout_ms", &self.stall_timeout_ms),
            ("control_plane.url", &self.control_plane_url),
            ("control_plane.token_file", &self.control_plane_token_file),
            ("control_plane.ca_file", &self.control_plane_ca_file),
            ("tls.cert_file", &self.tls_cert_file),
            ("tls.key_file", &self.tls_key_file),
            ("upstream.ca_file", &self.upstream_ca_file),
            ("ops.listen", &self.ops_listen),
            ("log.format", &self.log_format),
            ("log.filter", &self.log_filter),
        ];
        let given = keys.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        given
            .map(|(key, value)| Override {
                key: key.to_owned(),
                value: value.clone(),
                source: format!("--{}", key.replace(['.', '_'], "-")),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_lands_on_its_key() {
        let flags = Flags::try_parse_from([
            "breakwater-data-plane",
            "--mode",
            "development",
            "--listen",
            "127.0.0.1:9",
            "--control-plane-url",
            "http://127.0.0.1:8090",
        ]);
        let config = flags.unwrap().load().unwrap();
        assert_eq!(config.listen.port(), 9);
        assert!(config.validate().is_empty());
    }

    #[test]
    fn a_bad_value_is_refused_with_its_flag() {
        let flags = Flags { listen: Some("nowhere".into()), ..Flags::default() };
        let error = flags.load().unwrap_err().to_string();
        assert!(error.contains("--listen"), "{error}");
    }
}
