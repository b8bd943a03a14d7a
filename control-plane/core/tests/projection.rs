//! What a proxy gets of the state, and that it can use it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use std::convert::Infallible;

use breakwater_common::resource::Kind;
use breakwater_common::ruleset::{Ruleset, compile};
use breakwater_common::time::UnixMillis;
use breakwater_control_core::ruleset::project;
use breakwater_control_core::{Command, CreateKey, State};
use breakwater_proto::v1;
use kit::*;
use prost::Message;

fn open(kind: Kind, name: &str, path: &str, text: &str) -> Result<String, Infallible> {
    Ok(format!("opened {} {name} {path} {text}", kind.as_str()))
}

fn projected(state: &State) -> Ruleset {
    project(state, &open).unwrap()
}

const KEY: &str = "00000000000000f1";

#[test]
fn a_proxy_compiles_the_projection_and_finds_key_tenant_and_route() {
    let mut node = Node::configured();
    let expire = Some(UnixMillis(90_000));
    node.ask(Command::CreateKey(CreateKey { expire, ..key(KEY, "acme") })).unwrap();
    let compiled = compile(&projected(&node.state)).unwrap();
    assert_eq!(compiled.revision(), 3);
    let holder = compiled.authenticate(&secret(KEY), UnixMillis(5_000)).unwrap();
    assert_eq!((holder.key_id.as_str(), holder.tenant.as_str()), (KEY, "acme"));
    assert_eq!(holder.attributes["department"], "sales");
    assert!(compiled.authenticate(&secret(KEY), UnixMillis(90_000)).is_none());
    assert!(compiled.route_for("acme", "chat").is_some());
    let provider = &compiled.providers()["openai"].provider;
    assert_eq!(
        provider.credentials[0].api_key,
        "opened Provider openai spec.credentials[main].api_key sealed:v1:AAAA"
    );
}

#[test]
fn items_are_sorted_and_hold_what_proxies_need_and_nothing_else() {
    let mut node = Node::configured();
    for id in [KEY, "00000000000000f2"] {
        node.ask(Command::CreateKey(key(id, "acme"))).unwrap();
    }
    node.ask(Command::RevokeKey { id: KEY.to_owned() }).unwrap();
    let slo = v1::SloSpec {
        route: "chat".to_owned(),
        objective: "99%".to_owned(),
        indicator: "availability".to_owned(),
        window: "30d".to_owned(),
        ..v1::SloSpec::default()
    };
    node.ask(change(vec![write(Kind::Slo, "chat-up", slo.encode_to_vec())])).unwrap();
    let names: Vec<_> =
        projected(&node.state).items.into_iter().map(|item| format!("{}/{}", item.kind, item.name)).collect();
    let expect = [
        "Endpoint/primary",
        "Key/00000000000000f2",
        "Policy/pii",
        "Provider/openai",
        "Route/chat",
        "Tenant/acme",
    ];
    assert_eq!(names, expect);
}

#[test]
fn the_projection_is_a_function_of_the_revision() {
    let mut node = Node::configured();
    let expire = Some(UnixMillis(10_000));
    node.ask(Command::CreateKey(CreateKey { expire, ..key(KEY, "acme") })).unwrap();
    let before = projected(&node.state);
    // The clock passes the key's end without a new revision.
    let acts = Command::RecordActs { acts: vec![act("b", "Provider/openai", 1)] };
    let who = breakwater_control_core::Principal::system("fleet");
    node.apply(&proposal(who, "", 99_000, acts)).outcome.unwrap();
    assert_eq!(projected(&node.state), before);
}

#[test]
fn a_secret_that_does_not_open_stops_the_projection() {
    let node = Node::configured();
    let refused = project(&node.state, &|_, _, _, _| Err::<String, _>("the key is another"));
    assert_eq!(refused.unwrap_err(), "the key is another");
}
