//! What the control plane counts, as Prometheus reads it. Labels come from closed sets or from configured names.

use std::sync::{Arc, Mutex, PoisonError};

use breakwater_control_core::{Act, State};
use breakwater_runtime::metrics::{Counter, EncodeLabelSet, Family, Gauge, Registry, encode};
use http::Response;
use tonic::Status;
use tonic::body::Body;

use crate::fleet::{ActsSink, Registry as Proxies};
use crate::grpc::provider_views;
use crate::publish::Book;
use crate::replica::Replica;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProviderLabel {
    provider: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    edge: &'static str,
    code: &'static str,
}

/// The metrics of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    breakers: Family<ProviderLabel, Gauge>,
    answers: Family<AnswerLabels, Counter>,
    revision: Gauge,
    ledger_size: Gauge,
    proxies: Gauge,
    proxies_refusing: Gauge,
    acts_dropped: Gauge,
    applied_index: Gauge,
    sources: Sources,
    /// One scrape at a time: a scrape sets the gauges and then writes them.
    scrape: Mutex<()>,
}

/// What is read at a scrape.
#[derive(Debug)]
pub struct Sources {
    /// For its log's place.
    pub replica: Arc<dyn Replica>,
    /// What proxies reported.
    pub proxies: Arc<Proxies>,
    /// Who runs what.
    pub book: Arc<Book>,
    /// Acts on their way to the ledger.
    pub acts: ActsSink<Act>,
}

impl Metrics {
    /// Registers all metrics.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let mut registry = Registry::default();
        let breakers = Family::default();
        let answers = Family::default();
        let gauges: [Gauge; 6] = Default::default();
        let [revision, ledger_size, proxies, proxies_refusing, acts_dropped, applied_index] = gauges;
        registry.register(
            "breakwater_circuit_breaker_state",
            "Worst state of a provider's breaker over the fleet: 0 closed, 1 half-open, 2 open",
            Family::clone(&breakers),
        );
        registry.register(
            "breakwater_admin_answers",
            "Answers of the admin port by edge and gRPC code",
            Family::clone(&answers),
        );
        for (name, help, gauge) in [
            ("breakwater_state_revision", "Revision of the applied state", &revision),
            ("breakwater_ledger_records", "Records in the ledger", &ledger_size),
            ("breakwater_proxies_connected", "Proxies with a configuration stream", &proxies),
            ("breakwater_proxies_refusing", "Connected proxies that refused a ruleset", &proxies_refusing),
            (
                "breakwater_acts_dropped",
                "Acts of proxies that did not reach the ledger since the start",
                &acts_dropped,
            ),
            ("breakwater_raft_applied_index", "Last log index applied here", &applied_index),
        ] {
            registry.register(name, help, Gauge::clone(gauge));
        }
        Self {
            registry,
            breakers,
            answers,
            revision,
            ledger_size,
            proxies,
            proxies_refusing,
            acts_dropped,
            applied_index,
            sources,
            scrape: Mutex::new(()),
        }
    }

    /// Counts an answer.
    pub fn answered(&self, is_grpc: bool, response: &Response<Body>) {
        let code = if is_grpc {
            // Of a stream or a good answer the code comes last, after this.
            Status::from_header_map(response.headers()).map_or("OK", |status| word(status.code()))
        } else {
            http_class(response.status().as_u16())
        };
        let edge = if is_grpc { "grpc" } else { "rest" };
        self.answers.get_or_create(&AnswerLabels { edge, code }).inc();
    }

    /// Writes all metrics.
    #[must_use]
    pub fn encode(&self, state: &State) -> String {
        let _one_at_a_time = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.breakers.clear();
        for (provider, view) in provider_views(state, &self.sources.proxies) {
            self.breakers.get_or_create(&ProviderLabel { provider }).set(view.state.metric());
        }
        let entries = self.sources.book.entries();
        let connected = || entries.values().filter(|entry| entry.sessions > 0);
        self.revision.set(number(state.revision()));
        self.ledger_size.set(number(state.ledger().size));
        self.proxies.set(count(connected().count()));
        self.proxies_refusing.set(count(connected().filter(|entry| entry.parked.is_some()).count()));
        self.acts_dropped.set(number(self.sources.acts.dropped()));
        self.applied_index.set(number(self.sources.replica.status().applied_index));
        encode(&self.registry)
    }
}

fn word(code: tonic::Code) -> &'static str {
    if code == tonic::Code::Ok {
        return "OK";
    }
    breakwater_common::error_kind::ErrorKind::from_grpc_code(i32::from(code)).faces().1
}

fn http_class(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}
