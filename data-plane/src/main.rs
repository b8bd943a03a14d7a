//! The proxy's process: flags, logs, start, signal, drain.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use breakwater_data_plane::config::Flags;
use breakwater_data_plane::{App, Config};
use breakwater_runtime::{shutdown, telemetry};
use clap::Parser;

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logs may not have started: what keeps a server from running goes to stderr, whole.
            drop(writeln!(std::io::stderr(), "breakwater-data-plane: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let config = flags.load()?;
    if flags.dump_config {
        let text = config.to_toml().context("the configuration cannot be printed")?;
        return std::io::stdout().write_all(text.as_bytes()).context("stdout is closed");
    }
    telemetry::init(config.log.format, &config.log.filter)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let app = App::start(config).await?;
    let failed = app.failed();
    // Cancel-safe: both arms only wait.
    let lost = tokio::select! {
        signal = shutdown::wait() => {
            tracing::info!(signal = signal?, "draining");
            false
        }
        () = failed.cancelled() => true,
    };
    let drained = app.shutdown().await;
    anyhow::ensure!(!lost, "a part of the proxy failed; see the log");
    anyhow::ensure!(drained, "calls were still running at the drain deadline and were cut");
    Ok(())
}
