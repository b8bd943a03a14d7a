//! Clients that stop reading.

use http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::kit::{Act, KEY, Rig, Upstream, chat, chunk, eventually, soon, two_providers};

#[tokio::test]
async fn a_client_that_stops_reading_is_let_go_and_its_upstream_too() {
    let upstream = Upstream::start().await;
    let yaml = two_providers(&upstream, &upstream);
    let rig = Rig::start_with(&yaml, |config| config.stall_timeout_ms = 200).await;
    // More than the kernel's buffers of both connections take.
    let chunk = chunk(&"x".repeat(100_000));
    upstream.script([Act::stalled(&vec![chunk.as_str(); 200])]);
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(rig.app.addr()).await.unwrap();
    let body = chat("chat", true);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    rig.counted("breakwater_bad_input_total{cause=\"stalled_client\"} 1").await;
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"200\",ending=\"client_left\"} 1").await;
    eventually("the upstream is left", || async { upstream.left() == 1 }).await;
    drop(stream);
}

#[tokio::test]
async fn an_http2_stream_without_window_ends_with_its_call() {
    let upstream = Upstream::start().await;
    let yaml = two_providers(&upstream, &upstream)
        .replace("aliases: [chat]", "aliases: [chat]\n  deadline: 300ms")
        .replace("idle: 300ms", "idle: 60s");
    let rig = Rig::start_with(&yaml, |config| config.stall_timeout_ms = 200).await;
    let chunk = chunk(&"x".repeat(100_000));
    upstream.script([Act::stalled(&[chunk.as_str(); 3])]);
    // The client's connection lives and answers pings; only this stream is never read.
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .http2_initial_stream_window_size(1_000)
        .build_http::<Full<bytes::Bytes>>();
    let request = Request::post(format!("http://{}/v1/chat/completions", rig.app.addr()))
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .body(Full::new(chat("chat", true)))
        .unwrap();
    let unread = soon("the answer begins", client.request(request)).await.unwrap();
    assert_eq!(unread.status(), 200);
    eventually("the upstream is left", || async { upstream.left() == 1 }).await;
    rig.counted("breakwater_bad_input_total{cause=\"stalled_client\"} 1").await;
    rig.counted("breakwater_calls_total{route=\"chat\",status=\"200\",ending=\"client_left\"} 1").await;
    drop(unread);
}
