//! `failover trigger`, `failover revert`, `failover list`.

use serde_json::{Value, json};

use super::{Context, list, part, text};
use crate::{
    args::FailoverCommand,
    failure::Failure,
    table::{Table, card},
};

pub(super) async fn run(context: &Context, command: FailoverCommand) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    match command {
        FailoverCommand::Trigger { route, to, reason, expires_after, write } => {
            let id = write.id()?;
            let request = json!({
                "route_id": route,
                "fallback_endpoint": to,
                "reason": reason,
                "expires_after": expires_after.unwrap_or_default(),
                "request_id": id,
            });
            let reply = client.write("RerouteService", "TriggerFailover", &request, &id).await?;
            show(context, &reply);
        }
        FailoverCommand::Revert { route, write } => {
            let id = write.id()?;
            let request = json!({"route_id": route, "request_id": id});
            let reply = client.write("RerouteService", "RevertFailover", &request, &id).await?;
            show(context, &reply);
        }
        FailoverCommand::List => {
            let reply = client.read("RerouteService", "ListRouteOverrides", &json!({})).await?;
            let mut table =
                Table::new(&["ROUTE", "KIND", "FROM", "TO", "REASON", "BY", "ID", "EXPIRES", "EXPIRED"]);
            for over in list(&reply, "overrides") {
                let cells = [
                    "/route_id",
                    "/kind",
                    "/original_endpoint",
                    "/fallback_endpoint",
                    "/reason",
                    "/made_by",
                    "/automation_id",
                    "/expire_time",
                    "/expired",
                ];
                table.row(cells.map(|pointer| text(over, pointer)));
            }
            context.output.rows(part(&reply, "overrides"), &table);
        }
    }
    Ok(())
}

fn show(context: &Context, reply: &Value) {
    context.output.data(reply, || {
        card(&[
            ("status", text(reply, "/status")),
            ("route", text(reply, "/route_id")),
            ("from", text(reply, "/original_endpoint")),
            ("to", text(reply, "/fallback_endpoint")),
            ("expires", text(reply, "/expire_time")),
            ("automation", text(reply, "/automation_id")),
            ("acknowledged by", text(reply, "/acknowledged_proxies")),
            ("pending at", text(reply, "/pending_proxies")),
            ("ledger record", text(reply, "/ledger_index")),
        ])
    });
    if !list(reply, "pending_proxies").is_empty() {
        context.output.talk("some proxies have not acknowledged yet: see breakwater proxies list");
    }
}
