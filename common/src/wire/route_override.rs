//! What a proxy needs to know of a moved route: the body of a ruleset's item of kind `RouteOverride`.

use breakwater_proto::v1;
use prost::Message;

use super::problems::Problems;
use super::route::endpoint_ref;
use crate::resource::{EndpointRef, Reroute, RerouteKind};
use crate::time::UnixMillis;
use crate::violation::Violation;

/// A route's move and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteOverride {
    /// From where to where.
    pub reroute: Reroute,
    /// From when on the route's configuration holds again.
    pub expire: UnixMillis,
}

/// Encodes an override. The same override always gives the same bytes.
#[must_use]
pub fn encode_route_override(over: &RouteOverride) -> Vec<u8> {
    let place = |place: &EndpointRef| match place {
        EndpointRef::Named(name) => v1::EndpointRef { name: name.clone(), ..v1::EndpointRef::default() },
        EndpointRef::Inline { provider, model } => {
            v1::EndpointRef { name: String::new(), provider: provider.clone(), model: model.clone() }
        }
    };
    v1::RouteOverride {
        kind: over.reroute.kind.as_str().to_owned(),
        from: Some(place(&over.reroute.from)),
        to: Some(place(&over.reroute.to)),
        expire_unix_ms: over.expire.0,
    }
    .encode_to_vec()
}

/// Decodes an override. Violations have no resource; the caller knows the route.
///
/// # Errors
/// If the bytes are no override, its kind is not known, or a place is missing.
pub fn decode_route_override(body: &[u8]) -> Result<RouteOverride, Vec<Violation>> {
    let message: v1::RouteOverride = super::message(body)?;
    let mut problems = Problems::default();
    let kind = RerouteKind::parse(&message.kind);
    if kind.is_none() {
        problems.add("kind", "this release knows no such kind; upgrade it");
    }
    let from = endpoint_ref("from", message.from.unwrap_or_default(), &mut problems);
    let to = endpoint_ref("to", message.to.unwrap_or_default(), &mut problems);
    let places = problems.into_result((kind, from, to))?;
    let (Some(kind), Some(from), Some(to)) = places else {
        return Err(vec![Violation::at("", "the override is not whole")]);
    };
    let expire = UnixMillis(message.expire_unix_ms);
    Ok(RouteOverride { reroute: Reroute { kind, from, to }, expire })
}
