//! The whole way of a call, in reading order. Layers refuse in `call`, never in `poll_ready`: where a call goes is decided
//! for each call, so nothing may wait in front of the stack, and no hidden queue can form.

use std::sync::Arc;

use breakwater_runtime::SharedClock;
use tower::ServiceBuilder;
use tower::layer::layer_fn;

use crate::breakers::Breakers;
use crate::edge::admit::Admit;
use crate::edge::authenticate::Authenticate;
use crate::edge::decode::Decode;
use crate::edge::doors::{Doors, Probes};
use crate::edge::limit::Limit;
use crate::edge::observe::Observe;
use crate::edge::rescue::Rescue;
use crate::enforce::attempts::Attempts;
use crate::enforce::deadline::Deadline;
use crate::enforce::guard::Guard;
use crate::gate::Gate;
use crate::limiters::Limiters;
use crate::metrics::Metrics;
use crate::outcomes::Outcomes;
use crate::reroutes::Reroutes;
use crate::ruleset_cell::RulesetCell;
use crate::server::Stack;
use crate::upstream::breaker::Breaker;
use crate::upstream::client::Clients;
use crate::upstream::dispatch::Dispatch;
use crate::upstream::sign::Sign;

/// What the layers share with the rest of the proxy.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// The time.
    pub(crate) clock: SharedClock,
    /// The ruleset in force.
    pub(crate) cell: RulesetCell,
    /// One breaker for each provider.
    pub(crate) breakers: Breakers,
    /// The limits of routes and tenants.
    pub(crate) limiters: Limiters,
    /// How many calls are taken in.
    pub(crate) gate: Gate,
    /// What routes' endpoints keep of what the routes ask for.
    pub(crate) reroutes: Reroutes,
    /// Where outcomes go.
    pub(crate) outcomes: Outcomes,
    /// What is counted.
    pub(crate) metrics: Metrics,
    /// Connections to upstreams.
    pub(crate) clients: Clients,
}

/// Builds the stack of a port.
pub(crate) fn build(parts: &Parts, probes: Arc<Probes>) -> Stack {
    let Parts { clock, cell, breakers, limiters, gate, reroutes, outcomes, metrics, clients } = parts.clone();
    let (observe_clock, attempts_clock, sign_clock) = (clock.clone(), clock.clone(), clock.clone());
    let dispatch_clock = clock.clone();
    let stack = ServiceBuilder::new()
        // Outermost, so that it sees what the client saw, errors included, and sees it when the client leaves.
        .layer(layer_fn(move |inner| Observe::new(inner, observe_clock.clone(), outcomes.clone())))
        // Around everything that can fail: the one writer of error bodies.
        .layer(layer_fn(move |inner| Rescue::new(inner, metrics.clone())))
        // Before admission and keys: probes must answer when calls are shed, and unknown paths cost nothing.
        .layer(layer_fn(move |inner| Doors::new(inner, probes.clone())))
        // Before the body is read: whoever has no key sends us nothing large. Pins the ruleset.
        .layer(layer_fn(move |inner| Authenticate::new(inner, cell.clone(), clock.clone())))
        // Before any other work for a call. The key, which costs one digest, says how urgent it may be.
        .layer(layer_fn(move |inner| Admit::new(inner, gate.clone())))
        // From HTTP to a call.
        .layer(layer_fn(Decode::new))
        // Needs the route, the tenant and the tokens asked for; before any work that others pay for.
        .layer(layer_fn(move |inner| Limit::new(inner, limiters.clone())))
        // One budget of time for guardrails, all attempts and the answer.
        .layer(layer_fn(Deadline::new))
        // Outside of the attempts: a blocked call is answered, not tried elsewhere.
        .layer(layer_fn(Guard::new))
        // The chain of upstreams.
        .layer(layer_fn(move |inner| Attempts::new(inner, attempts_clock.clone(), reroutes.clone())))
        // Inside of the attempts: each try asks the breaker of its own provider.
        .layer(layer_fn(move |inner| Breaker::new(inner, breakers.clone())))
        // Only an attempt that was let through gets a credential.
        .layer(layer_fn(move |inner| Sign::new(inner, sign_clock.clone())))
        // The network.
        .service(Dispatch::new(clients, dispatch_clock));
    Stack::new(stack)
}
