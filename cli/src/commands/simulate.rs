//! `simulate`: the simulated provider alone, until a signal.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use breakwater_runtime::shutdown;

use super::Context;
use crate::{
    args::duration,
    failure::Failure,
    simulate::{
        Dialect, Fault, LIBRARY, Options, Replay, Simulator, SimulatorError,
        fault::{Entry, Takes},
    },
};

/// Arguments of simulate.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub struct SimulateArguments {
    /// Where to listen
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Wire format: openai (with Azure's deployment paths), anthropic, mistral, gemini, bedrock or ollama
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

fn help() -> String {
    let mut help = String::from("Faults are NAME[=VALUE][:WORD=VALUE,...]:\n");
    for Entry { name, takes, after, what, .. } in &LIBRARY {
        let value = match takes {
            Takes::Nothing => String::new(),
            Takes::Millis(usual) => format!("={usual}ms"),
            Takes::Bytes(usual) => format!("={}k", usual / 1024),
            Takes::Status => "=503".to_owned(),
            Takes::Text(usual) => format!("={usual}"),
        };
        let place = after.map_or_else(String::new, |after| format!(":after={after}"));
        help.push_str(&format!("  {:<24} {what}\n", format!("{name}{value}{place}")));
    }
    help.push_str(WORDS);
    help
}

const WORDS: &str = "
Words: retry_after=2|1500ms|date|absurd, code=insufficient_quota, body=html|empty (of a status); after=N (events before it);
every=3  rate=25%  skip=5  count=2  wait=10s  for=30s  model=NAME (at which calls; without one at every call).
While it runs: GET, PUT (a fault a line) and DELETE /simulator/faults; GET /simulator/counts.

In a prompt: #pii and #secret let the answer carry invented personal data or an invented key, #words=500 makes it long,
#calls=2 calls a tool twice, #say TEXT makes it exactly TEXT.";

pub(super) async fn run(context: &Context, arguments: SimulateArguments) -> Result<(), Failure> {
    let replay = arguments.replay.map(load).transpose()?;
    if let Some(replay) = &replay {
        let (used, skipped) = (replay.interactions(), replay.skipped());
        context.output.talk(&format!(
            "replaying {used} interactions; {skipped} lines are of another format or not whole"
        ));
    }
    let root = arguments.dialect.root();
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
            SimulatorError::UnknownDialect(_) => failure,
        }
    })?;
    context.output.talk(&format!("simulated provider on http://{}{root} (Ctrl-C ends it)", simulator.addr()));
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
