//! Opaque by alias: what a caller sees of an answer's head is in the words of its own format, whoever answered.

use http::Method;
use serde_json::json;

use crate::kit::{Act, Answer, KEY, Rig, Upstream, chat, two_providers};

const RATES: &str = "x-ratelimit-limit-requests: 5000\r\nx-ratelimit-remaining-requests: 4999\r\nx-ratelimit-reset-requests: 12ms\r\nx-ratelimit-key: gpt-5\r\nx-request-id: req_vendor\r\n";
const ANTHROPIC_RATES: &str = "anthropic-ratelimit-requests-limit: 1000\r\nanthropic-ratelimit-requests-remaining: 999\r\nanthropic-ratelimit-requests-reset: 2023-11-14T22:14:00Z\r\nanthropic-organization-id: org\r\nrequest-id: req_vendor\r\n";
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}"#;

async fn rig(provider_type: &str, base: &str) -> (Rig, Upstream, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second)
        .replacen("type: openai\n", &format!("type: {provider_type}\n"), 1)
        .replacen(&format!("{first}/v1"), &format!("{first}{base}"), 1);
    (Rig::start(&yaml).await, first, second)
}

/// The names of an answer's headers but those that every answer has.
fn more(answer: &Answer) -> Vec<&str> {
    let usual = ["content-type", "content-length", "date", "x-breakwater-request-id"];
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.retain(|name| !usual.contains(name));
    names.sort_unstable();
    names
}

