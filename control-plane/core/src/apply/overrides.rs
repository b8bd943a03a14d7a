//! Routes moved for a time. An override is legal by the rules of `common::resource` when it is made, and ends with the change
//! of the configuration that makes it illegal. One whose time is over is followed by nobody; it goes with the next command.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::{Kind, Reroute};
use breakwater_common::time::UnixMillis;
use breakwater_common::violation::Violation;

use super::Done;
use crate::applied::Refusal;
use crate::audit::Entry;
use crate::command::SetRouteOverride;
use crate::draft::Draft;
use crate::proposal::Principal;
use crate::rules;
use crate::state::RouteOverride;

/// Moves a route. An override that is in force is replaced.
pub(super) fn set(draft: &mut Draft, who: &Principal, asked: &SetRouteOverride) -> Result<Done, Refusal> {
    let refuse = |kind, field: &str, why: String| Err(Refusal::because(kind, Violation::at(field, why)));
    let SetRouteOverride { route, kind, endpoint, reason, ttl_ms, expected_revision } = asked;
    if draft.state.resource(Kind::Route, route).is_none() {
        return refuse(ErrorKind::NotFound, "route_id", format!("there is no Route \"{route}\""));
    }
    if let Some(name) = endpoint
        && draft.state.resource(Kind::Endpoint, name).is_none()
    {
        let why = format!("there is no Endpoint \"{name}\"");
        return refuse(ErrorKind::NotFound, "fallback_endpoint", why);
    }
    let in_force = draft.state.route_override(route).filter(|over| draft.now < over.expire);
    let found = in_force.map_or(0, |over| over.revision);
    if let Some(expected) = expected_revision.filter(|expected| *expected != found) {
        let why = format!("the override in force has revision {found} (0: there is none), not {expected}");
        return refuse(ErrorKind::Aborted, "expected_revision", why);
    }
    let all = rules::specs(draft.state.resources());
    let reroute = Reroute::plan(&all, route, *kind, endpoint.as_deref())
        .map_err(|why| Refusal::because(ErrorKind::FailedPrecondition, why))?;
    end_expired(draft);
    let made = RouteOverride {
        route: route.clone(),
        reroute,
        reason: reason.clone(),
        made_by: who.subject.clone(),
        create: draft.now,
        expire: UnixMillis(draft.now.0.saturating_add(*ttl_ms)),
        revision: draft.revision(),
    };
    let entry = entry("route.override", &made).because(reason).with("expire", &made.expire.to_rfc3339());
    draft.put_override(made);
    Ok(Done::revision(entry))
}

/// Ends a route's override.
pub(super) fn clear(
    draft: &mut Draft,
    route: &str,
    reason: &str,
    made_by_revision: Option<u64>,
) -> Result<Done, Refusal> {
    let found = draft.state.route_override(route).cloned();
    let Some(over) = found.filter(|over| made_by_revision.is_none_or(|made| made == over.revision)) else {
        let (field, why) = match made_by_revision {
            None => ("route_id", format!("no override of \"{route}\" is in force")),
            Some(_) => ("automation_id", format!("the override of \"{route}\" in force is not this one")),
        };
        return Err(Refusal::because(ErrorKind::NotFound, Violation::at(field, why)));
    };
    draft.delete_override(route);
    Ok(Done::revision(entry("route.restore", &over).because(reason)))
}

/// Ends the overrides that the resources as they are now make illegal; returns a record for each.
pub(super) fn end_illegal(draft: &mut Draft) -> Vec<Entry> {
    if draft.state.overrides.is_empty() {
        return Vec::new();
    }
    let all = rules::specs(draft.state.resources());
    let illegal = draft.state.route_overrides().filter(|over| !over.reroute.is_legal(&all, &over.route));
    let illegal: Vec<_> = illegal.cloned().collect();
    let mut entries = Vec::with_capacity(illegal.len());
    for over in illegal {
        draft.delete_override(&over.route);
        entries.push(entry("route.restore", &over).because("no_longer_legal"));
    }
    entries
}

fn end_expired(draft: &mut Draft) {
    let now = draft.now;
    let expired = draft.state.route_overrides().filter(|over| over.expire <= now);
    let expired: Vec<String> = expired.map(|over| over.route.clone()).collect();
    expired.iter().for_each(|route| draft.delete_override(route));
}

fn entry(action: &str, over: &RouteOverride) -> Entry {
    Entry::new(action, format!("Route/{}", over.route))
        .with("kind", over.reroute.kind.as_str())
        .with("from", &over.reroute.from.label())
        .with("to", &over.reroute.to.label())
        .with("automation_id", &over.id())
}
