//! What admission and apply both ask of a resource: the rules of `common`, in one place.

use std::collections::BTreeMap;
use std::sync::Arc;

use breakwater_common::manifest::{check_spec, map_secrets, references};
use breakwater_common::resource::{Kind, Reference, Spec, check_references};
use breakwater_common::violation::Violation;
use breakwater_common::wire;

use crate::command::SEALED_PREFIX;
use crate::state::Resource;

/// A spec that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) decoded: Spec,
    pub(crate) references: Vec<Reference>,
}

/// Reads a spec that was checked when it was written.
pub(crate) fn read(kind: Kind, spec: &[u8]) -> Option<Checked> {
    let decoded = wire::decode_spec(kind, spec).ok()?;
    Some(Checked { decoded, references: references(kind, spec) })
}

/// Checks a spec by itself: its fields, its meaning, its secrets.
pub(crate) fn check(kind: Kind, name: &str, spec: &[u8]) -> Result<Checked, Vec<Violation>> {
    let violations = check_spec(kind, name, spec);
    if !violations.is_empty() {
        return Err(violations);
    }
    let decoded = wire::decode_spec(kind, spec)?;
    check_sealed(kind, spec).map_err(|open| vec![open])?;
    Ok(Checked { decoded, references: references(kind, spec) })
}

/// Returns what all resources mean, by kind and name.
pub(crate) fn specs<'a>(
    resources: impl Iterator<Item = &'a Arc<Resource>>,
) -> BTreeMap<(Kind, String), Spec> {
    resources.map(|resource| ((resource.kind, resource.name.clone()), resource.decoded.clone())).collect()
}

/// Checks all resources with each other.
pub(crate) fn check_whole<'a>(resources: impl Iterator<Item = &'a Arc<Resource>>) -> Vec<Violation> {
    let mut all = BTreeMap::new();
    let mut references = BTreeMap::new();
    for resource in resources {
        let key = (resource.kind, resource.name.clone());
        references.insert(key.clone(), resource.references.clone());
        all.insert(key, resource.decoded.clone());
    }
    check_references(&all, &references)
}

/// Names the first secret that is not sealed. None may come so far: the log would hold it for good.
fn check_sealed(kind: Kind, spec: &[u8]) -> Result<(), Violation> {
    let mut check = |path: &str, value: &str| {
        if value.is_empty() || value.starts_with(SEALED_PREFIX) {
            return Ok(value.to_owned());
        }
        Err(Violation::at(path, "the secret is not sealed: write it through the API"))
    };
    map_secrets(kind, spec, &mut check).map(drop)
}
