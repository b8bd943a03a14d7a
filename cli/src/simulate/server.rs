//! The simulator's server: accept, record, delay, answer, break.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use breakwater_common::limits;
use breakwater_runtime::{Clock, SystemClock, Tasks};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use super::{
    Options, RecordedRequest, Replay, Scripted,
    body::{End, PacedBody},
    fault::{Fault, FaultKind},
    openai::{self, Answer, Operation, Stamp},
};

/// Wait after an accept that failed: descriptors may be free again then.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// Time that a running answer gets when the simulator ends.
const DRAIN_MAX: Duration = Duration::from_millis(500);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    latency: Duration,
    pause: Duration,
    replay: Option<Replay>,
    requests_kept: usize,
    clock: SystemClock,
    calls: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each with the number of calls that it looked at.
    faults: Vec<(Fault, u64)>,
    requests: VecDeque<RecordedRequest>,
    scripted: VecDeque<Scripted>,
}

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("hung up by a simulated fault")]
struct HangUp;

/// What faults make of a call.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trouble {
    slow: Duration,
    fault: Option<FaultKind>,
}

impl Shared {
    pub(super) fn new(options: Options) -> Self {
        let pause =
            options.tokens_per_second.map_or(Duration::ZERO, |speed| Duration::from_secs(1) / speed.max(1));
        let shared = Self {
            latency: options.latency,
            pause,
            replay: options.replay,
            requests_kept: options.requests_kept.min(limits::SIMULATOR_REQUESTS_MAX),
            clock: SystemClock::new(),
            calls: AtomicU64::new(0),
            inner: Mutex::default(),
        };
        shared.set_faults(options.faults);
        shared
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.with(|inner| inner.requests.iter().cloned().collect())
    }

    pub(super) fn set_faults(&self, faults: Vec<Fault>) {
        self.with(|inner| inner.faults = faults.into_iter().map(|fault| (fault, 0)).collect());
    }

    pub(super) fn script(&self, reply: Scripted) {
        self.with(|inner| inner.scripted.push_back(reply));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self, request: RecordedRequest) {
        if self.requests_kept == 0 {
            return;
        }
        self.with(|inner| {
            if inner.requests.len() >= self.requests_kept {
                drop(inner.requests.pop_front());
            }
            inner.requests.push_back(request);
        });
    }

    /// Counts a call at each fault that looks at its model and returns what hits it.
    fn trouble(&self, model: &str) -> Trouble {
        self.with(|inner| {
            let mut trouble = Trouble::default();
            for (fault, count) in &mut inner.faults {
                if fault.model.as_deref().is_some_and(|wanted| wanted != model) {
                    continue;
                }
                *count += 1;
                match (fault.hits(*count), fault.kind) {
                    (true, FaultKind::Slow(time)) => trouble.slow += time,
                    (true, kind) if trouble.fault.is_none() => trouble.fault = Some(kind),
                    (true | false, _) => {}
                }
            }
            trouble
        })
    }

    fn stamp(&self) -> Stamp {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        Stamp { id: format!("chatcmpl-sim{number:012x}"), created: self.clock.wall().0 / 1000 }
    }
}

/// Accepts until the tasks' token is cancelled.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>, tasks: Tasks) {
    let token = tasks.token();
    loop {
        // Cancel-safe: accept loses no connection when it is dropped.
        let accepted = tokio::select! {
            () = token.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => tasks
                .spawn_contained("simulator connection", connection(stream, shared.clone(), tasks.clone())),
            Err(_) => tokio::time::sleep(ACCEPT_RETRY).await,
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, tasks: Tasks) {
    // Without it each small event waits for the acknowledgement of the one before.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| handle(shared.clone(), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let token = tasks.token();
    tokio::select! {
        // The caller left, or a fault ended the connection.
        _ = &mut serving => return,
        () = token.cancelled() => serving.as_mut().graceful_shutdown(),
    }
    // A stalled answer would never end by itself.
    drop(tokio::time::timeout(DRAIN_MAX, serving).await);
}

async fn handle(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<PacedBody>, HangUp> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, limits::CALL_BODY_BYTES_MAX).collect().await else {
        return Ok(plain(&openai::error(413, "invalid_request_error", None, "the body is too large")));
    };
    let body = body.to_bytes();
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    shared.record(RecordedRequest {
        method: parts.method.clone(),
        path,
        headers: parts.headers,
        body: body.clone(),
    });
    let operation = match (Operation::of(parts.uri.path()), &parts.method) {
        (Some(Operation::Models), &Method::GET) => return Ok(plain(&openai::models())),
        (Some(Operation::Model(id)), &Method::GET) => return Ok(plain(&openai::model(&id))),
        (Some(operation @ (Operation::Chat(_) | Operation::Embeddings(_))), &Method::POST) => operation,
        (Some(_), _) => {
            let answer = openai::error(405, "invalid_request_error", None, "method not allowed");
            return Ok(plain(&answer));
        }
        (None, _) => {
            let message = format!("Invalid URL ({} {})", parts.method, parts.uri.path());
            return Ok(plain(&openai::error(404, "invalid_request_error", None, &message)));
        }
    };
    call(&shared, &operation, &body).await
}

