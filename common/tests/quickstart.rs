//! The published example from its text to a call's chain: parsed, decoded, checked, compiled, selected.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy sees that only inside of #[test]"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use breakwater_common::guard::Side;
use breakwater_common::manifest::{expand_variables, parse_yaml, references};
use breakwater_common::resource::{Kind, Spec, check_references};
use breakwater_common::ruleset::{CompiledRuleset, Facts, Item, KEY_KIND, Ruleset, compile};
use breakwater_common::time::UnixMillis;
use breakwater_common::wire::{KeyGrant, decode_spec, encode_key_grant};

const KEY_SHA256: [u8; 32] = [9; 32];

/// Text of the example. It stands beside the repository, or where `BREAKWATER_SHARED` says.
fn quickstart() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test may read files and the environment; the library may not"
    )]
    let text = {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let shared = std::env::var("BREAKWATER_SHARED").map_or_else(|_| beside(), PathBuf::from);
        let path = shared.join("contract/quickstart.yaml");
        std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; set BREAKWATER_SHARED to the directory that holds contract/", path.display())
        })
    };
    expand_variables(&text, &|_| None).unwrap()
}

/// What admission finds between the resources of a text.
fn violations(text: &str) -> Vec<String> {
    let mut all: BTreeMap<(Kind, String), Spec> = BTreeMap::new();
    let mut refs = BTreeMap::new();
    for document in parse_yaml(text).unwrap() {
        let key = (document.kind, document.name);
        refs.insert(key.clone(), references(document.kind, &document.spec));
        all.insert(key, decode_spec(document.kind, &document.spec).unwrap());
    }
    check_references(&all, &refs).iter().map(ToString::to_string).collect()
}

fn compiled() -> CompiledRuleset {
    let documents = parse_yaml(&quickstart()).unwrap();
    let attributes = [("department".to_owned(), "legal".to_owned())].into();
    let grant = KeyGrant { sha256: KEY_SHA256, tenant: "acme".to_owned(), attributes, expire: None };
    let key =
        Item { kind: KEY_KIND.to_owned(), name: "k".to_owned(), revision: 2, body: encode_key_grant(&grant) };
    let item = |kind: Kind, name, body| Item { kind: kind.as_str().to_owned(), name, revision: 1, body };
    let resources = documents.into_iter().map(|document| item(document.kind, document.name, document.spec));
    let mut items: Vec<Item> = resources.chain([key]).collect();
    items.sort_by(|left, right| (&left.kind, &left.name).cmp(&(&right.kind, &right.name)));
    compile(&Ruleset { revision: 2, items }).unwrap()
}

/// The chain of a call of tenant acme, as `provider/model/deployment`.
fn chain(compiled: &CompiledRuleset, alias: &str, attributes: &BTreeMap<String, String>) -> Vec<String> {
    let facts = Facts { attributes, tenant: "acme", model: alias, stream: false };
    let selection = compiled.route_for("acme", alias).unwrap().select(&facts);
    let candidates = selection.candidates.iter();
    candidates.map(|one| format!("{}/{}/{}", one.upstream.name, one.model, one.deployment)).collect()
}

#[test]
fn the_example_holds_together() {
    assert_eq!(violations(&quickstart()), Vec::<String>::new());
}

#[test]
fn the_example_compiles_and_its_calls_follow_its_rules() {
    let compiled = compiled();
    assert_eq!(compiled.aliases_of("acme"), ["assistant", "embed", "prod-chat"]);
    assert!(compiled.route_for("acme", "jp-chat").is_none(), "the tenant's list does not name it");
    assert_eq!(
        chain(&compiled, "assistant", &BTreeMap::new()),
        ["openai/gpt-4o/gpt-4o", "anthropic/claude-3-opus/claude-3-opus"]
    );
    let holder = compiled.authenticate(&KEY_SHA256, UnixMillis(0)).unwrap();
    assert_eq!(
        chain(&compiled, "prod-chat", &holder.attributes),
        ["azure/gpt-4o/gpt-4o-prod", "anthropic/claude-3-opus/claude-3-opus", "openai/gpt-4o/gpt-4o"]
    );
    assert_eq!(
        chain(&compiled, "embed", &holder.attributes),
        ["openai/text-embedding-3-small/text-embedding-3-small"]
    );
}

#[test]
fn the_example_guards_its_chat_route_on_both_sides() {
    let compiled = compiled();
    let guards = |alias| &compiled.route_for("acme", alias).unwrap().guards;
    for side in [Side::Input, Side::Output] {
        assert!(guards("prod-chat").inspects(side) && !guards("embed").inspects(side), "{side:?}");
    }
}

/// Changes one place of the example and says what admission then finds.
fn check_changed(from: &str, to: &str, expect: &[&str]) {
    let text = quickstart();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    assert_eq!(violations(&text.replace(from, to)), expect);
}

#[test]
fn a_sovereign_route_with_a_foreign_fallback_is_refused_by_its_path() {
    check_changed(
        "endpoint: {provider: kumo, model: kumo-large}",
        "endpoint: {provider: kumo, model: kumo-large}\n  fallback_endpoints: [backup-chat]",
        &[
            "Route/jp-chat: spec.fallback_endpoints[0]: Provider \"anthropic\" lacks the tag \"jp_sovereign\" that the route's \
           sovereignty asks for; these carry it: kumo",
        ],
    );
}

#[test]
fn a_fallback_to_the_first_endpoint_is_refused_as_cyclic() {
    check_changed(
        "fallback_endpoints: [backup-chat]",
        "fallback_endpoints: [backup-chat, {provider: openai, model: gpt-4o}]",
        &[
            "Route/prod-chat: spec.fallback_endpoints[1]: cyclic fallback: it comes back to openai/gpt-4o, where \
           spec.endpoint has already gone; name each endpoint of a chain once",
        ],
    );
}

#[test]
fn dangling_names_of_every_kind_are_refused_by_their_path() {
    let check = |from: &str, to: &str, expect: &str| check_changed(from, to, &[expect]);
    check(
        "endpoint: primary-chat",
        "endpoint: primary-chta",
        "Route/prod-chat: spec.endpoint: no Endpoint named \"primary-chta\"; did you mean \"primary-chat\"? there are: \
         backup-chat, primary-chat",
    );
    check(
        "policies: [production]",
        "policies: [prod]",
        "Route/prod-chat: spec.policies[0]: no Policy named \"prod\"; there are: production",
    );
    check(
        "provider: azure\n",
        "provider: azur\n",
        "Route/prod-chat: spec.rules[0].provider: no Provider named \"azur\"; did you mean \"azure\"? there are: anthropic, \
         azure, kumo, openai",
    );
    check(
        "routes: [prod-chat, embed]",
        "routes: [prod-chat, embedd]",
        "Tenant/acme: spec.routes[1]: no Route named \"embedd\"; did you mean \"embed\"? there are: embed, jp-chat, prod-chat",
    );
    check(
        "deliver: {workflow: on-call}",
        "deliver: {workflow: oncall}",
        "Playbook/correlated-incidents: spec.steps[2].deliver.workflow: no DeliveryWorkflow named \"oncall\"; did you mean \
         \"on-call\"? there are: on-call",
    );
    check(
        "route: prod-chat\n",
        "route: prod\n",
        "Slo/prod-chat-availability: spec.route: no Route named \"prod\"; there are: embed, jp-chat, prod-chat",
    );
}
