//! Answers over HTTP: JSON of messages, and errors as `{"error": {code, status, message, details}}`.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use prost::Message;
use serde_json::{Value, json};
use tonic::Status;
use tonic::body::Body;

use crate::grpc::status::{RpcStatus, details_json, kind_of, refused};

const JSON: &str = "application/json";

/// Answers with JSON.
pub(crate) fn ok(value: &Value) -> Response<Body> {
    write(StatusCode::OK, JSON, value.to_string())
}

/// Answers with text of another type.
pub(crate) fn text(content_type: &'static str, text: String) -> Response<Body> {
    write(StatusCode::OK, content_type, text)
}

/// Answers with a gRPC status.
pub(crate) fn status(status: &Status) -> Response<Body> {
    let kind = kind_of(status);
    let details = RpcStatus::decode(status.details()).map(|status| details_json(&status)).unwrap_or_default();
    error(kind, kind.faces().2, status.message(), details)
}

/// Answers with violations of the request: 400.
pub(super) fn violations(violations: &[Violation]) -> Response<Body> {
    status(&refused(ErrorKind::InvalidArgument, violations))
}

/// Answers that there is nothing at this path: 404.
pub(super) fn no_path(path: &str) -> Response<Body> {
    let message = format!("there is nothing at {}: see the paths of the API", cut(path));
    error(ErrorKind::NotFound, 404, &message, Vec::new())
}

/// Answers that the path takes other verbs: 405.
pub(super) fn other_verbs<'a>(verbs: impl IntoIterator<Item = &'a String>) -> Response<Body> {
    let verbs = verbs.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("this path takes {verbs}");
    let mut response = error(ErrorKind::Unimplemented, 405, &message, Vec::new());
    if let Ok(value) = HeaderValue::try_from(verbs) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Answers that the body is over the limit: 413.
pub(super) fn too_large(bytes_max: usize) -> Response<Body> {
    let message = format!("the body is over the limit of {bytes_max} bytes");
    error(ErrorKind::ResourceExhausted, 413, &message, Vec::new())
}

/// Answers that the body did not come whole or in time: 408.
pub(super) fn body_lost(reason: &str) -> Response<Body> {
    error(ErrorKind::InvalidArgument, 408, reason, Vec::new())
}

fn error(kind: ErrorKind, http: u16, message: &str, details: Vec<Value>) -> Response<Body> {
    let body =
        json!({"error": {"code": http, "status": kind.faces().1, "message": message, "details": details}});
    let code = StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = write(code, JSON, body.to_string());
    if code == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn write(code: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::new(http_body_util::Full::new(Bytes::from(body))));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Answers hold keys once and state always: no part in between keeps them.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn cut(path: &str) -> String {
    path.chars().filter(|letter| !letter.is_control()).take(128).collect()
}
