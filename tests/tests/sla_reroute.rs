//! A route leaves a provider that is too slow, by itself, and comes back when it is well again.

use breakwater::simulate::{Options, Simulator};
use breakwater_tests::caller::{Answer, streamed_text};
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Ending, Script, ScriptedLlm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_provider_is_left_shown_in_why_and_taken_back() {
    let faults = vec!["slow=500ms".parse().expect("a fault")];
    let options = Options { faults, ..Options::default() };
    let primary = Simulator::start("127.0.0.1:0".parse().expect("an address"), options).await;
    let primary = primary.expect("a free port");
    let backup = ScriptedLlm::start(|_| Script::chat_stream(&["from the backup"], Ending::Complete)).await;
    let mut chat = route("chat", &["primary", "backup"], &[]);
    chat["route"]["spec"]["sla"] = serde_json::json!({"failover_latency": "250ms"});
    let cluster = Cluster::start(vec![
        provider("primary", primary.addr(), 5, "60s"),
        provider("backup", backup.addr(), 5, "60s"),
        chat,
        tenant("acme", &["chat"]),
    ])
    .await;
    let caller = cluster.caller();
    let ask = async || {
        let answer = caller.chat("chat", "hello", true).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let moved = |answer: &Answer| streamed_text(&answer.text()) == "from the backup";
    let metric =
        |value: u8| format!("breakwater_route_rerouted{{route=\"chat\",provider=\"primary\"}} {value}");

    phase("too slow for ten calls: the route moves");
    for _ in 0..10 {
        assert!(!moved(&ask().await), "fewer calls say nothing of a median");
    }
    let answer = ask().await;
    assert!(moved(&answer), "{}", answer.text());

    phase("why says it, and so does the metric");
    let id = answer.headers["x-breakwater-request-id"].to_str().expect("ASCII").to_owned();
    let why = cluster.admin().get(&format!("/v1/calls/{id}")).await.json();
    assert_eq!(why["attempts"][0]["provider"], "primary", "{why}");
    assert_eq!(why["attempts"][0]["reason"], "sla_reroute", "{why}");
    assert_eq!(why["attempts"][1]["result"], "succeeded", "{why}");
    let metrics = caller.get("/metrics").await.text();
    assert!(metrics.contains(&metric(1)), "{metrics}");

    phase("slow still: one call of twenty probes it, and the callers of the others do not wait");
    for _ in 0..3 {
        let mut calls = 1;
        while moved(&ask().await) {
            calls += 1;
        }
        assert!(calls >= 19, "a probe after {calls} calls");
    }

    phase("well again: the route comes back");
    primary.set_faults(Vec::new());
    until("calls come back", || async {
        let mut home = true;
        for _ in 0..25 {
            home &= !moved(&ask().await);
        }
        home
    })
    .await;
    let metrics = caller.get("/metrics").await.text();
    assert!(metrics.contains(&metric(0)), "{metrics}");
    cluster.shutdown().await;
    primary.shutdown().await;
}
