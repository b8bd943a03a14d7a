//! Who a route's calls go to: its chains, with names resolved to a provider and a model. Admission checks them and the
//! proxy follows them, so both resolve with this code.

use std::collections::BTreeMap;

use super::{Endpoint, EndpointRef, Kind, Provider, Reference, Route, RuleChain, Spec};
use crate::violation::Violation;

/// Providers and endpoints by name.
#[derive(Debug, Default)]
pub(crate) struct Catalog<'a> {
    pub(crate) providers: BTreeMap<&'a str, &'a Provider>,
    pub(crate) endpoints: BTreeMap<&'a str, &'a Endpoint>,
}

/// One place of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// The field that names it.
    pub(crate) path: String,
    /// The provider; it exists.
    pub(crate) provider: String,
    /// The model as the vendor names it.
    pub(crate) model: String,
    /// The route writes the model itself, so it is checked there, and nowhere else.
    pub(crate) inline: bool,
}

/// The chains of a route, in order.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    /// That of the calls for which no rule holds.
    pub(crate) default: Vec<Step>,
    /// Those of the rules, each under the rule's number.
    pub(crate) rules: Vec<Vec<Step>>,
    /// Names that name nothing. The steps that they stand for are missing above.
    pub(crate) dangling: Vec<Reference>,
    /// Steps for which no model can be told.
    pub(crate) violations: Vec<Violation>,
}

impl Step {
    /// Whether both are one model at one provider.
    pub(crate) fn is_at(&self, other: &Self) -> bool {
        self.provider == other.provider && self.model == other.model
    }
}

impl<'a> Catalog<'a> {
    /// Finds the providers and endpoints among all resources.
    pub(crate) fn of(all: &'a BTreeMap<(Kind, String), Spec>) -> Self {
        let mut catalog = Self::default();
        for ((_, name), spec) in all {
            match spec {
                Spec::Provider(provider) => {
                    catalog.providers.insert(name, provider);
                }
                Spec::Endpoint(endpoint) => {
                    catalog.endpoints.insert(name, endpoint);
                }
                Spec::Policy(_) | Spec::Route(_) | Spec::Tenant(_) | Spec::Stored(_) => {}
            }
        }
        catalog
    }

    /// Resolves the chains of a route.
    pub(crate) fn chains(&self, route: &Route) -> Chains {
        let mut chains = Chains::default();
        let first = route.endpoint.iter();
        let next = route.fallback_endpoints.iter();
        chains.default = self.endpoints_of("spec", first, next, &mut chains.dangling);
        for (index, rule) in route.rules.iter().enumerate() {
            let path = format!("spec.rules[{index}]");
            let steps = match &rule.chain {
                RuleChain::Providers(names) => self.by_providers(&path, names, &mut chains),
                RuleChain::Endpoints(items) => {
                    let (first, next) = items.split_at(items.len().min(1));
                    self.endpoints_of(&path, first.iter(), next.iter(), &mut chains.dangling)
                }
            };
            chains.rules.push(steps);
        }
        chains
    }

    fn endpoints_of<'r>(
        &self,
        path: &str,
        first: impl Iterator<Item = &'r EndpointRef>,
        next: impl Iterator<Item = &'r EndpointRef>,
        dangling: &mut Vec<Reference>,
    ) -> Vec<Step> {
        let first = first.map(|item| (format!("{path}.endpoint"), item));
        let next =
            next.enumerate().map(|(index, item)| (format!("{path}.fallback_endpoints[{index}]"), item));
        first.chain(next).filter_map(|(path, item)| self.endpoint(path, item, dangling)).collect()
    }

    fn endpoint(&self, path: String, item: &EndpointRef, dangling: &mut Vec<Reference>) -> Option<Step> {
        let mut missing = |kind, name: &str| {
            dangling.push(Reference { field_path: path.clone(), kind, name: name.to_owned() });
        };
        let (provider, model, inline) = match item {
            EndpointRef::Inline { provider, model } => {
                if !self.providers.contains_key(provider.as_str()) {
                    missing(Kind::Provider, provider);
                    return None;
                }
                (provider, model, true)
            }
            EndpointRef::Named(name) => {
                let Some(endpoint) = self.endpoints.get(name.as_str()) else {
                    missing(Kind::Endpoint, name);
                    return None;
                };
                // An endpoint whose provider is missing is refused where the endpoint stands.
                self.providers.get(endpoint.provider.as_str())?;
                (&endpoint.provider, &endpoint.model, false)
            }
        };
        Some(Step { path, provider: provider.clone(), model: model.clone(), inline })
    }

    /// Resolves one endpoint; none if it names nothing.
    pub(crate) fn resolve(&self, item: &EndpointRef) -> Option<Step> {
        self.endpoint(String::new(), item, &mut Vec::new())
    }

    /// Whether a step's provider or model is disabled.
    pub(crate) fn is_disabled(&self, step: &Step) -> bool {
        let provider = self.providers.get(step.provider.as_str());
        provider.is_some_and(|provider| {
            provider.disabled || provider.model(&step.model).is_some_and(|model| model.disabled)
        })
    }

    /// Resolves a rule by providers; [`RuleChain::Providers`] says how each one's model is chosen.
    fn by_providers(&self, path: &str, names: &[String], chains: &mut Chains) -> Vec<Step> {
        let mut steps = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let path = match index {
                0 => format!("{path}.provider"),
                _ => format!("{path}.fallback_providers[{}]", index - 1),
            };
            let Some(provider) = self.providers.get(name.as_str()) else {
                chains.dangling.push(Reference {
                    field_path: path,
                    kind: Kind::Provider,
                    name: name.clone(),
                });
                continue;
            };
            match model_of(name, provider, &chains.default) {
                Some(model) => steps.push(Step { path, provider: name.clone(), model, inline: false }),
                None => chains.violations.push(Violation::at(
                    path,
                    format!(
                        "which model of Provider \"{name}\" is meant cannot be told; list the provider's models, or \
                         write the rule by endpoint"
                    ),
                )),
            }
        }
        steps
    }
}

fn model_of(name: &str, provider: &Provider, default: &[Step]) -> Option<String> {
    let asked = default.iter().find(|step| step.provider == name);
    let alike = || default.first().filter(|step| provider.may_serve(&step.model));
    match asked.or_else(alike) {
        Some(step) => Some(step.model.clone()),
        None => provider.models.first().map(|model| model.name.clone()),
    }
}
