//! Layer 9: the chain. Candidates are tried in order until one gives content; never after that, because what was sent
//! cannot be taken back. Every candidate leaves a note, also those that were skipped.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::limits::ATTEMPTS_MAX;
use breakwater_common::ruleset::{Candidate, Facts};
use breakwater_runtime::SharedClock;
use tower::Service;

use super::explain::{Failures, note};
use super::reply;
use crate::call::{Answer, Attempt, AttemptFault, Call, Pending, Reply};
use crate::fault::Fault;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Attempts<S> {
    inner: S,
    clock: SharedClock,
}

impl<S> Attempts<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, clock: SharedClock) -> Self {
        Self { inner, clock }
    }
}

impl<S> Service<Call> for Attempts<S>
where
    S: Service<Attempt, Response = Answer, Error = AttemptFault, Future = Pending<Answer, AttemptFault>>
        + Clone
        + Send
        + 'static,
{
    type Response = Reply;
    type Error = Fault;
    type Future = Pending<Reply, Fault>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let inner = self.inner.clone();
        let clock = self.clock.clone();
        Box::pin(run(inner, clock, call))
    }
}

async fn run<S>(mut inner: S, clock: SharedClock, call: Call) -> Result<Reply, Fault>
where
    S: Service<Attempt, Response = Answer, Error = AttemptFault, Future = Pending<Answer, AttemptFault>>,
{
    let candidates = select(&call);
    let mut failures = Failures::new(candidates.len());
    for candidate in candidates {
        if let Some(reason) = skip(&candidate) {
            call.trace.attempt(note(&candidate, "skipped", reason));
            continue;
        }
        let started = clock.mono();
        let tried = match inner.call(attempt(&call, &candidate)).await {
            Ok(answer) => reply::begin(&call, answer).await,
            Err(fault) => Err(fault),
        };
        let mut noted = match &tried {
            Ok(_) => note(&candidate, "succeeded", ""),
            Err(fault) => note(&candidate, failures.result(fault), &fault.word()),
        };
        noted.status = tried.as_ref().map_or_else(|fault| fault.status, |_| Some(200));
        noted.duration_ms = millis(clock.mono().since(started));
        call.trace.attempt(noted);
        match tried {
            Ok(reply) => return Ok(reply),
            // The caller's own fault: every other upstream would say the same.
            Err(AttemptFault { rejection: Some(rejection), .. }) => return Err(Fault::Rejected(rejection)),
            Err(fault) => failures.failed(&fault),
        }
    }
    Err(failures.verdict())
}

/// Returns the chain of the rule that holds for the call.
fn select(call: &Call) -> Vec<Candidate> {
    let facts = Facts {
        attributes: &call.holder.attributes,
        tenant: &call.holder.tenant,
        model: &call.alias,
        stream: call.request.stream(),
    };
    let selection = call.route.select(&facts);
    call.trace.note().rule = selection.rule;
    selection.candidates.iter().take(ATTEMPTS_MAX).cloned().collect()
}

/// Returns why a candidate is not even asked.
fn skip(candidate: &Candidate) -> Option<&'static str> {
    let provider = &candidate.upstream.provider;
    if candidate.disabled {
        Some("disabled")
    } else if !provider.provider_type.speaks_openai_chat() {
        Some("dialect_not_supported")
    } else if provider.credentials.is_empty() {
        Some("no_credential")
    } else {
        None
    }
}

fn attempt(call: &Call, candidate: &Candidate) -> Attempt {
    Attempt {
        upstream: Arc::clone(&candidate.upstream),
        model: candidate.model.clone(),
        deployment: candidate.deployment.clone(),
        alias: call.alias.clone(),
        body: call.request.rewrite(&candidate.model, &call.redactions),
        stream: call.request.stream(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
