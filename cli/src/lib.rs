//! The operator's command line, and the newcomer's way in.
//!
//! - [`args`]: what can be typed. [`output`]: the only place that prints. [`failure`]: exit codes and what to do.
//! - [`client`], [`rpc`], [`status`]: calls to a control plane, by descriptor; [`table`]: how people see the replies.
//! - [`commands`]: one file a command. [`manifests`]: files of resources, read and checked before they are sent.
//! - `dev`, `simulate` (feature `dev`): everything on one machine; a provider that speaks the wire formats.

#![forbid(unsafe_code)]

pub mod args;
pub mod client;
pub mod commands;
#[cfg(feature = "dev")]
pub mod dev;
pub mod failure;
pub mod manifests;
pub mod output;
pub mod rpc;
#[cfg(feature = "dev")]
pub mod simulate;
pub mod status;
pub mod table;

/// Runs one command to its end.
///
/// Errors: why it did not succeed, with the exit code.
pub fn run(arguments: args::Arguments) -> Result<(), failure::Failure> {
    let mut builder = match arguments.command {
        #[cfg(feature = "dev")]
        args::Command::Dev(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| failure::Failure::failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(commands::run(arguments))
}
