//! Callers of every format: their paths, keys, errors and listings, and providers that are asked in theirs.

use std::io::Write;

use http::Method;
use serde_json::{Value, json};

use crate::kit::{Act, Rig, Upstream, chat, two_providers};

/// The key that the kit's tenant has.
const KEY: &str = crate::kit::KEY;

async fn rig(provider_type: &str, base: &str) -> (Rig, Upstream) {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second)
        .replacen("type: openai\n", &format!("type: {provider_type}\n"), 1)
        .replacen(&format!("{first}/v1"), &format!("{first}{base}"), 1);
    (Rig::start(&yaml).await, first)
}

fn asked(upstream: &Upstream) -> (String, Value) {
    let request = upstream.requests().pop().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn errors_come_in_the_envelope_of_the_callers_format() {
    let (rig, _first) = rig("openai", "/v1").await;
    let headers = [("x-api-key", KEY)];
    let body = json!({"model": "nobody", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]});
    let messages = rig.caller.post_with("/v1/messages", &headers, body.to_string()).await;
    assert_eq!(messages.status, 404);
    assert_eq!(messages.json()["type"], "error");
    assert_eq!(messages.json()["error"]["type"], "not_found_error");
    let gemini = rig
        .caller
        .post_with(
            "/v1beta/models/nobody:generateContent",
            &[("x-goog-api-key", KEY)],
            r#"{"contents":[{"parts":[{"text":"x"}]}]}"#,
        )
        .await;
    assert_eq!((gemini.status.as_u16(), &gemini.json()["error"]["status"]), (404, &json!("NOT_FOUND")));
    let converse = rig
        .caller
        .post_with(
            "/model/nobody/converse",
            &[("authorization", &format!("Bearer {KEY}"))],
            r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#,
        )
        .await;
    assert_eq!(converse.status, 404);
    assert_eq!(converse.header("x-amzn-errortype"), "ResourceNotFoundException");
    assert!(converse.json()["message"].is_string());
    let wrong = rig.caller.post_with("/v1/messages", &[("x-api-key", "wrong")], body.to_string()).await;
    assert_eq!(wrong.json()["error"]["type"], "authentication_error");
}

#[tokio::test]
async fn a_compressed_body_is_read() {
    let (rig, first) = rig("openai", "/v1").await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&chat("alone", false)).unwrap();
    let headers = [("authorization", format!("Bearer {KEY}")), ("content-encoding", "gzip".to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = rig.caller.post_with("/v1/chat/completions", &headers, encoder.finish().unwrap()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(asked(&first).1["model"], "gpt-4o");
}

#[tokio::test]
async fn bug_20_anthropic_is_asked_as_its_own_clients_ask_it() {
    let (rig, first) = rig("anthropic", "").await;
    let reply = r#"{"id":"msg_bdrk_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}}"#;
    first.script([Act::json(200, "", reply)]);
    let headers = [
        ("x-api-key", KEY),
        ("anthropic-beta", "a-1,b-2"),
        ("anthropic-beta", "c-3"),
        ("anthropic-version", "2023-06-01"),
    ];
    let body = r#"{"max_tokens":5,"model":"alone","metadata":{"user_id":"u"},"new_field":[1],"messages":[{"role":"user","content":"x"}]}"#;
    let answer = rig.caller.post_with("/v1/messages?beta=true", &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["id"].as_str().unwrap().starts_with("msg_"), "{}", answer.text());
    assert!(!answer.text().contains("bdrk") && !answer.text().contains("claude"), "{}", answer.text());
    let (head, _) = asked(&first);
    assert!(head.starts_with("post /v1/messages http/1.1"), "{head}");
    for line in [
        "x-api-key: sk-first",
        "anthropic-beta: a-1,b-2",
        "anthropic-beta: c-3",
        "anthropic-version: 2023-06-01",
    ] {
        assert!(head.contains(line), "{line}: {head}");
    }
    let sent = first.requests().pop().unwrap();
    assert!(sent.ends_with(&body.replace("alone", "gpt-4o")), "{sent}");
}

#[tokio::test]
async fn bug_20_flags_for_anthropic_go_to_nobody_else() {
    for (provider_type, base) in [("openai", "/v1"), ("bedrock", ""), ("gemini", ""), ("ollama", "")] {
        let (first, second) = (Upstream::start().await, Upstream::start().await);
        let named = format!("type: {provider_type}\n  region: us-east-1\n");
        let yaml = two_providers(&first, &second).replacen("type: openai\n", &named, 1).replacen(
            &format!("{first}/v1"),
            &format!("{first}{base}"),
            1,
        );
        let rig = Rig::start(&yaml).await;
        // What the provider answers is none of this test's.
        first.script([Act::json(400, "", "{}")]);
        let headers = [
            ("x-api-key", KEY),
            ("anthropic-beta", "flag-canary-1,flag-canary-2"),
            ("anthropic-beta", "flag-canary-3"),
            ("anthropic-version", "2023-06-01"),
        ];
        let body = r#"{"max_tokens":5,"model":"alone","betas":["flag-canary-4"],"anthropic_beta":["flag-canary-5"],"messages":[{"role":"user","content":"x"}]}"#;
        let answer = rig.caller.post_with("/v1/messages?beta=true", &headers, body).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let sent = first.requests().pop().unwrap_or_else(|| panic!("{provider_type} was not asked"));
        for word in ["flag-canary", "anthropic", "beta="] {
            assert!(!sent.to_lowercase().contains(word), "{provider_type} sees {word}: {sent}");
        }
    }
}

#[tokio::test]
async fn bedrock_is_asked_with_a_signature() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second)
        .replacen("type: openai\n", "type: bedrock\n  region: us-east-1\n", 1)
        .replacen(&format!("{first}/v1"), &first.to_string(), 1)
        .replacen("api_key: sk-first", "api_key: 'AKIDEXAMPLE:wJalrXUtnFEMI'", 1)
        .replace("gpt-4o", "us.amazon.nova-lite-v1:0");
    let rig = Rig::start(&yaml).await;
    let reply = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}}"#;
    first.script([Act::json(200, "", reply)]);
    let headers = [("authorization", format!("Bearer {KEY}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let body = r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#;
    let answer = rig.caller.post_with("/model/alone/converse", &headers, body).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, reply));
    let (head, _) = asked(&first);
    assert!(head.starts_with("post /model/us.amazon.nova-lite-v1%3a0/converse http/1.1"), "{head}");
    assert!(head.contains("authorization: aws4-hmac-sha256 credential=akidexample/"), "{head}");
    assert!(head.contains("/us-east-1/bedrock/aws4_request") && head.contains("x-amz-date: "), "{head}");
}

