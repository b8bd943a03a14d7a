//! Refusals, selection, tenants, keys.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use breakwater_proto::v1;
use breakwater_proto::v1::guardrail::Check;
use prost::Message;
use prost_types::value::Kind as ValueKind;

use super::*;
use crate::guard::Side;
use crate::time::UnixMillis;
use crate::wire::{KeyGrant, encode_key_grant};

fn item(kind: &str, name: &str, body: &impl Message) -> Item {
    Item { kind: kind.into(), name: name.into(), revision: 1, body: body.encode_to_vec() }
}

fn key(id: &str, tenant: &str, expire: Option<UnixMillis>) -> Item {
    let attributes = [("department".to_owned(), "legal".to_owned())].into();
    let grant = KeyGrant { sha256: sha256_of(id), tenant: tenant.into(), attributes, expire };
    Item { kind: KEY_KIND.into(), name: id.into(), revision: 1, body: encode_key_grant(&grant) }
}

/// Not a hash: different for different ids, alike in the bytes that choose the bucket.
fn sha256_of(id: &str) -> [u8; 32] {
    let mut bytes = [7; 32];
    for (place, byte) in bytes.iter_mut().skip(8).zip(id.bytes()) {
        *place = byte;
    }
    bytes
}

fn provider(word: &str, models: Vec<v1::Model>) -> v1::ProviderSpec {
    v1::ProviderSpec {
        r#type: word.into(),
        base_url: "http://127.0.0.1:1/v1".into(),
        models,
        ..Default::default()
    }
}

fn model(name: &str) -> v1::Model {
    v1::Model { name: name.into(), ..Default::default() }
}

fn at(provider: &str, model: &str) -> v1::EndpointRef {
    v1::EndpointRef { provider: provider.into(), model: model.into(), ..Default::default() }
}

fn text(value: &str) -> Option<prost_types::Value> {
    Some(prost_types::Value { kind: Some(ValueKind::StringValue(value.into())) })
}

fn guarded(check: Check) -> v1::PolicySpec {
    let guardrail = v1::Guardrail {
        name: "one".into(),
        check: Some(check),
        applies_to: vec!["input".into()],
        ..Default::default()
    };
    v1::PolicySpec { guardrails: vec![guardrail], ..Default::default() }
}

fn chat() -> v1::RouteSpec {
    let legal =
        v1::Condition { field: "user.department".into(), operator: "eq".into(), value: text("legal") };
    let prefix =
        v1::Condition { field: "request.model".into(), operator: "prefix".into(), value: text("as") };
    v1::RouteSpec {
        aliases: vec!["chat".into(), "assistant".into()],
        endpoint: Some(v1::EndpointRef { name: "primary".into(), ..Default::default() }),
        fallback_endpoints: vec![at("anthropic", "claude")],
        policies: vec!["pii".into(), "secrets".into()],
        rules: vec![
            v1::RouteRule {
                provider: "azure".into(),
                fallback_providers: vec!["anthropic".into(), "openai".into(), "kumo".into()],
                conditions: vec![legal.clone(), prefix],
                ..Default::default()
            },
            v1::RouteRule {
                endpoint: Some(at("kumo", "kumo-large")),
                conditions: vec![legal],
                ..Default::default()
            },
        ],
        deadline: "30s".into(),
        ..Default::default()
    }
}

fn items() -> Vec<Item> {
    let azure_model = v1::Model { deployment: "gpt-4o-prod".into(), ..model("gpt-4o") };
    let disabled = v1::Model { disabled: true, ..model("kumo-large") };
    let tenant = |routes: &[&str]| v1::TenantSpec {
        routes: routes.iter().map(|&route| route.to_owned()).collect(),
        ..Default::default()
    };
    let secrets = Check::SecretsDetection(v1::SecretsDetection {});
    let pii = Check::PiiDetection(v1::PiiDetection { entities: vec!["email".into()] });
    vec![
        item("Endpoint", "primary", &v1::EndpointSpec { provider: "openai".into(), model: "gpt-4o".into() }),
        key("0001", "acme", None),
        key("0002", "acme", Some(UnixMillis(1_000))),
        key("0003", "gone", None),
        item("Playbook", "p", &v1::PlaybookSpec::default()),
        item("Policy", "pii", &guarded(pii)),
        item("Policy", "secrets", &guarded(secrets)),
        item("Provider", "anthropic", &provider("anthropic", vec![model("claude")])),
        item("Provider", "azure", &provider("azure_openai", vec![azure_model])),
        item("Provider", "kumo", &provider("openai_compatible", vec![disabled])),
        item("Provider", "openai", &provider("openai", vec![model("mini"), model("gpt-4o")])),
        item("Route", "embed", &v1::RouteSpec { endpoint: Some(at("openai", "mini")), ..Default::default() }),
        item("Route", "prod-chat", &chat()),
        item("Tenant", "acme", &tenant(&["prod-chat"])),
        item("Tenant", "nobody", &tenant(&[])),
        item("Tenant", "other", &tenant(&["embed", "prod-chat"])),
    ]
}

