//! The limits of routes and tenants: who is refused, when, what it is charged, and what the caller and the operator are told.

use std::time::Duration;

use crate::kit::{Act, Answer, KEY, OTHER_KEY, Rig, Upstream, chat, chunk, eventually, two_providers};

/// A configuration in which both tenants may use route chat: limits of the route, of acme and of other, as in a manifest.
fn limited(first: &Upstream, route: &str, acme: &str, other: &str) -> String {
    let yaml = two_providers(first, first);
    yaml.replacen("aliases: [chat]", &format!("aliases: [chat]\n  throttling_policy: {{{route}}}"), 1)
        .replace("routes: [chat, alone]", &format!("routes: [chat, alone], limits: {{{acme}}}"))
        .replace("routes: [hidden]", &format!("routes: [hidden, chat], limits: {{{other}}}"))
}

async fn rig(route: &str, acme: &str, other: &str) -> (Rig, Upstream) {
    let first = Upstream::start().await;
    let rig = Rig::start(&limited(&first, route, acme, other)).await;
    (rig, first)
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status.as_u16()).collect()
}

/// Asks so often, one after the other.
async fn ask(rig: &Rig, key: &'static str, times: usize) -> Vec<Answer> {
    let caller = rig.caller.with_key(Some(key));
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(caller.chat("chat").await);
    }
    answers
}

#[tokio::test]
async fn a_route_lets_its_burst_through_and_then_its_rate_to_the_millisecond() {
    let (rig, first) = rig("max_rps: 2, burst_limit: 1", "", "").await;
    let answers = ask(&rig, KEY, 3).await;
    assert_eq!(statuses(&answers), [200, 200, 429]);
    let refused = &answers[2];
    assert_eq!(refused.error(), (429, "rate_limited".into()));
    assert_eq!(refused.header("retry-after"), "1");
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "rate limit reached: max_rps of the route; try again in 500 ms");
    rig.clock.advance(Duration::from_millis(499));
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [429]);
    rig.clock.advance(Duration::from_millis(1));
    assert_eq!(statuses(&ask(&rig, KEY, 2).await), [200, 429]);
    assert_eq!(first.requests().len(), 3, "a refused call reaches nobody");
}

#[tokio::test]
async fn a_refusal_is_charged_to_no_limit() {
    let (rig, _first) = rig("max_rps: 1, burst_limit: 1", "max_rps: 1", "").await;
    // Acme's own limit refuses five; the route has one left all the same.
    assert_eq!(statuses(&ask(&rig, KEY, 6).await), [200, 429, 429, 429, 429, 429]);
    assert_eq!(statuses(&ask(&rig, OTHER_KEY, 2).await), [200, 429]);
    // The route refuses other, and acme's limit, full again, is not charged for what the route refuses.
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(statuses(&ask(&rig, OTHER_KEY, 1).await), [200]);
    assert_eq!(statuses(&ask(&rig, KEY, 3).await), [429, 429, 429]);
    rig.clock.advance(Duration::from_secs(1));
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [200]);
    rig.counted("breakwater_limit_refusals_total{subject=\"tenant\",limit=\"max_rps\"} 5").await;
    rig.counted("breakwater_limit_refusals_total{subject=\"route\",limit=\"max_rps\"} 4").await;
}

#[tokio::test]
async fn calls_at_the_same_time_are_bounded_and_a_caller_that_leaves_makes_room() {
    let (rig, first) = rig("", "max_concurrent: 1", "").await;
    first.script([Act::stalled(&[&chunk("one")])]);
    let stream = rig.caller.stream("chat").await;
    assert_eq!(stream.status(), 200);
    let refused = rig.caller.chat("chat").await;
    assert_eq!((refused.error().0, refused.header("retry-after")), (429, "1"));
    assert_eq!(statuses(&ask(&rig, OTHER_KEY, 1).await), [200], "another tenant is not hurt");
    drop(stream);
    eventually("there is room again", || async { rig.caller.chat("chat").await.status == 200 }).await;
}