#[tokio::test]
async fn embeddings_become_base64_for_who_asks() {
    let (rig, first) = rig("mistral", "/v1").await;
    let reply = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m-1","usage":{"prompt_tokens":2,"total_tokens":2}}"#;
    first.script([Act::json(200, "", reply)]);
    let body = json!({"model": "alone", "input": "x", "encoding_format": "base64"}).to_string();
    let answer = rig.caller.ask(Method::POST, "/v1/embeddings", body.into()).await;
    assert_eq!(answer.json()["data"][0]["embedding"], "AAAAPw==", "{}", answer.text());
    assert_eq!(answer.json()["model"], "alone");
    assert!(asked(&first).0.starts_with("post /v1/embeddings "));
}

#[tokio::test]
async fn what_a_provider_keeps_is_closed_until_the_route_opens_it() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let yaml = two_providers(&first, &second);
    let closed = Rig::start(&yaml).await;
    let path = "/v1/responses/resp_1?include=x";
    let named = [("authorization", format!("Bearer {KEY}")), ("x-breakwater-model", "alone".to_owned())];
    let named = named.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(closed.caller.get(path).await.error(), (403, "state_forbidden".into()));
    let cancel = "/v1/responses/resp_1/cancel";
    let refused = closed.caller.post_with(cancel, &named, "").await;
    assert_eq!(refused.error(), (403, "state_forbidden".into()));
    assert!(first.requests().is_empty());

    let yaml = yaml.replacen("aliases: [alone]", "aliases: [alone]\n  provider_state: true", 1);
    let open = Rig::start(&yaml).await;
    let kept = r#"{"id":"resp_1","object":"response","model":"gpt-4o-2024","output":[],"usage":{"prompt_tokens":9}}"#;
    first.script([Act::json(200, "", kept), Act::json(404, "", r#"{"error":{"message":"no"}}"#)]);
    let kept_again = open.caller.get(path).await;
    assert_eq!(kept_again.text(), kept.replace("gpt-4o-2024", "alone"));
    assert!(asked(&first).0.starts_with("get /v1/responses/resp_1?include=x http/1.1"));
    let why = open.control.why(kept_again.header("x-breakwater-request-id")).await;
    assert_eq!((why.prompt_tokens, why.output_tokens), (None, None), "they were counted when they were made");
    let gone = open.caller.ask(Method::DELETE, "/v1/responses/resp_2", bytes::Bytes::new()).await;
    assert_eq!(gone.status, 404, "{}", gone.text());
}

#[tokio::test]
async fn models_are_listed_as_the_caller_reads_them() {
    let (rig, _first) = rig("openai", "/v1").await;
    let openai = rig.caller.get("/v1/models").await.json();
    assert_eq!((&openai["object"], &openai["data"][0]["object"]), (&json!("list"), &json!("model")));
    let gemini = rig.caller.get("/v1beta/models").await.json();
    assert_eq!(gemini["models"][0]["name"], "models/alone");
}

#[tokio::test]
async fn tokens_are_counted_here_where_the_provider_cannot() {
    let (rig, first) = rig("openai", "/v1").await;
    let body = json!({"model": "alone", "messages": [{"role": "user", "content": "Hello, world!"}]});
    let headers = [("x-api-key", KEY)];
    let answer = rig.caller.post_with("/v1/messages/count_tokens", &headers, body.to_string()).await;
    assert_eq!(answer.text(), r#"{"input_tokens":4}"#);
    assert!(first.requests().is_empty());
}

#[tokio::test]
async fn a_caller_of_one_format_talks_to_a_provider_of_another() {
    let (rig, first) = rig("anthropic", "").await;
    let reply = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"hi"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"cache_read_input_tokens":2,"output_tokens":4}}"#;
    first.script([Act::json(200, "", reply)]);
    let answer = rig.caller.chat("alone").await;
    let json = answer.json();
    assert_eq!(json["choices"][0]["message"]["content"], "hi", "{}", answer.text());
    assert_eq!(json["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"], r#"{"a":1}"#);
    assert_eq!(json["usage"]["prompt_tokens"], 5);
    assert!(!answer.text().contains("toolu") && !answer.text().contains("claude"), "{}", answer.text());
    let (head, body) = asked(&first);
    assert!(head.contains("x-api-key: sk-first") && body["max_tokens"].is_u64(), "{head} {body}");
    let why = rig.control.why(answer.header("x-breakwater-request-id")).await;
    assert_eq!((why.prompt_tokens, why.cached_tokens, why.output_tokens), (Some(5), 2, Some(4)));
}
