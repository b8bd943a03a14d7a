//! Keys and tokens: made once, ended for good; acts of proxies counted once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::time::UnixMillis;
use breakwater_control_core::{Command, CreateKey, Principal, Replaces, Role};
use kit::*;

const FIRST: &str = "00000000000000f1";
const SECOND: &str = "00000000000000f2";

fn kind(node: &mut Node, command: Command) -> Option<ErrorKind> {
    node.ask(command).err().map(|refusal| refusal.kind)
}

#[test]
fn a_key_is_made_once_for_a_tenant_that_is_there() {
    let mut node = Node::configured();
    let create = |id, tenant| Command::CreateKey(key(id, tenant));
    assert_eq!(kind(&mut node, create(FIRST, "nobody")), Some(ErrorKind::FailedPrecondition));
    let receipt = node.ask(create(FIRST, "acme")).unwrap();
    assert_eq!(receipt.revision, 3);
    assert_eq!(node.last_record().object, format!("Key/{FIRST}"));
    assert_eq!(kind(&mut node, create(FIRST, "acme")), Some(ErrorKind::AlreadyExists));
    let same_secret = CreateKey { sha256: secret(FIRST), ..key(SECOND, "acme") };
    assert_eq!(kind(&mut node, Command::CreateKey(same_secret)), Some(ErrorKind::AlreadyExists));
    let ended = CreateKey { expire: Some(UnixMillis(1)), ..key(SECOND, "acme") };
    assert_eq!(kind(&mut node, Command::CreateKey(ended)), Some(ErrorKind::InvalidArgument));
    assert_eq!(node.state.keys_of("acme").count(), 1);
    assert_eq!(node.state.keys_of("other").count(), 0);
    assert_eq!(node.state.keys_of("").count(), 1);
}

#[test]
fn a_revoked_key_stays_revoked_and_revoking_again_changes_nothing() {
    let mut node = Node::configured();
    node.ask(Command::CreateKey(key(FIRST, "acme"))).unwrap();
    let revoke = |id: &str| Command::RevokeKey { id: id.to_owned() };
    assert_eq!(kind(&mut node, revoke(SECOND)), Some(ErrorKind::NotFound));
    assert!(node.ask(revoke(FIRST)).unwrap().ledger_index.is_some());
    let again = node.ask(revoke(FIRST)).unwrap();
    assert_eq!((again.ledger_index, again.revision), (None, node.state.revision()));
    assert!(!node.state.key(FIRST).unwrap().is_active(UnixMillis(0)));
}

#[test]
fn a_replaced_key_ends_when_told_and_never_later_than_it_would_have() {
    let check = |own: Option<u64>, told: u64, expect: u64, active_now: bool| {
        let mut node = Node::configured();
        let old = CreateKey { expire: own.map(UnixMillis), ..key(FIRST, "acme") };
        node.ask(Command::CreateKey(old)).unwrap();
        let replaces = Some(Replaces { id: FIRST.to_owned(), expire: UnixMillis(told) });
        node.ask(Command::CreateKey(CreateKey { replaces, ..key(SECOND, "acme") })).unwrap();
        let old = node.state.key(FIRST).unwrap();
        assert_eq!(old.expire, Some(UnixMillis(expect)));
        assert_eq!(old.is_active(node.state.clock()), active_now);
        assert_eq!(old.revision, node.state.revision());
        assert!(node.state.key(SECOND).unwrap().is_active(UnixMillis(u64::MAX)));
        node.assert_whole();
    };
    check(None, 50_000, 50_000, true);
    check(Some(20_000), 50_000, 20_000, true);
    check(Some(80_000), 50_000, 50_000, true);
    // The clock is at 4,000 by then.
    check(None, 0, 4_000, false);
}

