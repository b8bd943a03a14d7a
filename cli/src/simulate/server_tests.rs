//! The simulator over a real socket.

use std::{net::Ipv4Addr, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Dialect, Options, Replay, Scripted, Simulator, SimulatorError};

const CHAT: &str = "/v1/chat/completions";

async fn start(faults: &[&str]) -> Simulator {
    let faults = faults.iter().map(|text| text.parse().unwrap()).collect();
    let options = Options { faults, requests_kept: 10, ..Options::default() };
    Simulator::start((Ipv4Addr::LOCALHOST, 0).into(), options).await.unwrap()
}

/// Sends one request and returns everything that came until the connection ended.
async fn send(simulator: &Simulator, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(simulator.addr()).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap()
}

fn ask(stream: bool) -> String {
    json!({"model": "m", "messages": [{"role": "user", "content": "#words=5"}], "stream": stream}).to_string()
}

#[tokio::test]
async fn each_operation_is_answered_and_recorded() {
    let simulator = start(&[]).await;
    assert!(send(&simulator, "GET", "/v1/models", "").await.contains("gpt-4o"));
    assert!(send(&simulator, "POST", CHAT, &ask(false)).await.contains("waves break on the wall"));
    assert!(send(&simulator, "POST", CHAT, &ask(true)).await.contains("data: [DONE]"));
    assert!(send(&simulator, "POST", CHAT, "{").await.starts_with("HTTP/1.1 400"));
    assert!(send(&simulator, "GET", CHAT, "").await.starts_with("HTTP/1.1 405"));
    assert!(send(&simulator, "POST", "/v1/messages", "").await.starts_with("HTTP/1.1 404"));
    let seen: Vec<String> = simulator.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(seen.len(), 6);
    assert_eq!(seen[1], CHAT);
    simulator.shutdown().await;
}

#[tokio::test]
async fn each_fault_is_seen_by_the_caller() {
    let simulator = start(&["status=429,retry_after=2,count=1"]).await;
    let limited = send(&simulator, "POST", CHAT, &ask(true)).await;
    assert!(limited.starts_with("HTTP/1.1 429") && limited.contains("retry-after: 2"), "{limited}");
    assert!(send(&simulator, "POST", CHAT, &ask(true)).await.contains("[DONE]"));

    let check = async |fault: &str, stream: bool, has: &str, has_not: &str| {
        simulator.set_faults(vec![fault.parse().unwrap()]);
        let answer = send(&simulator, "POST", CHAT, &ask(stream)).await;
        assert!(answer.contains(has) && !answer.contains(has_not), "{fault}: {answer}");
    };
    check("cut:after=2", true, "waves", "break").await;
    check("cut:after=2", false, "content-length", "usage").await;
    check("error_event:after=2", true, "simulated fault", "[DONE]").await;
    check("error_event", false, "HTTP/1.1 500", "waves").await;
    check("bad_json:after=2", true, "waves", "break ").await;
    check("bad_json", false, "HTTP/1.1 200", "usage").await;
    check("hang_up", true, "", "HTTP").await;
    check("status=503,model=other", true, "[DONE]", "HTTP/1.1 503").await;
}

#[tokio::test]
async fn a_cut_stream_has_no_proper_end() {
    let simulator = start(&["cut:after=2"]).await;
    let answer = send(&simulator, "POST", CHAT, &ask(true)).await;
    assert!(answer.contains("transfer-encoding: chunked") && !answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_stalled_stream_says_nothing_more_and_does_not_hold_up_the_end() {
    let simulator = start(&["stall:after=2"]).await;
    let mut stream = TcpStream::connect(simulator.addr()).await.unwrap();
    let body = ask(true);
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains("waves") {
        let read = timeout(Duration::from_secs(5), stream.read(&mut buffer)).await.unwrap().unwrap();
        seen.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
    assert!(timeout(Duration::from_millis(100), stream.read(&mut buffer)).await.is_err());
    timeout(Duration::from_secs(5), simulator.shutdown()).await.unwrap();
}

#[tokio::test]
async fn scripted_and_recorded_answers_go_out_as_they_are() {
    let simulator = start(&[]).await;
    simulator.script(Scripted {
        status: 200,
        headers: vec![("x-mark".to_owned(), "1".to_owned())],
        chunks: vec![Bytes::from_static(b"garbage")],
        cut: false,
    });
    let answer = send(&simulator, "POST", CHAT, &ask(false)).await;
    assert!(answer.contains("x-mark: 1") && answer.ends_with("garbage"), "{answer}");

    let request: Value = serde_json::from_str(&ask(true)).unwrap();
    let line = json!({"request": {"body_kind": "json", "body": request}, "response": {"status": 200,
        "headers": [["content-type", "text/event-stream"]], "body_kind": "text", "body": "data: 1\n\ndata: 2\n\n"}});
    let replay = Replay::load(line.to_string().as_bytes()).unwrap();
    let options = Options { replay: Some(replay), ..Options::default() };
    let simulator = Simulator::start((Ipv4Addr::LOCALHOST, 0).into(), options).await.unwrap();
    let answer = send(&simulator, "POST", CHAT, &ask(true)).await;
    assert!(answer.contains("data: 1\n\n") && answer.contains("data: 2\n\n"), "{answer}");
    assert!(send(&simulator, "POST", CHAT, "{}").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_taken_address_and_an_unknown_dialect_are_refused() {
    let running = start(&[]).await;
    let error = Simulator::start(running.addr(), Options::default()).await.unwrap_err();
    assert!(matches!(error, SimulatorError::Bind { .. }), "{error}");
    assert!("cobol".parse::<Dialect>().is_err());
}
