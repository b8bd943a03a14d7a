//! Changes of resources: all or none, what they expect, what they may not leave behind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::ledger::Outcome;
use breakwater_common::limits;
use breakwater_common::resource::Kind;
use breakwater_control_core::{ChangeKind, Command, Refusal, ResourceWrite};
use kit::*;

fn expect(revision: u64, write: ResourceWrite) -> ResourceWrite {
    ResourceWrite { expected_revision: Some(revision), ..write }
}

fn kinds(changes: &[breakwater_control_core::Change]) -> Vec<(&str, ChangeKind)> {
    changes.iter().map(|change| (change.name.as_str(), change.change)).collect()
}

fn refused(node: &mut Node, command: Command) -> Refusal {
    let (revision, size) = (node.state.revision(), node.state.ledger().size);
    let resources: Vec<_> = node.state.resources().cloned().collect();
    let refusal = node.ask(command).unwrap_err();
    assert_eq!(node.state.revision(), revision);
    assert_eq!(node.state.resources().cloned().collect::<Vec<_>>(), resources);
    assert_eq!(refusal.ledger_index, Some(size), "a refusal by rule is a record");
    let record = node.last_record();
    assert_eq!((record.outcome, record.reason.as_str()), (Outcome::Refused, refusal.kind.faces().1));
    refusal
}

#[test]
fn a_change_is_one_revision_and_one_record() {
    let mut node = Node::new();
    let receipt = node.ask(change(config())).unwrap();
    assert_eq!((receipt.revision, receipt.ledger_index), (2, Some(1)));
    assert!(receipt.changes.iter().all(|change| change.change == ChangeKind::Created));
    let resource = node.state.resource(Kind::Route, "chat").unwrap();
    assert_eq!(
        (resource.revision, resource.create, resource.update),
        (2, node.state.clock(), node.state.clock())
    );
    let record = node.last_record();
    assert_eq!((record.action.as_str(), record.object.as_str()), ("resources.change", "resources"));
    assert_eq!(
        record.detail["created"],
        "Provider/openai Endpoint/primary Policy/pii Route/chat Tenant/acme"
    );
    assert_eq!((record.rev_before, record.rev_after), (1, 2));
}

#[test]
fn unchanged_writes_keep_their_revision_and_make_no_record_by_themselves() {
    let mut node = Node::configured();
    let before = node.state.digest();
    let receipt = node.ask(change(config())).unwrap();
    assert_eq!((receipt.revision, receipt.ledger_index), (2, None));
    assert!(receipt.changes.iter().all(|change| change.change == ChangeKind::Unchanged));
    assert_eq!(node.state.digest(), before);

    let receipt = node.ask(change(vec![sealed("openai"), policy("pii", "shadow")])).unwrap();
    assert_eq!(kinds(&receipt.changes), [("openai", ChangeKind::Unchanged), ("pii", ChangeKind::Updated)]);
    assert_eq!(node.state.resource(Kind::Provider, "openai").unwrap().revision, 2);
    let policy = node.state.resource(Kind::Policy, "pii").unwrap();
    assert_eq!(policy.revision, 3);
    assert!(policy.create < policy.update);
}

#[test]
fn expected_revisions_hold_or_the_whole_is_refused() {
    let check = |writes: Vec<ResourceWrite>, kind: Option<ErrorKind>| {
        let mut node = Node::configured();
        match kind {
            None => assert!(node.ask(change(writes)).is_ok()),
            Some(kind) => {
                let refusal = refused(&mut node, change(writes));
                assert_eq!(refusal.kind, kind);
                assert_eq!(refusal.violations[0].document, Some(1));
            }
        }
    };
    check(vec![expect(2, policy("pii", "shadow"))], None);
    check(vec![expect(1, policy("pii", "shadow")), policy("other", "shadow")], Some(ErrorKind::Aborted));
    check(vec![expect(2, policy("pii", "enforce"))], None);
    check(vec![expect(1, policy("pii", "enforce"))], Some(ErrorKind::Aborted));
    check(vec![expect(0, policy("new", "enforce"))], None);
    check(vec![expect(0, policy("pii", "enforce"))], Some(ErrorKind::AlreadyExists));
    check(vec![expect(2, policy("new", "enforce"))], Some(ErrorKind::Aborted));
    check(vec![expect(7, delete(Kind::Tenant, "acme"))], Some(ErrorKind::Aborted));
    check(vec![expect(2, delete(Kind::Tenant, "acme"))], None);
    check(vec![delete(Kind::Tenant, "nobody")], Some(ErrorKind::NotFound));
    check(vec![expect(0, delete(Kind::Tenant, "nobody"))], Some(ErrorKind::NotFound));
}

#[test]
fn what_is_referred_to_is_not_removed_and_the_refusal_names_who_refers() {
    let mut node = Node::configured();
    let refusal = refused(&mut node, change(vec![delete(Kind::Provider, "openai")]));
    assert_eq!(refusal.kind, ErrorKind::FailedPrecondition);
    assert_eq!(
        messages(&refusal),
        ["Provider/openai: cannot be removed: Endpoint/primary (spec.provider) refers to it"]
    );
    node.ask(Command::CreateKey(key("00000000000000f1", "acme"))).unwrap();
    let refusal = refused(&mut node, change(vec![delete(Kind::Tenant, "acme")]));
    assert_eq!(
        messages(&refusal),
        ["Tenant/acme: cannot be removed: Key/00000000000000f1, which is active, refers to it"]
    );
    node.ask(Command::RevokeKey { id: "00000000000000f1".to_owned() }).unwrap();
    let all: Vec<_> = config().into_iter().map(|write| delete(write.kind, &write.name)).collect();
    let receipt = node.ask(change(all)).unwrap();
    assert!(receipt.changes.iter().all(|change| change.change == ChangeKind::Deleted));
    assert_eq!(node.state.resources().count(), 0);
    node.assert_whole();
}

