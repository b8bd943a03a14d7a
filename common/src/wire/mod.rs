//! The only door between the domain and protobuf bodies: encoded `*Spec` messages in, domain types out. The defaults
//! that the proto files promise for unset fields are filled in here, and nowhere else.
//!
//! What it does not do: check the rules that stand as options in the proto files (bounds, lengths, URLs). Admission
//! does that through `manifest::check_spec`; here is only what a domain type cannot hold.

mod breaker;
mod key_grant;
mod limits;
mod policy;
mod problems;
mod provider;
mod route;
mod route_override;
mod stored;

pub use key_grant::{KeyGrant, decode_key_grant, encode_key_grant};
pub use route_override::{RouteOverride, decode_route_override, encode_route_override};

use breakwater_proto::v1;
use prost::Message;

use crate::resource::{Allowed, Endpoint, Kind, Spec, Tenant};
use crate::violation::Violation;
use problems::Problems;

/// Decodes an encoded `*Spec` message of a kind into the domain. Violations have no resource; the caller knows its name.
///
/// # Errors
/// All violations, at most [`crate::limits::VIOLATIONS_MAX`]: bytes that do not decode, words and quantities that mean
/// nothing, an endpoint given in both forms or in neither, names used twice within the resource.
pub fn decode_spec(kind: Kind, spec: &[u8]) -> Result<Spec, Vec<Violation>> {
    let mut problems = Problems::default();
    let decoded = match kind {
        Kind::Provider => message(spec).map(|spec| Spec::Provider(provider::decode(spec, &mut problems))),
        Kind::Endpoint => message(spec).map(|spec: v1::EndpointSpec| {
            Spec::Endpoint(Endpoint { provider: spec.provider, model: spec.model })
        }),
        Kind::Policy => message(spec).map(|spec| Spec::Policy(policy::decode(spec, &mut problems))),
        Kind::Route => message(spec).map(|spec| Spec::Route(route::decode(spec, &mut problems))),
        Kind::Tenant => message(spec).map(|spec: v1::TenantSpec| {
            let allowed =
                Allowed { providers: spec.allowed_providers, jurisdictions: spec.allowed_jurisdictions };
            let limits = limits::of_tenant(spec.limits);
            Spec::Tenant(Tenant { display_name: spec.display_name, routes: spec.routes, allowed, limits })
        }),
        Kind::Playbook => message::<v1::PlaybookSpec>(spec).map(|_| Spec::Stored(kind)),
        Kind::DeliveryWorkflow => message(spec).map(|spec| {
            stored::check_delivery_workflow(&spec, &mut problems);
            Spec::Stored(kind)
        }),
        Kind::Slo => message::<v1::SloSpec>(spec).map(|_| Spec::Stored(kind)),
    };
    decoded.and_then(|spec| problems.into_result(spec))
}

fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, Vec<Violation>> {
    M::decode(bytes)
        .map_err(|error| vec![Violation::at("spec", format!("the bytes are no such message: {error}"))])
}

#[cfg(test)]
mod breaker_tests;
#[cfg(test)]
mod route_tests;
#[cfg(test)]
mod tests;
