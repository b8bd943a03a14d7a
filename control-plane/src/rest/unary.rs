//! A unary gRPC call in process: one framed message in, one out, through the very services that the network reaches.

use breakwater_common::limits::ADMIN_BODY_BYTES_MAX;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderValue, Method, Request, Version, header};
use http_body_util::{BodyExt, Full, Limited};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::caller::Caller;
use crate::grpc::Router;

/// Bytes before each message: a flag and the length. Source: gRPC over HTTP/2.
const FRAME_HEAD_BYTES: usize = 5;
/// Bytes of an answer. A full page of the largest resources.
const ANSWER_BYTES_MAX: usize = 16 * ADMIN_BODY_BYTES_MAX;

/// Calls a method by its path and returns the bytes of the answer.
pub(super) async fn call(
    grpc: &Router,
    path: &str,
    message: Bytes,
    caller: Option<Caller>,
) -> Result<Bytes, Status> {
    let response = grpc.call(framed(path, &message, caller)?).await;
    let (parts, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&parts.headers) {
        check(status)?;
    }
    let collected = Limited::new(body, ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|_| Status::internal("the answer could not be read"))?;
    if let Some(status) = collected.trailers().and_then(Status::from_header_map) {
        check(status)?;
    }
    let mut bytes = collected.to_bytes();
    if bytes.len() < FRAME_HEAD_BYTES {
        return Err(Status::internal("the answer holds no message"));
    }
    Ok(bytes.split_off(FRAME_HEAD_BYTES))
}

fn framed(path: &str, message: &[u8], caller: Option<Caller>) -> Result<Request<Body>, Status> {
    let length =
        u32::try_from(message.len()).map_err(|_| Status::resource_exhausted("the request is too large"))?;
    let mut frame = BytesMut::with_capacity(FRAME_HEAD_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(length);
    frame.put_slice(message);
    let mut request = Request::builder()
        .method(Method::POST)
        .version(Version::HTTP_2)
        .uri(path)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"))
        .header(header::TE, HeaderValue::from_static("trailers"))
        .body(Body::new(Full::new(frame.freeze())))
        .map_err(|_| Status::internal("the request could not be made"))?;
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok(request)
}

fn check(status: Status) -> Result<(), Status> {
    if status.code() == Code::Ok { Ok(()) } else { Err(status) }
}