#[tokio::test]
async fn bug_21_rate_limits_are_told_in_the_callers_words() {
    let (rig, first, _second) = rig("openai", "/v1").await;
    let reply = match Act::chat() {
        Act::Bytes(bytes) => bytes.split_once("\r\n\r\n").unwrap().1.to_owned(),
        _ => unreachable!("a completion is bytes"),
    };
    first.script([Act::json(200, RATES, &reply), Act::json(200, RATES, &reply)]);
    let own = rig.caller.chat("alone").await;
    let told = ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
    assert_eq!(more(&own), [&told[..], &["x-request-id"]].concat());
    assert_eq!(told.map(|name| own.header(name)), ["5000", "4999", "12ms"]);
    assert!(own.header("x-request-id").starts_with("bwr-"));

    let body = json!({"model": "alone", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
    let crossed = rig.caller.post_with("/v1/messages", &[("x-api-key", KEY)], body.to_string()).await;
    let told = [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ];
    assert_eq!(more(&crossed), [&told[..], &["request-id"]].concat());
    assert_eq!(told.map(|name| crossed.header(name)), ["5000", "4999", "2023-11-14T22:13:21Z"]);
}

#[tokio::test]
async fn rate_limits_of_a_chain_of_providers_are_nobodys() {
    let (rig, first, second) = rig("openai", "/v1").await;
    assert_eq!(more(&rig.caller.chat("chat").await), ["x-request-id"]);
    let refusal = r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    first.script([Act::json(429, RATES, refusal)]);
    second.script([Act::json(429, RATES, refusal)]);
    let answer = rig.caller.chat("chat").await;
    assert_eq!(answer.error(), (429, "rate_limited".into()));
    assert_eq!(more(&answer), ["retry-after", "retry-after-ms", "x-request-id"]);
}

#[tokio::test]
async fn bug_21_a_429_says_when_and_whether_to_come_back() {
    let (rig, first, _second) = rig("anthropic", "").await;
    let refusal = r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}"#;
    let head = format!("{ANTHROPIC_RATES}retry-after: 7\r\nx-should-retry: true\r\n");
    first.script([Act::json(429, &head, refusal)]);
    let answer = rig.caller.chat("alone").await;
    assert_eq!(answer.error(), (429, "rate_limited".into()));
    let said = ["retry-after", "retry-after-ms", "x-should-retry", "x-ratelimit-reset-requests"];
    assert_eq!(said.map(|name| answer.header(name)), ["7", "7000", "true", "40s"]);
    let hidden = |name: &&str| name.starts_with("anthropic") || *name == "request-id";
    assert!(!more(&answer).iter().any(hidden), "{answer:?}");
}

#[tokio::test]
async fn what_was_left_out_in_translation_is_named() {
    let (rig, first, _second) = rig("anthropic", "").await;
    first.script([Act::json(200, "", MESSAGE), Act::json(200, "", MESSAGE)]);
    let canary = "canary-of-the-caller";
    let body = json!({"model": "alone", "messages": [{"role": "user", "content": "x"}],
        "seed": 7, "store": true, "prompt_cache_key": canary});
    let answer = rig.caller.post(body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let dropped = answer.header("x-breakwater-dropped");
    assert!(dropped.split(", ").any(|name| name == "seed"), "{dropped}");
    assert!(!dropped.contains(canary) && !dropped.contains('7'), "{dropped}");
    let plain = rig.caller.post(chat("alone", false)).await;
    assert_eq!(plain.header("x-breakwater-dropped"), "");
}

#[tokio::test]
async fn the_request_id_has_the_name_that_the_callers_clients_read() {
    let (rig, _first, _second) = rig("openai", "/v1").await;
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", bearer.as_str())];
    for (path, name) in [
        ("/v1/chat/completions", "x-request-id"),
        ("/v1/responses", "x-request-id"),
        ("/v1/messages", "request-id"),
        ("/v1beta/models/m:generateContent", "x-request-id"),
        ("/model/m/converse", "x-amzn-requestid"),
    ] {
        let answer = rig.caller.post_with(path, &headers, "{}").await;
        assert_eq!(answer.header(name), answer.header("x-breakwater-request-id"), "{path}");
        assert!(answer.header(name).starts_with("bwr-"), "{path}");
    }
}

#[tokio::test]
async fn google_s_older_clients_bring_the_key_in_the_url() {
    let (rig, first, _second) = rig("gemini", "").await;
    let reply =
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}]}"#;
    first.script([Act::json(200, "", reply)]);
    let body = r#"{"contents":[{"parts":[{"text":"x"}]}]}"#;
    let path = format!("/v1beta/models/alone:generateContent?key={KEY}");
    let answer = rig.caller.post_with(&path, &[], body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let asked = first.requests().pop().unwrap();
    assert!(asked.contains("x-goog-api-key: sk-first") && !asked.contains(KEY), "{asked}");
    // The header wins, also if it is wrong, and other formats have no such way.
    let wrong = rig.caller.post_with(&path, &[("x-goog-api-key", "wrong")], body).await;
    assert_eq!(wrong.status, 401);
    let chat_path = format!("/v1/chat/completions?key={KEY}");
    assert_eq!(rig.caller.post_with(&chat_path, &[], chat("alone", false)).await.status, 401);
    let listed = format!("/v1beta/models?key={KEY}");
    let anonymous = rig.caller.with_key(None);
    assert_eq!(anonymous.get(&listed).await.status, 200);
}

#[tokio::test]
async fn bedrock_says_the_tokens_of_embeddings_in_a_header() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second)
        .replacen("type: openai\n", "type: bedrock\n  region: us-east-1\n", 1)
        .replacen(&format!("{first}/v1"), &first.to_string(), 1)
        .replace("gpt-4o", "cohere.embed-english-v3");
    let rig = Rig::start(&yaml).await;
    let reply = r#"{"embeddings":[[0.5]],"id":"1","response_type":"embeddings_floats","texts":["x"]}"#;
    first.script([Act::json(200, "x-amzn-bedrock-input-token-count: 12\r\n", reply)]);
    let body = json!({"model": "alone", "input": "x"}).to_string();
    let answer = rig.caller.ask(Method::POST, "/v1/embeddings", body.into()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["usage"], json!({"prompt_tokens": 12, "total_tokens": 12}));
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!(why.attempts.len(), 1);
}
