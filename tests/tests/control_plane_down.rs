//! The control plane goes; traffic does not notice. It comes back; changes arrive again.

use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traffic_flows_without_a_control_plane_and_changes_arrive_when_it_is_back() {
    let first = ScriptedLlm::start(|_| Script::chat("from the first")).await;
    let second = ScriptedLlm::start(|_| Script::chat("from the second")).await;
    let mut cluster = Cluster::start(vec![
        provider("first", first.addr(), 5, "60s"),
        provider("second", second.addr(), 5, "60s"),
        route("chat", &["first"], &[]),
        tenant("acme", &["chat"]),
    ])
    .await;
    let caller = cluster.caller();

    phase("the link is cut");
    cluster.link().cut();
    for _ in 0..20 {
        let answer = caller.chat("chat", "hello", false).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(caller.get("/readyz").await.status, 200, "a proxy with a ruleset stays ready");

    phase("a change is made meanwhile, and the control plane restarts");
    cluster.apply(vec![route("chat", &["second"], &[])]).await;
    cluster.restart_control().await;
    assert!(
        caller.chat("chat", "hello", false).await.text().contains("from the first"),
        "it did not hear of it"
    );

    phase("the link is mended");
    cluster.link().mend();
    until("the change arrives", || async {
        caller.chat("chat", "hello", false).await.text().contains("from the second")
    })
    .await;
    cluster.shutdown().await;
}