fn ruleset() -> Ruleset {
    Ruleset { revision: 7, items: items() }
}

fn compiled() -> CompiledRuleset {
    compile(&ruleset()).unwrap()
}

/// The chain that a call with these attributes gets, as `provider/model/deployment`.
fn select(attributes: &[(&str, &str)], model: &str) -> (Option<u32>, Vec<String>) {
    let compiled = compiled();
    let attributes: BTreeMap<_, _> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let facts = Facts { attributes: &attributes, tenant: "acme", model, stream: false };
    let selection = compiled.route_for("acme", "chat").unwrap().select(&facts);
    let chain = selection.candidates.iter();
    (
        selection.rule,
        chain.map(|one| format!("{}/{}/{}", one.upstream.name, one.model, one.deployment)).collect(),
    )
}

fn check_refused(items: Vec<Item>, starts: &[&str]) {
    let violations = compile(&Ruleset { revision: 7, items }).unwrap_err();
    assert_eq!(violations.len(), starts.len(), "{violations:#?}");
    for (violation, start) in violations.iter().zip(starts) {
        assert!(violation.to_string().starts_with(start), "{violation} does not start with {start}");
    }
}

#[test]
fn a_compiled_ruleset_says_what_it_was_compiled_from() {
    let compiled = compiled();
    assert_eq!((compiled.revision(), compiled.digest()), (7, digest(7, &items())));
    let names: Vec<_> = compiled.providers().keys().collect();
    assert_eq!(names, ["anthropic", "azure", "kumo", "openai"]);
    let route = compiled.route_for("acme", "chat").unwrap();
    assert_eq!((route.name.as_str(), route.deadline), ("prod-chat", Duration::from_secs(30)));
}

#[test]
fn a_call_follows_the_first_rule_whose_conditions_all_hold() {
    let own = vec!["openai/gpt-4o/gpt-4o".to_owned(), "anthropic/claude/claude".to_owned()];
    assert_eq!(select(&[], "chat"), (None, own.clone()));
    assert_eq!(select(&[("department", "hr")], "assistant"), (None, own));
    let legal = [("department", "legal")];
    assert_eq!(select(&legal, "chat"), (Some(1), vec!["kumo/kumo-large/kumo-large".to_owned()]));
    let (rule, chain) = select(&legal, "assistant");
    assert_eq!(rule, Some(0));
    assert_eq!(chain[..2], ["azure/gpt-4o/gpt-4o-prod", "anthropic/claude/claude"]);
}

#[test]
fn a_rule_by_providers_asks_for_the_route_s_model_the_like_named_or_the_first() {
    let (_, chain) = select(&[("department", "legal")], "assistant");
    let expect = [
        "azure/gpt-4o/gpt-4o-prod",
        "anthropic/claude/claude",
        "openai/gpt-4o/gpt-4o",
        "kumo/kumo-large/kumo-large",
    ];
    assert_eq!(chain, expect);
}

#[test]
fn a_model_that_the_route_asks_of_a_provider_goes_before_a_like_named_one() {
    let spec = v1::RouteSpec {
        endpoint: Some(at("azure", "gpt-4o")),
        fallback_endpoints: vec![at("openai", "mini")],
        rules: vec![v1::RouteRule { provider: "openai".into(), ..Default::default() }],
        ..Default::default()
    };
    let mut items = items();
    items[11] = item("Route", "embed", &spec);
    let compiled = compile(&Ruleset { revision: 7, items }).unwrap();
    let facts = Facts { attributes: &BTreeMap::new(), tenant: "other", model: "embed", stream: false };
    let selection = compiled.route_for("other", "embed").unwrap().select(&facts);
    let models: Vec<_> = selection.candidates.iter().map(|one| one.model.as_str()).collect();
    assert_eq!((selection.rule, models), (Some(0), vec!["mini"]));
}

