//! Calls about something that a provider keeps. Nothing of them says where it is kept, so the caller says the model, in the
//! body or in a header, or the tenant has one route alone that lets its callers do this.

use std::sync::Arc;

use breakwater_common::guard::Side;
use breakwater_common::ruleset::CompiledRoute;
use breakwater_dialect::Format;
use breakwater_dialect::json::{self, Place};
use breakwater_dialect::pass::Asked;
use bytes::Bytes;
use http::HeaderMap;

use super::Pinned;
use super::decode::decode;
use crate::call::{Call, State};
use crate::fault::Fault;
use crate::trace::Trace;

/// Says the model of a call whose body does not.
const MODEL_HEADER: &str = "x-breakwater-model";

/// Makes the call. Errors: no route, or one that does not let its callers do this.
pub(super) fn call(
    pinned: &Pinned,
    trace: Trace,
    state: &State,
    headers: &HeaderMap,
    bytes: &Bytes,
) -> Result<Call, Fault> {
    let body = if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes.clone() };
    let alias = alias(pinned, headers, &body)?;
    let asked = Asked { format: Format::Responses, model: Some(alias), stream: Some(state.stream()) };
    let mut call = decode(pinned, trace, asked, &body)?;
    // What is kept was never judged on its way out: a route that judges answers cannot give it.
    if !call.route.provider_state || call.route.guards.inspects(Side::Output) {
        return Err(Fault::StateForbidden);
    }
    call.state = Some(Arc::new(state.clone()));
    Ok(call)
}

fn alias(pinned: &Pinned, headers: &HeaderMap, body: &Bytes) -> Result<String, Fault> {
    if let Some(named) = headers.get(MODEL_HEADER).and_then(|value| value.to_str().ok()) {
        return Ok(named.trim().to_owned());
    }
    let in_body = json::check(body).ok().and_then(|text| {
        let model = Place::root(text).get("model")?;
        Some(model.as_str()?.into_owned())
    });
    if let Some(alias) = in_body.or_else(|| only(pinned, |route| route.provider_state)) {
        return Ok(alias);
    }
    let tenant = &pinned.holder.tenant;
    let mut aliases = pinned.ruleset.aliases_of(tenant).into_iter();
    let open = |alias| pinned.ruleset.route_for(tenant, alias).is_some_and(|route| route.provider_state);
    if aliases.any(open) {
        return Err(Fault::BadRequest {
            param: Some(MODEL_HEADER.to_owned()),
            message: format!("{MODEL_HEADER}: say in this header which model the call is about"),
        });
    }
    Err(Fault::StateForbidden)
}

/// The one route of the tenant that is `wanted`, by its first alias; none if there are several.
pub(super) fn only(pinned: &Pinned, wanted: impl Fn(&CompiledRoute) -> bool) -> Option<String> {
    let tenant = &pinned.holder.tenant;
    let aliases = pinned.ruleset.aliases_of(tenant);
    let routes = aliases.into_iter().filter_map(|alias| pinned.ruleset.route_for(tenant, alias));
    let mut open = routes.filter(|route| wanted(route));
    let first: &Arc<CompiledRoute> = open.next()?;
    open.all(|route| route.name == first.name).then(|| first.aliases.first().cloned())?
}
