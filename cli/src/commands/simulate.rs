//! `simulate`: the simulated provider alone, until a signal.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use breakwater_runtime::shutdown;

use super::Context;
use crate::{
    args::duration,
    failure::Failure,
    simulate::{Dialect, Fault, Options, Replay, Simulator, SimulatorError},
};

/// Arguments of simulate.
#[derive(Debug, clap::Args)]
#[command(after_help = FAULTS)]
pub struct SimulateArguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Wire format: openai (with Azure's deployment paths)
    #[arg(long, default_value_t)]
    dialect: Dialect,
    /// Time before the first byte (200ms)
    #[arg(long, value_parser = duration)]
    latency: Option<Duration>,
    /// Speed of streams
    #[arg(long, value_name = "N")]
    tokens_per_second: Option<u32>,
    /// What goes wrong; may be given several times
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<Fault>,
    /// Answer from a recording (jsonl) instead of making answers up
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

const FAULTS: &str = "\
Faults are WHAT[,WHEN]:
  status=503  status=429,retry_after=2  cut_after=3  stall_after=2  error_event=2  bad_json  hang_up  slow=2s
  every=3  first=2  after=5  rate=25%  model=NAME    (without one: every call)

In a prompt: #pii and #secret let the answer carry invented personal data or an invented key, #words=500 makes it long,
#say TEXT makes it exactly TEXT.";

pub(super) async fn run(context: &Context, arguments: SimulateArguments) -> Result<(), Failure> {
    let replay = arguments.replay.map(load).transpose()?;
    if let Some(replay) = &replay {
        let (used, skipped) = (replay.interactions(), replay.skipped());
        context.output.talk(&format!(
            "replaying {used} interactions; {skipped} lines are of another format or not whole"
        ));
    }
    let options = Options {
        dialect: arguments.dialect,
        latency: arguments.latency.unwrap_or_default(),
        tokens_per_second: arguments.tokens_per_second,
        faults: arguments.faults,
        replay,
        requests_kept: 0,
    };
    let simulator = Simulator::start(arguments.listen, options).await.map_err(|error| {
        let failure = Failure::failed(error.to_string());
        match error {
            SimulatorError::Bind { .. } => failure.hint("choose another address: --listen"),
            SimulatorError::Dialect(_) | SimulatorError::UnknownDialect(_) => failure,
        }
    })?;
    context.output.talk(&format!("simulated provider on http://{}/v1 (Ctrl-C ends it)", simulator.addr()));
    let signal = shutdown::wait().await.map_err(|error| Failure::failed(error.to_string()))?;
    context.output.talk(&format!("{signal}: ending"));
    simulator.shutdown().await;
    Ok(())
}

fn load(path: PathBuf) -> Result<Replay, Failure> {
    let name = path.display();
    let file =
        std::fs::File::open(&path).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
    Replay::load(std::io::BufReader::new(file)).map_err(|error| Failure::usage(format!("{name}: {error}")))
}
