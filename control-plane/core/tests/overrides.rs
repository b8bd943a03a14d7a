//! Routes moved for a time: what is legal, what is recorded, and when it ends.

#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::ledger::Outcome;
use breakwater_common::resource::Kind;
use breakwater_common::ruleset::OVERRIDE_KIND;
use breakwater_common::time::UnixMillis;
use breakwater_control_core::ruleset::project;
use breakwater_control_core::{Command, ResourceWrite, SetRouteOverride};
use breakwater_proto::v1;
use kit::*;
use prost::Message;

/// `config()`, and a provider with a tag, where an endpoint `backup` leads.
fn node(tags: &[&str]) -> Node {
    let mut node = Node::configured();
    node.ask(change(vec![tagged("second", tags), endpoint("backup", "second")])).unwrap();
    node
}

fn tagged(name: &str, tags: &[&str]) -> ResourceWrite {
    let plain = sealed(name);
    let spec = v1::ProviderSpec::decode(plain.spec.unwrap().as_slice()).unwrap();
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    write(Kind::Provider, name, v1::ProviderSpec { tags, ..spec }.encode_to_vec())
}

fn sovereign(tag: &str) -> ResourceWrite {
    let plain = route("chat", "primary", &["pii"]);
    let spec = v1::RouteSpec::decode(plain.spec.unwrap().as_slice()).unwrap();
    let sovereignty = tag.to_owned();
    write(Kind::Route, "chat", v1::RouteSpec { sovereignty, ..spec }.encode_to_vec())
}

fn clear(made_by_revision: Option<u64>) -> Command {
    Command::ClearRouteOverride { route: "chat".into(), reason: "healthy".into(), made_by_revision }
}

fn projected(node: &Node) -> usize {
    let ruleset = project::<()>(&node.state, &|_, _, _, _| Ok("open".to_owned())).unwrap();
    ruleset.items.iter().filter(|item| item.kind == OVERRIDE_KIND).count()
}

#[test]
fn a_failover_is_recorded_projected_and_undone() {
    let mut node = node(&[]);
    let receipt = node.ask(moved("chat", Some("backup"))).unwrap();
    let over = node.state.route_override("chat").unwrap().clone();
    assert_eq!((over.revision, over.expire), (receipt.revision, UnixMillis(node.clock + 3_600_000)));
    assert_eq!(over.made_by, "who-admin");
    let record = node.last_record();
    assert_eq!((record.action.as_str(), record.object.as_str()), ("route.override", "Route/chat"));
    assert_eq!(record.reason, "latency_degradation");
    assert_eq!((record.detail["from"].as_str(), record.detail["to"].as_str()), ("primary", "backup"));
    assert_eq!(record.detail["automation_id"], over.id());
    assert_eq!(projected(&node), 1);
    node.assert_whole();

    assert_eq!(node.ask(clear(Some(1))).unwrap_err().kind, ErrorKind::NotFound);
    node.ask(clear(Some(receipt.revision))).unwrap();
    assert_eq!(node.last_record().action, "route.restore");
    assert_eq!(projected(&node), 0);
    assert_eq!(node.ask(clear(None)).unwrap_err().kind, ErrorKind::NotFound);
    node.assert_whole();
}

#[test]
fn what_is_not_legal_is_refused_by_its_field_and_never_in_force() {
    let check = |node: &mut Node, command: Command, kind: ErrorKind, field: &str| {
        let refusal = node.ask(command).unwrap_err();
        assert_eq!((refusal.kind, refusal.violations[0].field_path.as_str()), (kind, field));
        assert!(node.state.route_override("chat").is_none());
        assert_eq!(node.last_record().outcome, Outcome::Refused);
        node.assert_whole();
    };
    let mut plain = node(&[]);
    check(&mut plain, moved("nothing", Some("backup")), ErrorKind::NotFound, "route_id");
    check(&mut plain, moved("chat", Some("nothing")), ErrorKind::NotFound, "fallback_endpoint");
    check(&mut plain, moved("chat", Some("primary")), ErrorKind::FailedPrecondition, "fallback_endpoint");
    check(&mut plain, moved("chat", None), ErrorKind::FailedPrecondition, "route_id");
    let gated = &mut node(&["china_gated"]);
    check(gated, moved("chat", Some("backup")), ErrorKind::FailedPrecondition, "fallback_endpoint");
    let foreign = &mut node(&[]);
    foreign.ask(change(vec![tagged("openai", &["jp_sovereign"]), sovereign("jp_sovereign")])).unwrap();
    check(foreign, moved("chat", Some("backup")), ErrorKind::FailedPrecondition, "fallback_endpoint");
    foreign.ask(change(vec![tagged("second", &["jp_sovereign"])])).unwrap();
    foreign.ask(moved("chat", Some("backup"))).unwrap();
}

#[test]
fn what_is_malformed_never_reaches_the_state() {
    let mut node = node(&[]);
    let check = |node: &mut Node, set: SetRouteOverride, field: &str| {
        let refusal = node.ask(Command::SetRouteOverride(set)).unwrap_err();
        let kind = (refusal.kind, refusal.violations[0].field_path.as_str());
        assert_eq!(kind, (ErrorKind::InvalidArgument, field));
    };
    let set = || to("chat", Some("backup"));
    check(&mut node, SetRouteOverride { reason: "some words".into(), ..set() }, "reason");
    check(&mut node, SetRouteOverride { reason: String::new(), ..set() }, "reason");
    check(&mut node, SetRouteOverride { ttl_ms: 999, ..set() }, "expires_after");
    check(&mut node, SetRouteOverride { ttl_ms: 604_800_001, ..set() }, "expires_after");
    check(&mut node, SetRouteOverride { endpoint: Some("A b".into()), ..set() }, "fallback_endpoint");
    check(&mut node, SetRouteOverride { route: "A b".into(), ..set() }, "route_id");
}

#[test]
fn an_override_ends_with_the_change_that_makes_it_illegal() {
    let mut node = node(&["jp_sovereign"]);
    node.ask(moved("chat", Some("backup"))).unwrap();
    let tags = |tags| change(vec![tagged("second", tags)]);
    node.ask(tags(&["jp_sovereign", "fast"])).unwrap();
    assert!(node.state.route_override("chat").is_some(), "a change that leaves it legal leaves it alone");
    node.ask(tags(&["china_gated"])).unwrap();
    assert!(node.state.route_override("chat").is_none());
    let record = node.last_record();
    assert_eq!((record.action.as_str(), record.reason.as_str()), ("route.restore", "no_longer_legal"));
    node.assert_whole();
}

#[test]
fn an_expected_revision_that_is_stale_is_refused() {
    let mut node = node(&[]);
    let expect = |expected_revision| {
        Command::SetRouteOverride(SetRouteOverride { expected_revision, ..to("chat", Some("backup")) })
    };
    let first = node.ask(expect(Some(0))).unwrap().revision;
    assert_eq!(node.ask(expect(Some(0))).unwrap_err().kind, ErrorKind::Aborted);
    assert_eq!(node.ask(expect(Some(first + 1))).unwrap_err().kind, ErrorKind::Aborted);
    let second = node.ask(expect(Some(first))).unwrap().revision;
    // Its time over, there is none in force.
    node.clock += 3_600_001;
    assert_eq!(node.ask(expect(Some(second))).unwrap_err().kind, ErrorKind::Aborted);
    node.ask(expect(Some(0))).unwrap();
    node.assert_whole();
}
