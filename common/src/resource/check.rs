//! What must hold between resources. Admission checks it on the whole state as it would be after a change, and a proxy
//! checks it again on what it receives, with the same code.

pub(super) mod eligible;

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Catalog, Chains, Step};
use super::condition::CompiledCondition;
use super::{Kind, Operator, Reference, Route, RuleChain, Spec};
use crate::limits::{ALIAS_BYTES_MAX, ROUTE_REGEXES_MAX, VIOLATIONS_MAX};
use crate::suggest::existing;
use crate::violation::Violation;

/// Checks all resources against each other; returns every violation, at most [`VIOLATIONS_MAX`].
///
/// Refused are: names that name nothing; a model that its provider does not list; an alias used twice; a chain that is
/// empty or comes back to an endpoint (a cyclic fallback); a place of a chain that could never be asked ([`super::eligible`]);
/// a tenant whose lists leave nobody to answer; a condition that cannot be tested. `refs` are the references that the bodies declare (see `manifest::references`); those that the
/// domain knows by itself are checked also if `refs` lacks them.
#[must_use]
pub fn check_references(
    all: &BTreeMap<(Kind, String), Spec>,
    refs: &BTreeMap<(Kind, String), Vec<Reference>>,
) -> Vec<Violation> {
    let catalog = Catalog::of(all);
    let mut found = Found::default();
    for ((kind, name), spec) in all {
        found.resource = format!("{}/{name}", kind.as_str());
        let declared = refs.get(&(*kind, name.clone())).map(Vec::as_slice).unwrap_or_default();
        for reference in declared {
            found.check_exists(all, reference);
        }
        let mut own = Vec::new();
        match spec {
            Spec::Endpoint(endpoint) => {
                own.push(Reference::new("spec.provider", Kind::Provider, &endpoint.provider));
                found.check_model(&catalog, "spec.model", &endpoint.provider, &endpoint.model);
            }
            Spec::Route(route) => {
                let chains = catalog.chains(route);
                own.extend(numbered("spec.policies", Kind::Policy, &route.policies));
                own.extend(chains.dangling.iter().cloned());
                found.check_route(&catalog, route, chains);
            }
            Spec::Tenant(tenant) => {
                own.extend(numbered("spec.routes", Kind::Route, &tenant.routes));
                let providers = &tenant.allowed.providers;
                own.extend(numbered("spec.allowed_providers", Kind::Provider, providers));
                found.check_allowed(all, &catalog, tenant);
            }
            Spec::Provider(_) | Spec::Policy(_) | Spec::Stored(_) => {}
        }
        let known =
            |own: &&Reference| !declared.iter().any(|other| other.kind == own.kind && other.name == own.name);
        for reference in own.iter().filter(known) {
            found.check_exists(all, reference);
        }
    }
    found.check_aliases(all);
    found.violations
}

impl Reference {
    fn new(field_path: impl Into<String>, kind: Kind, name: &str) -> Self {
        Self { field_path: field_path.into(), kind, name: name.to_owned() }
    }
}

fn numbered(path: &str, kind: Kind, names: &[String]) -> impl Iterator<Item = Reference> {
    let numbered = names.iter().enumerate();
    numbered.map(move |(index, name)| Reference::new(format!("{path}[{index}]"), kind, name))
}

/// The violations found so far and the resource that is being looked at.
#[derive(Default)]
struct Found {
    resource: String,
    violations: Vec<Violation>,
}

impl Found {
    fn add(&mut self, field_path: &str, message: String) {
        self.push(Violation::at(field_path, message));
    }

