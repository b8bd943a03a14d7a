//! Layer 9: the chain. Candidates and their credentials are tried in order until one gives content; never after that, because
//! what was sent cannot be taken back. Every try leaves a note, also those that were skipped.

use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::breaker::failure::Next;
use breakwater_common::guard::Side;
use breakwater_common::limits::ATTEMPTS_MAX;
use breakwater_common::resource::{Model, ProviderType};
use breakwater_common::ruleset::{Candidate, Facts};
use breakwater_common::time::UnixMillis;
use breakwater_dialect::codec::{Caller, Target};
use breakwater_dialect::embeddings::EmbeddingsFormat;
use breakwater_dialect::exchange::{self, Exchange};
use breakwater_dialect::ir::Refused;
use breakwater_dialect::json::Edits;
use breakwater_dialect::{Format, quirks};
use breakwater_runtime::SharedClock;
use http::{HeaderMap, HeaderValue};
use tower::Service;

use super::chain::{Chain, Moved};
use super::eligible::Eligibility;
use super::explain::{Failures, note};
use super::underway::Underway;
use super::{left_out, reply};
use crate::call::{Answer, Attempt, AttemptFault, Call, Pending, Reply, State};
use crate::fault::Fault;
use crate::reroutes::Reroutes;
use crate::tokens;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Attempts<S> {
    inner: S,
    clock: SharedClock,
    reroutes: Reroutes,
}

impl<S> Attempts<S> {
    /// Wraps a service.
    pub(crate) fn new(inner: S, clock: SharedClock, reroutes: Reroutes) -> Self {
        Self { inner, clock, reroutes }
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
        let reroutes = self.reroutes.clone();
        Box::pin(run(inner, clock, reroutes, call))
    }
}

async fn run<S>(mut inner: S, clock: SharedClock, reroutes: Reroutes, call: Call) -> Result<Reply, Fault>
where
    S: Service<Attempt, Response = Answer, Error = AttemptFault, Future = Pending<Answer, AttemptFault>>,
{
    let mut candidates = select(&call, clock.wall());
    let eligibility = Eligibility::of(&call);
    if call.state.is_some() {
        // It is kept in one place.
        candidates.retain(|candidate| eligibility.against(candidate).is_none() && keeps(candidate));
        candidates.truncate(1);
    } else {
        for passed in reroutes.order(&call.route, &mut candidates) {
            call.trace.attempt(note(&passed, "skipped", "sla_reroute"));
        }
    }
    let mut failures = Failures::new(candidates.len());
    let rates_mean_something = call.route.reveal_provider || one_provider(&candidates);
    let mut chain = Chain::new(&candidates);
    while let Some((candidate, credential)) = chain.here() {
        if counts_here(&call, candidate) {
            return Ok(reply::counted(tokens::of_request(&call.request)));
        }
        if let Some(reason) = eligibility.against(candidate) {
            call.trace.attempt(note(candidate, "skipped", &reason));
            let _moved = chain.go_on(Next::Candidate, false);
            continue;
        }
        let (attempt, left_out) = match attempt(&call, candidate, credential) {
            Ok(written) => written,
            Err(refused) => {
                call.trace.attempt(note(candidate, "skipped", "not_translatable"));
                failures.refused(refused);
                let _moved = chain.go_on(Next::Candidate, false);
                continue;
            }
        };
        let started = clock.mono();
        let underway = Underway::new(&call, &clock, note(candidate, "", ""));
        let asked = inner.call(attempt).await;
        let tried = begin(&call, asked, rates_mean_something).await;
        if let Some(good) = served(&tried) {
            let tokens = call.trace.note().usage.filter(|_| good).map_or(0, |usage| usage.output);
            reroutes.report(&call.route, candidate, good, clock.mono().since(started), tokens);
        }
        match &tried {
            Ok(_) => underway.end("succeeded", String::new(), Some(200)),
            Err(fault) => underway.end(Failures::result(fault), fault.word(), fault.status),
        }
        let fault = match tried {
            Ok(mut reply) => {
                reply.headers_mut().extend(left_out.map(|names| (left_out::HEADER, names)));
                return Ok(reply);
            }
            // The caller's own fault: every other upstream would say the same.
            Err(AttemptFault { rejection: Some(mut rejection), told, .. }) => {
                rejection.should_retry = told.should_retry;
                return Err(Fault::Rejected(rejection));
            }
            Err(fault) => fault,
        };
        failures.failed(&fault);
        if chain.go_on(fault.class.effect().next, !fault.class.is_unasked()) == Moved::Candidate {
            failures.next_candidate();
        }
    }
    Err(failures.verdict())
}

/// Begins the reply with what an upstream gave, without what its head says of limits if that means nothing to the caller.
async fn begin(
    call: &Call,
    asked: Result<Answer, AttemptFault>,
    rates_mean_something: bool,
) -> Result<Reply, AttemptFault> {
    match asked {
        Ok(mut answer) => {
            if !rates_mean_something {
                answer.told.rates.clear();
            }
            reply::begin(call, answer).await
        }
        Err(mut fault) => {
            if !rates_mean_something {
                fault.told.rates.clear();
            }
            Err(fault)
        }
    }
}

