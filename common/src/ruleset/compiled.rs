//! A ruleset, ready to serve calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::authenticate::{KeyHolder, Keys};
use super::detour::Detour;
use crate::guard::CompiledGuards;
use crate::limit::Limits;
use crate::resource::eligible::{Place, Terms};
use crate::resource::{Allowed, CompiledCondition, Facts, Price, Provider, Tenant};
use crate::sla;
use crate::time::UnixMillis;

/// A ruleset, ready. It never changes; a call keeps the one it began with.
#[derive(Debug)]
pub struct CompiledRuleset {
    pub(super) revision: u64,
    pub(super) digest: [u8; 32],
    pub(super) providers: BTreeMap<String, Arc<Upstream>>,
    /// Routes by alias.
    pub(super) aliases: BTreeMap<String, Arc<CompiledRoute>>,
    /// The routes that each tenant may call, by name.
    pub(super) tenants: BTreeMap<String, BTreeMap<String, Arc<CompiledRoute>>>,
    /// What each tenant's spec says.
    pub(super) terms: BTreeMap<String, Arc<Tenant>>,
    pub(super) keys: Keys,
    pub(super) orphaned_keys: usize,
}

/// A provider as calls see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Upstream {
    /// Its name.
    pub name: String,
    /// Its spec, credentials open.
    pub provider: Provider,
}

/// A route, ready.
#[derive(Debug)]
pub struct CompiledRoute {
    /// Its name.
    pub name: String,
    /// What callers put in `model`. Never empty.
    pub aliases: Vec<String>,
    /// Names of its policies.
    pub policies: Vec<String>,
    /// The guardrails of all its policies together.
    pub guards: Arc<CompiledGuards>,
    /// The whole call's limit when the caller sets none.
    pub deadline: Duration,
    /// Answers say which provider gave them.
    pub reveal_provider: bool,
    /// Callers may use what the first provider keeps for them.
    pub provider_state: bool,
    /// Most calls over the fleet.
    pub limits: Limits,
    /// A tag that every candidate's provider carries; empty if none is asked for.
    pub sovereignty: String,
    /// The most that a model may cost.
    pub max_price: Option<Price>,
    /// When an endpoint is asked after its fallbacks.
    pub sla: Option<sla::Settings>,
    pub(super) default: Vec<Candidate>,
    pub(super) rules: Vec<CompiledRule>,
    pub(super) detour: Option<Detour>,
}

/// Another chain for some calls.
#[derive(Debug)]
pub(super) struct CompiledRule {
    pub(super) conditions: Vec<CompiledCondition>,
    pub(super) candidates: Vec<Candidate>,
}

/// The chain that a call follows.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The rule that chose it, from 0; none: the route's own chain.
    pub rule: Option<u32>,
    /// In order; never empty. It holds also those that cannot be called, so that the proxy can say why it skipped them.
    pub candidates: &'a [Candidate],
    /// The first of the chain by configuration, if the route is moved and another comes first.
    pub passed_over: Option<&'a Candidate>,
}

/// One place of a chain.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Where it goes.
    pub upstream: Arc<Upstream>,
    /// The model as the vendor names it.
    pub model: String,
    /// Azure's deployment; the model's name where the provider says no other.
    pub deployment: String,
    /// The provider or the model is disabled: the call must go on to the next.
    pub disabled: bool,
    /// It does not stand first in the chain as configured, whatever order a call tries.
    pub fallback: bool,
}

impl Candidate {
    /// Returns the place, to be judged.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let Upstream { name, provider } = &*self.upstream;
        Place { name, provider, model: &self.model, fallback: self.fallback }
    }

    /// Whether both are one model at one provider.
    #[must_use]
    pub fn is_at(&self, other: &Self) -> bool {
        self.upstream.name == other.upstream.name && self.model == other.model
    }
}

