//! Makes a ruleset ready, or says everything that is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::authenticate::Keys;
use super::compiled::{Candidate, CompiledRoute, CompiledRule, CompiledRuleset, Upstream};
use super::detour::Detour;
use super::{Item, KEY_KIND, OVERRIDE_KIND, Ruleset, digest};
use crate::guard::CompiledGuards;
use crate::limits::VIOLATIONS_MAX;
use crate::resource::catalog::{Catalog, Chains, Step};
use crate::resource::{CompiledCondition, Kind, Policy, Provider, Route, Spec, Tenant, check_references};
use crate::violation::Violation;
use crate::wire::{KeyGrant, RouteOverride, decode_key_grant, decode_route_override, decode_spec};

/// Compiles a ruleset.
///
/// A key whose tenant is not there is left out and counted, since a tenant may be removed before its keys are.
///
/// # Errors
/// All violations of the first step that has any, at most [`VIOLATIONS_MAX`]: items out of order or twice, unknown kinds
/// and bodies that do not decode; what [`check_references`] refuses; guardrails that do not compile.
pub fn compile(ruleset: &Ruleset) -> Result<CompiledRuleset, Vec<Violation>> {
    let Decoded { specs, grants, overrides } = decode(&ruleset.items)?;
    let violations = check_references(&specs, &BTreeMap::new());
    if !violations.is_empty() {
        return Err(violations);
    }
    let mut compiler = Compiler::of(&specs);
    let mut violations = Vec::new();
    for ((_, name), spec) in &specs {
        if let Spec::Route(route) = spec {
            compiler
                .add_route(name, route, overrides.get(name.as_str()))
                .unwrap_or_else(|more| violations.extend(more));
        }
    }
    if !violations.is_empty() {
        violations.truncate(VIOLATIONS_MAX);
        return Err(violations);
    }
    let tenants = compiler.tenants();
    let mut keys = Keys::default();
    let mut orphaned_keys = 0;
    for (key_id, grant) in grants {
        if tenants.contains_key(&grant.tenant) {
            keys.insert(key_id, grant);
        } else {
            orphaned_keys += 1;
        }
    }
    Ok(CompiledRuleset {
        revision: ruleset.revision,
        digest: digest(ruleset.revision, &ruleset.items),
        terms: terms(&specs),
        providers: compiler.providers,
        aliases: compiler.aliases,
        tenants,
        keys,
        orphaned_keys,
    })
}

/// The items in the domain's terms.
#[derive(Default)]
struct Decoded<'a> {
    specs: BTreeMap<(Kind, String), Spec>,
    grants: Vec<(&'a str, KeyGrant)>,
    overrides: BTreeMap<&'a str, RouteOverride>,
}

fn decode(items: &[Item]) -> Result<Decoded<'_>, Vec<Violation>> {
    let mut decoded = Decoded::default();
    let mut violations = Vec::new();
    let mut before = None;
    for item in items {
        let place = (item.kind.as_str(), item.name.as_str());
        let found = if before.is_some_and(|before| before >= place) {
            Err(vec![Violation::at("", "it stands out of order or twice; items are sorted by kind and name")])
        } else if item.kind == KEY_KIND {
            decode_key_grant(&item.body).map(|grant| decoded.grants.push((item.name.as_str(), grant)))
        } else if item.kind == OVERRIDE_KIND {
            decode_route_override(&item.body).map(|over| {
                decoded.overrides.insert(item.name.as_str(), over);
            })
        } else if let Some(kind) = Kind::parse(&item.kind) {
            decode_spec(kind, &item.body).map(|spec| {
                decoded.specs.insert((kind, item.name.clone()), spec);
            })
        } else {
            Err(vec![Violation::at("", "this release knows no such kind; upgrade it or remove the resource")])
        };
        before = Some(place);
        let resource = || format!("{}/{}", item.kind, item.name);
        let found = found.err().unwrap_or_default();
        violations.extend(found.into_iter().map(|violation| Violation { resource: resource(), ..violation }));
    }
    violations.truncate(VIOLATIONS_MAX);
    if violations.is_empty() { Ok(decoded) } else { Err(violations) }
}

/// What routes are compiled from, and those that are.
struct Compiler<'a> {
    specs: &'a BTreeMap<(Kind, String), Spec>,
    catalog: Catalog<'a>,
    policies: BTreeMap<&'a str, &'a Policy>,
    providers: BTreeMap<String, Arc<Upstream>>,
    /// Routes with the same policies share their guards.
    guards: BTreeMap<&'a [String], Arc<CompiledGuards>>,
    aliases: BTreeMap<String, Arc<CompiledRoute>>,
    routes: BTreeMap<&'a str, Arc<CompiledRoute>>,
}

