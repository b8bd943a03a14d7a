//! The kinds of resources.

/// Kind of a resource. The order is that in which resources are listed and pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A vendor account.
    Provider,
    /// One model at one provider.
    Endpoint,
    /// A set of guardrails.
    Policy,
    /// Match, policies, upstreams.
    Route,
    /// Who calls.
    Tenant,
    /// What is done when incidents come together.
    Playbook,
    /// Who is told.
    DeliveryWorkflow,
    /// A goal for a route.
    Slo,
}

impl Kind {
    /// All kinds, in order.
    pub const ALL: [Self; 8] = [
        Self::Provider,
        Self::Endpoint,
        Self::Policy,
        Self::Route,
        Self::Tenant,
        Self::Playbook,
        Self::DeliveryWorkflow,
        Self::Slo,
    ];

    /// Returns the word of manifests: `DeliveryWorkflow`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "Provider",
            Self::Endpoint => "Endpoint",
            Self::Policy => "Policy",
            Self::Route => "Route",
            Self::Tenant => "Tenant",
            Self::Playbook => "Playbook",
            Self::DeliveryWorkflow => "DeliveryWorkflow",
            Self::Slo => "Slo",
        }
    }

    /// Returns the collection's segment in REST paths: `delivery-workflows`.
    #[must_use]
    pub fn collection(self) -> &'static str {
        match self {
            Self::Provider => "providers",
            Self::Endpoint => "endpoints",
            Self::Policy => "policies",
            Self::Route => "routes",
            Self::Tenant => "tenants",
            Self::Playbook => "playbooks",
            Self::DeliveryWorkflow => "delivery-workflows",
            Self::Slo => "slos",
        }
    }

    /// Returns the kind of exactly this word of manifests.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the kind that a person means: any case, singular or plural, with or without separators.
    #[must_use]
    pub fn parse_loose(word: &str) -> Option<Self> {
        let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '_'], "");
        let word = plain(word);
        Self::ALL.into_iter().find(|kind| word == plain(kind.as_str()) || word == plain(kind.collection()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert_eq!(Kind::parse_loose(kind.collection()), Some(kind));
        }
        assert_eq!(Kind::parse_loose("deliveryworkflows"), Some(Kind::DeliveryWorkflow));
        assert_eq!(Kind::parse_loose("POLICY"), Some(Kind::Policy));
        assert_eq!(Kind::parse("provider"), None);
    }
}
