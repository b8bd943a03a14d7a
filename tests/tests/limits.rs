//! A tenant's limit from the manifest to the refusal, its explanation and its end.

use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};
use serde_json::{Value, json};

/// Tenant acme with so many tokens a minute.
fn tenant(tokens: u32) -> Value {
    let limits = json!({"max_tokens_per_minute": tokens});
    json!({"tenant": {"name": "acme", "spec": {"routes": ["chat"], "limits": limits}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_over_its_limit_is_refused_until_the_operator_raises_it() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let manifests = vec![provider("only", llm.addr(), 5, "60s"), route("chat", &["only"], &[]), tenant(1)];
    let cluster = Cluster::start(manifests).await;
    let (caller, admin) = (cluster.caller(), cluster.admin());

    phase("nothing is owed: a call passes, and owes minutes");
    let first = caller.chat("chat", "hello", false).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let refused = caller.chat("chat", "hello", false).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "rate_limited"));
    assert_eq!(refused.headers["retry-after"], "60");

    phase("the operator is told which limit it was, and that it is enforced");
    let id = refused.headers["x-breakwater-request-id"].to_str().expect("an id is text").to_owned();
    let why = || async { admin.get(&format!("/v1/calls/{id}")).await };
    until("the call is explained", || async { why().await.status == 200 }).await;
    assert_eq!(why().await.json()["limit"], "tenant max_tokens_per_minute");
    let stored = admin.get("/v1/tenants/acme").await.json();
    assert_eq!(stored["not_yet_enforced"], json!([]), "{stored}");

    phase("a higher limit holds at once");
    cluster.apply(vec![tenant(1_000_000)]).await;
    until("calls pass again", || async { caller.chat("chat", "hello", false).await.status == 200 }).await;
    cluster.shutdown().await;
}
