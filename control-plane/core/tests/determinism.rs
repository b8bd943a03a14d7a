//! The same proposals give the same rows, leaves and digest: twice, and from stored rows and a tail. Whatever the
//! proposals are, what is stored is what is in memory, the ledger verifies, and refused commands change nothing else.
//! proptest prints the seed and the smallest log that fails.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod kit;

use breakwater_common::ledger::{Outcome, Record};
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_control_core::snapshot::TABLE_LEDGER;
use breakwater_control_core::wire::{decode_proposal, encode_proposal};
use breakwater_control_core::{
    Command, Principal, Proposal, Replaces, ResourceWrite, Role, SetRouteOverride, State,
};
use kit::*;
use proptest::prelude::*;

fn any_id() -> impl Strategy<Value = String> {
    (0..6_u8).prop_map(|number| format!("00000000000000f{number}"))
}

fn any_write() -> impl Strategy<Value = ResourceWrite> {
    let spec = prop_oneof![
        (0..2_u8).prop_map(|n| sealed(&format!("p{n}"))),
        (0..2_u8).prop_map(|n| provider(&format!("p{n}"), "an open secret")),
        (0..2_u8, 0..3_u8).prop_map(|(n, p)| endpoint(&format!("e{n}"), &format!("p{p}"))),
        (0..2_u8, any::<bool>())
            .prop_map(|(n, on)| policy(&format!("g{n}"), if on { "enforce" } else { "shadow" })),
        (0..2_u8, 0..2_u8).prop_map(|(n, e)| route(&format!("r{n}"), &format!("e{e}"), &["g0"])),
        (0..2_u8).prop_map(|n| tenant(&format!("t{n}"), &["r0"])),
        (0..2_u8).prop_map(|n| write(Kind::Tenant, &format!("t{n}"), vec![0xff])),
        (0..5_usize, 0..2_u8).prop_map(|(kind, n)| {
            delete(Kind::ALL[kind], &format!("{}{n}", ["p", "e", "g", "r", "t"][kind]))
        }),
    ];
    (spec, proptest::option::weighted(0.2, 0..6_u64))
        .prop_map(|(write, expected_revision)| ResourceWrite { expected_revision, ..write })
}

fn any_command() -> impl Strategy<Value = Command> {
    let writes = proptest::collection::vec(any_write(), 0..6);
    prop_oneof![
        6 => (writes, proptest::bool::weighted(0.1))
            .prop_map(|(writes, prune)| Command::ChangeResources { writes, prune }),
        1 => Just(change(vec![sealed("p0"), endpoint("e0", "p0"), policy("g0", "enforce"),
            route("r0", "e0", &["g0"]), tenant("t0", &["r0"])])),
        2 => (any_id(), 0..2_u8, proptest::option::of(1_000..60_000_u64), proptest::option::of((any_id(), 0..60_000_u64)))
            .prop_map(|(id, tenant, expire, replaces)| {
                let mut key = key(&id, &format!("t{tenant}"));
                key.expire = expire.map(UnixMillis);
                key.replaces = replaces.map(|(id, expire)| Replaces { id, expire: UnixMillis(expire) });
                Command::CreateKey(key)
            }),
        1 => any_id().prop_map(|id| Command::RevokeKey { id }),
        2 => (0..2_u8, 0..3_u8, proptest::option::of(0..20_u64)).prop_map(|(route, endpoint, expected_revision)| {
            let set = to(&format!("r{route}"), Some(&format!("e{endpoint}")));
            Command::SetRouteOverride(SetRouteOverride { expected_revision, ..set })
        }),
        1 => (0..2_u8).prop_map(|n| Command::ClearRouteOverride {
            route: format!("r{n}"), reason: "r".to_owned(), made_by_revision: None,
        }),
        1 => (any_id(), 0..6_usize).prop_map(|(id, role)| Command::CreateToken(token(&id, Role::ALL[role]))),
        1 => prop_oneof![any_id(), Just(VIEWER.to_owned()), Just(ADMIN.to_owned())]
            .prop_map(|id| Command::RevokeToken { id }),
        2 => proptest::collection::vec((0..2_u8, 0..2_u8, 0..4_u64), 0..4).prop_map(|acts| Command::RecordActs {
            acts: acts.into_iter().map(|(b, p, g)| act(&format!("b{b}"), &format!("Provider/p{p}"), g)).collect(),
        }),
    ]
}

