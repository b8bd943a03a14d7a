//! What an upstream refuses, and what of it the caller hears.

use crate::kit::{Act, Answer, Rig, Upstream, two_providers};

async fn rig() -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig = Rig::start(&two_providers(&first, &second)).await;
    (rig, first, second)
}

/// No name of a vendor, a host, a model or an organisation.
fn assert_scrubbed(answer: &Answer) {
    let mut all = answer.text().to_lowercase();
    for (name, value) in &answer.headers {
        all.push_str(&format!("\n{name}: {}", value.to_str().unwrap().to_lowercase()));
    }
    for name in
        ["openai", "azure", "gpt-4o", "127.0.0.1", "vendor", "secret-org", "west europe", "sk-first", "http:"]
    {
        assert!(!all.contains(name), "{name} in {all}");
    }
}

#[tokio::test]
async fn an_answer_names_nothing_but_the_alias() {
    let (rig, _first, _second) = rig().await;
    let answer = rig.caller.chat("chat").await;
    assert_scrubbed(&answer);
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "date", "x-breakwater-request-id", "x-request-id"]);
}

#[tokio::test]
async fn a_refusal_for_the_callers_fault_passes_scrubbed_and_is_not_tried_elsewhere() {
    let (rig, first, second) = rig().await;
    let body = r#"{"error":{"message":"OpenAI: gpt-4o at https://api.openai.com/v1 cannot","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    first.script([Act::json(400, "", body), Act::json(400, "", body), Act::json(400, "", body)]);
    for _ in 0..3 {
        let answer = rig.caller.chat("chat").await;
        assert_eq!(answer.error(), (400, "unsupported_value".into()));
        assert_eq!(answer.json()["error"]["param"], "temperature");
        assert_eq!(answer.json()["error"]["message"], "the provider: chat at (address) cannot");
        assert_scrubbed(&answer);
    }
    assert!(second.requests().is_empty());
    assert_eq!(first.requests().len(), 3, "neutral to the breaker");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (rig, first, second) = rig().await;
    first.script([Act::json(307, "location: http://127.0.0.1:1/\r\n", "")]);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
    assert_eq!(second.requests().len(), 1);
}