impl<'a> Compiler<'a> {
    fn of(specs: &'a BTreeMap<(Kind, String), Spec>) -> Self {
        let catalog = Catalog::of(specs);
        let upstream = |(name, provider): (&&str, &&Provider)| {
            let name = (*name).to_owned();
            (name.clone(), Arc::new(Upstream { name, provider: (*provider).clone() }))
        };
        let providers = catalog.providers.iter().map(upstream).collect();
        let policies = specs
            .iter()
            .filter_map(|((_, name), spec)| match spec {
                Spec::Policy(policy) => Some((name.as_str(), policy)),
                Spec::Provider(_)
                | Spec::Endpoint(_)
                | Spec::Route(_)
                | Spec::Tenant(_)
                | Spec::Stored(_) => None,
            })
            .collect();
        let (guards, aliases, routes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { specs, catalog, policies, providers, guards, aliases, routes }
    }

    fn add_route(
        &mut self,
        name: &'a str,
        route: &'a Route,
        over: Option<&RouteOverride>,
    ) -> Result<(), Vec<Violation>> {
        let guards = self.guards_of(route)?;
        let chains = self.catalog.chains(route);
        let mut rules = Vec::with_capacity(route.rules.len());
        for (index, (rule, steps)) in route.rules.iter().zip(&chains.rules).enumerate() {
            let conditions = rule
                .conditions
                .iter()
                .map(|condition| CompiledCondition::compile(condition, &format!("spec.rules[{index}]")))
                .collect::<Result<_, _>>()
                .map_err(|violation| vec![violation])?;
            rules.push(CompiledRule { conditions, candidates: self.candidates(steps) });
        }
        let aliases: Vec<String> = route.aliases_of(name).into_iter().map(str::to_owned).collect();
        let compiled = Arc::new(CompiledRoute {
            name: name.to_owned(),
            aliases: aliases.clone(),
            policies: route.policies.clone(),
            guards,
            deadline: route.deadline,
            reveal_provider: route.reveal_provider,
            provider_state: route.provider_state,
            limits: route.limits,
            sovereignty: route.sovereignty.clone(),
            sla: route.sla,
            max_price: route.max_price,
            default: self.candidates(&chains.default),
            detour: over.and_then(|over| self.detour(route, &chains, over)),
            rules,
        });
        self.aliases.extend(aliases.into_iter().map(|alias| (alias, Arc::clone(&compiled))));
        self.routes.insert(name, compiled);
        Ok(())
    }

    fn guards_of(&mut self, route: &'a Route) -> Result<Arc<CompiledGuards>, Vec<Violation>> {
        if let Some(guards) = self.guards.get(route.policies.as_slice()) {
            return Ok(Arc::clone(guards));
        }
        let named = route.policies.iter().filter_map(|name| self.policies.get_key_value(name.as_str()));
        let policies: Vec<(&str, &Policy)> = named.map(|(name, policy)| (*name, *policy)).collect();
        let guards = Arc::new(CompiledGuards::compile(&policies)?);
        self.guards.insert(&route.policies, Arc::clone(&guards));
        Ok(guards)
    }

    /// Returns the chains of a route that is moved; none if the move is not legal: then the route's own hold.
    fn detour(&self, route: &Route, chains: &Chains, over: &RouteOverride) -> Option<Detour> {
        let ends = over.reroute.resolve(&self.catalog, route).ok()?;
        // Whoever stood first by configuration was chosen for these calls; everybody else is a fallback, first or not.
        let steer = |chain: &[Step], own| {
            let chosen = |step: &Step| chain.first().is_some_and(|first| first.is_at(step));
            let steps = over.reroute.steer(chain, &ends, own);
            steps.iter().filter_map(|step| self.candidate(step, !chosen(step))).collect()
        };
        Some(Detour {
            expire: over.expire,
            default: steer(&chains.default, true),
            rules: chains.rules.iter().map(|chain| steer(chain, false)).collect(),
        })
    }

    fn candidates(&self, steps: &[Step]) -> Vec<Candidate> {
        let numbered = steps.iter().enumerate();
        numbered.filter_map(|(index, step)| self.candidate(step, index > 0)).collect()
    }

    /// Returns the candidate of a step. The catalog resolves steps to providers that exist, so none is lost.
    fn candidate(&self, step: &Step, fallback: bool) -> Option<Candidate> {
        let upstream = Arc::clone(self.providers.get(&step.provider)?);
        let listed = upstream.provider.model(&step.model);
        let deployment = listed.map(|model| model.deployment.as_str()).filter(|text| !text.is_empty());
        Some(Candidate {
            model: step.model.clone(),
            deployment: deployment.unwrap_or(&step.model).to_owned(),
            disabled: upstream.provider.disabled || listed.is_some_and(|model| model.disabled),
            fallback,
            upstream,
        })
    }

    fn tenants(&self) -> BTreeMap<String, BTreeMap<String, Arc<CompiledRoute>>> {
        let mut tenants = BTreeMap::new();
        for ((_, name), spec) in self.specs {
            if let Spec::Tenant(tenant) = spec {
                let route = |name: &String| Some((name.clone(), Arc::clone(self.routes.get(name.as_str())?)));
                tenants.insert(name.clone(), tenant.routes.iter().filter_map(route).collect());
            }
        }
        tenants
    }
}

fn terms(specs: &BTreeMap<(Kind, String), Spec>) -> BTreeMap<String, Arc<Tenant>> {
    let tenants = specs.iter().filter_map(|((_, name), spec)| match spec {
        Spec::Tenant(tenant) => Some((name.clone(), Arc::new(tenant.clone()))),
        Spec::Provider(_) | Spec::Endpoint(_) | Spec::Policy(_) | Spec::Route(_) | Spec::Stored(_) => None,
    });
    tenants.collect()
}
