//! One request: recorded, delayed, answered, broken.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use breakwater_common::limits;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{
    Dialect, RecordedRequest, Scripted, admin,
    answer::{Answer, Body, Event, Framing, Part},
    ask::text_of,
    body::PacedBody,
    breaking::{self, Context},
    connection::{TakenOver, Takeover},
    delivery::{CHUNKED, Close, Delivery, Raw, Step, chunk, head},
    fault::Kind,
    replay::Recorded,
    shared::Shared,
    wire::{self, Door, Speech, Stamp},
};

/// Answers a request.
pub(super) async fn handle(
    shared: Arc<Shared>,
    takeover: Takeover,
    request: Request<Incoming>,
) -> Result<Response<PacedBody>, TakenOver> {
    let (parts, body) = request.into_parts();
    let (path, query) = (parts.uri.path(), parts.uri.query());
    if path.starts_with(admin::ROOT) {
        return Ok(finish(&admin::answer(&shared, &parts.method, path, body).await, &shared, false));
    }
    tokio::time::sleep(shared.slow_read()).await;
    let delivery = match Limited::new(body, limits::CALL_BODY_BYTES_MAX).collect().await {
        Err(_) => Delivery::Proper(wire::error(shared.dialect, 413, None, "the body is too large"), false),
        Ok(body) => {
            let body = body.to_bytes();
            let whole = parts.uri.path_and_query().map_or_else(|| path.to_owned(), ToString::to_string);
            shared.record(RecordedRequest {
                method: parts.method.clone(),
                path: whole,
                headers: parts.headers,
                body: body.clone(),
            });
            match Door::of(shared.dialect, path, query) {
                Some(door) if !door.takes(&parts.method) => {
                    Delivery::Proper(wire::error(shared.dialect, 405, None, "method not allowed"), false)
                }
                Some(door) if door.speech.is_call() => call(&shared, &door, &body).await,
                Some(door) => Delivery::Proper(listing(&shared, &door), false),
                None => {
                    let message = format!("Invalid URL ({} {path})", parts.method);
                    Delivery::Proper(wire::error(shared.dialect, 404, None, &message), false)
                }
            }
        }
    };
    match delivery {
        Delivery::Proper(answer, whole) => Ok(finish(&answer, &shared, whole && answer.status == 200)),
        Delivery::Raw(raw) => {
            *takeover.lock().unwrap_or_else(PoisonError::into_inner) = Some(raw);
            Err(TakenOver)
        }
    }
}

fn listing(shared: &Shared, door: &Door) -> Answer {
    wire::answer(shared.dialect, door, b"{}", &Stamp { number: 0, created: 0 })
}

/// One call of a model: the only requests that meet latency, faults, scripts and recordings.
async fn call(shared: &Shared, door: &Door, body: &Bytes) -> Delivery {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let model = door.model.as_deref().or_else(|| request["model"].as_str()).unwrap_or_default();
    let trouble = shared.trouble(model);
    let stamp = shared.stamp();
    tokio::time::sleep(shared.latency + trouble.slow).await;
    if let Some(reply) = shared.next_script() {
        return scripted(shared, reply);
    }
    let kind = trouble.fault.as_ref().map(|fault| fault.kind);
    let answer = match &shared.replay {
        Some(replay) => replay.answer(body).map_or_else(
            || wire::error(shared.dialect, 404, None, "no recorded interaction has this body"),
            recorded,
        ),
        None => made_up(shared, door, &request, body, kind, &stamp),
    };
    let answer = answer.with("x-request-id", stamp.id("req_"));
    let context =
        Context { dialect: shared.dialect, speech: &door.speech, now: stamp.created, pause: shared.pause };
    match trouble.fault {
        Some(fault) => breaking::apply(&fault, answer, &context),
        None => Delivery::Proper(answer, true),
    }
}

/// The model's answer, or that to another question where the fault is that it does not fit.
fn made_up(
    shared: &Shared,
    door: &Door,
    request: &Value,
    body: &[u8],
    kind: Option<Kind>,
    stamp: &Stamp,
) -> Answer {
    let asks_stream = door.stream || request["stream"] == json!(true);
    match kind {
        Some(kind @ (Kind::Streamed | Kind::Unstreamed)) => {
            let stream = kind == Kind::Streamed;
            let mut request = request.clone();
            if request.is_object() && !matches!(door.speech, Speech::Gemini | Speech::Converse) {
                request["stream"] = json!(stream);
            }
            let door = Door { stream, array: false, ..door.clone() };
            wire::answer(shared.dialect, &door, request.to_string().as_bytes(), stamp)
        }
        Some(Kind::WrongDialect) => {
            let prompt =
                ["messages", "contents", "input", "prompt"].map(|key| text_of(&request[key])).concat();
            let other = json!({"model": "other", "messages": [{"role": "user", "content": prompt}], "max_tokens": 100,
                "stream": asks_stream});
            let (dialect, path) = match shared.dialect {
                Dialect::Anthropic => (Dialect::OpenAi, "/v1/chat/completions"),
                Dialect::OpenAi | Dialect::Mistral | Dialect::Gemini | Dialect::Bedrock | Dialect::Ollama => {
                    (Dialect::Anthropic, "/v1/messages")
                }
            };
            let door = Door::of(dialect, path, None);
            door.map_or_else(
                || wire::error(dialect, 404, None, "no such door"),
                |door| wire::answer(dialect, &door, other.to_string().as_bytes(), stamp),
            )
        }
        Some(_) | None => wire::answer(shared.dialect, door, body, stamp),
    }
}

fn recorded(recorded: &Recorded) -> Answer {
    let stream = recorded.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.starts_with("text/event-stream")
    });
    let body = if stream {
        let event = |data| Event { name: "", data, part: Part::Content };
        Body::Events(Framing::AsIs, events_of(&recorded.body).into_iter().map(event).collect())
    } else {
        Body::Whole(recorded.body.clone())
    };
    Answer { status: recorded.status, headers: recorded.headers.clone(), body }
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

fn scripted(shared: &Shared, reply: Scripted) -> Delivery {
    let event = |data| Event { name: "", data, part: Part::Content };
    let events = reply.chunks.into_iter().map(event).collect();
    let body = Body::Events(Framing::AsIs, events);
    let answer = Answer { status: reply.status, headers: reply.headers, body };
    if !reply.cut {
        return Delivery::Proper(answer, true);
    }
    let head = Step::Bytes(head(&answer, CHUNKED));
    let chunks = answer.chunks().into_iter().flat_map(|bytes| [chunk(&bytes), Step::Wait(shared.pause)]);
    Delivery::Raw(Raw::new(std::iter::once(head).chain(chunks).collect::<Vec<_>>(), Close::End))
}

/// Makes the response of an answer; a header that cannot stand in one is left out.
fn finish(answer: &Answer, shared: &Shared, counted: bool) -> Response<PacedBody> {
    let completed = counted.then(|| shared.completed.clone());
    let pause = if answer.is_stream() { shared.pause } else { Duration::ZERO };
    let mut response = Response::new(PacedBody::new(answer.chunks(), pause, completed));
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    for (name, value) in answer.all_headers() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            let _more = response.headers_mut().append(name, value);
        }
    }
    response
}
