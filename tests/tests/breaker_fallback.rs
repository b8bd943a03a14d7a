//! A failing provider costs callers nothing: the chain answers, the breaker opens, one probe closes it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};
use serde_json::Value;

async fn state_of(cluster: &Cluster, name: &str) -> Value {
    let status = cluster.admin().get("/v1/admin/providers/status").await.json();
    let all = status["data"].as_array().expect("data is a list").clone();
    all.into_iter().find(|provider| provider["provider"] == name).expect("every provider is listed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_breaker_opens_falls_back_is_ledgered_and_closes_after_one_probe() {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    let primary = ScriptedLlm::start(move |_| {
        if is_broken.load(Ordering::SeqCst) {
            Script::json(503, "{}")
        } else {
            Script::chat("from the primary")
        }
    })
    .await;
    let backup = ScriptedLlm::start(|_| Script::chat("from the backup")).await;
    let cluster = Cluster::start(vec![
        provider("primary", primary.addr(), 3, "500ms"),
        provider("backup", backup.addr(), 3, "60s"),
        route("chat", &["primary", "backup"], &[]),
        tenant("acme", &["chat"]),
    ])
    .await;
    let caller = cluster.caller();

    phase("three failures: each call is answered by the backup");
    for _ in 0..3 {
        let answer = caller.chat("chat", "hello", false).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains("from the backup"));
    }

    phase("the breaker is open: the primary is not asked");
    assert_eq!(primary.asked().len(), 3);
    let answer = caller.chat("chat", "hello", false).await;
    assert!(answer.text().contains("from the backup"));
    assert_eq!(primary.asked().len(), 3, "an open breaker asks nothing");
    let id = answer.headers["x-breakwater-request-id"].to_str().expect("ASCII").to_owned();
    let why = cluster.admin().get(&format!("/v1/calls/{id}")).await.json();
    assert_eq!(why["attempts"][0]["reason"], "breaker_open", "{why}");
    assert_eq!(why["attempts"][1]["result"], "succeeded", "{why}");

    phase("operators see it, and the act is in the ledger");
    until("the status says that it opened", || async {
        state_of(&cluster, "primary").await["failures"] == 3
    })
    .await;
    assert_eq!(state_of(&cluster, "backup").await["state"], "closed");
    assert!(state_of(&cluster, "primary").await["last_failure"].is_string());
    until("the transition is in the ledger", || async {
        cluster.admin().get("/v1/ledger/records?page_size=1000").await.text().contains("breaker.transition")
    })
    .await;

    phase("healed: one probe closes it");
    broken.store(false, Ordering::SeqCst);
    until("the primary answers again", || async {
        caller.chat("chat", "hello", false).await.text().contains("from the primary")
    })
    .await;
    until("the status says closed", || async { state_of(&cluster, "primary").await["state"] == "closed" })
        .await;
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_whole_chain_is_out_the_caller_gets_503_and_learns_no_provider() {
    let one = ScriptedLlm::start(|_| Script::json(500, "{}")).await;
    let two = ScriptedLlm::start(|_| Script::json(502, "{}")).await;
    let cluster = Cluster::start(vec![
        provider("acme-vendor-one", one.addr(), 2, "30s"),
        provider("acme-vendor-two", two.addr(), 2, "30s"),
        route("chat", &["acme-vendor-one", "acme-vendor-two"], &[]),
        route("alone", &["acme-vendor-one"], &[]),
        tenant("acme", &["chat", "alone"]),
    ])
    .await;
    let caller = cluster.caller();

    phase("a route without a fallback: 502");
    let answer = caller.chat("alone", "hello", false).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (502, "upstream_unavailable"),
        "{}",
        answer.text()
    );

    phase("a chain that fails, then is open: 503 with Retry-After");
    for _ in 0..4 {
        let answer = caller.chat("chat", "hello", false).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (503, "no_provider_available"),
            "{}",
            answer.text()
        );
        assert!(answer.headers.contains_key("retry-after"));
        assert!(!answer.text().contains("vendor"), "a caller learns the alias only: {}", answer.text());
        for (name, value) in &answer.headers {
            assert!(!value.to_str().unwrap_or_default().contains("vendor"), "{name}: {value:?}");
        }
    }
    assert!(two.asked().len() <= 2, "an open breaker asks nothing");
    cluster.shutdown().await;
}