#[test]
fn disabled_and_foreign_candidates_stay_in_the_chain_and_are_marked() {
    let disabled = |compiled: &CompiledRuleset, department: &str| -> Vec<(String, bool)> {
        let attributes = [("department".to_owned(), department.to_owned())].into();
        let facts = Facts { attributes: &attributes, tenant: "acme", model: "chat", stream: true };
        let selection = compiled.route_for("acme", "chat").unwrap().select(&facts);
        selection.candidates.iter().map(|one| (one.upstream.name.clone(), one.disabled)).collect()
    };
    let compiled = compiled();
    assert_eq!(disabled(&compiled, "legal"), [("kumo".to_owned(), true)]);
    assert_eq!(disabled(&compiled, "hr"), [("openai".to_owned(), false), ("anthropic".to_owned(), false)]);

    let mut items = items();
    let off = v1::ProviderSpec { disabled: true, ..provider("openai", Vec::new()) };
    items[10] = item("Provider", "openai", &off);
    let compiled = compile(&Ruleset { revision: 8, items }).unwrap();
    assert_eq!(disabled(&compiled, "hr"), [("openai".to_owned(), true), ("anthropic".to_owned(), false)]);
}

#[test]
fn a_route_has_the_guards_of_all_its_policies() {
    let compiled = compiled();
    let guards = |alias: &str| Arc::clone(&compiled.route_for("other", alias).unwrap().guards);
    assert!(guards("chat").inspects(Side::Input) && !guards("chat").inspects(Side::Output));
    assert!(!guards("embed").inspects(Side::Input));
    assert!(Arc::ptr_eq(&guards("chat"), &guards("assistant")));
}

#[test]
fn a_tenant_reaches_its_own_routes_only() {
    let compiled = compiled();
    let reaches =
        |tenant: &str, alias: &str| compiled.route_for(tenant, alias).map(|route| route.name.as_str());
    assert_eq!(reaches("acme", "assistant"), Some("prod-chat"));
    assert_eq!(reaches("acme", "prod-chat"), None);
    assert_eq!(reaches("acme", "embed"), None);
    assert_eq!(reaches("other", "embed"), Some("embed"));
    assert_eq!((reaches("nobody", "chat"), reaches("unknown", "chat")), (None, None));
    assert_eq!(compiled.aliases_of("acme"), ["assistant", "chat"]);
    assert_eq!(compiled.aliases_of("other"), ["assistant", "chat", "embed"]);
    assert!(compiled.aliases_of("nobody").is_empty() && compiled.aliases_of("unknown").is_empty());
}

#[test]
fn keys_count_until_they_end_and_only_with_their_tenant() {
    let compiled = compiled();
    let who = |id: &str, now| {
        compiled.authenticate(&sha256_of(id), UnixMillis(now)).map(|holder| holder.key_id.clone())
    };
    assert_eq!(who("0001", u64::MAX), Some("0001".to_owned()));
    assert_eq!((who("0002", 999), who("0002", 1_000)), (Some("0002".to_owned()), None));
    assert_eq!((who("0003", 0), compiled.orphaned_keys()), (None, 1));
    assert_eq!(who("0004", 0), None);
    assert_eq!(compiled.authenticate(&[0; 32], UnixMillis(0)), None);
    let holder = compiled.authenticate(&sha256_of("0001"), UnixMillis(0)).unwrap();
    assert_eq!((holder.tenant.as_str(), holder.attributes["department"].as_str()), ("acme", "legal"));
}

#[test]
fn a_ruleset_that_came_broken_is_refused_whole() {
    let mut swapped = items();
    swapped.swap(1, 2);
    check_refused(swapped, &["Key/0001: it stands out of order or twice"]);
    let mut twice = items();
    twice.insert(1, twice[0].clone());
    check_refused(twice, &["Endpoint/primary: it stands out of order or twice"]);
    let mut garbled = items();
    garbled[0].body = vec![0xff];
    garbled[1].body = vec![0xff];
    garbled[4].kind = "Plan".into();
    check_refused(
        garbled,
        &[
            "Endpoint/primary: spec: the bytes are no such message",
            "Key/0001: spec: the bytes are no such message",
            "Plan/p: this release knows no such kind",
        ],
    );
    let mut dangling = items();
    dangling.remove(0);
    check_refused(dangling, &["Route/prod-chat: spec.endpoint: no Endpoint named \"primary\""]);
}

#[test]
fn an_item_s_body_is_never_printed() {
    let spec = v1::ProviderSpec {
        credentials: vec![v1::Credential { name: "main".into(), api_key: "sk-canary".into() }],
        ..provider("openai", Vec::new())
    };
    let items = vec![item("Provider", "openai", &spec)];
    let printed = format!("{:?}", Ruleset { revision: 1, items: items.clone() });
    assert!(printed.contains("openai") && !printed.contains("sk-") && !printed.contains("115, 107"));
    assert!(!format!("{:?}", compile(&Ruleset { revision: 1, items }).unwrap()).contains("sk-canary"));
}
