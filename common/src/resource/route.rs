//! Match, policies, upstreams.

use std::time::Duration;

use crate::sla;

use super::Price;
use crate::limit::Limits;

/// What happens to calls that ask for one of the aliases.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// What callers put in `model`, as the manifest gives it; [`Self::aliases_of`] stands the route's name in for none.
    pub aliases: Vec<String>,
    /// Where calls go first; none only if a rule without conditions catches all.
    pub endpoint: Option<EndpointRef>,
    /// Where calls go next, in order.
    pub fallback_endpoints: Vec<EndpointRef>,
    /// Names of policies; all hold.
    pub policies: Vec<String>,
    /// The first whose conditions hold takes the place of the chain above.
    pub rules: Vec<RouteRule>,
    /// A tag that every provider of the route must carry; empty if none.
    pub sovereignty: String,
    /// Answers say which provider gave them.
    pub reveal_provider: bool,
    /// Callers may use what the first provider keeps for them.
    pub provider_state: bool,
    /// The most that a model of the route may cost; none: any.
    pub max_price: Option<Price>,
    /// Most calls over the fleet.
    pub limits: Limits,
    /// The whole call's limit.
    pub deadline: Duration,
    /// When an endpoint is asked after its fallbacks; none if nothing is asked for.
    pub sla: Option<sla::Settings>,
}

impl Route {
    /// Longest time of a call whose route says no other: ten minutes, that of the official clients.
    pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(600);

    /// Returns what callers put in `model` to reach this route of a name: its aliases, or else the name. Never empty.
    #[must_use]
    pub fn aliases_of<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        if self.aliases.is_empty() { vec![name] } else { self.aliases.iter().map(String::as_str).collect() }
    }
}

/// An endpoint by name, or written in place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointRef {
    /// An `Endpoint` resource.
    Named(String),
    /// Written in place.
    Inline {
        /// Name of the provider.
        provider: String,
        /// The model as the vendor names it.
        model: String,
    },
}

/// Another chain for some calls.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteRule {
    /// The chain as written: by providers or by endpoints, first first. Never empty after decoding.
    pub chain: RuleChain,
    /// All must hold; none: it always holds.
    pub conditions: Vec<Condition>,
}

/// How a rule names its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleChain {
    /// By providers. The model is the one that the route's own chain asks of that provider, or else the provider's
    /// model of the same name as the route's first endpoint's, or else the provider's first.
    Providers(Vec<String>),
    /// By endpoints.
    Endpoints(Vec<EndpointRef>),
}

/// One test on the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// `user.NAME`, `request.model`, `request.stream`, `tenant.name`.
    pub field: String,
    /// How it is tested.
    pub operator: Operator,
    /// Against what.
    pub value: ConditionValue,
}

/// How a field is tested. A field that is not there fails every test but `ne`, `not_in` and `exists: false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// Begins with.
    Prefix,
    /// Ends with.
    Suffix,
    /// A regular expression matches anywhere in it.
    Regex,
    /// It is there (value true or none), or it is not (value false).
    Exists,
    /// A number, greater.
    Gt,
    /// A number, less.
    Lt,
}

impl Operator {
    /// All operators with their words in manifests.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Eq, "eq"),
        (Self::Ne, "ne"),
        (Self::In, "in"),
        (Self::NotIn, "not_in"),
        (Self::Prefix, "prefix"),
        (Self::Suffix, "suffix"),
        (Self::Regex, "regex"),
        (Self::Exists, "exists"),
        (Self::Gt, "gt"),
        (Self::Lt, "lt"),
    ];
}

/// What a field is tested against.
#[derive(Debug, Clone, PartialEq)]
pub enum ConditionValue {
    /// Nothing; for `exists` only.
    None,
    /// A text; numbers and booleans of manifests compare as their text for all but `gt` and `lt`.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
}