impl CompiledRuleset {
    /// Returns the revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the digest of the ruleset that this was compiled from.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Returns all providers by name, those that no route uses too.
    #[must_use]
    pub fn providers(&self) -> &BTreeMap<String, Arc<Upstream>> {
        &self.providers
    }

    /// Returns the routes by alias; one with two aliases is there twice.
    #[must_use]
    pub fn routes(&self) -> &BTreeMap<String, Arc<CompiledRoute>> {
        &self.aliases
    }

    /// Returns the limits of all tenants.
    pub fn tenant_limits(&self) -> impl Iterator<Item = (&String, Limits)> {
        self.terms.iter().map(|(name, tenant)| (name, tenant.limits))
    }

    /// Returns who holds the key with this SHA-256; none if nobody does or the key has ended by `now`.
    #[must_use]
    pub fn authenticate(&self, key_sha256: &[u8; 32], now: UnixMillis) -> Option<Arc<KeyHolder>> {
        self.keys.find(key_sha256, now)
    }

    /// Returns how many keys were left out because their tenant is not in the ruleset.
    #[must_use]
    pub fn orphaned_keys(&self) -> usize {
        self.orphaned_keys
    }

    /// Returns the route of an alias; none if there is none, and also if the tenant may not use it.
    #[must_use]
    pub fn route_for(&self, tenant: &str, alias: &str) -> Option<&Arc<CompiledRoute>> {
        let route = self.aliases.get(alias)?;
        self.tenants.get(tenant)?.get(&route.name)
    }

    /// Returns what a tenant's spec says; that of nobody for a tenant that is not there, who has no routes either.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Arc<Tenant> {
        self.terms.get(name).map(Arc::clone).unwrap_or_default()
    }

    /// Returns the aliases that a tenant may use, sorted.
    #[must_use]
    pub fn aliases_of(&self, tenant: &str) -> Vec<&str> {
        let routes = self.tenants.get(tenant).into_iter().flat_map(BTreeMap::values);
        let mut aliases: Vec<&str> = routes.flat_map(|route| &route.aliases).map(String::as_str).collect();
        aliases.sort_unstable();
        aliases
    }
}

impl CompiledRoute {
    /// Returns the candidates of all its chains; one of two chains comes twice.
    pub fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        let rules = self.rules.iter().flat_map(|rule| &rule.candidates);
        let detour = self.detour.iter().flat_map(|detour| &detour.default);
        self.default.iter().chain(rules).chain(detour)
    }

    /// Returns what the route, and a tenant's lists, demand of whoever answers.
    #[must_use]
    pub fn terms<'a>(&'a self, allowed: &'a Allowed) -> Terms<'a> {
        Terms { sovereignty: &self.sovereignty, max_price: self.max_price, allowed }
    }

    /// Chooses the chain of a call: that of the first rule whose conditions all hold, or else the route's own.
    #[must_use]
    pub fn select(&self, facts: &Facts<'_>) -> Selection<'_> {
        let rule =
            (0..).zip(&self.rules).find(|(_, rule)| rule.conditions.iter().all(|one| one.holds(facts)));
        match rule {
            Some((number, rule)) => {
                Selection { rule: Some(number), candidates: &rule.candidates, passed_over: None }
            }
            None => Selection { rule: None, candidates: &self.default, passed_over: None },
        }
    }

    /// Chooses the chain of a call at that time: as [`Self::select`] does, unless the route is moved.
    #[must_use]
    pub fn select_at(&self, facts: &Facts<'_>, now: UnixMillis) -> Selection<'_> {
        let own = self.select(facts);
        let Some(detour) = self.detour.as_ref().filter(|detour| now < detour.expire) else { return own };
        let candidates = detour.chain(own.rule);
        let first = own.candidates.first();
        let stays = candidates.first().zip(first).is_some_and(|(new, old)| new.is_at(old));
        Selection { candidates, passed_over: first.filter(|_| !stays), ..own }
    }
}
