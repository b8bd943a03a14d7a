//! A repeated request id gives the first answer, and nothing else happens.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::REQUEST_ID_AGE_MS_MAX;
use breakwater_common::resource::Kind;
use breakwater_control_core::snapshot::TABLE_REQUEST;
use breakwater_control_core::wire::{decode_proposal, encode_proposal};
use breakwater_control_core::{Command, Proposal, Role, State};
use kit::*;

#[test]
fn the_first_answer_comes_back_and_nothing_changes() {
    let mut node = Node::new();
    let first = proposal(admin(), "r1", 5_000, change(config()));
    let answer = node.apply(&first).outcome.unwrap();
    assert!(answer.ledger_index.is_some());
    let before = node.state.digest();
    let later = proposal(admin(), "r1", 9_000, change(config()));
    let repeated = node.apply(&later);
    assert_eq!(repeated.outcome.unwrap(), answer);
    assert!(repeated.rows.is_empty());
    assert_eq!(node.state.digest(), before);
}

#[test]
fn the_first_refusal_comes_back_too_also_after_a_restart() {
    let mut node = Node::new();
    let asked = proposal(admin(), "r1", 5_000, change(vec![endpoint("e", "nowhere")]));
    let refusal = node.apply(&asked).outcome.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::InvalidArgument);
    assert_eq!(refusal.violations[0].document, Some(1));
    node.ask(change(vec![sealed("nowhere")])).unwrap();
    node.state = State::from_rows(node.rows.clone()).unwrap();
    assert_eq!(node.apply(&asked).outcome.unwrap_err(), refusal);
}

#[test]
fn the_same_id_for_another_command_is_refused_and_the_first_answer_stays() {
    let mut node = Node::new();
    let first = proposal(admin(), "r1", 5_000, change(vec![sealed("p")]));
    let answer = node.apply(&first).outcome.unwrap();
    let other = proposal(admin(), "r1", 6_000, change(vec![sealed("q")]));
    let refusal = node.apply(&other).outcome.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Aborted);
    assert_eq!(refusal.violations[0].field_path, "request_id");
    assert_eq!(refusal.ledger_index, Some(node.state.ledger().size - 1));
    assert!(node.state.resource(Kind::Provider, "q").is_none());
    assert_eq!(node.apply(&first).outcome.unwrap(), answer);
}

#[test]
fn ids_of_two_principals_are_two_ids() {
    let mut node = Node::new();
    let squatter = principal(VIEWER, Role::Viewer);
    let refused = node.apply(&proposal(squatter, "deploy-43", 5_000, change(vec![sealed("q")]))).outcome;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::PermissionDenied);
    let accepted = node.apply(&proposal(admin(), "deploy-43", 5_000, change(vec![sealed("p")]))).outcome;
    assert!(accepted.is_ok());
}

#[test]
fn an_unchanged_write_with_an_id_is_remembered_without_a_record() {
    let mut node = Node::configured();
    let size = node.state.ledger().size;
    let asked = proposal(admin(), "r1", 9_000, change(config()));
    let answer = node.apply(&asked).outcome.unwrap();
    assert_eq!((answer.ledger_index, node.state.ledger().size), (None, size));
    node.ask(change(vec![policy("pii", "shadow")])).unwrap();
    assert_eq!(node.apply(&asked).outcome.unwrap(), answer, "it would change something now");
    node.assert_whole();
}

#[test]
fn ids_are_forgotten_by_age_in_rows_too() {
    let remembered = |node: &Node| node.rows.keys().filter(|key| key[0] == TABLE_REQUEST).count();
    let revoke = || Command::RevokeKey { id: "00000000000000f1".to_owned() };
    let mut node = Node::new();
    for number in 0..4 {
        let _refused =
            node.apply(&proposal(admin(), &format!("r{number}"), 5_000 + number, revoke())).outcome;
    }
    assert_eq!(remembered(&node), 4);
    let late = 5_001 + REQUEST_ID_AGE_MS_MAX + 1;
    let _refused = node.apply(&proposal(admin(), "late", late, revoke())).outcome;
    assert_eq!(remembered(&node), 3, "r0 and r1 are older than a day");
    node.assert_whole();
}

#[test]
fn a_check_is_never_answered_from_memory() {
    let mut node = Node::new();
    let asked = proposal(admin(), "r1", 5_000, change(vec![sealed("p")]));
    node.apply(&asked).outcome.unwrap();
    node.ask(change(vec![delete(Kind::Provider, "p")])).unwrap();
    let told = node.state.check(&asked).unwrap();
    assert_eq!(told.changes[0].change, breakwater_control_core::ChangeKind::Created);
    assert_eq!(told.ledger_index, None);
}

#[test]
fn a_request_is_known_by_its_digest_where_it_has_one() {
    let mut node = Node::new();
    let asked = |digest, command| Proposal {
        request_digest: Some(digest),
        ..proposal(admin(), "r1", 5_000, command)
    };
    let answer = node.apply(&asked([1; 32], change(vec![sealed("p")]))).outcome.unwrap();
    let id = admin().id;
    assert_eq!(node.state.first_answer(&id, "r1", &[1; 32]), Some(&Ok(answer.clone())));
    for (id, request, digest) in
        [(id.as_str(), "r1", [2; 32]), (&id, "r2", [1; 32]), ("x", "r1", [1; 32]), (&id, "", [1; 32])]
    {
        assert_eq!(node.state.first_answer(id, request, &digest), None);
    }
    // The state has moved on, so that another command is made of the same request.
    let size = node.state.ledger().size;
    let again = asked([1; 32], change(vec![sealed("p"), sealed("q")]));
    assert_eq!(decode_proposal(&encode_proposal(&again)).unwrap(), again);
    assert_eq!(node.apply(&again).outcome.unwrap(), answer);
    assert_eq!(node.state.ledger().size, size);
    let other = asked([2; 32], change(vec![sealed("p")]));
    assert_eq!(node.apply(&other).outcome.unwrap_err().kind, ErrorKind::Aborted);
}
