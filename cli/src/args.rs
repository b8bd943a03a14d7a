//! What can be typed. Doc comments here are the help texts.

mod topics;

use std::{path::PathBuf, time::Duration};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{client::Connection, failure::Failure, output::Format};

pub use topics::{
    ClusterCommand, FailoverCommand, KeysCommand, LedgerCommand, ProvidersCommand, ProxiesCommand,
    TokensCommand,
};

/// Breakwater's command line: the operator's client, and the newcomer's way in (start with `breakwater dev`).
#[derive(Debug, Parser)]
#[command(name = "breakwater", version, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 unreachable, 4 unknown outcome of a write."
)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// Reads what was typed.
    ///
    /// Errors: what clap has to say: wrong usage, or help that was asked for.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::command();
        command.build();
        let matches = with_usages(command).try_get_matches()?;
        Self::from_arg_matches(&matches)
    }
}

/// Fixes each command's usage line: clap would put what the environment gives into that of an error, as if it were needed.
fn with_usages(command: clap::Command) -> clap::Command {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    command.override_usage(usage).mut_subcommands(with_usages)
}

/// What holds for every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// How data is written to stdout
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub output: Format,
    /// The control plane's admin port
    #[arg(
        long,
        env = "BREAKWATER_SERVER",
        default_value = "http://127.0.0.1:8090",
        global = true,
        value_name = "URL"
    )]
    pub server: String,
    /// Token of the control plane
    #[arg(long, env = "BREAKWATER_TOKEN", hide_env_values = true, global = true)]
    pub token: Option<String>,
    /// PEM file of the authority that signed the server's certificate
    #[arg(long, env = "BREAKWATER_CA", global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Time for one call (500ms, 30s, 2m)
    #[arg(long, default_value = "30s", value_parser = duration, global = true)]
    pub timeout: Duration,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything on one machine: control plane, proxy, simulated providers
    #[cfg(feature = "dev")]
    Dev(crate::dev::DevArguments),
    /// A provider that speaks the wire format of a real one, for drills
    #[cfg(feature = "dev")]
    Simulate(crate::commands::simulate::SimulateArguments),
    /// Make or change all resources of files, or none
    Apply(ApplyArguments),
    /// Show what apply would change
    Diff(DiffArguments),
    /// Show resources
    Get {
        /// provider, endpoint, policy, route, tenant, playbook, deliveryworkflow, slo
        kind: String,
        /// One of them; all if left out
        name: Option<String>,
    },
    /// Remove a resource
    Delete {
        /// As in get
        kind: String,
        /// Which
        name: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// Providers and their breakers
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// Move a route to another endpoint for a time
    #[command(subcommand)]
    Failover(FailoverCommand),
    /// API keys of tenants
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Tokens for the control plane
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// The record of every change and act
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// What became of one call, and why
    Why {
        /// x-breakwater-request-id of its answer
        request_id: String,
    },
    /// The proxies
    #[command(subcommand)]
    Proxies(ProxiesCommand),
    /// The control plane's nodes
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Completions for a shell
    Completions {
        /// Which
        shell: clap_complete::Shell,
    },
    /// The release of this binary and of the server
    Version,
}

/// How a write is known.
#[derive(Debug, clap::Args)]
pub struct WriteArguments {
    /// Id of the request: the same id is carried out at most once. Made up if left out
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

/// Arguments of apply.
#[derive(Debug, clap::Args)]
pub struct ApplyArguments {
    /// File, directory (its .yaml, .yml and .json files) or - for stdin
    #[arg(short, long = "file", required = true, value_name = "FILE|DIR|-")]
    pub files: Vec<PathBuf>,
    /// Check and tell, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove every resource that is not in the files
    #[arg(long)]
    pub prune: bool,
    /// How the write is known
    #[command(flatten)]
    pub write: WriteArguments,
}

/// Arguments of diff.
#[derive(Debug, clap::Args)]
pub struct DiffArguments {
    /// File, directory or - for stdin
    #[arg(short, long = "file", required = true, value_name = "FILE|DIR|-")]
    pub files: Vec<PathBuf>,
}

impl Global {
    /// Returns how to reach the server.
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection {
            server: self.server.trim_end_matches('/').to_owned(),
            token: self.token.clone(),
            ca: self.ca.clone(),
            timeout: self.timeout,
        }
    }
}

impl WriteArguments {
    /// Returns the id that was given, or a new random one.
    pub fn id(&self) -> Result<String, Failure> {
        self.request_id.clone().map_or_else(new_request_id, Ok)
    }
}

/// Makes a random request id.
pub(crate) fn new_request_id() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut bytes)
        .map_err(|_| Failure::failed("the system gives no random bytes; give --request-id"))?;
    Ok(format!("cli-{:016x}", u64::from_be_bytes(bytes)))
}

/// Reads "500ms", "30s" or "2m".
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (amount, unit) = text.split_at_checked(digits).unwrap_or_default();
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    match amount.parse::<u32>().map(|amount| u64::from(amount) * unit_ms) {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        Ok(_) | Err(_) => Err("expected a duration such as 500ms, 30s or 2m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn commands_of_the_contract_are_read() {
        for line in [
            "apply -f a.yaml -f dir --dry-run --prune",
            "apply -f -",
            "diff -f a.yaml",
            "get routes",
            "get route prod-chat -o yaml",
            "delete provider openai --request-id r-1",
            "providers disable openai",
            "keys create --tenant acme --attribute department=legal --ttl 90d",
            "keys rotate 0123456789abcdef --grace 1h",
            "tokens create --subject ci --role operator",
            "ledger records --limit 10",
            "ledger verify dir --public-key k",
            "why req-1 -o json --timeout 2s",
            "completions bash",
        ] {
            let words = std::iter::once("breakwater").chain(line.split(' '));
            Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for line in [
            "apply",
            "get",
            "ledger records --limit 0",
            "keys create",
            "why",
            "--timeout 0s version",
            "edit x",
        ] {
            let words = std::iter::once("breakwater").chain(line.split(' '));
            assert!(Arguments::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn request_ids_differ_unless_given() {
        let none = WriteArguments { request_id: None };
        assert_ne!(none.id().unwrap(), none.id().unwrap());
        assert_eq!(WriteArguments { request_id: Some("r".to_owned()) }.id().unwrap(), "r");
    }
}