#[tokio::test]
async fn tokens_are_reserved_and_then_charged_as_used() {
    // A call reserves 2 for "hello" and 1,024 for its answer, and uses 2.
    let (rig, first) = rig("", "max_tokens_per_minute: 1500", "").await;
    assert_eq!(statuses(&ask(&rig, KEY, 20).await), [200; 20]);
    // Two at once do not fit; what the first holds comes back when it ends.
    first.script([Act::Held]);
    let asked = first.requests().len();
    let (held, ()) = tokio::join!(rig.caller.chat("chat"), async {
        eventually("the first is on its way", || async { first.requests().len() > asked }).await;
        assert_eq!(statuses(&ask(&rig, KEY, 1).await), [429]);
        first.release();
    });
    assert_eq!(held.status, 200);
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [200]);
    // One that says a short answer fits where another does not, and an answer larger than was said is owed.
    let usage = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":2000,"total_tokens":3000}}"#;
    first.script([Act::json(200, "", usage)]);
    let short =
        String::from_utf8(chat("chat", false).to_vec()).unwrap().replacen('{', r#"{"max_tokens":10,"#, 1);
    assert_eq!(rig.caller.post(short.clone()).await.status, 200);
    let refused = rig.caller.post(short.clone()).await;
    assert_eq!((refused.error().0, refused.header("retry-after")), (429, "60"));
    // 3,044 were used of 1,500 with 25 a second coming back: 12 are there after 62.24 s.
    rig.clock.advance(Duration::from_millis(62_239));
    assert_eq!(rig.caller.post(short.clone()).await.status, 429);
    rig.clock.advance(Duration::from_millis(1));
    assert_eq!(rig.caller.post(short).await.status, 200);
}

#[tokio::test]
async fn what_passed_still_counts_after_a_new_ruleset() {
    let (rig, first) = rig("", "max_rps: 1", "").await;
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [200]);
    let revision = rig.control.publish(&limited(&first, "", "max_rps: 1, max_concurrent: 5", ""));
    rig.control.acked(revision).await;
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [429]);
    let revision = rig.control.publish(&limited(&first, "", "", ""));
    rig.control.acked(revision).await;
    assert_eq!(statuses(&ask(&rig, KEY, 5).await), [200; 5], "no limit any more");
}

#[tokio::test]
async fn the_caller_hears_it_in_its_own_format_and_the_operator_hears_which_limit() {
    let (rig, _first) = rig("", "max_rps: 1", "").await;
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [200]);
    let body = r#"{"model":"chat","max_tokens":5,"messages":[{"role":"user","content":"hello"}]}"#;
    let refused = rig.caller.ask(http::Method::POST, "/v1/messages", body.into()).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"));
    assert_eq!(refused.json()["error"]["type"], "rate_limit_error");
    let why = rig.control.why(refused.header("x-breakwater-request-id")).await;
    assert_eq!((why.limit.as_str(), why.code.as_str(), why.status), ("tenant max_rps", "rate_limited", 429));
    assert!(why.attempts.is_empty());
    let listing = rig.caller.get("/v1/models").await;
    assert_eq!(listing.status, 200, "listings are no calls");
}

#[tokio::test]
async fn the_fleet_shares_a_limit_and_a_lost_control_plane_changes_no_part() {
    let (mut rig, _first) = rig("max_rps: 4", "max_concurrent: 2", "").await;
    assert_eq!(statuses(&ask(&rig, KEY, 5).await), [200, 200, 200, 200, 429], "alone it holds the whole");
    rig.control.acked(rig.control.fleet(2)).await;
    // Four are owed at two a second now.
    rig.clock.advance(Duration::from_millis(1_499));
    assert_eq!(statuses(&ask(&rig, KEY, 1).await), [429]);
    rig.clock.advance(Duration::from_millis(1));
    assert_eq!(statuses(&ask(&rig, KEY, 2).await), [200, 429]);
    rig.control.stop().await;
    rig.counted("breakwater_control_plane_connected 0").await;
    rig.clock.advance(Duration::from_secs(60));
    assert_eq!(statuses(&ask(&rig, KEY, 3).await), [200, 200, 429]);
}
