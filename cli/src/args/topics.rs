//! Commands that have commands of their own, by what they are about.

use std::path::PathBuf;

use clap::Subcommand;

use super::WriteArguments;

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

/// Commands that move routes.
#[derive(Debug, Subcommand)]
pub enum FailoverCommand {
    /// Send a route's calls to another endpoint
    Trigger {
        /// Which route
        route: String,
        /// Name of the Endpoint that takes its calls
        #[arg(long, value_name = "ENDPOINT")]
        to: String,
        /// Why, for the ledger: a code such as latency_degradation
        #[arg(long)]
        reason: String,
        /// How long it holds (1s to 7d); an hour if left out
        #[arg(long, value_name = "DURATION")]
        expires_after: Option<String>,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// Undo it
    Revert {
        /// Which route
        route: String,
        /// How the write is known
        #[command(flatten)]
        write: WriteArguments,
    },
    /// List the routes that are moved
    List,
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

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
