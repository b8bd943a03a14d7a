//! Layer 9: the chain. Candidates are tried in order until one gives content; never after that, because what was sent
//! cannot be taken back. Every candidate leaves a note, also those that were skipped.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use breakwater_common::guard::Side;
use breakwater_common::limits::ATTEMPTS_MAX;
use breakwater_common::resource::ProviderType;
use breakwater_common::ruleset::{Candidate, Facts};
use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::embeddings::EmbeddingsFormat;
use breakwater_dialect::exchange::{self, Exchange};
use breakwater_dialect::ir::Refused;
use breakwater_dialect::{Format, quirks};
use breakwater_runtime::SharedClock;
use http::HeaderMap;
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
        let attempt = match attempt(&call, &candidate) {
            Ok(attempt) => attempt,
            Err(refused) => {
                call.trace.attempt(note(&candidate, "skipped", "not_translatable"));
                failures.refused(refused);
                continue;
            }
        };
        let tried = match inner.call(attempt).await {
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
    } else if provider.credentials.is_empty() && provider.provider_type != ProviderType::Ollama {
        Some("no_credential")
    } else {
        None
    }
}

/// Writes the call for a candidate. Errors: its format cannot say what the call asks.
fn attempt(call: &Call, candidate: &Candidate) -> Result<Attempt, Refused> {
    let provider = &candidate.upstream.provider;
    let client = call.request.format();
    let format = Format::at(provider.provider_type, &provider.base_url, client);
    let target = Target {
        format,
        model: candidate.model.clone(),
        max_output_tokens: None,
        embeddings: EmbeddingsFormat::at(provider.provider_type, &provider.base_url, &candidate.model),
        quirks: quirks::of_host(provider.provider_type, host(&provider.base_url)),
    };
    let prepared = exchange::prepare(&call.request, &call.redactions, &target)?;
    if !prepared.dropped.is_empty() {
        tracing::debug!(provider = %candidate.upstream.name, dropped = ?prepared.dropped, "left out in translation");
    }
    let facts = call.trace.note();
    let caller = Caller {
        alias: call.alias.clone(),
        id: facts.request_id.trim_start_matches("bwr-").to_owned(),
        created: facts.start.0 / 1_000,
        include_usage: call.request.asked_usage(),
        reveal_provider: call.route.reveal_provider,
        gemini_array: call.array,
        request: prepared.request.unwrap_or_default(),
    };
    drop(facts);
    let guards = call.route.guards.inspects(Side::Output).then(|| Arc::clone(&call.route.guards));
    Ok(Attempt {
        upstream: Arc::clone(&candidate.upstream),
        model: candidate.model.clone(),
        deployment: candidate.deployment.clone(),
        alias: call.alias.clone(),
        body: prepared.body,
        exchange: Arc::new(Exchange {
            client,
            provider: format,
            caller,
            guards,
            embeddings: prepared.embeddings,
        }),
        headers: if client == format { call.headers.clone() } else { HeaderMap::new() },
        stream: call.request.stream(),
    })
}

/// Returns the host of an address.
fn host(address: &str) -> &str {
    let after = address.split_once("://").map_or(address, |(_, after)| after);
    after.split(['/', ':']).next().unwrap_or_default()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
