//! Who may answer a call. Admission asks this room about every place of a chain, and the proxy asks it again before each
//! attempt: what a provider was when the route was applied, it need not be when the call fails over.
//!
//! Two sorts of reasons. *Standing* ones hold for every place, the first of a chain too: sovereignty, the tenant's lists, the
//! price cap, and gates, which only fallbacks can offend. *Fitness* is asked of fallbacks alone, by what the call needs: the
//! first of a chain is the operator's own choice, and is asked whatever the catalogue says of it. A model that says nothing of
//! itself is unknown, not unfit: catalogues are filled in by people, and at worst its provider refuses the call.
//!
//! Guardrails are no reason here: they belong to the route and hold for all its places alike.

use std::borrow::Cow;

use super::{Model, Price, Provider};

/// How a mark of a provider ends that is asked only where it stands first.
const GATE: &str = "_gated";

/// Who may see a tenant's prompts. An empty list allows any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Names of providers.
    pub providers: Vec<String>,
    /// Where prompts may be processed.
    pub jurisdictions: Vec<String>,
}

/// What the route and the tenant demand of whoever answers.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The route's: a tag; empty if none is asked for.
    pub sovereignty: &'a str,
    /// The route's: the most that a model may cost.
    pub max_price: Option<Price>,
    /// The tenant's.
    pub allowed: &'a Allowed,
}

/// One place of a chain.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The provider's name.
    pub name: &'a str,
    /// The provider.
    pub provider: &'a Provider,
    /// The model as the vendor names it.
    pub model: &'a str,
    /// It does not stand first, so nobody has chosen it for the call but the chain.
    pub fallback: bool,
}

/// What a call needs of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// Words of the catalogue's `capabilities`.
    pub capabilities: Vec<&'static str>,
    /// Tokens of the prompt, as estimated, and of the answer, as asked.
    pub tokens: u64,
}

/// Why a place may not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ineligible {
    /// The provider lacks the tag of the route's sovereignty.
    NotSovereign,
    /// The provider is gated, and the place is a fallback.
    Gated,
    /// The provider is not among those that the tenant allows.
    ProviderNotAllowed,
    /// The provider's jurisdiction is not among those that the tenant allows.
    JurisdictionNotAllowed,
    /// The route has a cap, and nobody says what the model costs.
    PriceUnknown,
    /// The model costs more than the route's cap.
    PriceCap,
    /// The model cannot do what the call needs.
    Capability(&'static str),
    /// The call is longer than the model's window.
    ContextWindow,
}

impl Ineligible {
    /// Returns the word of `why`.
    #[must_use]
    pub fn word(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotSovereign => "not_sovereign",
            Self::Gated => "gated",
            Self::ProviderNotAllowed => "provider_not_allowed",
            Self::JurisdictionNotAllowed => "jurisdiction_not_allowed",
            Self::PriceUnknown => "price_unknown",
            Self::PriceCap => "price_cap",
            Self::Capability(word) => return Cow::Owned(format!("capability_{word}")),
            Self::ContextWindow => "context_window",
        })
    }
}

impl Place<'_> {
    /// Returns every standing reason against the place; none: it may be asked.
    #[must_use]
    pub fn standing(&self, terms: &Terms<'_>) -> Vec<Ineligible> {
        let sovereign =
            terms.sovereignty.is_empty() || self.provider.tags.iter().any(|tag| tag == terms.sovereignty);
        let among = |list: &[String], word: &str| list.is_empty() || list.iter().any(|one| one == word);
        let price = terms.max_price.and_then(|cap| self.price_reason(&cap));
        [
            (!sovereign).then_some(Ineligible::NotSovereign),
            (self.fallback && self.gate().is_some()).then_some(Ineligible::Gated),
            (!among(&terms.allowed.providers, self.name)).then_some(Ineligible::ProviderNotAllowed),
            (!among(&terms.allowed.jurisdictions, &self.provider.jurisdiction))
                .then_some(Ineligible::JurisdictionNotAllowed),
            price,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether [`Self::unfit`] could name a reason at all, so that nobody needs to find out what a call needs for nothing.
    #[must_use]
    pub fn depends_on_needs(&self) -> bool {
        let says = |model: &Model| !model.capabilities.is_empty() || model.context_window.is_some();
        self.fallback && self.listed().is_some_and(says)
    }

    /// Returns every reason why the place does not fit what the call needs; always none for the first of a chain.
    #[must_use]
    pub fn unfit(&self, needs: &Needs) -> Vec<Ineligible> {
        let Some(model) = self.listed().filter(|_| self.fallback) else { return Vec::new() };
        let can =
            |word: &str| model.capabilities.is_empty() || model.capabilities.iter().any(|one| one == word);
        let missing = needs.capabilities.iter().filter(|word| !can(word));
        let mut reasons: Vec<_> = missing.copied().map(Ineligible::Capability).collect();
        if model.context_window.is_some_and(|window| needs.tokens > u64::from(window)) {
            reasons.push(Ineligible::ContextWindow);
        }
        reasons
    }

    /// Returns the mark that gates the provider. The case of its letters does not matter: a gate must not be lost by it.
    #[must_use]
    pub fn gate(&self) -> Option<&str> {
        let ends = |tag: &str| {
            let from = tag.len().checked_sub(GATE.len());
            from.and_then(|from| tag.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(GATE))
        };
        self.provider.tags.iter().map(String::as_str).find(|tag| ends(tag))
    }

    fn listed(&self) -> Option<&Model> {
        self.provider.model(self.model)
    }

    fn price_reason(&self, cap: &Price) -> Option<Ineligible> {
        let Some(price) = self.listed().and_then(|model| model.price) else {
            return Some(Ineligible::PriceUnknown);
        };
        // What a price leaves out costs nothing, but for cached input, which then costs as input.
        let over =
            |price: Option<f64>, cap: Option<f64>| cap.is_some_and(|cap| price.unwrap_or_default() > cap);
        let is_over = over(price.input, cap.input)
            || over(price.cached_input.or(price.input), cap.cached_input)
            || over(price.output, cap.output);
        is_over.then_some(Ineligible::PriceCap)
    }
}

#[cfg(test)]
#[path = "eligible_tests.rs"]
mod tests;
