//! Bad input: each gets a clear error, is counted, and loses nothing.

use bytes::Bytes;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::kit::{OTHER_KEY, Rig, Upstream, chat, soon, two_providers};

async fn rig() -> Rig {
    let upstream = Upstream::start().await;
    Rig::start_with(&two_providers(&upstream, &upstream), |config| config.head_timeout_ms = 300).await
}

/// Sends bytes as they are; returns everything that comes back until the proxy closes.
async fn raw(rig: &Rig, bytes: &[u8]) -> String {
    String::from_utf8_lossy(&raw_bytes(rig, bytes).await).into_owned()
}

async fn raw_bytes(rig: &Rig, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(rig.app.addr()).await.unwrap();
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    // The proxy may close while bytes of ours are under way: what it said before counts.
    drop(soon("the proxy closes", stream.read_to_end(&mut answer)).await);
    answer
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let rig = rig().await;
    for key in [None, Some("bw-unknown"), Some("")] {
        let answer = rig.caller.with_key(key).chat("chat").await;
        assert_eq!(answer.error(), (401, "invalid_api_key".into()), "{key:?}");
        assert!(!answer.header("x-breakwater-request-id").is_empty());
    }
    rig.counted("breakwater_bad_input_total{cause=\"invalid_api_key\"} 3").await;
}

#[tokio::test]
async fn a_missing_and_a_forbidden_alias_get_the_same_answer() {
    let rig = rig().await;
    let (missing, forbidden) = (rig.caller.chat("nobody").await, rig.caller.chat("hidden").await);
    assert_eq!(missing.error(), (404, "model_not_found".into()));
    assert_eq!(missing.text().replace("nobody", "hidden"), forbidden.text());
    let names = |headers: &http::HeaderMap| headers.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&missing.headers), names(&forbidden.headers));
    assert_eq!(rig.caller.with_key(Some(OTHER_KEY)).chat("hidden").await.status, 200);
}

#[tokio::test]
async fn a_tenant_sees_its_own_models() {
    let rig = rig().await;
    let list = rig.caller.get("/v1/models").await.json();
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|model| model["id"].clone()).collect();
    assert_eq!(ids, ["alone", "chat"]);
    assert_eq!(rig.caller.get("/v1/models/chat").await.json()["object"], "model");
    assert_eq!(rig.caller.get("/v1/models/hidden").await.error(), (404, "model_not_found".into()));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_named() {
    let rig = rig().await;
    assert_eq!(rig.caller.get("/v2/chat").await.error(), (404, "unknown_url".into()));
    assert_eq!(rig.caller.get("/v1/chat/completions").await.error(), (403, "state_forbidden".into()));
    let answer = rig.caller.get("/v1/embeddings").await;
    assert_eq!(answer.error(), (405, "method_not_allowed".into()));
    assert_eq!(answer.header("allow"), "POST");
    assert_eq!(rig.caller.ask(Method::HEAD, "/", Bytes::new()).await.status, 200);
    assert_eq!(rig.caller.with_key(None).get("/api/health/ping").await.json()["status"], "ok");
    assert_eq!(rig.caller.with_key(None).get("/readyz").await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_no_call_are_refused_with_the_cause() {
    let rig = rig().await;
    let truncated = chat("chat", false).slice(..30);
    let bodies: [&[u8]; 5] = [
        b"",
        &truncated,
        b"[]",
        b"{\"model\":\"chat\"}",
        b"{\"model\":\"chat\",\"messages\":[\"\xff\xfe\"]}",
    ];
    for body in bodies {
        let answer = rig.caller.post(body.to_vec()).await;
        assert_eq!(answer.status, 400, "{}: {}", String::from_utf8_lossy(body), answer.text());
        assert!(!answer.json()["error"]["message"].as_str().unwrap().is_empty());
    }
    rig.counted("breakwater_bad_input_total{cause=\"bad_request\"} 5").await;
}

#[tokio::test]
async fn an_oversized_body_is_refused_before_it_is_sent() {
    let rig = rig().await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 99999999\r\n\r\n",
        crate::kit::KEY
    );
    let answer = raw(&rig, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("request_too_large"), "{answer}");
    rig.counted("breakwater_bad_input_total{cause=\"body_too_large\"} 1").await;
}

#[tokio::test]
async fn a_header_flood_is_refused_and_counted() {
    let rig = rig().await;
    let mut many = "GET / HTTP/1.1\r\nhost: x\r\n".to_owned();
    (0..500).for_each(|number| many.push_str(&format!("h{number}: x\r\n")));
    assert!(raw(&rig, format!("{many}\r\n").as_bytes()).await.starts_with("HTTP/1.1 431"));
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nlarge: {}\r\n\r\n", "x".repeat(200_000));
    assert!(raw(&rig, large.as_bytes()).await.starts_with("HTTP/1.1 431"));
    rig.counted("breakwater_bad_input_total{cause=\"header_flood\"} 2").await;
    assert_eq!(rig.caller.chat("chat").await.status, 200);
}

#[tokio::test]
async fn a_slow_client_is_let_go_and_counted() {
    let rig = rig().await;
    for begun in ["", "P", "POST /v1/chat/completions HTTP/1.1\r\nhos"] {
        let _closed = raw(&rig, begun.as_bytes()).await;
    }
    rig.counted("breakwater_bad_input_total{cause=\"slow_client\"} 3").await;
}

#[tokio::test]
async fn bytes_that_are_no_http_are_refused_and_counted() {
    let rig = rig().await;
    assert!(
        raw(&rig, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await.starts_with("HTTP/1.1 400")
    );
    rig.counted("breakwater_bad_input_total{cause=\"not_http\"} 1").await;
}

#[tokio::test]
async fn http2_that_is_none_is_refused_and_counted() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let rig = rig().await;
    drop(raw_bytes(&rig, &[PREFACE, &[0xff; 64]].concat()).await);
    rig.counted("breakwater_bad_input_total{cause=\"not_http\"} 1").await;
    // A head of one stream that never ends: HEADERS without END_HEADERS, then one CONTINUATION after the other.
    let mut flood = [PREFACE, SETTINGS, &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82]].concat();
    (0..2_000).for_each(|_| flood.extend_from_slice(&[0, 0, 1, 9, 0, 0, 0, 0, 1, 0x90]));
    drop(raw_bytes(&rig, &flood).await);
    rig.counted("breakwater_bad_input_total{cause=\"http2_flood\"} 1").await;
    assert_eq!(rig.caller.http2().chat("chat").await.status, 200);
}

#[tokio::test]
async fn http2_by_prior_knowledge_is_served() {
    let rig = rig().await;
    assert_eq!(rig.caller.http2().chat("chat").await.status, 200);
}
