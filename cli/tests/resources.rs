//! What is applied is what is shown, and what is shown can be applied again.

mod kit;

use kit::{Dev, Folder, run_with};

const KINDS: [&str; 8] =
    ["provider", "endpoint", "policy", "route", "tenant", "playbook", "deliveryworkflow", "slo"];

const MANIFEST: &str = r"
kind: Provider
name: vendor
spec:
  type: openai
  base_url: http://127.0.0.1:9/v1
  credentials: [{name: main, api_key: sk-first}]
---
kind: Endpoint
name: chat
spec: {provider: vendor, model: m}
---
kind: Route
name: plain
spec: {endpoint: chat, policies: [production]}
---
kind: Playbook
name: book
spec:
  trigger: {correlated_incidents: {count: 3, window: 10m, min_severity: SEV-2}}
  steps: [{pause_route: {}}]
  expires_after: 1h
---
kind: DeliveryWorkflow
name: on-call
spec:
  targets: [{name: hook, type: webhook, url: http://127.0.0.1:9/hook, hmac_secret: hs-first}]
---
kind: Slo
name: up
spec: {route: plain, objective: 99.9%, indicator: availability, window: 30d}
";

#[test]
fn what_get_prints_can_be_applied_and_changes_nothing() {
    let folder = Folder::new("same");
    let dev = Dev::start(&folder);
    let file = folder.file("all.yaml", MANIFEST);
    dev.data(&["apply", "-f", &file]);
    let before = dev.json(&["ledger", "verify"])["records"].as_u64();
    for kind in KINDS {
        assert!(dev.data(&["get", kind]).starts_with("NAME"), "{kind}");
        assert!(!dev.json(&["get", kind]).as_array().unwrap().is_empty(), "{kind}");
        let yaml = dev.data(&["get", kind, "-o", "yaml"]);
        assert!(!yaml.contains("-first"), "secrets are never returned: {yaml}");
        let said = run_with(&mut dev.command(&["apply", "-f", "-"]), &yaml);
        assert_eq!(said.code, 0, "{kind}: {said:?}");
        assert!(said.stderr.contains("0 created, 0 updated, 0 deleted"), "{kind}: {said:?}");
    }
    assert_eq!(dev.json(&["ledger", "verify"])["records"].as_u64(), before, "nothing was changed");
}

#[test]
fn a_change_of_what_get_printed_keeps_the_credentials() {
    let folder = Folder::new("kept");
    let dev = Dev::start(&folder);
    let file = folder.file("all.yaml", MANIFEST);
    dev.data(&["apply", "-f", &file]);
    let yaml = dev.data(&["get", "provider", "vendor", "-o", "yaml"]);
    let changed = yaml.replace("type: openai\n", "type: openai\n  region: north\n");
    assert_ne!(changed, yaml);
    let said = run_with(&mut dev.command(&["apply", "-f", "-"]), &changed);
    assert!(said.stderr.contains("1 updated"), "{said:?}");
    // The same key in a file is no difference, another is one: so the stored one is the first still.
    let first = MANIFEST.replace("type: openai\n", "type: openai\n  region: north\n");
    assert_eq!(dev.json(&["diff", "-f", &folder.file("first.yaml", &first)]).as_array().unwrap().len(), 0);
    let second = folder.file("second.yaml", first.replace("sk-first", "sk-second"));
    let diff = dev.data(&["diff", "-f", &second]);
    assert!(diff.contains("Provider/vendor would be updated") && diff.contains("a secret differs"), "{diff}");
    assert!(!diff.contains("sk-"), "{diff}");
}

#[test]
fn a_diff_shows_lines_and_changes_nothing() {
    let folder = Folder::new("diff");
    let dev = Dev::start(&folder);
    let yaml = dev.data(&["get", "policy", "production", "-o", "yaml"]);
    let file = folder.file("policy.yaml", yaml.replace("action: redact", "action: block"));
    let said = dev.run(&["diff", "-f", &file]);
    assert!(said.stdout.contains("-       action: redact\n+       action: block\n"), "{said:?}");
    assert!(said.stderr.contains("1 of 1 resources would change"), "{said:?}");
    assert_eq!(dev.data(&["get", "policy", "production", "-o", "yaml"]), yaml);
}

#[test]
fn what_is_referred_to_stays_and_who_refers_is_named() {
    let folder = Folder::new("delete");
    let dev = Dev::start(&folder);
    dev.run(&["delete", "policy", "production"])
        .fails(1, &["Route/starter", "Route/prod-chat", "nothing was changed"]);
    dev.run(&["delete", "route", "gone"]).fails(1, &["Route/gone", "no such resource"]);
    dev.run(&["get", "route", "assistant"]).fails(1, &["alias of the route prod-chat"]);
    dev.run(&["get", "route", "gone"]).fails(1, &["no Route named \"gone\"", "breakwater get routes"]);
    let file = folder.file("t.yaml", "kind: Tenant\nname: t\nspec: {}\n");
    dev.data(&["apply", "-f", &file]);
    assert_eq!(
        dev.json(&["delete", "tenant", "t"])["revision"],
        dev.json(&["cluster", "status"])["revision"]
    );
    dev.run(&["get", "tenant", "t"]).fails(1, &["no Tenant named \"t\""]);
}
