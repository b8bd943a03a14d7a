//! Measures what the README promises of a release build, on this machine: the proxy's resident memory idle, under 200 open
//! streams, and under 200 more that it translates, and how soon a change shows in its answers. Run by `make bench`; prints a table, asserts nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use breakwater_tests::caller::Caller;
use breakwater_tests::manifests::{policy, provider, route, tenant};
use breakwater_tests::phases::until;
use breakwater_tests::upstream::{Ending, Script, ScriptedLlm};
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

/// Streams held open at once.
const STREAMS: usize = 200;
/// Changes timed.
const CHANGES: usize = 50;

struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Proxy {
    /// Resident memory in KiB, from the kernel's own count.
    fn resident_kib(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).expect("the proxy runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel counts it");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of KiB")
    }
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound listener has an address")
}

/// The release build of the proxy: what ships is what is measured, whatever this program was built as.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("this program is a file");
    let target =
        own.parent().and_then(Path::parent).expect("it lies in a profile's folder of the target directory");
    let path = target.join("release/breakwater-data-plane");
    assert!(path.exists(), "build it first: cargo build --release -p breakwater-data-plane");
    path
}

fn start_proxy(folder: &Path, control: SocketAddr, token: &str) -> (Proxy, SocketAddr) {
    let listen = free_port();
    let (token_file, config) = (folder.join("token"), folder.join("proxy.toml"));
    std::fs::write(&token_file, token).expect("a temporary folder is writable");
    let text = format!(
        "mode = \"development\"\nlisten = \"{listen}\"\n[control_plane]\nurl = \"http://{control}\"\ntoken_file = {:?}\n",
        token_file.display().to_string()
    );
    std::fs::write(&config, text).expect("a temporary folder is writable");
    let child = Command::new(binary())
        .arg("--config")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    (Proxy(child.expect("the binary starts")), listen)
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = breakwater_control_plane::Config::development(folder.path());
    let control = breakwater_control_plane::App::start(config).await.expect("the control plane starts");
    let (proxy, addr) = start_proxy(folder.path(), control.admin_addr(), control.proxy_token());
    let admin = Caller::new(control.admin_addr(), control.admin_token());
    let one = ScriptedLlm::start(|asked| {
        let streamed = String::from_utf8_lossy(&asked.body).contains("\"stream\":true");
        if streamed {
            Script::chat_stream(&["one ", "two "], Ending::Stall)
        } else {
            Script::chat("from one")
        }
    })
    .await;
    let two = ScriptedLlm::start(|_| Script::chat("from two")).await;
    let messages = ScriptedLlm::start(|_| messages_stream()).await;
    let mut foreign = provider("messages", messages.addr(), 5, "60s");
    foreign["provider"]["spec"]["type"] = json!("anthropic");
    foreign["provider"]["spec"]["base_url"] = json!(format!("http://{}", messages.addr()));
    let manifests = vec![
        provider("one", one.addr(), 5, "60s"),
        provider("two", two.addr(), 5, "60s"),
        foreign,
        policy("production"),
        route("chat", &["one"], &["production"]),
        route("crossing", &["messages"], &["production"]),
        tenant("acme", &["chat", "crossing"]),
    ];
    let applied = admin.post("/v1/resources:apply", &json!({ "manifests": manifests })).await;
    assert_eq!(applied.status, 200, "{}", applied.text());
    let key = admin.post("/v1/keys", &json!({"tenant": "acme"})).await.json()["api_key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let caller = Caller::new(addr, &key);
    wait_for_listener(addr).await;
    until("the proxy takes the key", || async { caller.get("/v1/models").await.status == 200 }).await;

    let idle = proxy.resident_kib();
    let changes = time_changes(&admin, &caller).await;
    let streams = open_streams(&caller, "chat", &one).await;
    let loaded = proxy.resident_kib();
    let translated = open_streams(&caller, "crossing", &messages).await;
    let crossing = proxy.resident_kib();
    println!("figure                                   value");
    println!("proxy, resident, idle                    {:.1} MiB", kib(idle));
    println!("proxy, resident, {STREAMS} open guarded streams {:.1} MiB", kib(loaded));
    println!("  for each stream                        {:.1} KiB", each(idle, loaded));
    println!("  for each of {STREAMS} more, from messages     {:.1} KiB", each(loaded, crossing));
    println!(
        "change sent to change in an answer       {:?} median, {:?} worst of {CHANGES}",
        changes.0, changes.1
    );
    drop((streams, translated));
}

/// An answer of Anthropic's format that goes on.
fn messages_stream() -> Script {
    let event = |data: Value| {
        let name = data["type"].as_str().unwrap_or_default();
        Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
    };
    let delta = |text: &str| {
        let delta = json!({"type": "text_delta", "text": text});
        event(json!({"type": "content_block_delta", "index": 0, "delta": delta}))
    };
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "vendor-model-1", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 3, "output_tokens": 1},
    });
    let block = json!({"type": "text", "text": ""});
    let frames = vec![
        event(json!({"type": "message_start", "message": message})),
        event(json!({"type": "content_block_start", "index": 0, "content_block": block})),
        delta("one "),
        delta("two "),
    ];
    Script::events(frames, Ending::Stall)
}

/// Memory of each stream in KiB.
fn each(before: u64, after: u64) -> f64 {
    (kib(after) - kib(before)) * 1024.0 / STREAMS as f64
}

fn kib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

async fn wait_for_listener(addr: SocketAddr) {
    until("the proxy listens", || async { tokio::net::TcpStream::connect(addr).await.is_ok() }).await;
}

/// Moves the route between the providers; times from before the change is sent until an answer comes from the other one.
async fn time_changes(admin: &Caller, caller: &Caller) -> (Duration, Duration) {
    let mut times = Vec::new();
    for round in 0..CHANGES {
        let name = if round % 2 == 0 { "two" } else { "one" };
        let begin = Instant::now();
        let body = json!({"manifests": [route("chat", &[name], &["production"])]});
        assert_eq!(admin.post("/v1/resources:apply", &body).await.status, 200);
        let wanted = format!("from {name}");
        while !caller.chat("chat", "hello", false).await.text().contains(&wanted) {
            assert!(begin.elapsed() < Duration::from_secs(10), "the change never came");
        }
        times.push(begin.elapsed());
    }
    times.sort();
    (times.get(times.len() / 2).copied().unwrap_or_default(), times.last().copied().unwrap_or_default())
}

/// Opens the streams and reads each until its first content has come.
async fn open_streams(
    caller: &Caller,
    route: &str,
    llm: &ScriptedLlm,
) -> Vec<http::Response<hyper::body::Incoming>> {
    let body: Value =
        json!({"model": route, "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let mut response = caller.send(Method::POST, "/v1/chat/completions", body.to_string()).await;
        assert_eq!(response.status(), 200);
        let first = response.body_mut().frame().await;
        assert!(first.is_some_and(|frame| frame.is_ok()), "a stream begins");
        open.push(response);
    }
    until("all streams are open", || async { llm.open_answers() >= STREAMS }).await;
    open
}
