//! The link to the control plane.

use std::time::{Duration, Instant};

use breakwater_data_plane::{App, Config};
use breakwater_proto::v1::rejection::Code;
use breakwater_runtime::SystemClock;

use crate::kit::{Caller, ControlPlane, KEY, Rig, Upstream, eventually, two_providers};

#[tokio::test]
async fn without_a_ruleset_nothing_is_served_and_readyz_says_why() {
    let control = ControlPlane::start().await;
    let config = Config::development(control.url(), "bwt-proxy");
    let app = App::start_with(config, SystemClock::shared()).await.unwrap();
    let caller = Caller::new(app.addr(), KEY);
    assert_eq!(caller.chat("chat").await.error(), (503, "not_ready".into()));
    let ready = caller.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("ruleset"), "{}", ready.text());
    assert_eq!(caller.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_change_is_in_the_answers_within_100_ms_of_its_publication() {
    let upstream = Upstream::start().await;
    let yaml = two_providers(&upstream, &upstream);
    let rig = Rig::start(&yaml).await;
    assert_eq!(rig.caller.chat("renamed").await.status, 404);
    let began = now();
    rig.control.publish(&yaml.replace("aliases: [chat]", "aliases: [renamed]"));
    eventually("the change is seen", || async { rig.caller.chat("renamed").await.status == 200 }).await;
    assert!(began.elapsed() < Duration::from_millis(100), "took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_ruleset_that_is_not_what_was_promised_is_refused_and_the_old_one_serves_on() {
    let upstream = Upstream::start().await;
    let rig = Rig::start(&two_providers(&upstream, &upstream)).await;
    let broken = rig.control.publish_broken();
    eventually("it is refused", || async { !rig.control.nacks().is_empty() }).await;
    let nack = rig.control.nacks().remove(0);
    assert_eq!((nack.revision, nack.running_revision), (broken, broken - 1));
    assert_eq!(nack.rejections[0].code(), Code::DigestMismatch);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    rig.counted("breakwater_config_rulesets_total{cause=\"refused\"} 1").await;
}

#[tokio::test]
async fn traffic_flows_on_without_the_control_plane_and_the_link_comes_back() {
    let upstream = Upstream::start().await;
    let yaml = two_providers(&upstream, &upstream);
    let mut rig = Rig::start(&yaml).await;
    rig.control.stop().await;
    rig.counted("breakwater_control_plane_connected 0").await;
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    let revision = rig.control.publish(&yaml.replace("aliases: [chat]", "aliases: [renamed]"));
    rig.control.listen().await;
    rig.control.acked(revision).await;
    assert_eq!(rig.caller.chat("renamed").await.status, 200);
    let hello = rig.control.hellos().pop().unwrap();
    assert_eq!((hello.proxy_id.as_str(), hello.revision, hello.digest.len()), ("proxy-1", revision - 1, 32));
    assert_eq!(hello.cluster_id, "test");
}

#[tokio::test]
async fn reports_say_what_happened_since_the_start() {
    let upstream = Upstream::start().await;
    let rig = Rig::start(&two_providers(&upstream, &upstream)).await;
    for _ in 0..3 {
        assert_eq!(rig.caller.chat("chat").await.status, 200);
    }
    assert_eq!(rig.caller.chat("nobody").await.status, 404);
    let report = rig.control.report(|report| report.calls == 4).await;
    assert_eq!((report.failed_calls, report.revision, report.proxy_id.as_str()), (0, 1, "proxy-1"));
    let first = report.upstreams.iter().find(|upstream| upstream.provider == "first").unwrap();
    assert_eq!((first.state.as_str(), first.attempts, first.failures), ("closed", 3, 0));
    assert_eq!(first.first_byte_ms_buckets.iter().sum::<u64>(), 3);
}

#[expect(clippy::disallowed_methods, reason = "what is measured is the real time")]
fn now() -> Instant {
    Instant::now()
}
