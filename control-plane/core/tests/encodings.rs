//! What is in the log and in the rows: read back to the same, refused when damaged or newer.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use breakwater_common::ledger::verify_chain;
use breakwater_common::time::UnixMillis;
use breakwater_control_core::snapshot::{RowsError, TABLE_META, TABLE_RESOURCE, ledger_key};
use breakwater_control_core::wire::{WireError, decode_proposal, encode_proposal};
use breakwater_control_core::{
    Command, CreateKey, Principal, Proposal, Replaces, Role, SetRouteOverride, State,
};
use breakwater_proto::internal as pb;
use kit::*;
use prost::Message;

fn proposals() -> Vec<Proposal> {
    let id = || "00000000000000f1".to_owned();
    let replaces = Some(Replaces { id: id(), expire: UnixMillis(9) });
    let key = CreateKey { replaces, expire: Some(UnixMillis(7)), ..key("00000000000000f2", "acme") };
    let mut writes = config();
    writes[0].expected_revision = Some(0);
    writes[1].spec = None;
    let commands = [
        change(writes),
        Command::CreateKey(key),
        Command::RevokeKey { id: id() },
        Command::CreateToken(token(&id(), Role::Auditor)),
        Command::RevokeToken { id: id() },
        Command::RecordActs { acts: vec![act("b", "Provider/p", 3)] },
        moved("chat", Some("backup")),
        Command::SetRouteOverride(SetRouteOverride { expected_revision: Some(0), ..to("chat", None) }),
        Command::ClearRouteOverride { route: "chat".into(), reason: "r".into(), made_by_revision: Some(2) },
    ];
    let ask = |command| proposal(admin(), "r", 5, command);
    commands.into_iter().map(ask).chain([bootstrap()]).collect()
}

#[test]
fn each_proposal_is_read_back_to_the_same() {
    for proposal in proposals() {
        let bytes = encode_proposal(&proposal);
        assert_eq!(decode_proposal(&bytes), Ok(proposal.clone()));
        assert_eq!(encode_proposal(&proposal), bytes);
    }
}

#[test]
fn a_proposal_that_this_release_does_not_know_is_refused() {
    let message = |change: fn(&mut pb::Proposal)| {
        let mut message = pb::Proposal::decode(encode_proposal(&bootstrap()).as_slice()).unwrap();
        change(&mut message);
        decode_proposal(&message.encode_to_vec()).unwrap_err()
    };
    assert_eq!(message(|it| it.format = 2), WireError::Format { found: 2 });
    assert!(matches!(message(|it| it.command = None), WireError::Decode { .. }));
    assert!(matches!(message(|it| it.principal = None), WireError::Decode { .. }));
    let wrong_role = message(|it| it.principal.as_mut().unwrap().role = "god".to_owned());
    assert!(matches!(wrong_role, WireError::Field { field: "role", .. }));
    let whole = encode_proposal(&bootstrap());
    assert!(decode_proposal(&whole[..whole.len() - 1]).is_err());
}

#[test]
fn a_state_of_every_kind_of_row_is_read_back_to_the_same() {
    let mut node = Node::configured();
    node.ask(Command::CreateKey(key("00000000000000f1", "acme"))).unwrap();
    let acts = Command::RecordActs { acts: vec![act("b", "Provider/p", 3)] };
    node.ask_as(Principal::system("fleet"), acts).unwrap();
    node.ask(change(vec![sealed("second"), endpoint("backup", "second")])).unwrap();
    node.ask(moved("chat", Some("backup"))).unwrap();
    for (number, proposal) in proposals().into_iter().enumerate() {
        let _outcome = node.apply(&Proposal { request_id: format!("r{number}"), ..proposal }).outcome;
    }
    node.assert_whole();
    let read = State::from_rows(node.rows.clone()).unwrap();
    assert_eq!(read.authenticate(&secret(ADMIN)), node.state.authenticate(&secret(ADMIN)));
    assert_eq!(read.resources().collect::<Vec<_>>(), node.state.resources().collect::<Vec<_>>());
    let mut tables: Vec<u8> = node.rows.keys().map(|key| key[0]).collect();
    tables.dedup();
    assert_eq!(tables, [0, 1, 2, 3, 4, 5, 6, 10]);
}

#[test]
fn damaged_rows_are_refused() {
    let node = Node::configured();
    let check = |change: &dyn Fn(&mut Node), expect: fn(&RowsError) -> bool| {
        let mut broken = node.clone();
        change(&mut broken);
        let error = State::from_rows(broken.rows).unwrap_err();
        assert!(expect(&error), "{error}");
    };
    check(&|it| drop(it.rows.remove(&vec![TABLE_META])), |error| *error == RowsError::NoMeta);
    check(&|it| drop(it.rows.insert(vec![9], vec![])), |error| matches!(error, RowsError::Key { .. }));
    check(&|it| drop(it.rows.insert(vec![], vec![])), |error| matches!(error, RowsError::Key { .. }));
    check(
        &|it| drop(it.rows.insert([&[TABLE_RESOURCE], "Nothing\0a".as_bytes()].concat(), vec![])),
        |error| matches!(error, RowsError::Key { .. }),
    );
    for table in 0..=3_u8 {
        check(
            &|it| {
                let key = it.rows.keys().find(|key| key[0] == table).cloned();
                let key = key.unwrap_or_else(|| vec![table, b'x']);
                it.rows.insert(key, vec![0xff]);
            },
            |error| matches!(error, RowsError::Value { .. }),
        );
    }
    let newer = |it: &mut Node| {
        let mut meta = pb::MetaRow::decode(it.rows[&vec![TABLE_META]].as_slice()).unwrap();
        meta.format = 2;
        it.rows.insert(vec![TABLE_META], meta.encode_to_vec());
    };
    check(&newer, |error| matches!(error, RowsError::Value { source: WireError::Format { found: 2 }, .. }));
    let without_peaks = |it: &mut Node| {
        let mut meta = pb::MetaRow::decode(it.rows[&vec![TABLE_META]].as_slice()).unwrap();
        meta.ledger_peaks.clear();
        it.rows.insert(vec![TABLE_META], meta.encode_to_vec());
    };
    check(&without_peaks, |error| matches!(error, RowsError::Value { .. }));
}

#[test]
fn ledger_leaves_are_rows_by_index_and_verify_as_stored() {
    let node = Node::configured();
    assert_eq!(ledger_key(258), [6, 0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(verify_chain(node.leaves()).unwrap(), *node.state.ledger());
    let mut forged = node.leaves();
    forged[0].1 = String::from_utf8(forged[0].1.clone()).unwrap().replace("c1", "c2").into_bytes();
    assert_eq!(verify_chain(forged).unwrap_err().index, 0);
}
