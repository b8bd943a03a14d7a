//! What this proxy sees of routes that ask for a service level: one machine for each endpoint of each such route. The machines
//! are pure; here are their lock (short, never across an await) and what follows when one changes its mind.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use breakwater_common::ruleset::{Candidate, CompiledRoute, CompiledRuleset};
use breakwater_common::sla::{Change, Machine, Sample, Settings, Verdict};
use breakwater_runtime::SharedClock;

use crate::metrics::Metrics;

/// The routes that ask for a service level. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Reroutes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    metrics: Metrics,
    routes: ArcSwap<BTreeMap<String, Arc<Watched>>>,
}

/// The endpoints of one route.
#[derive(Debug)]
struct Watched {
    settings: Settings,
    endpoints: Mutex<Vec<Endpoint>>,
}

#[derive(Debug, Clone)]
struct Endpoint {
    provider: String,
    model: String,
    machine: Machine,
}

impl Reroutes {
    /// Makes them; there are no routes yet.
    pub(crate) fn new(clock: SharedClock, metrics: Metrics) -> Self {
        Self(Arc::new(Shared { clock, metrics, routes: ArcSwap::default() }))
    }

    /// Takes the routes of a ruleset. What is known of an endpoint stays if its route asks for the same still.
    pub(crate) fn follow(&self, ruleset: &CompiledRuleset) {
        let before = self.0.routes.load();
        let mut routes = BTreeMap::new();
        for route in ruleset.routes().values() {
            let Some(settings) = route.sla else { continue };
            let known = before.get(&route.name).filter(|watched| watched.settings == settings);
            let known = known.map(|watched| watched.endpoints().clone()).unwrap_or_default();
            routes.insert(route.name.clone(), Arc::new(Watched::new(settings, route, &known)));
        }
        self.0.metrics.not_rerouted();
        for (name, watched) in &routes {
            for endpoint in watched.endpoints().iter().filter(|endpoint| endpoint.machine.is_away()) {
                self.0.metrics.rerouted(name, &endpoint.provider, true);
            }
        }
        self.0.routes.store(Arc::new(routes));
    }

    /// Puts candidates that do not keep what the route asks for behind the first that does, in their order, and returns them.
    /// If none does the order stays as it is: a slow answer is better than none.
    pub(crate) fn order(&self, route: &CompiledRoute, candidates: &mut Vec<Candidate>) -> Vec<Candidate> {
        let Some(watched) = self.watched(route) else { return Vec::new() };
        let now = self.0.clock.mono();
        let mut endpoints = watched.endpoints();
        let stays = |candidate: &Candidate| {
            let endpoint = endpoints.iter_mut().find(|endpoint| endpoint.is_at(candidate));
            endpoint.is_none_or(|endpoint| endpoint.machine.ask(now) != Verdict::Elsewhere)
        };
        let Some(first) = candidates.iter().position(stays) else { return Vec::new() };
        let passed: Vec<Candidate> = candidates.drain(..first).collect();
        candidates.extend(passed.iter().cloned());
        passed
    }

    /// Takes in what became of a call at an endpoint. `tokens` are those of an answer that came in one piece.
    pub(crate) fn report(
        &self,
        route: &CompiledRoute,
        candidate: &Candidate,
        good: bool,
        taken: Duration,
        tokens: u64,
    ) {
        let Some(watched) = self.watched(route) else { return };
        let sample = Sample::of(&watched.settings, good, taken, tokens);
        let mut endpoints = watched.endpoints();
        let Some(endpoint) = endpoints.iter_mut().find(|endpoint| endpoint.is_at(candidate)) else { return };
        let Some(change) = endpoint.machine.report(self.0.clock.mono(), sample) else { return };
        drop(endpoints);
        let provider = &candidate.upstream.name;
        tracing::warn!(route = route.name, provider, model = candidate.model, ?change, "service level");
        self.0.metrics.rerouted(&route.name, provider, change != Change::Returned);
    }

    fn watched(&self, route: &CompiledRoute) -> Option<Arc<Watched>> {
        route.sla?;
        self.0.routes.load().get(&route.name).cloned()
    }
}

impl Watched {
    fn new(settings: Settings, route: &CompiledRoute, known: &[Endpoint]) -> Self {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for candidate in route.candidates() {
            if endpoints.iter().any(|endpoint| endpoint.is_at(candidate)) {
                continue;
            }
            let known = known.iter().find(|endpoint| endpoint.is_at(candidate)).cloned();
            endpoints.push(known.unwrap_or_else(|| Endpoint {
                provider: candidate.upstream.name.clone(),
                model: candidate.model.clone(),
                machine: Machine::new(settings),
            }));
        }
        Self { settings, endpoints: Mutex::new(endpoints) }
    }

    fn endpoints(&self) -> MutexGuard<'_, Vec<Endpoint>> {
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Endpoint {
    fn is_at(&self, candidate: &Candidate) -> bool {
        self.provider == candidate.upstream.name && self.model == candidate.model
    }
}
