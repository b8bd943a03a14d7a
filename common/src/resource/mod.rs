//! The domain, typed: what a checked manifest means. Values that were checked are kept as numbers; the text that people
//! wrote lives on in the stored body, not here.

pub(crate) mod catalog;
mod check;
mod condition;
pub mod eligible;
mod endpoint;
mod kind;
mod policy;
mod provider;
pub mod quantity;
pub(crate) mod reroute;
mod route;
mod tenant;

pub use check::check_references;
pub use condition::{CompiledCondition, Facts};
pub use eligible::Allowed;
pub use endpoint::Endpoint;
pub use kind::Kind;
pub use policy::{Action, Guardrail, GuardrailCheck, Mode, PiiEntity, Policy, Sides};
pub use provider::{Credential, Model, Price, Provider, ProviderType, SEALED_PLACEHOLDER, Timeouts};
pub use reroute::{Reroute, RerouteKind};
pub use route::{Condition, ConditionValue, EndpointRef, Operator, Route, RouteRule, RuleChain};
pub use tenant::Tenant;

/// The meaning of one resource's spec.
#[derive(Debug, Clone, PartialEq)]
pub enum Spec {
    /// A vendor account.
    Provider(Provider),
    /// One model at one provider.
    Endpoint(Endpoint),
    /// A set of guardrails.
    Policy(Policy),
    /// Match, policies, upstreams.
    Route(Route),
    /// Who calls.
    Tenant(Tenant),
    /// A kind that is stored and checked, and that nothing acts on yet. Its references are checked like any other's.
    Stored(Kind),
}

/// One reference from a resource to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The field that holds it.
    pub field_path: String,
    /// Which kind it names.
    pub kind: Kind,
    /// The name.
    pub name: String,
}