/// One call of a model: the only requests that meet latency, faults, scripts and recordings.
async fn call(shared: &Shared, operation: &Operation, body: &Bytes) -> Result<Response<PacedBody>, HangUp> {
    let request: Result<Value, _> = serde_json::from_slice(body);
    let deployment = match operation {
        Operation::Chat(deployment) | Operation::Embeddings(deployment) => deployment.as_deref(),
        Operation::Models | Operation::Model(_) => None,
    };
    let model = request.as_ref().ok().and_then(|request| request["model"].as_str());
    let trouble = shared.trouble(deployment.or(model).unwrap_or_default());
    tokio::time::sleep(shared.latency + trouble.slow).await;
    if let Some(reply) = shared.with(|inner| inner.scripted.pop_front()) {
        return Ok(scripted(shared, reply));
    }
    let mut headers = vec![("x-request-id".to_owned(), format!("req_{}", shared.stamp().id))];
    let answer = if let Some(replay) = &shared.replay {
        match replay.answer(body) {
            Some(recorded) => {
                headers.clone_from(&recorded.headers);
                recorded_answer(recorded)
            }
            None => {
                openai::error(404, "invalid_request_error", None, "no recorded interaction has this body")
            }
        }
    } else {
        match (&request, operation) {
            (Ok(request), Operation::Embeddings(_)) => openai::embeddings(request, deployment),
            (Ok(request), _) => openai::chat(request, deployment, &shared.stamp()),
            (Err(_), _) => openai::error(
                400,
                "invalid_request_error",
                None,
                "We could not parse the JSON body of your request.",
            ),
        }
    };
    respond(shared, answer, &headers, trouble.fault)
}

fn recorded_answer(recorded: &super::replay::Recorded) -> Answer {
    let stream = recorded.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with("text/event-stream")
    });
    let chunks = if stream { events_of(&recorded.body) } else { vec![recorded.body.clone()] };
    Answer { status: recorded.status, chunks, stream }
}

/// Splits a stream after each empty line, keeping every byte.
fn events_of(body: &Bytes) -> Vec<Bytes> {
    let mut rest = body.clone();
    let mut events = Vec::new();
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\n\n") {
        events.push(rest.split_to(at + 2));
    }
    if !rest.is_empty() {
        events.push(rest);
    }
    events
}

/// Applies a fault to an answer and makes the response.
fn respond(
    shared: &Shared,
    mut answer: Answer,
    headers: &[(String, String)],
    fault: Option<FaultKind>,
) -> Result<Response<PacedBody>, HangUp> {
    let mut end = End::Clean;
    let mut retry = None;
    let mut declared = None;
    let index = |events: u32| usize::try_from(events).unwrap_or(usize::MAX);
    match fault {
        None | Some(FaultKind::Slow(_)) => {}
        Some(FaultKind::HangUp) => return Err(HangUp),
        Some(FaultKind::Status { code, retry_after }) => {
            answer = openai::fault_error(code);
            retry = retry_after;
        }
        Some(FaultKind::BadJson) => {
            let at = usize::from(answer.stream && answer.chunks.len() > 1);
            let broken: &'static [u8] =
                if answer.stream { b"data: {\"id\":\"chatcmpl-\n\n" } else { b"{\"id\":\"chatcmpl-" };
            if let Some(chunk) = answer.chunks.get_mut(at) {
                *chunk = Bytes::from_static(broken);
            }
        }
        Some(FaultKind::ErrorEvent(events)) if answer.stream => {
            answer.chunks.truncate(index(events));
            answer.chunks.push(openai::error_event());
        }
        Some(FaultKind::ErrorEvent(_)) => answer = openai::fault_error(500),
        Some(FaultKind::CutAfter(events) | FaultKind::StallAfter(events)) => {
            end = if matches!(fault, Some(FaultKind::CutAfter(_))) { End::Cut } else { End::Stall };
            if answer.stream {
                answer.chunks.truncate(index(events));
            } else if let Some(chunk) = answer.chunks.first_mut() {
                declared = Some(chunk.len());
                chunk.truncate(chunk.len() / 2);
            }
        }
    }
    let mut response = Response::builder().status(answer.status);
    let known = |name: &str| headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
    if !known("content-type") || matches!(fault, Some(FaultKind::Status { .. })) {
        let media_type = if answer.stream { "text/event-stream; charset=utf-8" } else { "application/json" };
        response = response.header(header::CONTENT_TYPE, media_type);
    }
    if let Some(seconds) = retry {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    if let Some(length) = declared {
        response = response.header(header::CONTENT_LENGTH, length);
    }
    Ok(finish(response, headers, PacedBody::new(answer.chunks, shared.pause, end)))
}

fn scripted(shared: &Shared, reply: Scripted) -> Response<PacedBody> {
    let end = if reply.cut { End::Cut } else { End::Clean };
    let body = PacedBody::new(reply.chunks, shared.pause, end);
    finish(Response::builder().status(reply.status), &reply.headers, body)
}

fn plain(answer: &Answer) -> Response<PacedBody> {
    let body = PacedBody::new(answer.chunks.iter().cloned(), Duration::ZERO, End::Clean);
    let response = Response::builder().status(answer.status).header(header::CONTENT_TYPE, "application/json");
    finish(response, &[], body)
}

/// Adds headers; one that cannot stand in a response is left out.
fn finish(
    response: http::response::Builder,
    headers: &[(String, String)],
    body: PacedBody,
) -> Response<PacedBody> {
    let fallback = || PacedBody::new([], Duration::ZERO, End::Clean);
    let mut response = response.body(body).unwrap_or_else(|_| Response::new(fallback()));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
