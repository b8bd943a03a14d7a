//! Clients that stop reading.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::kit::{Act, KEY, Rig, Upstream, chat, chunk, eventually, two_providers};

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
