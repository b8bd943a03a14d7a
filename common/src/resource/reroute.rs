//! A route that is moved for a time: where it may go, and what its chains become. Asked when an operator moves it, when the
//! configuration changes under it, and by each proxy, always with this code: what is not legal is never followed.

use std::collections::BTreeMap;

use super::catalog::{Catalog, Step};
use super::check::eligible::explain;
use super::eligible::{Allowed, Place, Terms};
use super::{EndpointRef, Kind, Route, Spec};
use crate::violation::Violation;

/// How a route is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RerouteKind {
    /// The route's own endpoint is asked when everything else is out.
    Failover,
    /// The route's own endpoint is not asked.
    CircuitBreaking,
}

impl RerouteKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Failover, Self::CircuitBreaking];

    /// Returns its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::CircuitBreaking => "circuit_breaking",
        }
    }

    /// Returns the kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A route's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reroute {
    /// How.
    pub kind: RerouteKind,
    /// The route's own endpoint.
    pub from: EndpointRef,
    /// Where its calls go.
    pub to: EndpointRef,
}

impl Reroute {
    /// Plans a route's move to a named endpoint, or else to the first of its fallback endpoints that may take its calls.
    ///
    /// # Errors
    ///
    /// Why it cannot be moved, naming `route_id` or `fallback_endpoint`.
    pub fn plan(
        all: &BTreeMap<(Kind, String), Spec>,
        name: &str,
        kind: RerouteKind,
        to: Option<&str>,
    ) -> Result<Self, Violation> {
        let catalog = Catalog::of(all);
        let Some(Spec::Route(route)) = all.get(&(Kind::Route, name.to_owned())) else {
            return Err(Violation::at("route_id", format!("there is no Route \"{name}\"")));
        };
        let Some(from) = route.endpoint.clone() else {
            let why = "the route has rules alone and no endpoint of its own to move from; change its rules";
            return Err(Violation::at("route_id", why));
        };
        let candidate = |to: &EndpointRef| {
            let reroute = Self { kind, from: from.clone(), to: to.clone() };
            let [_, to] = reroute.resolve(&catalog, route)?;
            if catalog.is_disabled(&to) {
                return Err(format!("{}/{} is disabled", to.provider, to.model));
            }
            Ok(reroute)
        };
        match to {
            Some(name) => candidate(&EndpointRef::Named(name.to_owned()))
                .map_err(|why| Violation::at("fallback_endpoint", why)),
            None => route.fallback_endpoints.iter().find_map(|to| candidate(to).ok()).ok_or_else(|| {
                let why =
                    "none of the route's fallback_endpoints may take its calls; name a fallback_endpoint";
                Violation::at("route_id", why)
            }),
        }
    }

    /// Whether the move is still legal for a route of that name.
    #[must_use]
    pub fn is_legal(&self, all: &BTreeMap<(Kind, String), Spec>, name: &str) -> bool {
        match all.get(&(Kind::Route, name.to_owned())) {
            Some(Spec::Route(route)) => self.resolve(&Catalog::of(all), route).is_ok(),
            _ => false,
        }
    }

    /// Returns the steps from and to; or why the move is not legal for the route.
    pub(crate) fn resolve(&self, catalog: &Catalog<'_>, route: &Route) -> Result<[Step; 2], String> {
        if route.endpoint.as_ref() != Some(&self.from) {
            return Err("the route's own endpoint is another by now".to_owned());
        }
        let step = |item: &EndpointRef| {
            catalog.resolve(item).ok_or_else(|| format!("there is no endpoint {}", item.label()))
        };
        let (from, to) = (step(&self.from)?, step(&self.to)?);
        if from.is_at(&to) {
            return Err("the route goes there already".to_owned());
        }
        let Some(provider) = catalog.providers.get(to.provider.as_str()) else {
            return Err(format!("there is no Provider \"{}\"", to.provider));
        };
        let place = Place { name: &to.provider, provider, model: &to.model, fallback: true };
        let anybody = Allowed::default();
        let terms = Terms { sovereignty: &route.sovereignty, max_price: route.max_price, allowed: &anybody };
        match place.standing(&terms).first() {
            Some(reason) => Err(explain(catalog, route, &place, *reason)),
            None => Ok([from, to]),
        }
    }

    /// Returns what a chain becomes. The route's own chain begins with the new step, named in it or not. The chain of a rule
    /// is what those callers were promised, so nothing is put into it: what is in it changes its place.
    pub(crate) fn steer(&self, chain: &[Step], [from, to]: &[Step; 2], own: bool) -> Vec<Step> {
        let leads = own || (chain.first().is_some_and(|first| first.is_at(from)) && has(chain, to));
        let first = to.clone();
        let kept = |step: &&Step| !(step.is_at(from) || leads && step.is_at(to));
        let last = (self.kind == RerouteKind::Failover && has(chain, from)).then(|| from.clone());
        leads.then_some(first).into_iter().chain(chain.iter().filter(kept).cloned()).chain(last).collect()
    }
}

fn has(chain: &[Step], step: &Step) -> bool {
    chain.iter().any(|other| other.is_at(step))
}

impl EndpointRef {
    /// Returns its name for people: that of the Endpoint, or `provider/model`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::Inline { provider, model } => format!("{provider}/{model}"),
        }
    }
}

#[cfg(test)]
#[path = "reroute_tests.rs"]
mod tests;
