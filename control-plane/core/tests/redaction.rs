//! No secret and no text of people is in a record, a log line or a changed row where it does not belong.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod kit;

use std::collections::BTreeMap;

use breakwater_common::ledger::hex;
use breakwater_common::limits::{LEDGER_LEAF_BYTES_MAX, MANIFEST_DOCUMENTS_MAX};
use breakwater_control_core::audit::REDACTED;
use breakwater_control_core::{Command, CreateKey, Principal, Role};
use kit::*;

const CANARY: &str = "canary-7f3a";

fn ledger(node: &Node) -> String {
    node.leaves().into_iter().map(|(_, leaf)| String::from_utf8(leaf).unwrap()).collect()
}

#[test]
fn no_part_of_a_spec_is_in_the_ledger() {
    let mut node = Node::configured();
    node.ask(change(vec![provider("p", &format!("sealed:v1:{CANARY}"))])).unwrap();
    node.ask(change(vec![provider("q", CANARY)])).unwrap_err();
    node.ask(change(vec![policy("r", CANARY)])).unwrap_err();
    node.ask(change(vec![endpoint("s", CANARY)])).unwrap_err();
    assert!(!ledger(&node).contains(CANARY));
    assert!(!ledger(&node).contains("sealed:v1"));
    assert!(ledger(&node).contains("Provider/p"), "the names are");
}

#[test]
fn no_digest_and_no_attribute_of_a_key_is_in_the_ledger() {
    let mut node = Node::configured();
    let attributes = BTreeMap::from([(CANARY.to_owned(), CANARY.to_owned())]);
    let id = "00000000000000f1";
    node.ask(Command::CreateKey(CreateKey { attributes, ..key(id, "acme") })).unwrap();
    node.ask(Command::CreateToken(token("00000000000000f2", Role::Viewer))).unwrap();
    let text = ledger(&node);
    assert!(text.contains(id));
    for hidden in [CANARY.to_owned(), hex(&secret(id)), hex(&secret("00000000000000f2")), hex(&secret(ADMIN))]
    {
        assert!(!text.contains(&hidden), "{hidden}");
    }
}

#[test]
fn a_subject_that_is_not_plain_is_left_out() {
    let mut node = Node::new();
    let who = Principal { subject: format!("hello {CANARY}"), ..admin() };
    node.ask_as(who, change(vec![sealed("p")])).unwrap();
    assert_eq!(node.last_record().actor.subject, REDACTED);
}

#[test]
fn debug_forms_show_no_spec() {
    let command = change(vec![provider("p", CANARY)]);
    assert!(!format!("{command:?}").contains(CANARY));
    let text: Vec<u8> = CANARY.bytes().collect();
    let numbers = format!("{text:?}");
    assert!(!format!("{command:?}").contains(numbers.trim_matches(['[', ']'])));
}

#[test]
fn the_largest_change_fits_in_a_leaf_and_says_what_it_left_out() {
    let mut node = Node::new();
    let name = |number: usize| format!("{number:04}{}", "x".repeat(59));
    let writes: Vec<_> = (0..MANIFEST_DOCUMENTS_MAX).map(|number| policy(&name(number), "shadow")).collect();
    node.ask(change(writes)).unwrap();
    let (_, leaf) = node.leaves().pop().unwrap();
    assert!(leaf.len() <= LEDGER_LEAF_BYTES_MAX);
    let created = node.last_record().detail["created"].clone();
    let kept = created.split(' ').filter(|word| word.starts_with("Policy/")).count();
    assert!(created.ends_with(&format!("and {} more", MANIFEST_DOCUMENTS_MAX - kept)), "{kept}");

    let broken: Vec<_> = (0..MANIFEST_DOCUMENTS_MAX).map(|number| policy(&name(number), "never")).collect();
    node.ask(change(broken)).unwrap_err();
    let (_, leaf) = node.leaves().pop().unwrap();
    assert!(leaf.len() <= LEDGER_LEAF_BYTES_MAX);
    assert_eq!(node.last_record().detail["violations"], "100");
}
