//! Every key of the configuration with its flag and its environment variable. A test holds the table against the type.

use std::path::{Path, PathBuf};

use breakwater_runtime::config::{ConfigError, Override, load};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Config;

/// One key.
#[derive(Debug, Clone, Copy)]
struct Key {
    key: &'static str,
    flag: &'static str,
    env: &'static str,
    help: &'static str,
}

const fn key(key: &'static str, flag: &'static str, env: &'static str, help: &'static str) -> Key {
    Key { key, flag, env, help }
}

#[rustfmt::skip]
const KEYS: [Key; 15] = [
    key("mode", "mode", "BREAKWATER_MODE", "development or production (the default)"),
    key("data_dir", "data-dir", "BREAKWATER_DATA_DIR", "directory on a local disk"),
    key("node_id", "node-id", "BREAKWATER_NODE_ID", "number of this node, from 1"),
    key("admin.listen", "admin-listen", "BREAKWATER_ADMIN_LISTEN", "address and port of gRPC and REST"),
    key("admin.tls_cert_file", "admin-tls-cert-file", "BREAKWATER_ADMIN_TLS_CERT_FILE", "PEM file of the certificate chain"),
    key("admin.tls_key_file", "admin-tls-key-file", "BREAKWATER_ADMIN_TLS_KEY_FILE", "PEM file of the private key"),
    key("secrets.admin_token_file", "secrets-admin-token-file", "BREAKWATER_SECRETS_ADMIN_TOKEN_FILE", "file of the first admin's token"),
    key("secrets.proxy_token_file", "secrets-proxy-token-file", "BREAKWATER_SECRETS_PROXY_TOKEN_FILE", "file of the first proxies' token"),
    key("secrets.sealing_key_file", "secrets-sealing-key-file", "BREAKWATER_SECRETS_SEALING_KEY_FILE", "file of the key that seals secrets"),
    key("secrets.log_key_file", "secrets-log-key-file", "BREAKWATER_SECRETS_LOG_KEY_FILE", "file of the key that signs checkpoints"),
    key("fleet.heartbeat_ms", "fleet-heartbeat-ms", "BREAKWATER_FLEET_HEARTBEAT_MS", "milliseconds between heartbeats to proxies"),
    key("fleet.report_interval_ms", "fleet-report-interval-ms", "BREAKWATER_FLEET_REPORT_INTERVAL_MS", "milliseconds between proxies' reports"),
    key("log.format", "log-format", "BREAKWATER_LOG_FORMAT", "text or json"),
    key("log.filter", "log-filter", "BREAKWATER_LOG_FILTER", "as in RUST_LOG: info,breakwater_control_plane=debug"),
    key("shutdown.drain_ms", "shutdown-drain-ms", "BREAKWATER_SHUTDOWN_DRAIN_MS", "milliseconds for calls and streams to end"),
];

/// What the command line asks for.
#[derive(Debug)]
pub struct Arguments {
    /// Print the configuration in force and end.
    pub dump_config: bool,
    file: Option<PathBuf>,
    overrides: Vec<Override>,
}

/// Makes the command line: `--config FILE`, `--dump-config` and a flag for each key.
#[must_use]
pub fn command() -> Command {
    let mut command = Command::new("breakwater-control-plane")
        .about("Breakwater's control plane")
        .version(env!("CARGO_PKG_VERSION"))
        .arg(Arg::new("config").long("config").value_name("FILE").help("TOML file").env("BREAKWATER_CONFIG"))
        .arg(
            Arg::new("dump-config")
                .long("dump-config")
                .action(ArgAction::SetTrue)
                .help("print what is in force and end"),
        );
    for key in KEYS {
        command =
            command.arg(Arg::new(key.flag).long(key.flag).value_name("VALUE").help(key.help).env(key.env));
    }
    command
}

impl Arguments {
    /// Reads what clap matched. A flag wins over an environment variable, which wins over the file.
    #[must_use]
    pub fn from_matches(matches: &ArgMatches) -> Self {
        let set = |key: &Key| {
            let value = matches.get_one::<String>(key.flag)?.clone();
            let source = match matches.value_source(key.flag) {
                Some(clap::parser::ValueSource::EnvVariable) => key.env.to_owned(),
                _ => format!("--{}", key.flag),
            };
            Some(Override { key: key.key.to_owned(), value, source })
        };
        Self {
            dump_config: matches.get_flag("dump-config"),
            file: matches.get_one::<String>("config").map(PathBuf::from),
            overrides: KEYS.iter().filter_map(set).collect(),
        }
    }

    /// Loads the configuration.
    pub fn load(&self) -> Result<Config, ConfigError> {
        load(self.file.as_deref().map(Path::new), &self.overrides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(prefix: &str, value: &serde_json::Value, into: &mut Vec<String>) {
        match value.as_object() {
            Some(object) => {
                for (name, value) in object {
                    let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    leaves(&path, value, into);
                }
            }
            None => into.push(prefix.to_owned()),
        }
    }

    #[test]
    fn every_key_of_the_type_has_its_flag_and_its_variable() {
        let mut found = Vec::new();
        leaves("", &serde_json::to_value(Config::default()).unwrap(), &mut found);
        assert_eq!(found, KEYS.map(|key| key.key.to_owned()));
        for key in KEYS {
            assert_eq!(key.flag, key.key.replace(['.', '_'], "-"));
            assert_eq!(key.env, format!("BREAKWATER_{}", key.key.to_uppercase().replace('.', "_")));
        }
    }

    #[test]
    fn the_example_lists_every_key_and_is_valid() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/config/control-plane.toml");
        let matches = command().try_get_matches_from(["x", "--config", file]).unwrap();
        let config = Arguments::from_matches(&matches).load().unwrap();
        assert_eq!(config.validate(), Ok(()));
        let text = std::fs::read_to_string(file).unwrap();
        for key in KEYS {
            let name = key.key.rsplit('.').next().unwrap_or_default();
            assert!(text.contains(&format!("\n{name} = ")), "{name}");
        }
    }

    #[test]
    fn flags_are_laid_over_the_file_and_name_themselves_when_wrong() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cp.toml");
        std::fs::write(&file, "mode = \"development\"\ndata_dir = \"/tmp/a\"\n").unwrap();
        let load = |more: &[&str]| {
            let base = ["x", "--config", file.to_str().unwrap()];
            let matches = command().try_get_matches_from(base.iter().chain(more)).unwrap();
            Arguments::from_matches(&matches).load()
        };
        let config = load(&["--admin-listen", "127.0.0.1:0"]).unwrap();
        assert_eq!((config.mode, config.admin.listen.port()), (super::super::Mode::Development, 0));
        let error = load(&["--node-id", "one"]).unwrap_err().to_string();
        assert!(error.contains("node_id") && error.contains("--node-id"), "{error}");
    }
}