#[test]
fn what_cannot_be_replaced_is_refused() {
    let mut node = Node::configured();
    node.ask(change(vec![tenant("other", &[])])).unwrap();
    node.ask(Command::CreateKey(key(FIRST, "acme"))).unwrap();
    let replace = |id: &str, tenant: &str| {
        let replaces = Some(Replaces { id: id.to_owned(), expire: UnixMillis(50_000) });
        Command::CreateKey(CreateKey { replaces, ..key(SECOND, tenant) })
    };
    assert_eq!(kind(&mut node, replace("00000000000000f9", "acme")), Some(ErrorKind::NotFound));
    assert_eq!(kind(&mut node, replace(FIRST, "other")), Some(ErrorKind::InvalidArgument));
    node.ask(Command::RevokeKey { id: FIRST.to_owned() }).unwrap();
    assert_eq!(kind(&mut node, replace(FIRST, "acme")), Some(ErrorKind::FailedPrecondition));
    assert!(node.state.key(SECOND).is_none());
}

#[test]
fn the_last_admin_stays() {
    let mut node = Node::new();
    let revoke = |id: &str| Command::RevokeToken { id: id.to_owned() };
    assert_eq!(kind(&mut node, revoke(ADMIN)), Some(ErrorKind::FailedPrecondition));
    node.ask(Command::CreateToken(token(FIRST, Role::Admin))).unwrap();
    assert_eq!(kind(&mut node, revoke(ADMIN)), None);
    let by_other = node.ask_as(principal(FIRST, Role::Admin), revoke(FIRST)).unwrap_err();
    assert_eq!(by_other.kind, ErrorKind::FailedPrecondition);
    let by_revoked = node.ask(Command::CreateToken(token(SECOND, Role::Viewer))).unwrap_err();
    assert_eq!(by_revoked.kind, ErrorKind::Unauthenticated);
}

#[test]
fn tokens_are_made_once_and_revoking_again_changes_nothing() {
    let mut node = Node::new();
    let create = || Command::CreateToken(token(FIRST, Role::Proxy));
    node.ask(create()).unwrap();
    assert_eq!(kind(&mut node, create()), Some(ErrorKind::AlreadyExists));
    let revoke = |id: &str| Command::RevokeToken { id: id.to_owned() };
    assert_eq!(kind(&mut node, revoke(SECOND)), Some(ErrorKind::NotFound));
    assert!(node.ask(revoke(FIRST)).unwrap().ledger_index.is_some());
    assert_eq!(node.ask(revoke(FIRST)).unwrap().ledger_index, None);
}

#[test]
fn an_act_is_recorded_once_however_often_it_is_reported() {
    let mut node = Node::configured();
    let report = |node: &mut Node, acts| {
        let before = node.state.ledger().size;
        let receipt = node.ask_as(Principal::system("fleet"), Command::RecordActs { acts }).unwrap();
        assert_eq!(receipt.revision, 2, "acts are no revision");
        let made = node.state.ledger().size - before;
        assert_eq!(receipt.ledger_index, (made > 0).then_some(before));
        made
    };
    let on = |boot, generation| act(boot, "Provider/openai", generation);
    assert_eq!(report(&mut node, vec![on("b1", 1), on("b1", 2)]), 2);
    assert_eq!(report(&mut node, vec![on("b1", 1), on("b1", 2), on("b1", 3)]), 1);
    assert_eq!(report(&mut node, vec![on("b1", 3)]), 0);
    assert_eq!(report(&mut node, vec![on("b2", 1)]), 1, "a new process counts anew");
    assert_eq!(report(&mut node, vec![act("b1", "Provider/other", 1)]), 1, "each object counts by itself");
    let record = node.last_record();
    assert_eq!((record.action.as_str(), record.object.as_str()), ("breaker.transition", "Provider/other"));
    assert_eq!((record.reason.as_str(), record.rev_before, record.rev_after), ("threshold_reached", 2, 2));
    assert_eq!(record.detail["from"], "closed");
    assert_eq!(record.detail["to"], "open");
    node.assert_whole();
}

#[test]
fn time_never_goes_back() {
    let mut node = Node::configured();
    let clock = node.state.clock();
    let late = proposal(admin(), "", 5, Command::CreateKey(key(FIRST, "acme")));
    node.apply(&late).outcome.unwrap();
    assert_eq!(node.state.clock(), clock);
    assert_eq!(node.state.key(FIRST).unwrap().create, clock);
    assert_eq!(node.last_record().ts, clock.to_rfc3339());
}
