//! `get`, `delete`, and the switches that are updates of one field.

use breakwater_common::resource::Kind;
use serde_json::{Value, json};

use super::{Context, list, not_yet_enforced, text};
use crate::{
    args::WriteArguments,
    client::Client,
    failure::{Exit, Failure},
    table::{Table, card},
};

/// Resources on a page.
const PAGE: u32 = 100;

pub(super) async fn get(context: &Context, kind: &str, name: Option<&str>) -> Result<(), Failure> {
    let kind = parse_kind(kind)?;
    let mut client = context.connect().await?;
    let mut table = Table::new(&["NAME", "REVISION", "UPDATED", summary_heading(kind), "NOT YET ENFORCED"]);
    let value = match name {
        Some(name) => match fetch(&mut client, kind, name).await {
            Ok(resource) => resource,
            Err(failure) if failure.exit == Exit::Failed => {
                return Err(explain(&mut client, kind, name, failure).await);
            }
            Err(failure) => return Err(failure),
        },
        None => Value::Array(fetch_all(&mut client, kind).await?),
    };
    let one = std::slice::from_ref(&value);
    for resource in value.as_array().map_or(one, Vec::as_slice) {
        table.row([
            text(resource, "/name"),
            text(resource, "/revision"),
            text(resource, "/update_time"),
            summary(kind, resource),
            not_yet_enforced(resource),
        ]);
    }
    context.output.resources(&value, &table);
    Ok(())
}

pub(super) async fn delete(
    context: &Context,
    kind: &str,
    name: &str,
    write: &WriteArguments,
) -> Result<(), Failure> {
    let kind = parse_kind(kind)?;
    let mut client = context.connect().await?;
    let id = write.id()?;
    let request = json!({"name": name, "request_id": id});
    let reply = client.write(&service(kind), &format!("Delete{}", kind.as_str()), &request, &id).await?;
    context.output.data(&reply, || {
        card(&[
            ("deleted", format!("{}/{name}", kind.as_str())),
            ("revision", text(&reply, "/revision")),
            ("ledger record", text(&reply, "/ledger_index")),
        ])
    });
    Ok(())
}

/// Sets `spec.disabled` of a provider.
pub(super) async fn set_disabled(
    context: &Context,
    name: &str,
    disabled: bool,
    write: &WriteArguments,
) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let id = write.id()?;
    let request = json!({
        "provider": {"name": name, "spec": {"disabled": disabled}},
        "update_mask": "spec.disabled",
        "request_id": id,
    });
    let reply = client.write("ProviderService", "UpdateProvider", &request, &id).await?;
    context.output.data(&reply, || {
        let state = if disabled { "disabled" } else { "enabled" };
        card(&[
            ("provider", name.to_owned()),
            ("now", state.to_owned()),
            ("revision", text(&reply, "/revision")),
        ])
    });
    Ok(())
}

/// Adds what there is of a kind to a failure to get one by name: often a route's alias was given.
async fn explain(client: &mut Client, kind: Kind, name: &str, failure: Failure) -> Failure {
    let Ok(all) = fetch_all(client, kind).await else { return failure };
    if all.iter().any(|resource| text(resource, "/name") == name) {
        return failure;
    }
    let holds = |resource: &&Value| list(&resource["spec"], "aliases").iter().any(|alias| alias == name);
    match all.iter().find(holds) {
        Some(route) => failure.hint(format!(
            "{name:?} is an alias of the route {route}: breakwater get route {route}",
            route = text(route, "/name")
        )),
        None => failure.hint(format!("see what there is: breakwater get {}", kind.collection())),
    }
}

/// Fetches one resource.
pub(super) async fn fetch(client: &mut Client, kind: Kind, name: &str) -> Result<Value, Failure> {
    client.read(&service(kind), &format!("Get{}", kind.as_str()), &json!({"name": name})).await
}

/// Fetches all resources of a kind.
pub(crate) async fn fetch_all(client: &mut Client, kind: Kind) -> Result<Vec<Value>, Failure> {
    let collection = kind.collection().replace('-', "_");
    let (service, method) = (service(kind), list_method(kind));
    let mut all = Vec::new();
    let mut token = String::new();
    loop {
        let page = client.read(&service, &method, &json!({"page_size": PAGE, "page_token": token})).await?;
        all.extend_from_slice(list(&page, &collection));
        token = text(&page, "/next_page_token");
        if token.is_empty() {
            return Ok(all);
        }
    }
}

fn parse_kind(word: &str) -> Result<Kind, Failure> {
    Kind::parse_loose(word).ok_or_else(|| {
        let known = Kind::ALL.map(|kind| kind.as_str().to_lowercase()).join(", ");
        Failure::usage(format!("there is no kind {word:?}; kinds are {known}"))
    })
}

fn service(kind: Kind) -> String {
    format!("{}Service", kind.as_str())
}

/// `ListDeliveryWorkflows`: the collection's words, each with a capital.
fn list_method(kind: Kind) -> String {
    let words = kind.collection().split('-').map(|word| {
        let (first, rest) = word.split_at_checked(1).unwrap_or_default();
        format!("{}{rest}", first.to_uppercase())
    });
    format!("List{}", words.collect::<String>())
}

fn summary_heading(kind: Kind) -> &'static str {
    match kind {
        Kind::Provider => "TYPE",
        Kind::Endpoint => "MODEL",
        Kind::Policy => "GUARDRAILS",
        Kind::Route => "ALIASES",
        Kind::Tenant => "ROUTES",
        Kind::Playbook => "STEPS",
        Kind::DeliveryWorkflow => "TARGETS",
        Kind::Slo => "OBJECTIVE",
    }
}

fn summary(kind: Kind, resource: &Value) -> String {
    let spec = &resource["spec"];
    let names =
        |key: &str| list(spec, key).iter().map(|item| text(item, "/name")).collect::<Vec<_>>().join(",");
    match kind {
        Kind::Provider if spec["disabled"] == true => format!("{} (disabled)", text(spec, "/type")),
        Kind::Provider => text(spec, "/type"),
        Kind::Endpoint => format!("{}/{}", text(spec, "/provider"), text(spec, "/model")),
        Kind::Policy => names("guardrails"),
        // A route without aliases is called by its name.
        Kind::Route if list(spec, "aliases").is_empty() => text(resource, "/name"),
        Kind::Route => text(spec, "/aliases"),
        Kind::Tenant => text(spec, "/routes"),
        Kind::Playbook => list(spec, "steps").len().to_string(),
        Kind::DeliveryWorkflow => names("targets"),
        Kind::Slo => format!("{} {}", text(spec, "/objective"), text(spec, "/indicator")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::Method;

    #[test]
    fn every_kind_has_its_methods() {
        for kind in Kind::ALL {
            let list = list_method(kind);
            for method in [format!("Get{}", kind.as_str()), format!("Delete{}", kind.as_str()), list.clone()]
            {
                Method::find(&service(kind), &method).unwrap();
            }
            let reply = format!("breakwater.v1.{list}Response");
            let reply = breakwater_proto::DESCRIPTORS.get_message_by_name(&reply).unwrap();
            assert!(reply.get_field_by_name(&kind.collection().replace('-', "_")).is_some(), "{list}");
        }
    }

    #[test]
    fn an_unknown_kind_is_wrong_usage_and_the_kinds_are_named() {
        let failure = parse_kind("gadget").unwrap_err();
        assert_eq!(failure.exit.code(), 2);
        assert!(failure.to_string().contains("provider, endpoint"), "{failure}");
    }
}
