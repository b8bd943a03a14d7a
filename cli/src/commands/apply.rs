//! `apply`: all resources of files, or none.

use prost_reflect::Value as Field;
use serde_json::Value;

use super::{Context, list, not_yet_enforced, text};
use crate::{
    args::ApplyArguments,
    client::Client,
    failure::Failure,
    manifests::{self, Manifest},
    rpc::Method,
    table::Table,
};

/// How an apply is to be carried out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mode {
    /// Check only.
    pub(crate) dry_run: bool,
    /// Remove what is not given.
    pub(crate) prune: bool,
}

pub(super) async fn run(context: &Context, arguments: &ApplyArguments) -> Result<(), Failure> {
    let manifests = manifests::load(&arguments.files)?;
    let mode = Mode { dry_run: arguments.dry_run, prune: arguments.prune };
    let mut client = context.connect().await?;
    let reply = send(&mut client, &manifests, mode, &arguments.write.id()?).await?;
    let mut table = Table::new(&["KIND", "NAME", "CHANGE", "NOT YET ENFORCED"]);
    for change in list(&reply, "changes") {
        let [kind, name, what] = ["/kind", "/name", "/change"].map(|pointer| text(change, pointer));
        table.row([kind, name, what, not_yet_enforced(change)]);
    }
    context.output.rows(&reply, &table);
    context.output.talk(&summary(&reply, mode));
    Ok(())
}

/// Sends resources to a server. Violations come back with file and line.
pub(crate) async fn send(
    client: &mut Client,
    manifests: &[Manifest],
    mode: Mode,
    request_id: &str,
) -> Result<Value, Failure> {
    let method = Method::find("ApplyService", "Apply")?;
    let documents = manifests.iter().map(|manifest| &manifest.document);
    let mut request = manifests::request(&method.input(), documents)?;
    request.set_field_by_name("prune", Field::Bool(mode.prune));
    request.set_field_by_name("validate_only", Field::Bool(mode.dry_run));
    request.set_field_by_name("request_id", Field::String(request_id.to_owned()));
    let write = (!mode.dry_run).then_some(request_id);
    client.call_located(&method, request, write, &|violation| manifests::locate(manifests, violation)).await
}

fn summary(reply: &Value, mode: Mode) -> String {
    let changes = list(reply, "changes");
    let count = |change: &str| changes.iter().filter(|entry| entry["change"] == change).count();
    let counts = ["created", "updated", "deleted", "unchanged"]
        .map(|change| format!("{} {change}", count(change)))
        .join(", ");
    let revision = &reply["revision"];
    match (mode.dry_run, reply["ledger_index"].as_u64()) {
        (true, _) => format!("dry run, nothing was changed: {counts} (revision is {revision})"),
        (false, Some(index)) if index > 0 => format!("{counts}; revision {revision}, ledger record {index}"),
        (false, _) => format!("{counts}; revision stays {revision}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_summary_says_what_happened() {
        let reply = json!({"revision": 7, "ledger_index": 9, "changes": [{"change": "created"}, {"change": "created"}]});
        let done = summary(&reply, Mode::default());
        assert_eq!(done, "2 created, 0 updated, 0 deleted, 0 unchanged; revision 7, ledger record 9");
        let dry = summary(&reply, Mode { dry_run: true, prune: false });
        assert!(dry.starts_with("dry run, nothing was changed: 2 created"), "{dry}");
    }
}
