//! Breakers over the fleet: the worst state, the most failures, and each proxy's own view.

use std::collections::BTreeMap;

use breakwater_common::time::UnixMillis;

use super::registry::{Credential, Deployment, Proxy};

/// State of a breaker. The order is from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum BreakerState {
    /// Calls go through.
    #[default]
    Closed,
    /// One probe goes through.
    HalfOpen,
    /// No call goes through.
    Open,
}

impl BreakerState {
    /// Returns the word of the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }

    /// Returns the state of a word of the API.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Closed, Self::HalfOpen, Self::Open].into_iter().find(|state| state.as_str() == word)
    }

    /// Returns the number of the metric `breakwater_circuit_breaker_state` (source: contract, rest.md).
    #[must_use]
    pub fn metric(self) -> i64 {
        match self {
            Self::Closed => 0,
            Self::HalfOpen => 1,
            Self::Open => 2,
        }
    }
}

/// The breaker of one provider over the fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderView {
    /// The worst state that a proxy reports; closed if none does.
    pub state: BreakerState,
    /// Most consecutive failures that a proxy counts.
    pub failures: u32,
    /// The last failure that a proxy saw.
    pub last_failure: Option<UnixMillis>,
    /// As each proxy sees it, by proxy.
    pub proxies: Vec<ProxyBreaker>,
}

/// The breaker of one provider at one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyBreaker {
    /// The proxy.
    pub proxy: String,
    /// Its state there.
    pub state: BreakerState,
    /// Consecutive failures.
    pub failures: u32,
    /// The last failure.
    pub last_failure: Option<UnixMillis>,
    /// When an open breaker lets a probe through.
    pub open_until: Option<UnixMillis>,
    /// An operator's hand on it; empty if there is none.
    pub force: String,
    /// The breakers of its models, if it has several.
    pub deployments: Vec<Deployment>,
    /// Its credentials that are left alone.
    pub credentials: Vec<Credential>,
}

/// Views the breakers of these providers. What proxies report of others is left out: they have no configuration.
#[must_use]
pub fn providers<'a>(
    names: impl IntoIterator<Item = &'a str>,
    proxies: &[Proxy],
) -> BTreeMap<String, ProviderView> {
    let mut views: BTreeMap<String, ProviderView> =
        names.into_iter().map(|name| (name.to_owned(), ProviderView::default())).collect();
    for proxy in proxies {
        for upstream in &proxy.report.upstreams {
            let Some(view) = views.get_mut(&upstream.provider) else { continue };
            view.state = view.state.max(upstream.state);
            view.failures = view.failures.max(upstream.failures);
            view.last_failure = view.last_failure.max(upstream.last_failure);
            view.proxies.push(ProxyBreaker {
                proxy: proxy.report.proxy.clone(),
                state: upstream.state,
                failures: upstream.failures,
                last_failure: upstream.last_failure,
                open_until: upstream.open_until,
                force: upstream.force.clone(),
                deployments: upstream.deployments.clone(),
                credentials: upstream.credentials.clone(),
            });
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use breakwater_runtime::ManualClock;

    use super::super::registry::{Registry, Report, Upstream};
    use super::*;

    #[test]
    fn the_worst_state_and_the_most_failures_stand_for_the_fleet() {
        let registry = Registry::new(ManualClock::at(UnixMillis(0)));
        for (proxy, state, failures) in [("a", BreakerState::Open, 5), ("b", BreakerState::HalfOpen, 7)] {
            let upstream = Upstream {
                provider: "openai".to_owned(),
                state,
                failures,
                last_failure: Some(UnixMillis(u64::from(failures))),
                ..Upstream::default()
            };
            let upstreams = vec![upstream.clone(), Upstream { provider: "gone".to_owned(), ..upstream }];
            registry.record(Report { proxy: proxy.to_owned(), upstreams, ..Report::default() });
        }
        let views = providers(["openai", "azure"], &registry.proxies());
        assert_eq!(views.keys().collect::<Vec<_>>(), ["azure", "openai"]);
        assert_eq!(views["azure"], ProviderView::default());
        let openai = &views["openai"];
        assert_eq!((openai.state, openai.failures), (BreakerState::Open, 7));
        assert_eq!((openai.last_failure, openai.proxies.len()), (Some(UnixMillis(7)), 2));
    }
}
