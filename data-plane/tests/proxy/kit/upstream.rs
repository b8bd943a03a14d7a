//! A provider that does what it is told, byte for byte.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use breakwater_runtime::Tasks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What to do with one request.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answer with these bytes and close.
    Bytes(String),
    /// Answer with these bytes, then keep silent until the other side closes.
    BytesThenSilence(String),
    /// Say nothing until the other side closes.
    Silence,
    /// Wait until told, then answer with a completion.
    Held,
}

/// See the module.
#[derive(Clone)]
pub struct Upstream(Arc<Shared>);

struct Shared {
    addr: SocketAddr,
    acts: Mutex<VecDeque<Act>>,
    requests: Mutex<Vec<String>>,
    left: AtomicUsize,
    release: Notify,
    tasks: Tasks,
}

impl Act {
    /// A completion.
    pub fn chat() -> Self {
        let body = r#"{"id":"c1","object":"chat.completion","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hi","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#;
        Self::json(200, "", body)
    }

    /// A status with a body and more header lines.
    pub fn json(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nserver: vendor\r\nopenai-organization: secret-org\r\nx-ms-region: West Europe\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
    }

    /// A stream of these events, ended by closing.
    pub fn stream(events: &[&str]) -> Self {
        Self::Bytes(stream(events))
    }

    /// A stream of these events, then silence.
    pub fn stalled(events: &[&str]) -> Self {
        Self::BytesThenSilence(stream(events))
    }
}

fn stream(events: &[&str]) -> String {
    let mut bytes =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned();
    for event in events {
        bytes.push_str(&format!("data: {event}\n\n"));
    }
    bytes
}

/// A chunk of a stream with this content.
pub fn chunk(content: &str) -> String {
    format!(
        r#"{{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"delta":{{"content":"{content}"}},"logprobs":null,"finish_reason":null}}]}}"#
    )
}

/// The last chunk of a choice.
pub const STOP: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}"#;

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            addr: listener.local_addr().unwrap(),
            acts: Mutex::default(),
            requests: Mutex::default(),
            left: AtomicUsize::new(0),
            release: Notify::new(),
            tasks: Tasks::new(),
        });
        let accepting = shared.clone();
        shared.tasks.spawn_contained("upstream", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = accepting.clone();
                accepting.tasks.spawn_contained("upstream-connection", async move {
                    shared.serve(stream).await;
                });
            }
        });
        Self(shared)
    }

    /// Does these with the next requests; a completion with all later ones.
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.0.acts.lock().unwrap().extend(acts);
    }

    /// Returns all requests so far, head and body.
    pub fn requests(&self) -> Vec<String> {
        self.0.requests.lock().unwrap().clone()
    }

    /// Returns how many requests were left by the other side before their answer's end.
    pub fn left(&self) -> usize {
        self.0.left.load(Ordering::SeqCst)
    }

    /// Lets one held request go on.
    pub fn release(&self) {
        self.0.release.notify_one();
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0.addr)
    }
}

impl Shared {
    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read_request(&mut stream).await else { return };
        self.requests.lock().unwrap().push(request);
        let act = self.acts.lock().unwrap().pop_front().unwrap_or_else(Act::chat);
        match act {
            Act::Bytes(bytes) => write(&mut stream, &bytes).await,
            Act::BytesThenSilence(bytes) => {
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    let _ = self.left.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                self.wait_for_close(&mut stream).await;
            }
            Act::Silence => self.wait_for_close(&mut stream).await,
            Act::Held => {
                // Cancel-safe: nothing is read that matters.
                tokio::select! {
                    () = self.release.notified() => {
                        if let Act::Bytes(bytes) = Act::chat() {
                            write(&mut stream, &bytes).await;
                        }
                    }
                    () = self.wait_for_close(&mut stream) => {}
                }
            }
        }
    }

    async fn wait_for_close(&self, stream: &mut TcpStream) {
        let mut byte = [0; 1];
        if matches!(stream.read(&mut byte).await, Ok(0) | Err(_)) {
            let _ = self.left.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// The other side may be gone: a test that minds sees it elsewhere.
async fn write(stream: &mut TcpStream, bytes: &str) {
    drop(stream.write_all(bytes.as_bytes()).await);
    drop(stream.flush().await);
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        let mut part = [0; 8192];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    }
}
