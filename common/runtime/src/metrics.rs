//! Prometheus text and label sets with a bound. Metric families are registered once, at start, by the part that owns
//! them; a label whose values come from outside goes through [`LabelBound`].

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

pub use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
pub use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
pub use prometheus_client::registry::Registry;

/// Content type of [`encode`]'s text. Source: OpenMetrics 1.0.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a label value beyond the bound is counted under.
pub const OTHER: &str = "other";

/// Writes all metrics of a registry as OpenMetrics text, which Prometheus reads too.
#[must_use]
pub fn encode(registry: &Registry) -> String {
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, registry) {
        tracing::error!(%error, "metrics do not encode");
    }
    text
}

/// Lets the first values of a label through and turns all further ones into [`OTHER`], so that a caller cannot grow
/// the metrics without end.
#[derive(Debug)]
pub struct LabelBound {
    values_max: usize,
    seen: Mutex<BTreeSet<String>>,
}

impl LabelBound {
    /// Makes a bound of so many values.
    #[must_use]
    pub fn new(values_max: usize) -> Self {
        Self { values_max, seen: Mutex::default() }
    }

    /// Returns the value, or [`OTHER`] if the bound is reached and the value is new.
    #[must_use]
    pub fn admit<'a>(&self, value: &'a str) -> &'a str {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(value) {
            return value;
        }
        if seen.len() >= self.values_max {
            return OTHER;
        }
        let _ = seen.insert(value.to_owned());
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_the_bound_are_counted_together() {
        let bound = LabelBound::new(2);
        assert_eq!(["a", "b", "c", "a"].map(|value| bound.admit(value)), ["a", "b", OTHER, "a"]);
    }

    #[test]
    fn a_registered_counter_is_in_the_text() {
        let mut registry = Registry::default();
        let counter: Counter = Counter::default();
        registry.register("breakwater_test_calls", "Calls", counter.clone());
        let _ = counter.inc();
        assert!(encode(&registry).contains("breakwater_test_calls_total 1"));
    }
}
