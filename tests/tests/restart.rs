//! A control plane that starts from its data dir finds everything as it was.

use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{policy, provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_resources_keys_ledger_digest_and_request_ids() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let mut cluster = Cluster::start(vec![
        provider("only", llm.addr(), 5, "60s"),
        policy("production"),
        route("chat", &["only"], &["production"]),
        tenant("acme", &["chat"]),
    ])
    .await;
    let write = json!({"manifests": [route("other", &["only"], &[])], "request_id": "once"});
    let first = cluster.admin().post("/v1/resources:apply", &write).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let picture = |cluster: &Cluster| {
        let admin = cluster.admin();
        async move {
            let mut all = Vec::new();
            for path in ["/v1/providers", "/v1/policies", "/v1/routes", "/v1/tenants", "/v1/keys"] {
                all.push(admin.get(path).await.json());
            }
            let status = admin.get("/v1/cluster/status").await.json();
            all.push(json!([status["cluster_id"], status["revision"], status["digest"]]));
            all.push(admin.get("/v1/ledger/records?page_size=1000").await.json());
            all
        }
    };
    let before = picture(&cluster).await;

    phase("restart");
    cluster.restart_control().await;
    assert_eq!(picture(&cluster).await, before);

    phase("the same request id gets its first answer, and makes no record");
    let again = cluster.admin().post("/v1/resources:apply", &write).await;
    assert_eq!(again.json(), first.json());
    assert_eq!(picture(&cluster).await, before);

    phase("the proxy finds its way back");
    let caller = cluster.caller();
    cluster.apply(vec![tenant("acme", &["chat", "other"])]).await;
    until("a new change arrives", || async { caller.chat("other", "hello", false).await.status == 200 })
        .await;
    cluster.shutdown().await;
}
