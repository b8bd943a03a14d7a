//! Both planes over TLS: what is spoken, and who is refused.

use std::net::SocketAddr;
use std::path::Path;

use breakwater_runtime::tls;
use breakwater_tests::caller::{Caller, streamed_text};
use breakwater_tests::certificates::Certificates;
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, route, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Ending, Script, ScriptedLlm};
use http::{Method, Version};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

async fn cluster(llm: &ScriptedLlm) -> Cluster {
    let manifests = vec![
        provider("only", llm.addr(), 5, "60s"),
        route("chat", &["only"], &[]),
        tenant("acme", &["chat"]),
    ];
    Cluster::start_over_tls(manifests, Certificates::new()).await
}

async fn llm() -> ScriptedLlm {
    ScriptedLlm::start(|asked| {
        if String::from_utf8_lossy(&asked.body).contains("\"stream\":true") {
            Script::chat_stream(&["one ", "two"], Ending::Complete)
        } else {
            Script::chat("hello")
        }
    })
    .await
}

/// Shakes hands and returns the protocol that the server chose of `offered`.
async fn chosen(addr: SocketAddr, ca_file: &Path, offered: &[&[u8]]) -> Option<Vec<u8>> {
    let connector = TlsConnector::from(tls::client_config(ca_file, offered).expect("a PEM file of ours"));
    let stream = TcpStream::connect(addr).await.expect("it listens");
    let stream = connector.connect(addr.ip().into(), stream).await.expect("it is trusted");
    stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_go_over_tls_in_both_versions_of_http() {
    let llm = llm().await;
    let cluster = cluster(&llm).await;
    let (addr, ca_file) = (cluster.proxy().addr(), cluster.certificates().ca_file());

    phase("the server chooses by ALPN, and a client without it gets HTTP/1.1");
    assert_eq!(chosen(addr, &ca_file, &[b"http/1.1", b"h2"]).await.as_deref(), Some(&b"h2"[..]));
    assert_eq!(chosen(addr, &ca_file, &[b"http/1.1"]).await.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(chosen(addr, &ca_file, &[]).await, None);

    let callers = [
        (Version::HTTP_2, Caller::over_tls(addr, cluster.key(), &ca_file)),
        (Version::HTTP_11, Caller::over_tls_without_http2(addr, cluster.key(), &ca_file)),
    ];
    for (version, caller) in callers {
        phase(&format!("{version:?}: whole and streamed"));
        let whole = caller.chat("chat", "hi", false).await;
        assert_eq!((whole.status.as_u16(), whole.version), (200, version), "{}", whole.text());
        assert_eq!(whole.json()["choices"][0]["message"]["content"], "hello");
        let streamed = caller.chat("chat", "hi", true).await;
        assert_eq!((streamed.status.as_u16(), streamed.version), (200, version), "{}", streamed.text());
        assert_eq!(streamed_text(&streamed.text()), "one two");
        assert!(streamed.text().ends_with("data: [DONE]\n\n"), "{}", streamed.text());
    }
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_trusts_another_authority_or_speaks_plainly_gets_nowhere() {
    let llm = llm().await;
    let cluster = cluster(&llm).await;
    let stranger = Certificates::new();
    let body = r#"{"model":"chat","messages":[{"role":"user","content":"hi"}]}"#;
    for addr in [cluster.proxy().addr(), cluster.control().admin_addr()] {
        let distrustful = Caller::over_tls(addr, cluster.key(), &stranger.ca_file());
        let refused = distrustful.try_send(Method::POST, "/v1/chat/completions", body).await;
        let error = format!("{:?}", refused.expect_err("another authority signed its certificate"));
        assert!(error.contains("UnknownIssuer") || error.contains("BadSignature"), "{error}");
        let plain =
            Caller::new(addr, cluster.key()).try_send(Method::POST, "/v1/chat/completions", body).await;
        assert!(plain.is_err(), "{plain:?}");
    }
    assert!(llm.asked().is_empty(), "none of it reached the upstream");
    let caller = cluster.caller();
    until("both are counted", || async {
        let metrics = caller.get("/metrics").await.text();
        metrics.lines().any(|line| line == r#"breakwater_bad_input_total{cause="tls_handshake"} 2"#)
    })
    .await;
    cluster.shutdown().await;
}