fn any_proposal() -> impl Strategy<Value = Proposal> {
    let who = prop_oneof![
        8 => Just(admin()),
        1 => Just(principal(OPERATOR, Role::Operator)),
        1 => Just(principal(VIEWER, Role::Admin)),
        1 => Just(principal("00000000000000f0", Role::Admin)),
        2 => Just(Principal::system("fleet")),
    ];
    let request = prop_oneof![3 => Just(String::new()), 2 => (0..4_u8).prop_map(|n| format!("r{n}"))];
    let stamped = prop_oneof![4 => 0..60_000_u64, 1 => 0..200_000_000_u64];
    (who, request, stamped, any_command())
        .prop_map(|(who, request, at, command)| proposal(who, &request, at, command))
}

fn run(node: &mut Node, log: &[Proposal]) {
    for proposal in log {
        // As every node does it: from the bytes of the log.
        let proposal = decode_proposal(&encode_proposal(proposal)).unwrap();
        let _outcome = node.apply(&proposal).outcome;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_log_gives_the_same_state_also_from_rows_and_a_tail(
        log in proptest::collection::vec(any_proposal(), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let (mut first, mut second) = (Node::new(), Node::new());
        run(&mut first, &log);
        run(&mut second, &log);
        prop_assert_eq!(first.state.digest(), second.state.digest());
        prop_assert_eq!(&first.rows, &second.rows);

        let (head, tail) = log.split_at(cut.index(log.len()));
        let mut third = Node::new();
        run(&mut third, head);
        third.state = State::from_rows(third.rows.clone()).unwrap();
        run(&mut third, tail);
        prop_assert_eq!(&first.rows, &third.rows);
        first.assert_whole();
    }

    #[test]
    fn each_step_keeps_the_invariants(log in proptest::collection::vec(any_proposal(), 1..30)) {
        let mut node = Node::new();
        for proposal in &log {
            let before = node.state.clone();
            let checked = node.state.check(proposal);
            prop_assert_eq!(before.digest(), node.state.digest(), "a check changed something");
            let applied = node.apply(proposal);
            check_step(&before, &node.state, &applied)?;
            let told = checked.map(|receipt| receipt.changes).map_err(|refusal| refusal.violations);
            let done = applied.outcome.map(|receipt| receipt.changes).map_err(|refusal| refusal.violations);
            prop_assert!(!proposal.request_id.is_empty() || told == done, "{:?} but {:?}", told, done);
        }
        node.assert_whole();
    }
}

/// What holds between any state and the next.
fn check_step(
    before: &State,
    after: &State,
    applied: &breakwater_control_core::Applied,
) -> Result<(), TestCaseError> {
    let records: Vec<Record> = applied
        .rows
        .iter()
        .filter(|row| row.key[0] == TABLE_LEDGER)
        .map(|row| Record::parse(row.value.as_ref().unwrap()).unwrap())
        .collect();
    prop_assert_eq!(after.ledger().size, before.ledger().size + records.len() as u64);
    prop_assert!(after.clock() >= before.clock());
    prop_assert!(after.revision() == before.revision() || after.revision() == before.revision() + 1);
    let things = |state: &State| {
        let (keys, tokens) =
            (state.keys().cloned().collect::<Vec<_>>(), state.tokens().cloned().collect::<Vec<_>>());
        (state.resources().cloned().collect::<Vec<_>>(), keys, tokens)
    };
    if after.revision() == before.revision() {
        prop_assert_eq!(things(before), things(after), "changed without a revision");
    } else {
        prop_assert_eq!(records.len(), 1, "a revision without its record");
        prop_assert_eq!(records[0].rev_after, after.revision());
    }
    if applied.outcome.is_err() {
        prop_assert_eq!(after.revision(), before.revision());
        prop_assert!(records.iter().all(|record| record.outcome == Outcome::Refused));
    } else {
        prop_assert!(records.iter().all(|record| record.outcome == Outcome::Accepted));
    }
    if applied.rows.is_empty() {
        prop_assert_eq!(before.digest(), after.digest(), "changed without a row");
    }
    Ok(())
}

#[test]
fn the_digest_of_a_known_log_stays() {
    // A change of this value means that nodes of two releases come apart: it takes a new format of rows or commands.
    let mut node = Node::configured();
    node.ask(Command::CreateKey(key("00000000000000f1", "acme"))).unwrap();
    let digest = breakwater_common::ledger::hex(&node.state.digest());
    let root = breakwater_common::ledger::hex(&node.state.ledger().root());
    assert_eq!(format!("{digest}\n{root}\n"), include_str!("snapshots/known_log.txt"));
}
