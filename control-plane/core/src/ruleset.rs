//! What a proxy needs of the state: a pure projection, the same on every node at the same revision.

use breakwater_common::manifest::map_secrets;
use breakwater_common::resource::Kind;
use breakwater_common::ruleset::{Item, KEY_KIND, OVERRIDE_KIND, Ruleset};
use breakwater_common::wire::{self, KeyGrant, encode_key_grant, encode_route_override};

use crate::command::SEALED_PREFIX;
use crate::state::{Key, Resource, RouteOverride, State};

/// Gives a sealed secret its text back: kind, name, field path and sealed text in.
pub type Open<'a, E> = dyn Fn(Kind, &str, &str, &str) -> Result<String, E> + 'a;

/// Projects the state: providers, endpoints, policies, routes, tenants, a grant for each key that was not
/// ended, and the overrides of routes.
///
/// `open` is asked with the resource's kind and name, the field's path and the sealed text (see [`map_secrets`]), and
/// only for secrets that are sealed. Keys that ended by themselves stay in, with
/// their end: the proxy knows the time, and a projection that did would differ between nodes of one revision.
///
/// # Errors
///
/// The first error of `open`.
pub fn project<E>(state: &State, open: &Open<'_, E>) -> Result<Ruleset, E> {
    let grants = state.keys().filter(|key| !key.revoked).map(|key| grant(key));
    let mut items: Vec<Item> = grants.collect();
    for resource in state.resources().filter(|resource| is_served(resource.kind)) {
        items.push(Item {
            kind: resource.kind.as_str().to_owned(),
            name: resource.name.clone(),
            revision: resource.revision,
            body: open_spec(resource, open)?,
        });
    }
    items.extend(state.route_overrides().map(|over| moved(over)));
    items.sort_unstable_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
    Ok(Ruleset { revision: state.revision(), items })
}

fn is_served(kind: Kind) -> bool {
    match kind {
        Kind::Provider | Kind::Endpoint | Kind::Policy | Kind::Route | Kind::Tenant => true,
        Kind::Playbook | Kind::DeliveryWorkflow | Kind::Slo => false,
    }
}

fn open_spec<E>(resource: &Resource, open: &Open<'_, E>) -> Result<Vec<u8>, E> {
    // Most resources hold no secret; to look for one byte by byte is far cheaper than to take the message apart.
    let sealed = resource.spec.windows(SEALED_PREFIX.len()).any(|part| part == SEALED_PREFIX.as_bytes());
    if !sealed {
        return Ok(resource.spec.clone());
    }
    map_secrets(resource.kind, &resource.spec, &mut |path, text| {
        if text.starts_with(SEALED_PREFIX) {
            open(resource.kind, &resource.name, path, text)
        } else {
            Ok(text.to_owned())
        }
    })
}

fn moved(over: &RouteOverride) -> Item {
    let body =
        encode_route_override(&wire::RouteOverride { reroute: over.reroute.clone(), expire: over.expire });
    Item { kind: OVERRIDE_KIND.to_owned(), name: over.route.clone(), revision: over.revision, body }
}

fn grant(key: &Key) -> Item {
    let body = encode_key_grant(&KeyGrant {
        sha256: key.made.sha256,
        tenant: key.made.tenant.clone(),
        attributes: key.made.attributes.clone(),
        expire: key.expire,
    });
    Item { kind: KEY_KIND.to_owned(), name: key.made.id.clone(), revision: key.revision, body }
}
