//! One attempt at one upstream: its breaker, its credential, its connection, and what its answer means.

mod address;
pub(crate) mod breaker;
mod classify;
pub(crate) mod client;
pub(crate) mod dispatch;
mod scrub;
pub(crate) mod sign;
mod sigv4;

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::ruleset::Upstream;
use breakwater_dialect::exchange::Exchange;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tokio::time::Instant;

use crate::call::{AnswerBody, Attempt};
use crate::told::Told;

/// An attempt as it goes over the wire.
#[derive(Debug)]
pub(crate) struct Signed {
    /// What was asked for.
    pub(crate) attempt: Attempt,
    /// The request, with the provider's credential.
    pub(crate) request: Request<Full<Bytes>>,
}

/// The head of a successful answer, and its body; `breaker` adds the permit.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// Who gave it.
    pub(crate) upstream: Arc<Upstream>,
    /// How it becomes the caller's.
    pub(crate) exchange: Arc<Exchange>,
    /// Its body.
    pub(crate) body: AnswerBody,
    /// What its head says.
    pub(crate) told: Told,
    /// When the request was sent.
    pub(crate) sent: Instant,
    /// From then to the answer's head.
    pub(crate) first_byte: Duration,
    /// When a stream must have given its first content.
    pub(crate) first_content_by: Instant,
}
