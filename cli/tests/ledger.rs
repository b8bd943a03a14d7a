//! The ledger, and what the proxies remember, from outside: records, an export that anyone can check, and a changed byte.

mod kit;

use kit::{Dev, Folder, breakwater, run};

#[test]
fn a_changed_byte_of_an_export_is_found_and_its_record_named() {
    let folder = Folder::new("tamper");
    let dev = Dev::start(&folder);
    for name in ["one", "two"] {
        let file = folder.file("t.yaml", format!("kind: Tenant\nname: {name}\nspec: {{}}\n"));
        dev.data(&["apply", "-f", &file]);
    }
    let export = folder.path("export").display().to_string();
    dev.data(&["ledger", "export", &export]);
    dev.run(&["ledger", "export", &export]).fails(2, &["not empty"]);
    dev.kill();
    let verify = || run(breakwater().args(["ledger", "verify", &export]));
    assert_eq!(verify().code, 0, "no server is needed: {:?}", verify());

    let path = folder.path("export/records.jsonl");
    let right = std::fs::read_to_string(&path).unwrap();
    let at = right.lines().position(|line| line.contains("Tenant/one")).unwrap();
    std::fs::write(&path, right.replace("Tenant/one", "Tenant/one2")).unwrap();
    // The record itself still reads; the next one's hash of it does not hold.
    let said = verify();
    said.fails(1, &["does not verify"]);
    let named = [at, at + 1].iter().any(|index| said.stderr.contains(&format!("record {index} ")));
    assert!(named, "record {at} was changed: {}", said.stderr);

    let lines: Vec<&str> = right.lines().collect();
    std::fs::write(&path, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    verify().fails(1, &[&format!("record {} ", lines.len() - 1), "ends here"]);
    std::fs::write(&path, &right).unwrap();
    assert_eq!(verify().code, 0);
}

#[test]
fn every_change_is_a_record_with_who_and_what() {
    let folder = Folder::new("records");
    let dev = Dev::start(&folder);
    dev.run(&["delete", "policy", "production"]).fails(1, &["cannot be removed"]);
    let newest = &dev.json(&["ledger", "records"])[0]["record"];
    assert_eq!(newest["outcome"], "refused");
    assert_eq!(newest["actor"]["role"], "admin");
    let said = dev.run(&["ledger", "records"]);
    assert!(said.stdout.starts_with("INDEX") && said.stderr.contains("records in the ledger"), "{said:?}");
}

#[test]
fn why_tells_what_became_of_a_call_and_never_its_text() {
    let folder = Folder::new("why");
    let dev = Dev::start(&folder);
    let (status, id, body) = dev.ask("assistant", "#pii");
    assert_eq!(status, 200);
    assert!(body["choices"][0]["message"]["content"].as_str().unwrap().contains("[EMAIL]"), "{body}");
    let story = dev.data(&["why", &id]);
    for part in ["prod-chat", "simulated-primary", "email", "redact"] {
        assert!(story.contains(part), "{part:?} is not in {story}");
    }
    assert!(!story.contains("jane.doe"), "{story}");
    dev.run(&["why", "bwr-000000000000000000000000"])
        .fails(1, &["no proxy remembers", "x-breakwater-request-id"]);
}
