//! Overrides of routes, as commands and as rows.

use breakwater_common::resource::{EndpointRef, Reroute, RerouteKind};
use breakwater_common::time::UnixMillis;
use breakwater_proto::internal as pb;
use prost::Message;

use super::WireError;
use crate::command::SetRouteOverride;
use crate::state::RouteOverride;

pub(super) fn set_to_proto(set: &SetRouteOverride) -> pb::SetRouteOverride {
    pb::SetRouteOverride {
        route: set.route.clone(),
        kind: set.kind.as_str().to_owned(),
        endpoint: set.endpoint.clone().unwrap_or_default(),
        reason: set.reason.clone(),
        ttl_ms: set.ttl_ms,
        expected_revision: set.expected_revision,
    }
}

pub(super) fn set_from_proto(set: pb::SetRouteOverride) -> Result<SetRouteOverride, WireError> {
    Ok(SetRouteOverride {
        route: set.route,
        kind: kind_of(&set.kind)?,
        endpoint: Some(set.endpoint).filter(|name| !name.is_empty()),
        reason: set.reason,
        ttl_ms: set.ttl_ms,
        expected_revision: set.expected_revision,
    })
}

pub(crate) fn encode_override(over: &RouteOverride) -> Vec<u8> {
    pb::RouteOverrideRow {
        kind: over.reroute.kind.as_str().to_owned(),
        from: Some(place_to_proto(&over.reroute.from)),
        to: Some(place_to_proto(&over.reroute.to)),
        reason: over.reason.clone(),
        made_by: over.made_by.clone(),
        create_unix_ms: over.create.0,
        expire_unix_ms: over.expire.0,
        revision: over.revision,
    }
    .encode_to_vec()
}

pub(crate) fn decode_override(route: &str, bytes: &[u8]) -> Result<RouteOverride, WireError> {
    const WHAT: WireError = WireError::Decode { what: "an override's row" };
    let row = pb::RouteOverrideRow::decode(bytes).map_err(|_| WHAT)?;
    let reroute = Reroute {
        kind: kind_of(&row.kind)?,
        from: place_from_proto(row.from.ok_or(WHAT)?),
        to: place_from_proto(row.to.ok_or(WHAT)?),
    };
    Ok(RouteOverride {
        route: route.to_owned(),
        reroute,
        reason: row.reason,
        made_by: row.made_by,
        create: UnixMillis(row.create_unix_ms),
        expire: UnixMillis(row.expire_unix_ms),
        revision: row.revision,
    })
}

fn kind_of(word: &str) -> Result<RerouteKind, WireError> {
    RerouteKind::parse(word).ok_or_else(|| WireError::field("kind", word))
}

fn place_to_proto(place: &EndpointRef) -> pb::Place {
    match place {
        EndpointRef::Named(name) => pb::Place { name: name.clone(), ..pb::Place::default() },
        EndpointRef::Inline { provider, model } => {
            pb::Place { name: String::new(), provider: provider.clone(), model: model.clone() }
        }
    }
}

fn place_from_proto(place: pb::Place) -> EndpointRef {
    match place.name.is_empty() {
        false => EndpointRef::Named(place.name),
        true => EndpointRef::Inline { provider: place.provider, model: place.model },
    }
}
