//! Layer 12, the only one that touches the network: sends, waits no longer than the provider's limits say, and tells
//! answers from failures. A future that is dropped cancels the request at the upstream.

use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::breaker::failure::Class;
use breakwater_common::limits::{REPLY_BODY_BYTES_MAX, UPSTREAM_ERROR_BYTES_MAX};
use breakwater_runtime::SharedClock;
use bytes::{Bytes, BytesMut};
use http::{Response, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};
use tower::Service;

use super::client::Clients;
use super::{Arrived, Signed, classify};
use crate::call::{AnswerBody, Attempt, AttemptFault, Pending};
use crate::told::Told;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    clients: Clients,
    clock: SharedClock,
}

impl Dispatch {
    /// Makes the stack's bottom.
    pub(crate) fn new(clients: Clients, clock: SharedClock) -> Self {
        Self { clients, clock }
    }
}

impl Service<Signed> for Dispatch {
    type Response = Arrived;
    type Error = AttemptFault;
    type Future = Pending<Arrived, AttemptFault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), AttemptFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, signed: Signed) -> Self::Future {
        let Self { clients, clock } = self.clone();
        Box::pin(dispatch(clients, clock, signed))
    }
}

async fn dispatch(clients: Clients, clock: SharedClock, signed: Signed) -> Result<Arrived, AttemptFault> {
    let Signed { attempt, request } = signed;
    let limits = attempt.upstream.provider.timeouts;
    let client = clients.get(limits.connect);
    let sent = Instant::now();
    // Connecting has its own limit within these; what remains is the wait for the answer. That to a plain call begins when
    // all of it is thought out.
    let whole_by = sent + limits.connect + limits.response;
    let (head_by, late) = if attempt.stream {
        (sent + limits.connect + limits.first_token, Class::FirstByteTimeout)
    } else {
        (whole_by, Class::ResponseTimeout)
    };
    let answered = timeout_at(head_by, client.request(request)).await;
    let answered = answered.map_err(|_elapsed| AttemptFault::new(late))?;
    let response = answered.map_err(|error| {
        // The error's text may hold the address: it stays at debug, which is off in production.
        tracing::debug!(provider = %attempt.upstream.name, connect = error.is_connect(), "attempt failed");
        AttemptFault::new(Class::Connect)
    })?;
    let first_byte = sent.elapsed();
    let told = Told::of(response.headers(), attempt.exchange.client, clock.wall());
    let body = timeout_at(whole_by, take(&attempt, response, limits.idle)).await;
    let body = match body.unwrap_or_else(|_elapsed| Err(AttemptFault::new(Class::ResponseTimeout))) {
        Ok(body) => body,
        Err(fault) => return Err(AttemptFault { told: Box::new(told), ..fault }),
    };
    Ok(Arrived {
        upstream: attempt.upstream,
        exchange: attempt.exchange,
        body,
        sent,
        told,
        first_byte,
        first_content_by: Instant::now() + limits.first_token.saturating_sub(first_byte),
    })
}

/// Takes the body of a successful answer: whole, or as a stream not yet looked at. Errors: everything else, classified.
async fn take(
    attempt: &Attempt,
    response: Response<Incoming>,
    idle: Duration,
) -> Result<AnswerBody, AttemptFault> {
    let status = response.status().as_u16();
    if status != 200 {
        let (parts, body) = response.into_parts();
        // An error's body is a courtesy: whatever of it comes in time and within the bound is enough.
        let bytes = read(body, UPSTREAM_ERROR_BYTES_MAX, idle).await.unwrap_or_default();
        return Err(classify::refusal(attempt, status, &parts.headers, &bytes));
    }
    let streams = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| is_stream(&value.as_bytes().to_ascii_lowercase()));
    // Some answer a call for a stream with all at once; nobody answers a plain call with a stream.
    if streams && !attempt.stream {
        return Err(AttemptFault { status: Some(status), ..AttemptFault::new(Class::Garbage) });
    }
    if streams {
        return Ok(AnswerBody::Stream(response.into_body()));
    }
    match read(response.into_body(), REPLY_BODY_BYTES_MAX, idle).await {
        Ok(bytes) => Ok(AnswerBody::Whole(bytes)),
        Err(class) => Err(AttemptFault { status: Some(status), ..AttemptFault::new(class) }),
    }
}

/// Whether a media type is one of those in which providers stream.
fn is_stream(media_type: &[u8]) -> bool {
    let streams: [&[u8]; 3] =
        [b"text/event-stream", b"application/vnd.amazon.eventstream", b"application/x-ndjson"];
    streams.iter().any(|stream| media_type.starts_with(stream))
}

/// Reads a body. Errors: it is over the bound, broke off, or fell silent.
async fn read(mut body: Incoming, bytes_max: usize, idle: Duration) -> Result<Bytes, Class> {
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(Class::TooLarge);
    }
    let mut read = BytesMut::new();
    loop {
        let frame = timeout(idle, body.frame()).await.map_err(|_elapsed| Class::Cut)?;
        let Some(frame) = frame else { return Ok(read.freeze()) };
        let Ok(data) = frame.map_err(|_broken| Class::Cut)?.into_data() else { continue };
        if read.len() + data.len() > bytes_max {
            return Err(Class::TooLarge);
        }
        read.extend_from_slice(&data);
    }
}
