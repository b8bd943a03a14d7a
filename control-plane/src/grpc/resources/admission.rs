//! What happens to a spec before it is proposed: every rule of its kind is checked, and its secrets are sealed.

use std::collections::BTreeMap;
use std::convert::Infallible;

use breakwater_common::limits::{RESOURCE_BYTES_MAX, VIOLATIONS_MAX};
use breakwater_common::manifest::{check_spec, map_secrets};
use breakwater_common::resource::{Kind, SEALED_PLACEHOLDER};
use breakwater_common::violation::Violation;
use breakwater_control_core::State;
use breakwater_control_core::command::SEALED_PREFIX;

use crate::seal::{Place, Sealer};

/// A spec as a caller wrote it.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) spec: Vec<u8>,
    /// Its number in an apply, from 1.
    pub(super) document: Option<u32>,
}

/// Checks drafts and seals their secrets. All violations of all drafts, at most [`VIOLATIONS_MAX`].
pub(super) fn admit(
    sealer: &Sealer,
    state: &State,
    drafts: &[Draft],
) -> Result<Vec<Vec<u8>>, Vec<Violation>> {
    let mut sealed = Vec::with_capacity(drafts.len());
    let mut violations = Vec::new();
    for draft in drafts {
        match admit_one(sealer, state, draft) {
            Ok(spec) => sealed.push(spec),
            Err(found) => violations.extend(found.into_iter().map(|violation| located(violation, draft))),
        }
        if violations.len() >= VIOLATIONS_MAX {
            break;
        }
    }
    violations.truncate(VIOLATIONS_MAX);
    if violations.is_empty() { Ok(sealed) } else { Err(violations) }
}

fn admit_one(sealer: &Sealer, state: &State, draft: &Draft) -> Result<Vec<u8>, Vec<Violation>> {
    let violations = check_spec(draft.kind, &draft.name, &draft.spec);
    if !violations.is_empty() {
        return Err(violations);
    }
    let spec = seal(sealer, state, draft).map_err(|violation| vec![violation])?;
    if spec.len() > RESOURCE_BYTES_MAX {
        let message =
            format!("the resource is {} bytes long, at most {RESOURCE_BYTES_MAX} are stored", spec.len());
        return Err(vec![Violation::at("spec", message)]);
    }
    Ok(spec)
}

fn seal(sealer: &Sealer, state: &State, draft: &Draft) -> Result<Vec<u8>, Violation> {
    let mut stored = None;
    map_secrets(draft.kind, &draft.spec, &mut |path, value| {
        if value.starts_with(SEALED_PREFIX) {
            return Err(Violation::at(path, format!("a secret must not begin with {SEALED_PREFIX:?}")));
        }
        if value != SEALED_PLACEHOLDER {
            let place = Place { kind: draft.kind, name: &draft.name, field_path: path };
            return sealer.seal(place, value).map_err(|error| Violation::at(path, error.to_string()));
        }
        // Paths name list elements by their names, so that a list in another order keeps each secret with its own.
        let kept = stored.get_or_insert_with(|| stored_secrets(state, draft));
        kept.get(path).cloned().ok_or_else(|| {
            let message = format!(
                "{SEALED_PLACEHOLDER:?} keeps the stored secret, but none is stored: write the secret"
            );
            Violation::at(path, message)
        })
    })
}

/// Returns the sealed secrets of the stored resource by their paths.
fn stored_secrets(state: &State, draft: &Draft) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some(resource) = state.resource(draft.kind, &draft.name) else { return found };
    let collect = &mut |path: &str, sealed: &str| {
        found.insert(path.to_owned(), sealed.to_owned());
        Ok::<_, Infallible>(sealed.to_owned())
    };
    match map_secrets(draft.kind, &resource.spec, collect) {
        Ok(_) => found,
        Err(never) => match never {},
    }
}

fn located(mut violation: Violation, draft: &Draft) -> Violation {
    violation.document = draft.document;
    if violation.resource.is_empty() && draft.document.is_some() {
        violation.resource = format!("{}/{}", draft.kind.as_str(), draft.name);
    }
    violation
}
