//! The wire never changes its mind: a field number, once given, keeps its name's type. The snapshot is a text file; a
//! line may be added, and none may change or go.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use breakwater_proto::DESCRIPTORS;

/// One line for each field, enum value and RPC: enough to see that a number was reused or a type changed.
fn lines() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for message in DESCRIPTORS.all_messages().filter(|message| message.full_name().starts_with("breakwater."))
    {
        for field in message.fields() {
            lines.insert(format!(
                "{} {} = {:?} {:?}",
                message.full_name(),
                field.number(),
                field.kind(),
                field.cardinality()
            ));
        }
    }
    for kind in DESCRIPTORS.all_enums().filter(|kind| kind.full_name().starts_with("breakwater.")) {
        for value in kind.values() {
            lines.insert(format!("{} {} = {}", kind.full_name(), value.number(), value.name()));
        }
    }
    for service in DESCRIPTORS.services().filter(|service| service.full_name().starts_with("breakwater.")) {
        for method in service.methods() {
            lines.insert(format!(
                "{} ({}) -> ({})",
                method.full_name(),
                method.input().full_name(),
                method.output().full_name()
            ));
        }
    }
    lines
}

#[test]
fn no_field_number_is_reused_or_retyped() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire.snapshot");
    let now = lines();
    let mut text = String::new();
    for line in &now {
        writeln!(text, "{line}").expect("writing to a String");
    }
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).expect("the snapshot can be written");
        return;
    }
    let gone: Vec<&str> = before.lines().filter(|line| !now.contains(*line)).collect();
    assert!(gone.is_empty(), "these left the wire or changed:\n{}", gone.join("\n"));
    assert_eq!(before, text, "the API grew: run with UPDATE_SNAPSHOTS=1 and commit the new lines");
}
