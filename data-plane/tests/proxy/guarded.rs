//! Guardrails along a call: in, out whole, out streamed; and nothing of the text anywhere else.

use serde_json::json;

use crate::kit::{Act, Rig, STOP, Upstream, chat, chunk, two_providers};

/// Shaped like the keys that the detector knows; it opens nothing.
const SECRET: &str = "AKIAIOSFODNN7EXAMPLE";
const EMAIL: &str = "canary@corpus.example";

async fn rig() -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let policy = "
---
kind: Policy
name: production
spec:
  mode: enforce
  guardrails:
    - name: pii
      pii_detection: {entities: [email]}
      applies_to: [input, output]
      action: redact
    - name: no-keys
      secrets_detection: {}
      applies_to: [input, output]
      action: block
";
    let yaml = two_providers(&first, &second)
        .replace("aliases: [chat]", "aliases: [chat]\n  policies: [production]");
    let rig = Rig::start(&format!("{yaml}{policy}")).await;
    (rig, first, second)
}

fn body(text: &str) -> String {
    json!({ "model": "chat", "messages": [{ "role": "user", "content": text }] }).to_string()
}

/// The text of a call is in its answer at most: not in metrics, not in explanations, not in reports.
async fn assert_not_told(rig: &Rig, request_id: &str, text: &str) {
    let why = format!("{:?}", rig.control.why(request_id).await);
    let report = format!("{:?}", rig.control.report(|report| report.calls > 0).await);
    for told in [why, report, rig.metrics().await] {
        assert!(!told.contains(text), "{text} in {told}");
    }
}

#[tokio::test]
async fn a_secret_in_the_input_blocks_and_reaches_no_upstream() {
    let (rig, first, second) = rig().await;
    let answer = rig.caller.post(body(&format!("my key is {SECRET}, use it"))).await;
    assert_eq!(answer.error(), (400, "content_blocked".into()));
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("no-keys") && message.contains("aws"), "{message}");
    assert!(!answer.text().contains(SECRET));
    assert!(first.requests().is_empty() && second.requests().is_empty());
    let id = answer.header("x-breakwater-request-id");
    let why = rig.control.why(id).await;
    assert_eq!((why.ending.as_str(), why.code.as_str()), ("blocked", "content_blocked"));
    assert_eq!((why.findings[0].guardrail.as_str(), why.findings[0].side.as_str()), ("no-keys", "input"));
    assert_not_told(&rig, id, SECRET).await;
}

#[tokio::test]
async fn personal_data_in_the_input_is_taken_out_before_any_upstream_sees_it() {
    let (rig, first, second) = rig().await;
    first.script([Act::json(503, "", "{}")]);
    let answer = rig.caller.post(body(&format!("write to {EMAIL} now"))).await;
    assert_eq!(answer.status, 200);
    for request in [&first.requests()[0], &second.requests()[0]] {
        assert!(request.contains("write to ") && request.contains(" now"), "{request}");
        assert!(!request.contains(EMAIL), "{request}");
    }
    assert_not_told(&rig, answer.header("x-breakwater-request-id"), EMAIL).await;
}

#[tokio::test]
async fn a_blocked_answer_is_an_answer_and_is_not_tried_elsewhere() {
    let (rig, first, second) = rig().await;
    let Act::Bytes(plain) = Act::chat() else { unreachable!() };
    let json = plain.split("\r\n\r\n").nth(1).unwrap().replace("\"hi\"", &format!("\"take {SECRET}\""));
    first.script([Act::json(200, "", &json)]);
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["choices"][0]["finish_reason"], "content_filter");
    assert!(!answer.text().contains(SECRET));
    assert!(second.requests().is_empty());
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!((why.ending.as_str(), why.findings[0].side.as_str()), ("blocked", "output"));
    rig.counted("breakwater_circuit_breaker_state{provider=\"first\"} 0").await;
}

#[tokio::test]
async fn a_secret_in_mid_stream_ends_it_before_its_first_byte() {
    let (rig, first, _second) = rig().await;
    let (one, other) = SECRET.split_at(9);
    let events =
        [chunk("take "), chunk(one), chunk(other), chunk(" and go"), STOP.to_owned(), "[DONE]".to_owned()];
    first.script([Act::stream(&events.each_ref().map(String::as_str))]);
    let answer = rig.caller.post(chat("chat", true)).await;
    let text = answer.text();
    assert!(text.contains("take") && text.contains("content_filter"), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(!text.contains(one) && !text.contains("and go"), "{text}");
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(why.ending, "blocked");
}

#[tokio::test]
async fn personal_data_in_a_stream_is_taken_out_wherever_it_is_cut() {
    let (rig, first, _second) = rig().await;
    let (one, other) = EMAIL.split_at(5);
    let events =
        [chunk("write to "), chunk(one), chunk(other), chunk(" now"), STOP.to_owned(), "[DONE]".to_owned()];
    first.script([Act::stream(&events.each_ref().map(String::as_str))]);
    let text = rig.caller.post(chat("chat", true)).await.text();
    assert!(text.contains("write to") && text.contains("now") && !text.contains("canary"), "{text}");
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"200\",ending=\"completed\"} 1").await;
}
