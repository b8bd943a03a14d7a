//! Several keys of one account: which is left alone for what, and what the caller notices of it.

use std::time::Duration;

use breakwater_common::limits::CREDENTIAL_DOWN_MS;

use crate::kit::{Act, Answer, Rig, Upstream, two_providers};

/// Two keys at the first provider, one at the second.
async fn rig() -> (Rig, Upstream, Upstream) {
    rig_with(|yaml| yaml).await
}

async fn rig_with(change: impl FnOnce(String) -> String) -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let keys = "{name: main, api_key: sk-first}, {name: spare, api_key: sk-spare}";
    let yaml = two_providers(&first, &second).replacen("{name: main, api_key: sk-first}", keys, 1);
    let rig = Rig::start(&change(yaml)).await;
    (rig, first, second)
}

/// The keys of the requests that an upstream saw, in order.
fn keys(upstream: &Upstream) -> Vec<String> {
    let key = |request: &String| {
        let line = request.lines().find_map(|line| line.strip_prefix("authorization: Bearer sk-"));
        line.unwrap_or_default().to_owned()
    };
    upstream.requests().iter().map(key).collect()
}

fn limited(seconds: u64) -> Act {
    Act::json(429, &format!("retry-after: {seconds}\r\n"), r#"{"error":{"message":"slow down"}}"#)
}

fn refused(status: u16, code: &str) -> Act {
    Act::json(status, "", &format!(r#"{{"error":{{"message":"no","type":"{code}","code":"{code}"}}}}"#))
}

async fn reasons(rig: &Rig, answer: &Answer) -> Vec<String> {
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    why.attempts.iter().map(|a| format!("{} {} {}", a.provider, a.result, a.reason)).collect()
}

#[tokio::test]
async fn a_rate_limited_key_gives_way_to_the_next_and_comes_back_when_its_time_is_over() {
    let (rig, first, second) = rig().await;
    first.script([limited(7)]);
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    assert_eq!(reasons(&rig, &answer).await, ["first failed rate_limited", "first succeeded "]);
    let again = rig.caller.chat("chat").await;
    assert_eq!(reasons(&rig, &again).await, ["first skipped cooling_down", "first succeeded "]);
    rig.clock.advance(Duration::from_secs(9));
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(keys(&first), ["first", "spare", "spare", "first"]);
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn when_all_keys_are_limited_the_next_provider_answers_and_a_route_without_one_says_when() {
    let (rig, first, second) = rig().await;
    first.script([limited(7), limited(30)]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(
        (keys(&first).len(), second.requests().len()),
        (2, 2),
        "neutral to the breaker, and not asked again"
    );
    let alone = rig.caller.chat("alone").await;
    assert_eq!(alone.error(), (429, "rate_limited".into()));
    let wait: u64 = alone.header("retry-after").parse().unwrap();
    assert!((7..=9).contains(&wait), "{wait}");
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
    rig.counted("breakwater_credentials_cooling{provider=\"first\",reason=\"rate_limited\"} 2").await;
}

#[tokio::test]
async fn a_limit_of_one_model_is_none_of_another() {
    let (rig, first, _second) = rig_with(|yaml| {
        let hidden = "{provider: first, model: gpt-4o}\n---\nkind: Route\nname: hidden";
        yaml.replacen("models: [{name: gpt-4o}]", "models: [{name: gpt-4o}, {name: gpt-5}]", 1).replacen(
            hidden,
            &hidden.replace("gpt-4o", "gpt-5"),
            1,
        )
    })
    .await;
    first.script([limited(60)]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(rig.caller.chat("alone").await.status, 200);
    assert!(first.requests()[2].contains("gpt-5"), "{}", first.requests()[2]);
    assert_eq!(keys(&first), ["first", "spare", "first"]);
}

#[tokio::test]
async fn a_refused_or_unpaid_key_is_left_alone_for_half_an_hour() {
    for (status, code) in [(401, "invalid_api_key"), (402, "x"), (403, "x"), (429, "insufficient_quota")] {
        let (rig, first, second) = rig().await;
        first.script([refused(status, code)]);
        for _ in 0..3 {
            assert_eq!(rig.caller.chat("chat").await.status, 200, "{status}");
        }
        assert_eq!(keys(&first), ["first", "spare", "spare", "spare"], "{status}");
        rig.clock.advance(Duration::from_millis(CREDENTIAL_DOWN_MS));
        assert_eq!(rig.caller.chat("chat").await.status, 200);
        assert_eq!(keys(&first)[4], "first", "{status}");
        assert!(second.requests().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn no_key_left_is_no_fault_of_the_caller_and_no_name_is_told() {
    let (rig, first, second) = rig().await;
    let body = r#"{"error":{"message":"Incorrect API key provided: sk-first.","code":"invalid_api_key"}}"#;
    first.script([Act::json(401, "", body), Act::json(401, "", body)]);
    let alone = rig.caller.chat("alone").await;
    assert_eq!(alone.error(), (502, "upstream_unavailable".into()));
    assert!(!alone.text().contains("sk-"), "{}", alone.text());
    assert_eq!(rig.caller.chat("alone").await.error(), (503, "no_provider_available".into()));
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    let skipped = "first skipped credential_down";
    assert_eq!(reasons(&rig, &answer).await, [skipped, skipped, "second succeeded "]);
    assert_eq!((first.requests().len(), second.requests().len()), (2, 1));
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
}

#[tokio::test]
async fn a_new_key_is_tried_at_once() {
    let (rig, first, second) = rig().await;
    first.script([refused(401, "x"), refused(401, "x")]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    let yaml = two_providers(&first, &second).replacen("sk-first", "sk-mended", 1);
    rig.control.publish(&yaml);
    crate::kit::eventually("the new key is used", || async {
        rig.caller.chat("alone").await.status == 200 && keys(&first).last().is_some_and(|key| key == "mended")
    })
    .await;
}

#[tokio::test]
async fn the_error_map_says_what_an_answer_means() {
    let (rig, first, second) = rig_with(|yaml| {
        let map = "error_map: [{status: 503, code: throttled, class: rate_limited}, {status: 400, type: gone, class: model_refused}]\n  models: [{name: gpt-4o}]";
        yaml.replacen("models: [{name: gpt-4o}]", map, 1)
    })
    .await;
    first.script([refused(503, "throttled")]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(keys(&first), ["first", "spare"]);
    first.script([refused(400, "gone")]);
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    assert_eq!(second.requests().len(), 1);
    assert_eq!(
        reasons(&rig, &answer).await,
        ["first skipped cooling_down", "first failed model_refused", "second succeeded "]
    );
}

#[tokio::test]
async fn words_about_money_in_a_400_bench_nobody() {
    let (rig, first, second) = rig().await;
    first.script([refused(400, "insufficient_quota"), refused(400, "insufficient_quota")]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!((keys(&first), second.requests().len()), (vec!["first".to_owned(), "spare".to_owned()], 1));
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(keys(&first)[2], "first", "a caller may have put the words there");
}
