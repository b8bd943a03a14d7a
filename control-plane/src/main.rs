//! The control plane's process: configuration, logs, start, signal, drain.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use breakwater_control_plane::config::keys::{Arguments, command};
use breakwater_control_plane::{App, Config};
use breakwater_runtime::{shutdown, telemetry};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // Logs may not have started yet.
            drop(writeln!(std::io::stderr(), "breakwater-control-plane: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::from_matches(&command().get_matches());
    let config = arguments.load()?;
    if arguments.dump_config {
        // Secrets stand in files of their own, so that the configuration itself holds none.
        let text = breakwater_runtime::config::dump(&config)?;
        std::io::stdout().write_all(text.as_bytes()).context("cannot write the configuration")?;
        return Ok(ExitCode::SUCCESS);
    }
    config.validate()?;
    telemetry::init(config.log.format, &config.log.filter)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let app = App::start(config).await?;
    tracing::info!(admin = %app.admin_url(), "control plane is up");
    let failed = app.failed();
    // Both arms only wait; dropping one loses nothing.
    tokio::select! {
        signal = shutdown::wait() => tracing::info!(signal = signal.context("no signal handler")?, "ending"),
        () = failed.cancelled() => tracing::error!("a part failed; ending"),
    }
    let clean = !failed.is_cancelled();
    app.shutdown().await;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
