//! Bad input at the proxy and at the control plane: a clear error that names the cause, counted, nothing lost, no panic.

use breakwater_tests::caller::Caller;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Ending, Script, ScriptedLlm};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn cluster(llm: &ScriptedLlm) -> Cluster {
    Cluster::start(vec![
        provider("only", llm.addr(), 1000, "60s"),
        route("chat", &["only"], &[]),
        tenant("acme", &["chat"]),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_calls_get_an_error_that_names_the_cause() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let cluster = cluster(&llm).await;
    let caller = cluster.caller();
    let chat = "/v1/chat/completions";
    let message = r#""messages":[{"role":"user","content":"hi"}]"#;
    let cases: Vec<(&str, Bytes, u16, &str)> = vec![
        ("truncated JSON", Bytes::from(format!("{{\"model\":\"chat\",{message}")), 400, "JSON"),
        ("no JSON", Bytes::from("hello"), 400, "JSON"),
        ("empty body", Bytes::new(), 400, "JSON"),
        ("no model", Bytes::from(format!("{{{message}}}")), 400, "model"),
        ("model of a wrong type", Bytes::from(format!("{{\"model\":7,{message}}}")), 400, "model"),
        ("no messages", Bytes::from(r#"{"model":"chat"}"#), 400, "messages"),
        ("messages of a wrong type", Bytes::from(r#"{"model":"chat","messages":"hi"}"#), 400, "messages"),
        (
            "invalid UTF-8",
            Bytes::from_static(b"{\"model\":\"chat\",\"messages\":[{\"content\":\"\xff\"}]}"),
            400,
            "UTF-8",
        ),
        ("unknown alias", Bytes::from(format!("{{\"model\":\"none\",{message}}}")), 404, "none"),
    ];
    for (name, body, status, word) in cases {
        let answer = caller.call(Method::POST, chat, body).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {}", answer.text());
        let error = &answer.json()["error"];
        assert!(
            error["message"].as_str().is_some_and(|text| text.contains(word)),
            "{name}: {}",
            answer.text()
        );
        for key in ["message", "type", "param", "code"] {
            assert!(error.get(key).is_some(), "{name}: all four keys: {}", answer.text());
        }
        assert!(answer.headers.contains_key("x-breakwater-request-id"), "{name}");
    }
    assert!(llm.asked().is_empty(), "none of it reached the upstream");

    phase("a body over the limit");
    let huge = vec![b' '; breakwater_common::limits::CALL_BODY_BYTES_MAX + 1];
    assert_eq!(caller.call(Method::POST, chat, huge).await.status.as_u16(), 413);

    phase("wrong paths and verbs");
    assert_eq!(caller.get("/v1/nothing").await.status.as_u16(), 404);
    assert_eq!(caller.get("/v1/embeddings").await.status.as_u16(), 405);
    // What the provider keeps is closed unless a route opens it.
    assert_eq!(caller.get(chat).await.status.as_u16(), 403);

    phase("no key and a wrong key");
    for bearer in ["", "bw-wrong", "sk-something"] {
        let answer = Caller::new(cluster.proxy().addr(), bearer).chat("chat", "hi", false).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "invalid_api_key"), "{bearer}");
    }
    assert_eq!(caller.chat("chat", "still here", false).await.status, 200);
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_flood_is_refused_and_the_proxy_serves_on() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let cluster = cluster(&llm).await;
    let mut socket = TcpStream::connect(cluster.proxy().addr()).await.expect("it listens");
    socket.write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n").await.expect("it reads");
    for number in 0..20_000 {
        if socket
            .write_all(format!("x-flood-{number}: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n").as_bytes())
            .await
            .is_err()
        {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    assert_eq!(cluster.caller().chat("chat", "still here", false).await.status, 200);
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_in_mid_stream_cancels_the_upstream() {
    let llm = ScriptedLlm::start(|_| Script::chat_stream(&["one ", "two "], Ending::Stall)).await;
    let cluster = cluster(&llm).await;
    let body =
        json!({"model": "chat", "stream": true, "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let response = cluster.caller().send(Method::POST, "/v1/chat/completions", body).await;
    assert_eq!(response.status(), 200);
    until("the upstream is answering", || async { llm.open_answers() == 1 }).await;
    drop(response);
    until("the upstream's answer is cancelled", || async { llm.open_answers() == 0 }).await;
    let status = cluster.admin().get("/v1/admin/providers/status").await.json();
    assert_eq!(status["data"][0]["failures"], 0, "a client that leaves is no failure of the provider");
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_answers_garbage_or_cuts_is_told_truthfully() {
    let llm = ScriptedLlm::start(|asked| {
        let text = String::from_utf8_lossy(&asked.body).into_owned();
        if text.contains("garbage") {
            Script::json(200, "<html>not JSON</html>")
        } else {
            Script::chat_stream(&["one ", "two "], Ending::Cut)
        }
    })
    .await;
    let cluster = cluster(&llm).await;
    let caller = cluster.caller();

    phase("garbage: the gateway's error, not the garbage");
    let answer = caller.chat("chat", "garbage please", false).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (502, "upstream_unavailable"),
        "{}",
        answer.text()
    );
    assert!(!answer.text().contains("html"));

    phase("cut in mid-stream: an error event, no clean end that lies");
    let answer = caller.chat("chat", "cut please", true).await;
    let text = answer.text();
    assert!(text.contains("one "), "{text}");
    assert!(text.contains("\"error\""), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_manifests_name_the_field_and_change_nothing() {
    let llm = ScriptedLlm::start(|_| Script::chat("hello")).await;
    let cluster = cluster(&llm).await;
    let revision = cluster.admin().get("/v1/cluster/status").await.json()["revision"].clone();
    let with = |path: &str, value: Value| {
        let mut manifest = route("new", &["only"], &[]);
        *manifest.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        vec![manifest]
    };
    let endpoint = json!({"provider": "only", "model": "vendor-model-1"});
    let cases: Vec<(&str, Vec<Value>, &str)> = vec![
        ("unknown field", with("/route/spec", json!({"endpiont": endpoint})), "endpiont"),
        ("dangling reference", with("/route/spec/policies", json!(["none"])), "policies"),
        ("wrong unit", with("/route/spec", json!({"endpoint": endpoint, "deadline": "15%"})), "deadline"),
        (
            "duplicate name",
            [with("/route/name", json!("new")), with("/route/name", json!("new"))].concat(),
            "new",
        ),
        ("cyclic fallback", with("/route/spec/fallback_endpoints", json!([endpoint])), "fallback_endpoints"),
        ("empty chain", with("/route/spec", json!({"aliases": ["new"]})), "endpoint"),
        ("alias taken", with("/route/spec/aliases", json!(["chat"])), "chat"),
    ];
    for (name, manifests, word) in cases {
        let answer = cluster.try_apply(manifests).await;
        assert_eq!(answer.status.as_u16(), 400, "{name}: {}", answer.text());
        assert_eq!(answer.json()["error"]["status"], "INVALID_ARGUMENT", "{name}: {}", answer.text());
        assert!(answer.text().contains(word), "{name} names {word}: {}", answer.text());
    }
    let now = cluster.admin().get("/v1/cluster/status").await.json()["revision"].clone();
    assert_eq!(now, revision, "nothing was changed");

    phase("a body over the limit, truncated JSON, unknown paths, no token");
    let admin = cluster.admin();
    let huge = vec![b' '; breakwater_common::limits::ADMIN_BODY_BYTES_MAX + 1];
    assert_eq!(admin.call(Method::POST, "/v1/resources:apply", huge).await.status.as_u16(), 413);
    assert_eq!(admin.call(Method::POST, "/v1/resources:apply", "{\"manifests\":").await.status.as_u16(), 400);
    assert_eq!(admin.get("/v1/nothing").await.status.as_u16(), 404);
    let stranger = Caller::new(cluster.control().admin_addr(), "");
    assert_eq!(stranger.get("/v1/routes").await.status.as_u16(), 401);
    assert_eq!(stranger.get("/api/health/ping").await.status.as_u16(), 200);
    cluster.shutdown().await;
}
