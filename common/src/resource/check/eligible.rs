//! Places of chains that could never be asked are refused when they are applied.

use std::collections::BTreeMap;

use super::Found;
use crate::resource::catalog::{Catalog, Step};
use crate::resource::eligible::{Allowed, Ineligible, Place, Terms};
use crate::resource::{Kind, Model, Route, Spec, Tenant};

impl Found {
    /// Checks the places of a chain against what the route demands. What a tenant demands is checked with the tenant.
    pub(super) fn check_eligible(&mut self, catalog: &Catalog<'_>, route: &Route, chain: &[Step]) {
        let anybody = Allowed::default();
        let terms = Terms { sovereignty: &route.sovereignty, max_price: route.max_price, allowed: &anybody };
        let places: Vec<_> = places(catalog, chain).collect();
        for (step, place) in &places {
            for reason in place.standing(&terms) {
                self.add(&step.path, explain(catalog, route, place, reason));
            }
        }
        let Some(((_, first), fallbacks)) = places.split_first() else { return };
        for (step, place) in fallbacks {
            if never_takes_over(first, place) {
                let message = format!(
                    "one of \"{}\" and \"{}\" only makes embeddings by its capabilities and the other makes none, so it \
                     could never answer in its place; remove it, or mend the capabilities",
                    first.model, place.model
                );
                self.add(&step.path, message);
            }
        }
    }

    /// Refuses a tenant whose lists leave nobody to answer on one of its routes.
    pub(super) fn check_allowed(
        &mut self,
        all: &BTreeMap<(Kind, String), Spec>,
        catalog: &Catalog<'_>,
        tenant: &Tenant,
    ) {
        if tenant.allowed == Allowed::default() {
            return;
        }
        let terms = Terms { sovereignty: "", max_price: None, allowed: &tenant.allowed };
        for (index, name) in tenant.routes.iter().enumerate() {
            let Some(Spec::Route(route)) = all.get(&(Kind::Route, name.clone())) else { continue };
            let chains = catalog.chains(route);
            let mut chains = std::iter::once(&chains.default).chain(&chains.rules).map(Vec::as_slice);
            let somebody = |chain: &[Step]| {
                places(catalog, chain).any(|(_, place)| {
                    let reasons = place.standing(&terms);
                    !reasons.iter().any(|reason| *reason != Ineligible::Gated)
                })
            };
            if !chains.any(somebody) {
                let message = format!(
                    "no provider of Route \"{name}\" is left by spec.allowed_providers and spec.allowed_jurisdictions; \
                     allow one, or take the route off the list"
                );
                self.add(&format!("spec.routes[{index}]"), message);
            }
        }
    }
}

fn places<'a>(catalog: &'a Catalog<'_>, chain: &'a [Step]) -> impl Iterator<Item = (&'a Step, Place<'a>)> {
    chain.iter().enumerate().filter_map(|(index, step)| {
        let provider = catalog.providers.get(step.provider.as_str())?;
        Some((step, Place { name: &step.provider, provider, model: &step.model, fallback: index > 0 }))
    })
}

/// Whether one of two models does nothing but what the other, by its own word, does not: embeddings.
fn never_takes_over(first: &Place<'_>, fallback: &Place<'_>) -> bool {
    let said = |place: &Place<'_>| {
        let model =
            place.provider.model(place.model).filter(|model: &&Model| !model.capabilities.is_empty())?;
        let embeds = model.capabilities.iter().any(|word| word == "embeddings");
        Some((embeds, embeds && model.capabilities.len() == 1))
    };
    let (Some((embeds, only)), Some((other_embeds, other_only))) = (said(first), said(fallback)) else {
        return false;
    };
    (only && !other_embeds) || (other_only && !embeds)
}

pub(in crate::resource) fn explain(
    catalog: &Catalog<'_>,
    route: &Route,
    place: &Place<'_>,
    reason: Ineligible,
) -> String {
    let Place { name, model, .. } = place;
    match reason {
        Ineligible::NotSovereign => {
            let carries = |tags: &[String]| tags.contains(&route.sovereignty);
            let carriers = catalog.providers.iter().filter(|(_, other)| carries(&other.tags));
            let carriers: Vec<&str> = carriers.map(|(name, _)| *name).collect();
            let advice = match carriers.as_slice() {
                [] => "no provider carries it yet".to_owned(),
                _ => format!("these carry it: {}", carriers.join(", ")),
            };
            format!(
                "Provider \"{name}\" lacks the tag \"{}\" that the route's sovereignty asks for; {advice}",
                route.sovereignty
            )
        }
        Ineligible::Gated => format!(
            "Provider \"{name}\" is gated by its tag \"{}\" and is never a fallback; remove it here, or make it the \
             first of a route or a rule of its own",
            place.gate().unwrap_or_default()
        ),
        Ineligible::PriceUnknown => format!(
            "the route has a max_price, and nobody says what \"{model}\" costs at Provider \"{name}\"; list the model \
             there with its price (0 for what costs nothing)"
        ),
        Ineligible::PriceCap => format!(
            "\"{model}\" at Provider \"{name}\" costs more than the route's max_price; raise that, or remove it here"
        ),
        // Of tenants and calls, about which a route's own check does not ask.
        Ineligible::ProviderNotAllowed
        | Ineligible::JurisdictionNotAllowed
        | Ineligible::Capability(_)
        | Ineligible::ContextWindow => {
            format!("\"{model}\" at Provider \"{name}\" may not answer: {}", reason.word())
        }
    }
}
