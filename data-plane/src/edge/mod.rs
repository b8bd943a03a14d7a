//! The edge: from an HTTP request to a [`crate::call::Call`], and from a fault to an error that the caller's client
//! understands.

pub(crate) mod admit;
pub(crate) mod authenticate;
pub(crate) mod decode;
pub(crate) mod doors;
mod held;
mod inflate;
pub(crate) mod limit;
mod models;
pub(crate) mod observe;
mod paths;
pub(crate) mod rescue;
mod stored;

use std::sync::Arc;

use breakwater_common::ruleset::{CompiledRuleset, KeyHolder};
use breakwater_dialect::Format;
use breakwater_dialect::pass::Asked;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};

use crate::call::{Reply, ReplyBody, State};
use crate::trace::Trace;

/// Which of our paths a request asked for, once that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// A call.
    Call {
        /// In which format, and what the path says.
        asked: Asked,
        /// A stream is wanted as one JSON array.
        array: bool,
    },
    /// Something that a provider keeps.
    State(State),
    /// A listing of models, in the form of its path.
    Models(Format),
    /// One model, in the form of its path.
    Model(String, Format),
}

impl Door {
    /// Returns the format in which the caller reads answers and errors. Two listings share a path: Anthropic's clients say
    /// who they are by a header.
    pub(crate) fn format(&self, headers: &HeaderMap) -> Format {
        match self {
            Self::Call { asked, .. } => asked.format,
            Self::State(_) => Format::Responses,
            Self::Models(Format::Chat) | Self::Model(_, Format::Chat)
                if headers.contains_key("anthropic-version") =>
            {
                Format::Messages
            }
            Self::Models(format) | Self::Model(_, format) => *format,
        }
    }
}

/// Who calls and what holds for the call: pinned once, so that one call sees one ruleset.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    /// The ruleset.
    pub(crate) ruleset: Arc<CompiledRuleset>,
    /// Who calls.
    pub(crate) holder: Arc<KeyHolder>,
}

/// Returns the notes of a request. `observe` put them there; a request that did not come through it gets its own.
fn trace_of<B>(request: &Request<B>) -> Trace {
    request.extensions().get::<Trace>().cloned().unwrap_or_default()
}

fn full(bytes: impl Into<Bytes>) -> ReplyBody {
    Full::new(bytes.into()).boxed_unsync()
}

fn empty() -> ReplyBody {
    Empty::new().boxed_unsync()
}

fn json(status: StatusCode, value: &serde_json::Value) -> Reply {
    let mut reply = Response::new(full(value.to_string()));
    *reply.status_mut() = status;
    drop(
        reply
            .headers_mut()
            .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")),
    );
    reply
}
