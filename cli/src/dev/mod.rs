//! `dev`: everything on one machine: a control plane of one node, one proxy, and two simulated providers.
//!
//! Everything is kept in the data directory (`--data-dir`, or `$XDG_DATA_HOME/breakwater/dev`, or
//! `~/.local/share/breakwater/dev`): the replicated state and its keys and tokens under `control-plane/`, the API key of
//! the tenant `dev` in `api-key`, the ports of the simulated providers in `simulator`. A second start finds all of it.
//!
//! The starter configuration (`deploy/dev/starter.yaml`) is applied only to an empty state. Files of `--apply` are
//! applied at every start; routes in them are added to what the tenant `dev` may call, unless they have that tenant
//! themselves, so that the printed key can call them.

mod home;
mod machine;
mod provision;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use breakwater_runtime::{
    shutdown::Signals,
    telemetry::{self, Format},
};
use serde_json::{Value, json};

use crate::{commands::Context, failure::Failure, output::Output};

use home::Home;
use machine::Machine;

/// Warnings, but for the bends of development: they are said once, together, before the banner.
const LOG_FILTER: &str = "warn,openraft=error,breakwater::bends=off";

/// Arguments of dev.
#[derive(Debug, clap::Args)]
pub struct DevArguments {
    /// Where everything is kept; $XDG_DATA_HOME/breakwater/dev or ~/.local/share/breakwater/dev if left out
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the proxy takes LLM traffic
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    proxy_listen: SocketAddr,
    /// Where the control plane takes gRPC and REST
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR")]
    admin_listen: SocketAddr,
    /// Apply this file after the start; may be given several times
    #[arg(long, value_name = "FILE")]
    apply: Vec<PathBuf>,
    /// Start no simulated providers, and apply no starter configuration that needs them
    #[arg(long)]
    no_simulator: bool,
    /// Write addresses, token and key to this file (JSON) once traffic can flow
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,
    /// Which log lines go to stderr, as in warn,breakwater_data_plane=debug
    #[arg(long, default_value = LOG_FILTER, env = "BREAKWATER_LOG", value_name = "FILTER")]
    log: String,
}

/// What a newcomer needs to know.
#[derive(Debug, Clone)]
struct Ready {
    proxy_url: String,
    admin_url: String,
    admin_token: String,
    api_key: String,
    alias: Option<String>,
    bends: Vec<&'static str>,
}

pub(crate) async fn run(context: &Context, arguments: DevArguments) -> Result<(), Failure> {
    telemetry::init(Format::Text, &arguments.log)
        .map_err(|error| Failure::usage(format!("--log: {error}")))?;
    let manifests =
        if arguments.apply.is_empty() { Vec::new() } else { crate::manifests::load(&arguments.apply)? };
    let home = Home::open(arguments.data_dir.as_deref())?;
    if let Some(path) = &arguments.ready_file {
        home::remove_if_there(path)?;
    }
    // Before anything starts, so that no signal from the ready file on ends the process without a drain.
    let mut signals = Signals::listen().map_err(|error| Failure::failed(error.to_string()))?;
    let starting = Box::pin(Machine::start(&home, &arguments, &manifests, context));
    let machine = tokio::select! {
        machine = starting => machine?,
        signal = signals.next() => return Err(Failure::failed(format!("{signal} before everything was up"))),
    };
    let ready = machine.ready().clone();
    ready.print(&context.output, &home);
    // Last: whoever waits for the file finds the banner printed too.
    if let Some(path) = &arguments.ready_file {
        home::write_whole(path, &format!("{:#}\n", ready.to_json()))?;
    }
    let lost = machine.lost();
    let reason = tokio::select! {
        signal = signals.next() => Ok(signal),
        what = lost => Err(Failure::failed(format!("{what} has failed; its log lines above say why"))),
    };
    if let Ok(signal) = reason {
        context.output.talk(&format!("{signal}: letting calls end (once more to end at once)"));
    }
    tokio::select! {
        () = machine.shutdown() => {}
        _ = signals.next() => return Err(Failure::failed("ended before all calls did")),
    }
    reason.map(|_| ())
}

impl Ready {
    fn to_json(&self) -> Value {
        json!({
            "proxy_url": self.proxy_url,
            "admin_url": self.admin_url,
            "admin_token": self.admin_token,
            "api_key": self.api_key,
            "pid": std::process::id(),
        })
    }

    /// Says the bends, each on a line of its own, and then what is where.
    fn print(&self, output: &Output, home: &Home) {
        for bend in &self.bends {
            output.talk(&format!("warning: mode development: {bend}"));
        }
        output.talk("");
        output.data(&self.to_json(), || self.text(home, std::env::current_exe().ok().as_deref()));
    }

    fn text(&self, home: &Home, program: Option<&Path>) -> String {
        let Self { proxy_url, admin_url, admin_token, api_key, alias, bends: _ } = self;
        let path = program.and_then(Path::parent).map(Path::display);
        let path = path.map(|path| format!("  export PATH=\"{path}:$PATH\"\n")).unwrap_or_default();
        let call = match alias {
            Some(alias) => format!(
                "A call; the e-mail address never reaches the provider (with -i, the id of the call is shown too):\n\n  \
                 curl -sS {proxy_url}/v1/chat/completions \
                 -H \"Authorization: Bearer {api_key}\" -H \"Content-Type: application/json\" \
                 -d '{{\"model\": \"{alias}\", \"messages\": [{{\"role\": \"user\", \"content\": \"Hello, I am jane@example.com\"}}]}}'\n"
            ),
            None => {
                "There is no route yet that the tenant dev may call: breakwater apply -f FILE\n".to_owned()
            }
        };
        format!(
            "Breakwater is up.\n\n  proxy          {proxy_url}/v1   (OpenAI's format; every other one: docs/formats.md)\n  control plane  {admin_url}   (gRPC and REST)\n  \
             data           {}\n\nIn a second terminal:\n\n{path}  export BREAKWATER_SERVER={admin_url}\n  \
             export BREAKWATER_TOKEN={admin_token}\n  export KEY={api_key}\n\n  breakwater get routes\n  \
             breakwater providers status\n  breakwater ledger records\n\n{call}\n\
             Ctrl-C ends it; the next start finds everything as it was.\n",
            home.path().display()
        )
    }
}
