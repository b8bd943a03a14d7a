//! The end of a proxy.

use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::kit::{Act, Rig, STOP, Upstream, chunk, eventually, soon, two_providers};

#[tokio::test]
async fn a_drain_lets_calls_end_and_takes_no_new_connections() {
    let upstream = Upstream::start().await;
    let rig = Rig::start(&two_providers(&upstream, &upstream)).await;
    upstream.script([Act::Held]);
    let (caller, addr) = (rig.caller.clone(), rig.app.addr());
    let drain = async {
        eventually("the call is out", || async { upstream.requests().len() == 1 }).await;
        let drained = rig.app.shutdown();
        let release = async {
            eventually("the port is closed", || async { TcpStream::connect(addr).await.is_err() }).await;
            upstream.release();
        };
        tokio::join!(drained, release).0
    };
    let (answer, drained) = tokio::join!(caller.chat("chat"), drain);
    assert_eq!(answer.status, 200);
    assert!(drained);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_connections_that_ask_nothing() {
    let upstream = Upstream::start().await;
    let rig = Rig::start_with(&two_providers(&upstream, &upstream), |config| {
        (config.head_timeout_ms, config.drain_deadline_ms) = (60_000, 60_000);
    })
    .await;
    let mut held = Vec::new();
    // Never used, as pools hold them in reserve; used once and idle, of both protocols.
    for first in ["", "P", "GET /api/health/ping HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = TcpStream::connect(rig.app.addr()).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let http2 = rig.caller.http2();
    assert_eq!(http2.get("/readyz").await.status, 200);
    // One more: the caller's own, that asks.
    rig.counted("breakwater_connections 5").await;
    assert!(soon("the drain ends", rig.app.shutdown()).await);
    drop(held);
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let upstream = Upstream::start().await;
    let rig =
        Rig::start_with(&two_providers(&upstream, &upstream), |config| config.drain_deadline_ms = 50).await;
    upstream.script([Act::Silence]);
    let caller = rig.caller.clone();
    let drain = async {
        eventually("the call is out", || async { upstream.requests().len() == 1 }).await;
        rig.app.shutdown().await
    };
    // Cancel-safe: the call is left as its caller would leave it.
    let drained = tokio::select! {
        answer = caller.chat("alone") => panic!("answered: {answer:?}"),
        drained = drain => drained,
    };
    assert!(!drained);
}

#[tokio::test]
async fn a_running_stream_ends_on_the_ruleset_that_it_began_with() {
    let upstream = Upstream::start().await;
    let yaml = two_providers(&upstream, &upstream);
    let rig = Rig::start(&yaml).await;
    upstream.script([Act::stream(&[&chunk("one"), STOP, "[DONE]"])]);
    let stream = rig.caller.stream("chat").await;
    let revision = rig.control.publish(&yaml.replace("aliases: [chat]", "aliases: [renamed]"));
    rig.control.acked(revision).await;
    let text = soon("the stream ends", stream.into_body().collect()).await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&text).contains(r#""model":"chat""#));
    assert_eq!(rig.caller.chat("chat").await.status, 404);
    assert_eq!(rig.caller.chat("renamed").await.status, 200);
}