    fn push(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation { resource: self.resource.clone(), ..violation });
        }
    }

    fn check_exists(&mut self, all: &BTreeMap<(Kind, String), Spec>, reference: &Reference) {
        let Reference { field_path, kind, name } = reference;
        // What would not be said is not looked up either: a hint compares names.
        if self.violations.len() < VIOLATIONS_MAX && !all.contains_key(&(*kind, name.clone())) {
            let names = all.keys().filter(|(other, _)| other == kind).map(|(_, name)| name.as_str());
            let hint = existing(name, names);
            self.add(field_path, format!("no {} named \"{name}\"; {hint}", kind.as_str()));
        }
    }

    fn check_model(&mut self, catalog: &Catalog<'_>, path: &str, provider: &str, model: &str) {
        let Some(listed) = catalog.providers.get(provider).filter(|listed| !listed.may_serve(model)) else {
            return;
        };
        let hint = existing(model, listed.models.iter().map(|model| model.name.as_str()));
        self.add(path, format!("Provider \"{provider}\" lists no model \"{model}\"; {hint}"));
    }

    fn check_route(&mut self, catalog: &Catalog<'_>, route: &Route, chains: Chains) {
        self.check_not_empty(route);
        self.check_conditions(route);
        for violation in chains.violations {
            self.push(violation);
        }
        for chain in std::iter::once(&chains.default).chain(&chains.rules) {
            self.check_no_cycle(chain);
            for step in chain.iter().filter(|step| step.inline) {
                self.check_model(catalog, &step.path, &step.provider, &step.model);
            }
            self.check_eligible(catalog, route, chain);
        }
    }

    fn check_not_empty(&mut self, route: &Route) {
        let catch_all = route.rules.iter().any(|rule| rule.conditions.is_empty());
        if route.endpoint.is_none() && !route.fallback_endpoints.is_empty() {
            self.add(
                "spec.endpoint",
                "fallback_endpoints come after an endpoint; name the first one here".to_owned(),
            );
        } else if route.endpoint.is_none() && !catch_all {
            let message = "the chain is empty: a call for which no rule holds goes nowhere; name an endpoint here, or \
                           end with a rule without conditions";
            self.add("spec.endpoint", message.to_owned());
        }
        for (index, rule) in route.rules.iter().enumerate() {
            let empty = match &rule.chain {
                RuleChain::Providers(names) => names.is_empty(),
                RuleChain::Endpoints(items) => items.is_empty(),
            };
            if empty {
                let message = "its chain is empty; give it a provider or an endpoint";
                self.add(&format!("spec.rules[{index}]"), message.to_owned());
            }
        }
    }

    fn check_conditions(&mut self, route: &Route) {
        let mut regexes = 0;
        for (rule_index, rule) in route.rules.iter().enumerate() {
            for (index, condition) in rule.conditions.iter().enumerate() {
                let path = format!("spec.rules[{rule_index}].conditions[{index}]");
                regexes += usize::from(condition.operator == Operator::Regex);
                if condition.operator == Operator::Regex && regexes > ROUTE_REGEXES_MAX {
                    let message = format!(
                        "a route may have {ROUTE_REGEXES_MAX} regex conditions; use prefix, suffix or in where they do"
                    );
                    self.add(&path, message);
                } else if let Err(violation) = CompiledCondition::compile(condition, &path) {
                    self.push(violation);
                }
            }
        }
    }

    fn check_no_cycle(&mut self, chain: &[Step]) {
        let mut seen = BTreeMap::new();
        for step in chain {
            if let Some(before) = seen.get(&(&step.provider, &step.model)) {
                let message = format!(
                    "cyclic fallback: it comes back to {}/{}, where {before} has already gone; name each endpoint of \
                     a chain once",
                    step.provider, step.model
                );
                self.add(&step.path, message);
            } else {
                seen.insert((&step.provider, &step.model), step.path.as_str());
            }
        }
    }

    fn check_aliases(&mut self, all: &BTreeMap<(Kind, String), Spec>) {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for ((_, name), spec) in all {
            let Spec::Route(route) = spec else { continue };
            self.resource = format!("{}/{name}", Kind::Route.as_str());
            let mut own = BTreeSet::new();
            for (index, alias) in route.aliases_of(name).into_iter().enumerate() {
                let path = match route.aliases.is_empty() {
                    true => "spec.aliases".to_owned(),
                    false => format!("spec.aliases[{index}]"),
                };
                if alias.len() > ALIAS_BYTES_MAX {
                    self.add(
                        &path,
                        format!("an alias may have {ALIAS_BYTES_MAX} bytes; this one has {}", alias.len()),
                    );
                } else if !own.insert(alias) {
                    self.add(&path, format!("the alias \"{alias}\" stands here twice; remove one"));
                } else if let Some(owner) = owners.get(alias) {
                    let message =
                        format!("the alias \"{alias}\" is taken by Route \"{owner}\"; choose another");
                    self.add(&path, message);
                } else {
                    owners.insert(alias, name);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
