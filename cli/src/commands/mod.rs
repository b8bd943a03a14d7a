//! One file a command. Each takes what was typed, calls the server by descriptor, and hands JSON and a table to output.

mod access;
pub(crate) mod apply;
mod diff;
mod failover;
mod fleet;
mod ledger;
mod ledger_verify;
pub(crate) mod resources;
#[cfg(feature = "dev")]
pub mod simulate;
mod why;

use clap::CommandFactory;
use serde_json::{Value, json};

use crate::{
    args::{Arguments, ClusterCommand, Command, ProvidersCommand, ProxiesCommand},
    client::{Client, Connection},
    failure::Failure,
    output::Output,
    table::card,
};

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) connection: Connection,
}

impl Context {
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        Client::connect(&self.connection).await
    }
}

/// Runs one command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let context =
        Context { output: Output::new(arguments.global.output), connection: arguments.global.connection() };
    let context = &context;
    match arguments.command {
        #[cfg(feature = "dev")]
        Command::Dev(arguments) => Box::pin(crate::dev::run(context, arguments)).await,
        #[cfg(feature = "dev")]
        Command::Simulate(arguments) => simulate::run(context, arguments).await,
        Command::Apply(arguments) => apply::run(context, &arguments).await,
        Command::Diff(arguments) => diff::run(context, &arguments).await,
        Command::Get { kind, name } => resources::get(context, &kind, name.as_deref()).await,
        Command::Delete { kind, name, write } => resources::delete(context, &kind, &name, &write).await,
        Command::Providers(ProvidersCommand::Status) => fleet::providers(context).await,
        Command::Providers(ProvidersCommand::Disable { name, write }) => {
            resources::set_disabled(context, &name, true, &write).await
        }
        Command::Providers(ProvidersCommand::Enable { name, write }) => {
            resources::set_disabled(context, &name, false, &write).await
        }
        Command::Failover(command) => failover::run(context, command).await,
        Command::Keys(command) => access::keys(context, command).await,
        Command::Tokens(command) => access::tokens(context, command).await,
        Command::Ledger(command) => ledger::run(context, command).await,
        Command::Why { request_id } => why::run(context, &request_id).await,
        Command::Proxies(ProxiesCommand::List) => fleet::proxies(context).await,
        Command::Cluster(ClusterCommand::Status) => fleet::cluster(context).await,
        Command::Completions { shell } => {
            completions(context, shell);
            Ok(())
        }
        Command::Version => version(context).await,
    }
}

fn completions(context: &Context, shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "breakwater", &mut script);
    context.output.text(&String::from_utf8_lossy(&script));
}

async fn version(context: &Context) -> Result<(), Failure> {
    let client = env!("CARGO_PKG_VERSION");
    let server = match context.connect().await {
        Ok(mut server) => server.read("SystemService", "GetVersion", &json!({})).await,
        Err(failure) => Err(failure),
    };
    // The command's own release is asked for; a server that is not there is worth a word, not a failure.
    let server = server.unwrap_or_else(|failure| {
        context.output.talk(&format!(
            "note: no version of a server: {}",
            failure.lines.first().map_or("", String::as_str)
        ));
        Value::Null
    });
    context.output.data(&json!({"client": {"version": client}, "server": server}), || {
        card(&[
            ("client", client.to_owned()),
            ("server", text(&server, "/version")),
            ("server commit", text(&server, "/git_sha")),
            ("cluster revision", text(&server, "/cluster_revision")),
        ])
    });
    Ok(())
}

/// Writes what stands at a JSON pointer, for a cell: texts bare, nothing for null.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items.iter().map(|item| text(item, "")).collect::<Vec<_>>().join(","),
        Some(Value::Object(fields)) => fields
            .iter()
            .map(|(name, value)| format!("{name}={}", text(value, "")))
            .collect::<Vec<_>>()
            .join(","),
        Some(other @ (Value::Bool(_) | Value::Number(_))) => other.to_string(),
    }
}

/// Writes the paths of `not_yet_enforced` for a cell: elements of a list are not told apart.
pub(crate) fn not_yet_enforced(resource: &Value) -> String {
    let mut paths: Vec<String> = Vec::new();
    for path in list(resource, "not_yet_enforced").iter().filter_map(Value::as_str) {
        let outside = path.split('[').enumerate().map(|(number, piece)| match number {
            0 => piece.to_owned(),
            _ => format!("[]{}", piece.split_once(']').map_or("", |(_, rest)| rest)),
        });
        let path: String = outside.collect();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths.join(",")
}

/// Returns what stands at a key; null if there is nothing.
pub(crate) fn part<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// Returns the list at a key; nothing if there is none.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_say_what_stands_at_a_pointer() {
        let value = json!({"a": {"b": [1, "x"]}, "c": {"k": "v"}, "d": null, "e": true});
        let check = |pointer: &str, expect: &str| assert_eq!(text(&value, pointer), expect);
        check("/a/b", "1,x");
        check("/c", "k=v");
        check("/d", "");
        check("/e", "true");
        check("/none", "");
    }

    #[test]
    fn elements_of_lists_are_not_told_apart() {
        let resource =
            json!({"not_yet_enforced": ["spec.a", "spec.m[0].p", "spec.m[1].p", "spec.m[1].q[2]"]});
        assert_eq!(not_yet_enforced(&resource), "spec.a,spec.m[].p,spec.m[].q[]");
    }
}