/// Whether an upstream served a call; none if it was not asked, or if the fault was the caller's own.
fn served(tried: &Result<Reply, AttemptFault>) -> Option<bool> {
    match tried {
        Ok(_) => Some(true),
        Err(fault) if fault.rejection.is_some() || fault.class.is_unasked() => None,
        Err(fault) => (fault.class.effect().next != Next::Stop).then_some(false),
    }
}

/// Returns the chain of the rule that holds for the call.
fn select(call: &Call, now: UnixMillis) -> Vec<Candidate> {
    let facts = Facts {
        attributes: &call.holder.attributes,
        tenant: &call.holder.tenant,
        model: &call.alias,
        stream: call.request.stream(),
    };
    // What is kept somewhere stays there, wherever the route has moved.
    let selection = match call.state {
        Some(_) => call.route.select(&facts),
        None => call.route.select_at(&facts, now),
    };
    call.trace.note().rule = selection.rule;
    if let Some(passed_over) = selection.passed_over {
        call.trace.attempt(note(passed_over, "skipped", "route_override"));
    }
    selection.candidates.iter().take(ATTEMPTS_MAX).cloned().collect()
}

/// Whether all candidates are one provider's. What is left of a provider's limits means something to a caller only if the
/// same provider answers its next call; else it would tell that another did.
fn one_provider(candidates: &[Candidate]) -> bool {
    let names = || candidates.iter().map(|candidate| &candidate.upstream.name);
    names().zip(names().skip(1)).all(|(one, next)| one == next)
}

/// Whether a call to count tokens goes to a provider that cannot: then they are counted here.
fn counts_here(call: &Call, candidate: &Candidate) -> bool {
    let provider = &candidate.upstream.provider;
    let client = call.request.format();
    client == Format::CountTokens
        && Format::at(provider.provider_type, &provider.base_url, client) != Format::CountTokens
}

/// Whether a provider keeps things as OpenAI does.
fn keeps(candidate: &Candidate) -> bool {
    matches!(
        candidate.upstream.provider.provider_type,
        ProviderType::OpenAi | ProviderType::AzureOpenAi | ProviderType::OpenAiCompatible
    )
}

/// Writes the call for a candidate, and the header that names what was left out. Errors: its format cannot say what the call
/// asks.
fn attempt(
    call: &Call,
    candidate: &Candidate,
    credential: usize,
) -> Result<(Attempt, Option<HeaderValue>), Refused> {
    if let Some(state) = &call.state {
        return Ok((Attempt { credential, ..stored(call, candidate, state) }, None));
    }
    let provider = &candidate.upstream.provider;
    let client = call.request.format();
    let format = Format::at(provider.provider_type, &provider.base_url, client);
    let model = provider.model(&candidate.model);
    let target = Target {
        format,
        model: candidate.model.clone(),
        max_output_tokens: model.and_then(|model| model.max_output_tokens).map(u64::from),
        reasons: model.and_then(Model::reasons),
        embeddings: EmbeddingsFormat::at(provider.provider_type, &provider.base_url, &candidate.model),
        quirks: quirks::of_host(provider.provider_type, host(&provider.base_url)),
    };
    let prepared = exchange::prepare(&call.request, &call.redactions, &target)?;
    call.trace.note().price = model.and_then(|model| model.price);
    let caller = Caller {
        reveal_provider: call.route.reveal_provider,
        request: prepared.request.unwrap_or_default(),
        ..caller(call)
    };
    let guards = call.route.guards.inspects(Side::Output).then(|| Arc::clone(&call.route.guards));
    let attempt = Attempt {
        upstream: Arc::clone(&candidate.upstream),
        model: candidate.model.clone(),
        deployment: candidate.deployment.clone(),
        credential,
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
        state: None,
        stream: call.request.stream(),
    };
    Ok((attempt, left_out::header(&prepared.dropped)))
}

/// For whom an answer is written, as far as the call says it.
fn caller(call: &Call) -> Caller {
    let facts = call.trace.note();
    Caller {
        alias: call.alias.clone(),
        id: facts.request_id.trim_start_matches("bwr-").to_owned(),
        created: facts.start.0 / 1_000,
        include_usage: call.request.asked_usage(),
        gemini_array: call.array,
        ..Caller::default()
    }
}

/// Writes a call about something that the candidate's provider keeps: as it came, but for the model's name. Ids pass: they
/// are what the call is about.
fn stored(call: &Call, candidate: &Candidate, state: &Arc<State>) -> Attempt {
    let body = if call.request.says_model() {
        call.request.rewrite(&candidate.model, &call.redactions, Edits::default())
    } else {
        call.request.redacted(&call.redactions)
    };
    let whole = state.stream() || state.generates();
    let format = if whole { Format::Responses } else { Format::Moderations };
    let caller = Caller { reveal_provider: true, ..caller(call) };
    Attempt {
        upstream: Arc::clone(&candidate.upstream),
        model: candidate.model.clone(),
        deployment: candidate.deployment.clone(),
        credential: 0,
        alias: call.alias.clone(),
        body,
        exchange: Arc::new(Exchange {
            client: format,
            provider: format,
            caller,
            guards: None,
            embeddings: None,
        }),
        headers: HeaderMap::new(),
        state: Some(Arc::clone(state)),
        stream: state.stream(),
    }
}

/// Returns the host of an address.
fn host(address: &str) -> &str {
    let after = address.split_once("://").map_or(address, |(_, after)| after);
    after.split(['/', ':']).next().unwrap_or_default()
}
