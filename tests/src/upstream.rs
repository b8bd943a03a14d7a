//! A scripted LLM: a server whose answers the test writes, frame by frame, and which remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::StreamExt as _;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// What the scripted LLM answers.
#[derive(Debug, Clone)]
pub struct Script {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, frame by frame.
    pub frames: Vec<Bytes>,
    /// What comes after the last frame.
    pub ending: Ending,
}

/// What comes after the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The body ends as it should.
    Complete,
    /// The connection breaks.
    Cut,
    /// Nothing, until the client leaves.
    Stall,
}

impl Script {
    /// A whole JSON answer.
    #[must_use]
    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            frames: vec![body.into()],
            ending: Ending::Complete,
        }
    }

    /// An event stream.
    #[must_use]
    pub fn events(frames: Vec<Bytes>, ending: Ending) -> Self {
        let headers = vec![("content-type".into(), "text/event-stream; charset=utf-8".into())];
        Self { status: 200, headers, frames, ending }
    }

    /// A plain chat completion with this text.
    #[must_use]
    pub fn chat(text: &str) -> Self {
        let body = serde_json::json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "vendor-model-1",
            "choices": [{
                "index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        });
        Self::json(200, body.to_string())
    }

    /// The same, streamed, one event for each of `deltas`.
    #[must_use]
    pub fn chat_stream(deltas: &[&str], ending: Ending) -> Self {
        let event = |delta: serde_json::Value, finish: Option<&str>| {
            let chunk = serde_json::json!({
                "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
                "model": "vendor-model-1",
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
            });
            Bytes::from(format!("data: {chunk}\n\n"))
        };
        let mut frames = vec![event(serde_json::json!({"role": "assistant", "content": ""}), None)];
        frames.extend(deltas.iter().map(|delta| event(serde_json::json!({ "content": delta }), None)));
        if ending == Ending::Complete {
            frames.push(event(serde_json::json!({}), Some("stop")));
            frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
        }
        Self::events(frames, ending)
    }
}

/// What the scripted LLM was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// Headers.
    pub headers: http::HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

type Playwright = dyn Fn(&Asked) -> Script + Send + Sync;

/// A scripted LLM on a port of its own.
pub struct ScriptedLlm {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: Arc<std::sync::atomic::AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl std::fmt::Debug for ScriptedLlm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedLlm").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl ScriptedLlm {
    /// Starts one that answers as `play` says.
    pub async fn start(play: impl Fn(&Asked) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let play: Arc<Playwright> = Arc::new(play);
        let task = tokio::spawn(serve(listener, play, Arc::clone(&asked), Arc::clone(&open)));
        Self { addr, asked, open, task }
    }

    /// Where it is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no test panics while it holds this").clone()
    }

    /// Answers that are still being sent or stalled.
    #[must_use]
    pub fn open_answers(&self) -> usize {
        self.open.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Drop for ScriptedLlm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counts an answer as open while it lives.
struct Open(Arc<std::sync::atomic::AtomicUsize>);

impl Open {
    fn new(count: Arc<std::sync::atomic::AtomicUsize>) -> Self {
        count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
    }
}

async fn serve(
    listener: TcpListener,
    play: Arc<Playwright>,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: Arc<std::sync::atomic::AtomicUsize>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (play, asked, open) = (Arc::clone(&play), Arc::clone(&asked), Arc::clone(&open));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                answer(request, Arc::clone(&play), Arc::clone(&asked), Arc::clone(&open))
            });
            let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    play: Arc<Playwright>,
    asked: Arc<Mutex<Vec<Asked>>>,
    open: Arc<std::sync::atomic::AtomicUsize>,
) -> Result<Response<UnsyncBoxBody<Bytes, std::io::Error>>, Infallible> {
    let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let headers = request.headers().clone();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let question = Asked { target, headers, body };
    let script = play(&question);
    asked.lock().expect("no test panics while it holds this").push(question);
    let mut response = Response::builder().status(script.status);
    for (name, value) in &script.headers {
        response = response.header(name, value);
    }
    let body = match (script.ending, <[Bytes; 1]>::try_from(script.frames)) {
        (Ending::Complete, Ok([whole])) => Full::new(whole).map_err(|never| match never {}).boxed_unsync(),
        (ending, frames) => {
            let frames = frames.map_or_else(|frames| frames, |[one]| vec![one]);
            stream(frames, ending, Open::new(open))
        }
    };
    Ok(response.body(body).expect("scripts have valid heads"))
}

fn stream(frames: Vec<Bytes>, ending: Ending, open: Open) -> UnsyncBoxBody<Bytes, std::io::Error> {
    let sent = futures::stream::iter(frames).map(|frame| Ok(Frame::data(frame)));
    let rest = futures::stream::once(async move {
        let _open = open;
        match ending {
            Ending::Complete => None,
            Ending::Cut => Some(Err(std::io::Error::other("cut by the script"))),
            Ending::Stall => std::future::pending().await,
        }
    });
    let paced = sent.then(|frame| async {
        tokio::task::yield_now().await;
        frame
    });
    BodyExt::boxed_unsync(StreamBody::new(paced.chain(rest.filter_map(|end| async { end }))))
}
