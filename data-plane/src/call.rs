//! What passes between the zones: a [`Call`] from the edge to `enforce`, an [`Attempt`] from there to `upstream`, an
//! [`Answer`] back up, and a [`Reply`] to the edge.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use breakwater_common::breaker::failure::Class;
use breakwater_common::resource::{Credential, Tenant};
use breakwater_common::ruleset::{CompiledRoute, KeyHolder, Upstream};
use breakwater_dialect::exchange::Exchange;
use breakwater_dialect::pass::ClientRequest;
use bytes::Bytes;
use http::{HeaderMap, Method};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::breakers::Permit;
use crate::fault::Rejection;
use crate::told::Told;
use crate::trace::Trace;

/// Body of what goes to a client. It cannot fail: an answer that breaks off says so in its own format.
pub(crate) type ReplyBody = UnsyncBoxBody<Bytes, Infallible>;

/// What goes to a client.
pub(crate) type Reply = http::Response<ReplyBody>;

/// A layer's future. Each layer boxes its own: eleven small allocations a call, about a microsecond together, buy layers
/// that are plain async functions.
pub(crate) type Pending<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

tokio::task_local! {
    /// When the time of the call that this task serves is over, told to the server beneath all layers. Only HTTP/2 has a
    /// task for each call.
    pub(crate) static CALL_END: Cell<Instant>;
}

/// One call, decoded, with everything that holds for it until its end.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its notes.
    pub(crate) trace: Trace,
    /// Who calls.
    pub(crate) holder: Arc<KeyHolder>,
    /// Whose key it is.
    pub(crate) tenant: Arc<Tenant>,
    /// Where it goes.
    pub(crate) route: Arc<CompiledRoute>,
    /// What the caller put in `model`.
    pub(crate) alias: String,
    /// What is asked.
    pub(crate) request: Arc<ClientRequest>,
    /// The call is about something that a provider keeps.
    pub(crate) state: Option<Arc<State>>,
    /// The path asks for a stream as one JSON array (Gemini without `alt=sse`).
    pub(crate) array: bool,
    /// Headers of the caller that go on to a provider of the caller's own format, and nowhere else.
    pub(crate) headers: HeaderMap,
    /// New texts, by index into the request's texts. Filled by the input guard.
    pub(crate) redactions: Vec<(usize, String)>,
    /// When the call's time is over.
    pub(crate) deadline: Instant,
}

/// A call about something that a provider keeps for its callers: stored responses and chat completions, models of their own.
/// It goes to one provider and is not translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// Its method.
    pub(crate) method: Method,
    /// Path and query below the provider's `base_url`, as the caller wrote them: `responses/resp_1/cancel`.
    pub(crate) target: String,
}

impl Call {
    /// Whether the call has tokens of its own.
    pub(crate) fn is_settled(&self) -> bool {
        self.state.as_ref().is_none_or(|state| state.generates())
    }
}

impl State {
    /// Whether it makes a model work. All else only tells again what was said, and was paid, before.
    pub(crate) fn generates(&self) -> bool {
        self.method == Method::POST && self.target.split('?').next() == Some("responses/compact")
    }

    /// Whether the answer is to be a stream.
    pub(crate) fn stream(&self) -> bool {
        self.target
            .split_once('?')
            .is_some_and(|(_, query)| query.split('&').any(|pair| pair == "stream=true"))
    }
}

/// One try at one upstream.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    /// Where to.
    pub(crate) upstream: Arc<Upstream>,
    /// The model as the upstream names it.
    pub(crate) model: String,
    /// Azure's deployment.
    pub(crate) deployment: String,
    /// Which of the provider's credentials, from 0.
    pub(crate) credential: usize,
    /// What the caller calls the model: what an error says in its place.
    pub(crate) alias: String,
    /// The body, in the upstream's format.
    pub(crate) body: Bytes,
    /// How the answer becomes the caller's.
    pub(crate) exchange: Arc<Exchange>,
    /// Headers that go with it.
    pub(crate) headers: HeaderMap,
    /// See [`Call::state`].
    pub(crate) state: Option<Arc<State>>,
    /// The answer is to be a stream.
    pub(crate) stream: bool,
}

/// What an upstream gave: the head of a successful answer, and its body.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Who gave it.
    pub(crate) upstream: Arc<Upstream>,
    /// How it becomes the caller's.
    pub(crate) exchange: Arc<Exchange>,
    /// Its body.
    pub(crate) body: AnswerBody,
    /// What its head says.
    pub(crate) told: Told,
    /// The breaker's permit, still to be reported on.
    pub(crate) permit: Permit,
    /// When the request was sent.
    pub(crate) sent: Instant,
    /// From then to the answer's head.
    pub(crate) first_byte: Duration,
    /// When a stream must have given its first content.
    pub(crate) first_content_by: Instant,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All of it, not yet looked at.
    Whole(Bytes),
    /// A stream of events, not yet looked at.
    Stream(Incoming),
}

/// Why an attempt gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptFault {
    /// What happened.
    pub(crate) class: Class,
    /// The upstream's status, if there was one.
    pub(crate) status: Option<u16>,
    /// When it asked us to come back, or when its breaker lets a probe through.
    pub(crate) retry_after: Option<Duration>,
    /// What it said, if the caller is to hear it.
    pub(crate) rejection: Option<Box<Rejection>>,
    /// What the head of its refusal says.
    pub(crate) told: Box<Told>,
}

impl Attempt {
    /// Returns the credential; none if the provider has none.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.upstream.provider.credentials.get(self.credential)
    }
}

impl AttemptFault {
    /// Makes a fault that says only what happened.
    pub(crate) fn new(class: Class) -> Self {
        Self { class, status: None, retry_after: None, rejection: None, told: Box::default() }
    }

    /// Returns the reason as notes have it: `status_503`.
    pub(crate) fn word(&self) -> String {
        match (self.class, self.status) {
            (Class::Status | Class::UnexpectedStatus, Some(status)) => format!("status_{status}"),
            (class, _) => class.as_str().to_owned(),
        }
    }
}