#[test]
fn dangling_references_are_refused_with_their_document_and_field() {
    let mut node = Node::new();
    let refusal =
        refused(&mut node, change(vec![sealed("p"), endpoint("e", "q"), tenant("t", &["nowhere"])]));
    assert_eq!(refusal.kind, ErrorKind::InvalidArgument);
    let places: Vec<_> = refusal
        .violations
        .iter()
        .map(|violation| (violation.document, violation.resource.as_str(), violation.field_path.as_str()))
        .collect();
    assert_eq!(places, [(Some(2), "Endpoint/e", "spec.provider"), (Some(3), "Tenant/t", "spec.routes[0]")]);
}

#[test]
fn specs_that_break_a_rule_are_refused_all_of_them_at_once() {
    let mut node = Node::new();
    let writes = vec![
        policy("a", "sometimes"),
        sealed("ok"),
        policy("b", "never"),
        write(Kind::Route, "r", vec![0xff]),
    ];
    let refusal = refused(&mut node, change(writes));
    assert_eq!(refusal.kind, ErrorKind::InvalidArgument);
    let documents: Vec<_> = refusal.violations.iter().map(|violation| violation.document).collect();
    assert_eq!(documents, [Some(1), Some(3), Some(4)]);
    assert_eq!(refusal.violations[0].resource, "Policy/a");
    assert_eq!(refusal.violations[0].field_path, "spec.mode");
}

#[test]
fn an_open_secret_never_enters_the_state() {
    let mut node = Node::new();
    for open in ["sk-canary", "(sealed)"] {
        let refusal = refused(&mut node, change(vec![provider("p", open)]));
        assert_eq!(refusal.violations[0].field_path, "spec.credentials[main].api_key");
        assert!(!messages(&refusal).join("").contains("canary"));
    }
}

#[test]
fn prune_removes_what_is_not_written_unless_it_is_referred_to() {
    let mut node = Node::configured();
    node.ask(change(vec![sealed("spare"), policy("spare", "shadow")])).unwrap();
    let prune = |writes| Command::ChangeResources { writes, prune: true };
    let receipt = node.ask(prune(config())).unwrap();
    assert_eq!(receipt.changes.len(), 7);
    assert_eq!(
        kinds(&receipt.changes[5..]),
        [("spare", ChangeKind::Deleted), ("spare", ChangeKind::Deleted)]
    );
    let record = node.last_record();
    assert_eq!(record.detail["deleted"], "Provider/spare Policy/spare");
    assert_eq!(record.detail["unchanged"], "5");

    let without_policy: Vec<_> = config().into_iter().filter(|write| write.kind != Kind::Policy).collect();
    let refusal = refused(&mut node, prune(without_policy));
    assert_eq!(refusal.kind, ErrorKind::FailedPrecondition);
    let malformed = node.ask(prune(vec![])).unwrap_err();
    assert_eq!((malformed.kind, malformed.ledger_index), (ErrorKind::InvalidArgument, None));
}

#[test]
fn the_state_takes_no_more_resources_than_its_bound() {
    let mut node = Node::new();
    let names: Vec<String> = (0..limits::RESOURCES_MAX).map(|number| format!("p{number}")).collect();
    for chunk in names.chunks(limits::MANIFEST_DOCUMENTS_MAX) {
        node.ask(change(chunk.iter().map(|name| policy(name, "shadow")).collect())).unwrap();
    }
    let refusal = refused(&mut node, change(vec![policy("one-more", "shadow")]));
    assert_eq!(refusal.kind, ErrorKind::ResourceExhausted);
}

#[test]
fn pages_of_resources_come_by_name_and_whole() {
    let mut node = Node::configured();
    let names: Vec<String> = (0..7).map(|number| format!("g{number}")).collect();
    node.ask(change(names.iter().map(|name| policy(name, "shadow")).collect())).unwrap();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = node.state.page(Kind::Policy, 3, &token).unwrap();
        seen.extend(page.resources.iter().map(|resource| resource.name.clone()));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        assert_eq!(page.resources.len(), 3);
    }
    assert_eq!(seen, ["g0", "g1", "g2", "g3", "g4", "g5", "g6", "pii"]);
    assert_eq!(node.state.page(Kind::Policy, 0, "").unwrap().resources.len(), 8);
    assert_eq!(node.state.page(Kind::Slo, 5, "").unwrap().resources.len(), 0);
    assert_eq!(node.state.page(Kind::Policy, 8, "").unwrap().next_page_token, "");
    assert_eq!(node.state.page(Kind::Policy, 1_001, "").unwrap_err().field_path, "page_size");
    assert_eq!(node.state.page(Kind::Policy, 1, "A B").unwrap_err().field_path, "page_token");
}
