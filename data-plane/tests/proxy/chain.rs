//! The chain of upstreams and the breakers along it.

use std::time::Duration;

use breakwater_proto::v1::HealthReport;

use crate::kit::{Act, Rig, Upstream, chat, eventually, two_providers};

async fn rig() -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig = Rig::start(&two_providers(&first, &second)).await;
    (rig, first, second)
}

fn failing() -> Act {
    Act::json(503, "", r#"{"error":{"message":"overloaded"}}"#)
}

#[tokio::test]
async fn a_call_reaches_the_upstream_and_its_answer_the_caller() {
    let (rig, first, second) = rig().await;
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hi");
    assert_eq!(answer.json()["model"], "chat");
    let request = &first.requests()[0];
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer sk-first\r\n"), "{request}");
    assert!(request.contains(r#""model":"gpt-4o""#), "{request}");
    for hidden in ["bw-0123456789abcdef", "x-canary", "of-the-caller"] {
        assert!(!request.contains(hidden), "the upstream sees {hidden}: {request}");
    }
    assert!(second.requests().is_empty());
}

#[tokio::test]
async fn a_503_falls_back_and_every_attempt_is_explained() {
    let (rig, first, second) = rig().await;
    first.script([failing()]);
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    assert!(second.requests()[0].contains(r#""model":"kumo-large""#));
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    let attempts: Vec<_> =
        why.attempts.iter().map(|a| (a.provider.as_str(), a.result.as_str(), a.reason.as_str())).collect();
    assert_eq!(attempts, [("first", "failed", "status_503"), ("second", "succeeded", "")]);
    assert_eq!((why.alias.as_str(), why.route.as_str(), why.tenant.as_str()), ("chat", "chat", "acme"));
    assert_eq!((why.status, why.ending.as_str(), why.proxy.as_str()), (200, "completed", "proxy-1"));
}

#[tokio::test]
async fn the_breaker_opens_after_the_threshold_and_is_skipped() {
    let (rig, first, second) = rig().await;
    first.script([failing(), failing()]);
    for _ in 0..3 {
        assert_eq!(rig.caller.chat("chat").await.status, 200);
    }
    let answer = rig.caller.chat("chat").await;
    assert_eq!((first.requests().len(), second.requests().len()), (2, 4));
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(
        (why.attempts[0].result.as_str(), why.attempts[0].reason.as_str()),
        ("skipped", "breaker_open")
    );
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 2").await;
    let open = |report: &HealthReport| report.upstreams.first().is_some_and(|first| first.state == "open");
    assert_eq!(rig.control.report(open).await.upstreams[0].consecutive_failures, 2);
    let alone = rig.caller.chat("alone").await;
    assert_eq!(alone.error(), (503, "no_provider_available".into()));
    assert_eq!(alone.header("retry-after"), "60");
}

#[tokio::test]
async fn a_half_open_breaker_lets_exactly_one_probe_through() {
    let (rig, first, second) = rig().await;
    first.script([failing(), failing(), Act::Held]);
    for _ in 0..2 {
        assert_eq!(rig.caller.chat("chat").await.status, 200);
    }
    rig.clock.advance(Duration::from_secs(61));
    let before = second.requests().len();
    let calls = (0..24).map(|_| {
        let caller = rig.caller.clone();
        async move { caller.chat("chat").await.status }
    });
    let others = async {
        eventually("all others fell back", || async { second.requests().len() == before + 23 }).await;
        assert_eq!(first.requests().len(), 3);
        first.release();
    };
    let (statuses, ()) = tokio::join!(futures::future::join_all(calls), others);
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(first.requests().len(), 4);
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_the_upstream_and_frees_the_probe() {
    let (rig, first, _second) = rig().await;
    first.script([failing(), failing(), Act::Silence]);
    for _ in 0..2 {
        assert_eq!(rig.caller.chat("chat").await.status, 200);
    }
    rig.clock.advance(Duration::from_secs(61));
    {
        let leaving = rig.caller.chat("chat");
        let asked = eventually("the probe is out", || async { first.requests().len() == 3 });
        tokio::select! {
            answer = leaving => panic!("answered: {answer:?}"),
            () = asked => {}
        }
    }
    eventually("the upstream is left", || async { first.left() == 1 }).await;
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(first.requests().len(), 4, "the next call is the probe");
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"0\",ending=\"client_left\"} 1").await;
}

#[tokio::test]
async fn garbage_falls_back_and_counts_as_failure() {
    let (rig, first, second) = rig().await;
    first.script([
        Act::json(200, "", "<html>not json</html>"),
        Act::Bytes("not even http\r\n\r\n".into()),
        Act::json(200, "", "{}"),
    ]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(second.requests().len(), 2);
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 2").await;
}

#[tokio::test]
async fn an_upstream_that_is_not_there_falls_back() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second).replace(&first.to_string(), "http://127.0.0.1:1");
    let rig = Rig::start(&yaml).await;
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(rig.caller.chat("alone").await.error(), (502, "upstream_unavailable".into()));
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_in_its_format_is_skipped_and_said_so() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second).replace("type: openai\n", "type: anthropic\n");
    let rig = Rig::start(&yaml).await;
    // Anthropic gives one answer to a call.
    let ask = |model: &str| {
        serde_json::json!({"model": model, "n": 2, "messages": [{"role": "user", "content": "hi"}]})
            .to_string()
    };
    let answer = rig.caller.post(ask("chat")).await;
    assert_eq!(answer.status, 200);
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(why.attempts[0].reason, "not_translatable");
    let refused = rig.caller.post(ask("alone")).await;
    assert_eq!(refused.error(), (400, "unsupported_parameter".into()));
    assert!(first.requests().is_empty());
}

#[tokio::test]
async fn azure_gets_its_key_its_path_and_its_version() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second)
        .replacen(&format!("{first}/v1"), &format!("{first}\n  api_version: 2024-10-21"), 1)
        .replacen("type: openai\n", "type: azure_openai\n", 1)
        .replacen("{name: gpt-4o}", "{name: gpt-4o, deployment: gpt prod}", 1);
    let rig = Rig::start(&yaml).await;
    assert_eq!(rig.caller.chat("alone").await.status, 200);
    let request = &first.requests()[0];
    let path = "POST /openai/deployments/gpt%20prod/chat/completions?api-version=2024-10-21 HTTP/1.1";
    assert!(request.starts_with(path), "{request}");
    assert!(request.contains("api-key: sk-first\r\n") && !request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn the_deadline_of_the_route_ends_a_call() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml =
        two_providers(&first, &second).replace("aliases: [alone]", "aliases: [alone]\n  deadline: 100ms");
    let rig = Rig::start(&yaml).await;
    first.script([Act::Silence]);
    assert_eq!(rig.caller.chat("alone").await.error(), (504, "deadline_exceeded".into()));
    eventually("the upstream is left", || async { first.left() == 1 }).await;
}

#[tokio::test]
async fn only_a_stream_must_begin_in_time() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig =
        Rig::start(&two_providers(&first, &second).replace("first_token: 2s", "first_token: 50ms")).await;
    first.script([Act::Silence, Act::Held]);
    let answer = rig.caller.post(chat("alone", true)).await;
    assert_eq!(answer.error(), (502, "upstream_unavailable".into()));
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(why.attempts[0].reason, "first_byte_timeout");
    // A call that is not streamed is thought out before its first byte.
    let late = async {
        eventually("the call is out", || async { first.requests().len() == 2 }).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        first.release();
    };
    let (answer, ()) = tokio::join!(rig.caller.chat("alone"), late);
    assert_eq!(answer.status, 200, "{}", answer.text());
}
