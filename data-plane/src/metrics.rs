//! What the proxy counts. Every label comes from a closed set or through a bound.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use breakwater_common::limits::{METRIC_PROVIDERS_MAX, METRIC_ROUTES_MAX};
use breakwater_runtime::metrics::{
    self, Counter, EncodeLabelSet, Family, Gauge, Histogram, LabelBound, Registry,
};

use crate::breakers::{Breakers, Cooling};
use crate::trace::Facts;

/// Upper ends of the buckets of call durations, in seconds: from a cached refusal to ten minutes, the official clients'
/// limit.
const DURATION_BUCKETS_S: [f64; 14] =
    [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0];

/// The proxy's metrics. Clones share them.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Shared>);

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let _ = self.0.dec();
    }
}

struct Shared {
    registry: Mutex<Registry>,
    calls: Family<CallLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    tokens: Family<TokenLabels, Counter>,
    cost: Family<RouteLabels, Counter>,
    breaker_states: Family<ProviderLabels, Gauge>,
    cooling: Family<CoolingLabels, Gauge>,
    attempts: Family<AttemptLabels, Counter>,
    findings: Family<FindingLabels, Counter>,
    bad_inputs: Family<CauseLabels, Counter>,
    limited: Family<LimitLabels, Counter>,
    shed: Family<PriorityLabels, Counter>,
    calls_bound: Gauge,
    calls_running: Gauge,
    rerouted: Family<ReroutedLabels, Gauge>,
    revision: Gauge,
    rulesets: Family<CauseLabels, Counter>,
    connected: Gauge,
    dropped: Counter,
    connections: Gauge,
    routes: LabelBound,
    providers: LabelBound,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    route: String,
    status: u32,
    ending: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TokenLabels {
    route: String,
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabels {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CoolingLabels {
    provider: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    provider: String,
    result: &'static str,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReroutedLabels {
    route: String,
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FindingLabels {
    side: &'static str,
    category: &'static str,
    verdict: &'static str,
    enforced: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PriorityLabels {
    priority: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    subject: &'static str,
    limit: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CauseLabels {
    cause: &'static str,
}

impl Metrics {
    /// Makes and registers them.
    pub(crate) fn new() -> Self {
        let mut shared = Shared {
            registry: Mutex::default(),
            calls: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS_S)),
            tokens: Family::default(),
            cost: Family::default(),
            breaker_states: Family::default(),
            cooling: Family::default(),
            attempts: Family::default(),
            findings: Family::default(),
            bad_inputs: Family::default(),
            limited: Family::default(),
            shed: Family::default(),
            calls_bound: Gauge::default(),
            calls_running: Gauge::default(),
            rerouted: Family::default(),
            revision: Gauge::default(),
            rulesets: Family::default(),
            connected: Gauge::default(),
            dropped: Counter::default(),
            connections: Gauge::default(),
            routes: LabelBound::new(METRIC_ROUTES_MAX),
            providers: LabelBound::new(METRIC_PROVIDERS_MAX),
        };
        shared.register();
        Self(Arc::new(shared))
    }

    /// Counts a call that ended.
    pub(crate) fn call(&self, facts: &Facts) {
        let shared = &self.0;
        if facts.is_call {
            let route = shared.routes.admit(&facts.route).to_owned();
            let duration_ms = u32::try_from(facts.duration_ms).unwrap_or(u32::MAX);
            shared
                .durations
                .get_or_create(&RouteLabels { route: route.clone() })
                .observe(f64::from(duration_ms) / 1_000.0);
            let status = u32::from(facts.status);
            let labels = CallLabels { route, status, ending: facts.ending.as_str() };
            let _ = shared.calls.get_or_create(&labels).inc();
        }
        if let Some((subject, limit)) = facts.limit {
            let _ = shared.limited.get_or_create(&LimitLabels { subject, limit }).inc();
        }
        if let Some(priority) = facts.shed {
            let _ = shared.shed.get_or_create(&PriorityLabels { priority }).inc();
        }
        self.tokens(facts);
        for note in &facts.attempts {
            let provider = shared.providers.admit(&note.provider).to_owned();
            let labels = AttemptLabels { provider, result: note.result, reason: note.reason.clone() };
            let _ = shared.attempts.get_or_create(&labels).inc();
        }
        for note in &facts.findings {
            let labels = FindingLabels {
                side: note.side,
                category: note.finding.category,
                verdict: note.finding.action.as_str(),
                enforced: note.finding.enforced.to_string(),
            };
            let _ = shared.findings.get_or_create(&labels).inc_by(u64::from(note.finding.count));
        }
    }

    fn tokens(&self, facts: &Facts) {
        let Some(usage) = facts.usage else { return };
        let shared = &self.0;
        let route = shared.routes.admit(&facts.route).to_owned();
        let kinds = [
            ("input", usage.input),
            ("cache_read", usage.cache_read),
            ("cache_write", usage.cache_write),
            ("output", usage.output.saturating_sub(usage.reasoning)),
            ("reasoning", usage.reasoning),
        ];
        for (kind, count) in kinds.into_iter().filter(|(_, count)| *count > 0) {
            let labels = TokenLabels { route: route.clone(), kind };
            let _ = shared.tokens.get_or_create(&labels).inc_by(count);
        }
        if let Some(cost) = facts.cost_microdollars() {
            let _ = shared.cost.get_or_create(&RouteLabels { route }).inc_by(cost);
        }
    }

    /// Counts input that was refused before it became a call or while it was read.
    pub(crate) fn bad_input(&self, cause: &'static str) {
        let _ = self.0.bad_inputs.get_or_create(&CauseLabels { cause }).inc();
    }

    /// Says for how many calls the proxy is open, and how many are in.
    pub(crate) fn gate(&self, bound: u32, running: u32) {
        let _ = self.0.calls_bound.set(i64::from(bound));
        let _ = self.0.calls_running.set(i64::from(running));
    }

    /// Says whether a route asks a provider after its fallbacks.
    pub(crate) fn rerouted(&self, route: &str, provider: &str, away: bool) {
        let shared = &self.0;
        let (route, provider) =
            (shared.routes.admit(route).to_owned(), shared.providers.admit(provider).to_owned());
        let gauge = shared.rerouted.get_or_create_owned(&ReroutedLabels { route, provider });
        let _ = gauge.set(i64::from(away));
    }

    /// Forgets which routes were moved, before they are said anew.
    pub(crate) fn not_rerouted(&self) {
        self.0.rerouted.clear();
    }

    /// Says which revision is in force.
    pub(crate) fn revision(&self, revision: u64) {
        let _ = self.0.revision.set(i64::try_from(revision).unwrap_or(i64::MAX));
    }

    /// Counts a ruleset: "accepted" or "refused".
    pub(crate) fn ruleset(&self, cause: &'static str) {
        let _ = self.0.rulesets.get_or_create(&CauseLabels { cause }).inc();
    }

    /// Says whether the link to the control plane is up.
    pub(crate) fn connected(&self, connected: bool) {
        let _ = self.0.connected.set(i64::from(connected));
    }

    /// Counts an outcome that the full queue dropped.
    pub(crate) fn dropped_outcome(&self) {
        let _ = self.0.dropped.inc();
    }

    /// Returns how many outcomes were dropped.
    pub(crate) fn dropped_outcomes(&self) -> u64 {
        self.0.dropped.get()
    }

    /// Counts a connection as open as long as the returned guard lives.
    pub(crate) fn connection(&self) -> OpenConnection {
        let connections = self.0.connections.clone();
        let _ = connections.inc();
        OpenConnection(connections)
    }

    /// Writes them all as text, the breakers as they stand now.
    pub(crate) fn encode(&self, breakers: &Breakers) -> String {
        let shared = &self.0;
        shared.breaker_states.clear();
        shared.cooling.clear();
        for standing in breakers.standings() {
            let provider = shared.providers.admit(&standing.provider).to_owned();
            for Cooling { reason, .. } in &standing.cooling {
                let labels = CoolingLabels { provider: provider.clone(), reason };
                let _ = shared.cooling.get_or_create_owned(&labels).inc();
            }
            let gauge = shared.breaker_states.get_or_create_owned(&ProviderLabels { provider });
            let _ = gauge.set(i64::from(standing.state.gauge()));
        }
        metrics::encode(&shared.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn register(&mut self) {
        let registry = self.registry.get_mut().unwrap_or_else(PoisonError::into_inner);
        registry.register("breakwater_calls", "Calls by route, status and ending", self.calls.clone());
        registry.register(
            "breakwater_call_duration_seconds",
            "From the request's head to the answer's end",
            self.durations.clone(),
        );
        registry.register("breakwater_tokens", "Tokens by route and kind", self.tokens.clone());
        registry.register(
            "breakwater_cost_microdollars",
            "Cost by route, in millionths of a US dollar",
            self.cost.clone(),
        );
        registry.register(
            "breakwater_circuit_breaker_state",
            "0 closed, 1 half-open, 2 open",
            self.breaker_states.clone(),
        );
        registry.register(
            "breakwater_credentials_cooling",
            "Credentials that are left alone, once for each model where it is for one",
            self.cooling.clone(),
        );
        registry.register("breakwater_attempts", "Upstreams considered by calls", self.attempts.clone());
        registry.register("breakwater_guard_findings", "Findings of guardrails", self.findings.clone());
        registry.register(
            "breakwater_bad_input",
            "Input refused before it became a call, by cause",
            self.bad_inputs.clone(),
        );
        registry.register(
            "breakwater_limit_refusals",
            "Calls that a limit of their route or tenant refused",
            self.limited.clone(),
        );
        registry.register(
            "breakwater_calls_shed",
            "Calls that found no room, by priority",
            self.shed.clone(),
        );
        registry.register("breakwater_calls_bound", "Calls taken in at once", self.calls_bound.clone());
        registry.register("breakwater_calls_running", "Calls that are in", self.calls_running.clone());
        registry.register(
            "breakwater_route_rerouted",
            "1 while a route asks a provider after its fallbacks, for its service level",
            self.rerouted.clone(),
        );
        registry.register("breakwater_config_revision", "Ruleset in force", self.revision.clone());
        registry.register("breakwater_config_rulesets", "Rulesets received", self.rulesets.clone());
        registry.register(
            "breakwater_control_plane_connected",
            "1 while the configuration stream is up",
            self.connected.clone(),
        );
        registry.register(
            "breakwater_outcomes_dropped",
            "Outcomes that the full queue dropped",
            self.dropped.clone(),
        );
        registry.register("breakwater_connections", "Open connections", self.connections.clone());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use breakwater_common::breaker::Settings;
    use breakwater_common::breaker::failure::Class;
    use breakwater_common::guard::Finding;
    use breakwater_common::resource::Action;
    use breakwater_runtime::SystemClock;

    use super::*;
    use crate::breakers::Target;
    use crate::breakers::tests::upstream;
    use crate::trace::{AttemptNote, FindingNote};

    #[test]
    fn every_metric_is_in_the_list() {
        let list = include_str!("../../docs/metrics.md");
        let (metrics, breakers) = (Metrics::new(), Breakers::new(SystemClock::shared(), 0));
        breakers.follow([upstream("openai", Settings::default())].iter());
        let target =
            Target { upstream: &upstream("openai", Settings::default()), model: "m", credential: "main" };
        breakers.ask(target).unwrap().failed(("main", "m"), Class::RateLimited, None);
        let attempt = AttemptNote {
            provider: "openai".into(),
            model: String::new(),
            result: "succeeded",
            reason: String::new(),
            status: None,
            duration_ms: 0,
        };
        let finding = Finding {
            policy: "p".into(),
            guardrail: "g".into(),
            category: "email",
            action: Action::Warn,
            enforced: true,
            undecided: false,
            count: 1,
        };
        metrics.call(&Facts {
            is_call: true,
            attempts: vec![attempt],
            findings: vec![FindingNote { side: "input", finding }],
            limit: Some(("tenant", "max_rps")),
            shed: Some("eval"),
            ..Facts::default()
        });
        metrics.bad_input("header_flood");
        metrics.rerouted("chat", "openai", true);
        metrics.ruleset("accepted");
        let text = metrics.encode(&breakers);
        let names: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
        assert_eq!(names.len(), 17);
        for name in names {
            assert!(list.contains(&format!("`{name}")), "{name} is not in docs/metrics.md");
        }
    }
}
