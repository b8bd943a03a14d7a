//! The whole of the contract's quickstart.yaml applies verbatim, reads back, and says what is not yet enforced.

use breakwater_common::manifest;
use breakwater_common::resource::Kind;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::corpus::quickstart;
use breakwater_tests::manifests::tenant;
use serde_json::{Value, json};

/// The quickstart's documents as the JSON that REST takes.
fn documents() -> Vec<Value> {
    let text = manifest::expand_variables(&quickstart(), &|_| None).expect("its variables have defaults");
    let documents = manifest::parse_yaml(&text).unwrap_or_else(|violations| panic!("{violations:#?}"));
    documents
        .iter()
        .map(|document| {
            let zero = breakwater_common::time::UnixMillis(0);
            let mut json =
                manifest::resource_to_json(document.kind, &document.name, &document.spec, 0, zero, zero);
            // The printer hides credentials; a newcomer's file has them.
            restore_credentials(&mut json);
            json!({ field_of(document.kind): json })
        })
        .collect()
}

fn restore_credentials(value: &mut Value) {
    match value {
        Value::String(text) if text == "(sealed)" => *text = "sk-canary-quickstart".into(),
        Value::Array(items) => items.iter_mut().for_each(restore_credentials),
        Value::Object(fields) => fields.values_mut().for_each(restore_credentials),
        _ => {}
    }
}

fn field_of(kind: Kind) -> String {
    kind.collection().trim_end_matches('s').replace('-', "_").replace("policie", "policy")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quickstart_applies_reads_back_and_names_what_is_not_yet_enforced() {
    let mut all = documents();
    let before = all.len();
    all.retain(|document| document.pointer("/tenant/name") != Some(&json!("acme")));
    assert_eq!(all.len() + 1, before, "the quickstart has the tenant acme");
    all.push(tenant("acme", &["prod-chat", "embed"]));
    let cluster = Cluster::start(all).await;
    let again = cluster.apply(documents()).await;
    let changes = again["changes"].as_array().expect("a list").clone();
    assert_eq!(changes.len(), before);
    let admin = cluster.admin();
    let policy = admin.get("/v1/policies/production").await.json();
    assert_eq!(policy["spec"]["guardrails"][4]["latency_spike_threshold"]["critical"], "2000ms", "{policy}");
    assert!(policy["not_yet_enforced"].to_string().contains("latency_spike_threshold"), "{policy}");
    let slo = admin.get("/v1/slos/prod-chat-availability").await.json();
    assert_eq!(slo["spec"]["burn_rates"][0]["over"], "5m", "{slo}");
    let route = admin.get("/v1/routes/prod-chat").await.json();
    assert_eq!(route["spec"]["endpoint"], "primary-chat", "{route}");
    let everything =
        admin.get("/v1/providers").await.text() + &admin.get("/v1/delivery-workflows").await.text();
    assert!(!everything.contains("canary"), "credentials are never returned");

    let inventory = admin.get("/api/settings/authz-inventory").await.json();
    assert_eq!(inventory["policies_active"], json!(["production"]), "{inventory}");
    cluster.shutdown().await;
}
