//! What a machine begins with: the starter configuration, the files of `--apply`, the tenant's key.

use std::collections::BTreeSet;

use breakwater_common::resource::Kind;
use serde_json::{Value, json};

use super::{home::Home, machine::Simulated};
use crate::{
    args::new_request_id,
    client::Client,
    commands::{
        apply::{Mode, send},
        list, part, resources, text,
    },
    failure::Failure,
    manifests::{self, Manifest},
    output::Output,
};

/// The tenant of this machine.
const TENANT: &str = "dev";
/// File of its key.
const KEY_FILE: &str = "api-key";
/// What an empty state begins with.
const STARTER: &str = include_str!("../../../deploy/dev/starter.yaml");
/// The same without simulated providers.
const STARTER_BARE: &str = "kind: Tenant\nname: dev\nspec: {display_name: This machine}\n";

/// What a newcomer gets.
#[derive(Debug)]
pub(super) struct Provisioned {
    /// Key of the tenant; empty if it is gone.
    pub(super) api_key: String,
    /// An alias that the tenant may call.
    pub(super) alias: Option<String>,
}

pub(super) async fn provision(
    client: &mut Client,
    home: &Home,
    simulated: Option<&Simulated>,
    files: &[Manifest],
    output: &Output,
) -> Result<Provisioned, Failure> {
    if is_empty(client).await? {
        let starter = starter(simulated)?;
        send(client, &starter, Mode::default(), &new_request_id()?).await?;
    } else if let Some(simulated) = simulated {
        follow(client, simulated).await?;
    }
    if !files.is_empty() {
        send(client, files, Mode::default(), &new_request_id()?).await?;
        allow(client, files).await?;
    }
    let routes = match tenant(client).await? {
        Some(tenant) => list(part(&tenant, "spec"), "routes").iter().map(|route| text(route, "")).collect(),
        None => {
            output
                .talk(&format!("note: there is no tenant {TENANT:?} any more, so there is no key to print"));
            return Ok(Provisioned { api_key: String::new(), alias: None });
        }
    };
    Ok(Provisioned { api_key: api_key(client, home).await?, alias: alias(client, routes).await? })
}

async fn is_empty(client: &mut Client) -> Result<bool, Failure> {
    for kind in Kind::ALL {
        if !resources::fetch_all(client, kind).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn starter(simulated: Option<&Simulated>) -> Result<Vec<Manifest>, Failure> {
    let (text, urls) = match simulated {
        Some(simulated) => (STARTER, simulated.providers().map(|(_, now, _)| now)),
        None => (STARTER_BARE, [String::new(), String::new()]),
    };
    read_starter(text, &urls)
}

fn read_starter(text: &str, [primary, backup]: &[String; 2]) -> Result<Vec<Manifest>, Failure> {
    let lookup = |name: &str| match name {
        "SIMULATED_PRIMARY_URL" => Some(primary.clone()),
        "SIMULATED_BACKUP_URL" => Some(backup.clone()),
        _ => None,
    };
    let documents = manifests::parse(text, &lookup).map_err(|violations| {
        let reasons: Vec<String> = violations.iter().map(ToString::to_string).collect();
        Failure::failed(format!("the starter configuration is wrong: {}", reasons.join("; ")))
    })?;
    Ok(documents.into_iter().map(|document| Manifest { file: "starter.yaml".to_owned(), document }).collect())
}

/// Lets providers that named a simulated provider's former port name its new one.
async fn follow(client: &mut Client, simulated: &Simulated) -> Result<(), Failure> {
    let providers = resources::fetch_all(client, Kind::Provider).await?;
    for (name, now, had) in simulated.providers() {
        let named = providers.iter().find(|provider| provider["name"] == name);
        let stale = named.is_some_and(|provider| {
            let url = text(provider, "/spec/base_url");
            url != now && had.contains(&url)
        });
        if stale {
            update(client, "Provider", name, "base_url", json!(now)).await?;
        }
    }
    Ok(())
}

/// Adds the routes of files to what the tenant may call, unless the files have the tenant themselves.
async fn allow(client: &mut Client, files: &[Manifest]) -> Result<(), Failure> {
    let is = |manifest: &&Manifest, kind| manifest.document.kind == kind;
    if files.iter().any(|manifest| is(&manifest, Kind::Tenant) && manifest.document.name == TENANT) {
        return Ok(());
    }
    let Some(tenant) = tenant(client).await? else { return Ok(()) };
    let mut routes: Vec<String> =
        list(part(&tenant, "spec"), "routes").iter().map(|route| text(route, "")).collect();
    let known: BTreeSet<String> = routes.iter().cloned().collect();
    let before = routes.len();
    let named = files
        .iter()
        .filter(|manifest| is(manifest, Kind::Route))
        .map(|manifest| manifest.document.name.clone());
    routes.extend(named.filter(|route| !known.contains(route)));
    if routes.len() > before {
        update(client, "Tenant", TENANT, "routes", json!(routes)).await?;
    }
    Ok(())
}

async fn update(
    client: &mut Client,
    kind: &str,
    name: &str,
    field: &str,
    value: Value,
) -> Result<(), Failure> {
    let id = new_request_id()?;
    let request = json!({
        kind.to_lowercase(): {"name": name, "spec": {field: value}},
        "update_mask": format!("spec.{field}"),
        "request_id": id,
    });
    client.write(&format!("{kind}Service"), &format!("Update{kind}"), &request, &id).await.map(drop)
}

async fn tenant(client: &mut Client) -> Result<Option<Value>, Failure> {
    let tenants = resources::fetch_all(client, Kind::Tenant).await?;
    Ok(tenants.into_iter().find(|tenant| tenant["name"] == TENANT))
}

/// Returns the key of the data directory if it still works, or makes one.
async fn api_key(client: &mut Client, home: &Home) -> Result<String, Failure> {
    let kept = home.read(KEY_FILE)?.unwrap_or_default();
    let keys = client.read("KeyService", "ListKeys", &json!({"tenant": TENANT})).await?;
    // A key is "bw-", its id of 16 characters, and its secret.
    let id = kept.strip_prefix("bw-").and_then(|rest| rest.get(..16)).unwrap_or_default();
    if list(&keys, "keys").iter().any(|key| key["id"] == id && key["state"] == "active") {
        return Ok(kept);
    }
    let request_id = new_request_id()?;
    let request = json!({"tenant": TENANT, "request_id": request_id});
    let made = client.write("KeyService", "CreateKey", &request, &request_id).await?;
    let key = text(&made, "/api_key");
    home.write(KEY_FILE, &key)?;
    Ok(key)
}

/// Returns the first alias of the first of the tenant's routes that has one.
async fn alias(client: &mut Client, routes: Vec<String>) -> Result<Option<String>, Failure> {
    let stored = resources::fetch_all(client, Kind::Route).await?;
    let aliases = routes.iter().filter_map(|name| {
        let route = stored.iter().find(|route| route["name"] == name.as_str())?;
        route.pointer("/spec/aliases/0")?.as_str()
    });
    Ok(aliases.into_iter().next().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_starters_are_right() {
        let urls = ["http://127.0.0.1:1/v1".to_owned(), "http://127.0.0.1:2/v1".to_owned()];
        let kinds = |text: &str| -> Vec<Kind> {
            read_starter(text, &urls).unwrap().iter().map(|manifest| manifest.document.kind).collect()
        };
        let whole = [Kind::Provider, Kind::Provider, Kind::Policy, Kind::Route, Kind::Route, Kind::Tenant];
        assert_eq!(kinds(STARTER), whole);
        assert_eq!(kinds(STARTER_BARE), [Kind::Tenant]);
    }
}
