//! The table of roles and actions, and that a right is decided again when a command is applied.

#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::fmt::Write as _;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::ledger::Outcome;
use breakwater_control_core::access::{Action, decide};
use breakwater_control_core::{Command, Principal, Role};
use kit::*;

#[test]
fn the_table_of_rights_is_this() {
    let mut table = format!("{:26}", "");
    for role in Role::ALL {
        write!(table, " {:8}", role.as_str()).unwrap();
    }
    table = table.trim_end().to_owned() + "\n";
    for action in Action::ALL {
        let mut line = format!("{:26}", action.as_str());
        for role in Role::ALL {
            write!(line, " {:8}", if decide(role, action) { "yes" } else { "-" }).unwrap();
        }
        table += line.trim_end();
        table += "\n";
    }
    assert_eq!(table, include_str!("snapshots/rights.txt"), "\n{table}");
}

#[test]
fn each_command_needs_its_right_in_apply() {
    let id = || "00000000000000f1".to_owned();
    let commands = || {
        [
            change(vec![sealed("p")]),
            Command::CreateKey(key(&id(), "acme")),
            Command::RevokeKey { id: id() },
            Command::CreateToken(token(&id(), Role::Viewer)),
            Command::RevokeToken { id: id() },
            Command::RecordActs { acts: vec![act("b", "Provider/p", 1)] },
            moved("chat", None),
            Command::Bootstrap { cluster_id: "c2".to_owned(), tokens: vec![] },
        ]
    };
    for role in [Role::Viewer, Role::Operator, Role::Auditor, Role::Admin, Role::Proxy] {
        for command in commands() {
            let mut node = Node::new();
            node.ask(Command::CreateToken(token("00000000000000ee", role))).unwrap();
            let allowed = decide(role, command.action());
            let outcome = node.ask_as(principal("00000000000000ee", role), command.clone());
            let denied = outcome.is_err_and(|refusal| refusal.kind == ErrorKind::PermissionDenied);
            assert_eq!(denied, !allowed, "{role:?} {}", command.word());
            if denied {
                let record = node.last_record();
                assert_eq!((record.outcome, record.reason.as_str()), (Outcome::Refused, "PERMISSION_DENIED"));
                assert_eq!(record.rev_before, record.rev_after);
            }
        }
    }
}

#[test]
fn a_token_revoked_in_between_is_refused() {
    let mut node = Node::new();
    node.ask(Command::RevokeToken { id: OPERATOR.to_owned() }).unwrap();
    let refusal = node.ask_as(principal(OPERATOR, Role::Operator), change(vec![sealed("p")])).unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Unauthenticated);
    assert!(node.state.authenticate(&secret(OPERATOR)).is_none());
}

#[test]
fn the_role_is_the_tokens_not_the_claimed_one() {
    let mut node = Node::new();
    let refusal = node.ask_as(principal(VIEWER, Role::Admin), change(vec![sealed("p")])).unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::PermissionDenied);
    let unknown = node.ask_as(principal("00000000000000ef", Role::Admin), change(vec![sealed("p")]));
    assert_eq!(unknown.unwrap_err().kind, ErrorKind::Unauthenticated);
    let record = node.last_record();
    assert_eq!(record.actor.id, "00000000000000ef");
}

#[test]
fn a_token_is_found_by_its_digest_alone() {
    let node = Node::new();
    let found = node.state.authenticate(&secret(ADMIN)).unwrap();
    assert_eq!((found.id.as_str(), found.role), (ADMIN, Role::Admin));
    assert_eq!(node.state.authenticate(&[0; 32]), None);
}

#[test]
fn nothing_is_applied_before_the_bootstrap_and_that_comes_once() {
    let mut node = Node::default();
    let early = node.ask(change(vec![sealed("p")])).unwrap_err();
    assert_eq!((early.kind, early.ledger_index), (ErrorKind::FailedPrecondition, None));
    assert!(node.rows.is_empty());
    assert_eq!(node.apply(&bootstrap()).outcome.unwrap().revision, 1);
    let again = node.apply(&bootstrap()).outcome.unwrap_err();
    assert_eq!(again.kind, ErrorKind::FailedPrecondition);
    let by_admin = Command::Bootstrap { cluster_id: "c2".to_owned(), tokens: vec![] };
    assert_eq!(node.ask(by_admin).unwrap_err().kind, ErrorKind::PermissionDenied);
    assert_eq!(node.state.cluster_id(), "c1");
    assert_eq!(node.records().first().unwrap().action, "cluster.bootstrap");
}

#[test]
fn the_system_may_do_only_what_it_is_for() {
    let mut node = Node::new();
    let refusal = node.ask_as(Principal::system("fleet"), change(vec![sealed("p")])).unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::PermissionDenied);
    let acts = Command::RecordActs { acts: vec![act("b", "Provider/p", 1)] };
    assert!(node.ask_as(Principal::system("fleet"), acts).is_ok());
}
