//! What can be typed. Doc comments here are the help texts.

use std::{path::PathBuf, time::Duration};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{client::Connection, failure::Failure, output::Format};

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

/// Commands on providers.
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// Breakers of all providers over the fleet
    Status,
    /// Take a provider out of every route
    Disable {
        /// Which
        name: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// Take it back
    Enable {
        /// Which
        name: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
}

/// Commands on keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key; it is shown once
    Create {
        /// Whose
        #[arg(long)]
        tenant: String,
        /// What conditions see as user.NAME
        #[arg(long = "attribute", value_name = "NAME=VALUE", value_parser = pair)]
        attributes: Vec<(String, String)>,
        /// How long it lives (90d); for ever if left out
        #[arg(long)]
        ttl: Option<String>,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// Make the next key of the same holder and end this one
    Rotate {
        /// Which
        id: String,
        /// How long the old one still works (1h)
        #[arg(long)]
        grace: Option<String>,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// End a key for good
    Revoke {
        /// Which
        id: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// List keys
    List {
        /// Only of this tenant
        #[arg(long)]
        tenant: Option<String>,
    },
}

/// Commands on tokens.
#[derive(Debug, Subcommand)]
pub enum TokensCommand {
    /// Make a token; it is shown once
    Create {
        /// Who will hold it
        #[arg(long)]
        subject: String,
        /// viewer, operator, auditor, admin or proxy
        #[arg(long)]
        role: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// End a token for good
    Revoke {
        /// Which
        id: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// List tokens
    List,
}

/// Commands on the ledger.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Show records, the newest ones if --start is left out
    Records {
        /// The first to show
        #[arg(long)]
        start: Option<u64>,
        /// How many, 1 to 1000
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show the signed tree head
    Checkpoint,
    /// Prove that a record is in the signed tree
    Prove {
        /// Its index
        index: u64,
    },
    /// Write all records, the checkpoint and its key to a directory
    Export {
        /// An empty or new directory
        dir: PathBuf,
    },
    /// Check chain, tree and signature, without trust in the server
    Verify {
        /// A former export; the server's ledger if left out
        dir: Option<PathBuf>,
        /// The log's key in C2SP form, or a file with it, kept from an earlier time; else the one that came along
        #[arg(long, value_name = "KEY|FILE")]
        public_key: Option<String>,
    },
}

/// Commands on proxies.
#[derive(Debug, Subcommand)]
pub enum ProxiesCommand {
    /// List them
    List,
}

/// Commands on the cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// As the asked node sees it
    Status,
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

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
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
