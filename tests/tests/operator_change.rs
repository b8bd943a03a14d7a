//! An operator's change reaches the proxy and is in the ledger.

use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_route_answers_from_its_new_provider_and_is_in_the_ledger() {
    phase("a route to the first provider");
    let first = ScriptedLlm::start(|_| Script::chat("from the first")).await;
    let second = ScriptedLlm::start(|_| Script::chat("from the second")).await;
    let cluster = Cluster::start(vec![
        provider("first", first.addr(), 5, "60s"),
        provider("second", second.addr(), 5, "60s"),
        route("chat", &["first"], &[]),
        tenant("acme", &["chat"]),
    ])
    .await;
    let caller = cluster.caller();
    let answer = caller.chat("chat", "hello", false).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "from the first");
    assert_eq!(answer.json()["model"], "chat", "the caller learns the alias only");

    phase("the operator sends it to the second");
    let changed = cluster.apply(vec![route("chat", &["second"], &[])]).await;
    let revision = changed["revision"].as_u64().expect("revisions are numbers");
    until("the proxy answers from the second", || async {
        caller.chat("chat", "hello", false).await.text().contains("from the second")
    })
    .await;

    phase("the change and its revision are in the ledger, and the proxy acknowledged it");
    let index = changed["ledger_index"].as_u64().expect("ledger indexes are numbers");
    let records = cluster.admin().get(&format!("/v1/ledger/records?start={index}&page_size=1")).await.json();
    let leaf: serde_json::Value =
        serde_json::from_str(records["records"][0]["leaf"].as_str().expect("a leaf is text"))
            .expect("a leaf is JSON");
    assert_eq!(leaf["outcome"], "accepted");
    assert_eq!(leaf["rev_after"].as_u64(), Some(revision));
    until("the proxy's acknowledgement is seen", || async {
        let proxies = cluster.admin().get("/v1/proxies").await.json();
        proxies["proxies"][0]["revision"].as_u64().is_some_and(|running| running >= revision)
    })
    .await;
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused_and_a_forbidden_route_looks_like_a_missing_one() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let cluster = Cluster::start(vec![
        provider("only", llm.addr(), 5, "60s"),
        route("allowed", &["only"], &[]),
        route("forbidden", &["only"], &[]),
        tenant("acme", &["allowed"]),
    ])
    .await;
    let caller = cluster.caller();

    phase("forbidden and missing look the same");
    let without_ids = |answer: breakwater_tests::caller::Answer, alias: &str| {
        (answer.status, answer.text().replace(alias, "X"))
    };
    let forbidden = without_ids(caller.chat("forbidden", "hello", false).await, "forbidden");
    let missing = without_ids(caller.chat("missing", "hello", false).await, "missing");
    assert_eq!(forbidden, missing);
    assert_eq!(forbidden.0, 404);

    phase("a revoked key ends");
    let keys = cluster.admin().get("/v1/keys").await.json();
    let id = keys["keys"][0]["id"].as_str().expect("a key has an id").to_owned();
    let revoked = cluster.admin().post(&format!("/v1/keys/{id}:revoke"), &serde_json::json!({})).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text());
    until("the key is refused", || async { caller.get("/v1/models").await.status == 401 }).await;
    assert_eq!(caller.chat("allowed", "hello", false).await.code(), "invalid_api_key");
    cluster.shutdown().await;
}
