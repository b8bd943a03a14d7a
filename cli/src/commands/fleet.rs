//! `providers status`, `proxies list`, `cluster status`.

use serde_json::json;

use super::{Context, list, part, text};
use crate::{
    failure::Failure,
    table::{Table, card},
};

pub(super) async fn providers(context: &Context) -> Result<(), Failure> {
    let reply = context.connect().await?.read("FleetService", "GetProviderStatus", &json!({})).await?;
    let mut table = Table::new(&[
        "PROVIDER",
        "STATE",
        "FAILURES",
        "LAST FAILURE",
        "DISABLED",
        "CLOSED",
        "HALF-OPEN",
        "OPEN",
    ]);
    for provider in list(&reply, "data") {
        let cells = [
            "/provider",
            "/state",
            "/failures",
            "/last_failure",
            "/disabled",
            "/proxies_closed",
            "/proxies_half_open",
            "/proxies_open",
        ];
        table.row(cells.map(|pointer| text(provider, pointer)));
    }
    context.output.rows(part(&reply, "data"), &table);
    Ok(())
}

pub(super) async fn proxies(context: &Context) -> Result<(), Failure> {
    let reply = context.connect().await?.read("FleetService", "ListProxies", &json!({})).await?;
    let mut table = Table::new(&[
        "ID",
        "CONNECTED",
        "REVISION",
        "CALLS",
        "FAILED",
        "LAST REPORT",
        "VERSION",
        "REJECTION",
    ]);
    for proxy in list(&reply, "proxies") {
        let cells = [
            "/id",
            "/connected",
            "/revision",
            "/calls",
            "/failed_calls",
            "/last_report",
            "/version",
            "/rejection",
        ];
        table.row(cells.map(|pointer| text(proxy, pointer)));
    }
    context.output.rows(part(&reply, "proxies"), &table);
    Ok(())
}

pub(super) async fn cluster(context: &Context) -> Result<(), Failure> {
    let reply = context.connect().await?.read("SystemService", "GetClusterStatus", &json!({})).await?;
    context.output.data(&reply, || {
        card(&[
            ("cluster", text(&reply, "/cluster_id")),
            ("this node", text(&reply, "/node_id")),
            ("leader", text(&reply, "/leader_id")),
            ("voters", text(&reply, "/voters")),
            ("term", text(&reply, "/term")),
            ("last log index", text(&reply, "/last_log_index")),
            ("applied index", text(&reply, "/applied_index")),
            ("revision", text(&reply, "/revision")),
            ("digest", text(&reply, "/digest")),
        ])
    });
    Ok(())
}
