//! Resources made, changed, removed: all of a command's writes or none.

use std::collections::BTreeSet;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;

use super::{Done, overrides};
use crate::applied::{Change, ChangeKind, Refusal};
use crate::audit::Entry;
use crate::command::ResourceWrite;
use crate::draft::Draft;
use crate::rules::{self, Checked};
use crate::state::{Resource, State};

/// Carries out the writes in order, then, if asked, removes what was not written; then checks the whole that results.
pub(super) fn change(draft: &mut Draft, writes: &[ResourceWrite], prune: bool) -> Result<Done, Refusal> {
    check_revisions(&draft.state, writes)?;
    let checked = check_specs(&draft.state, writes)?;
    let mut changes: Vec<Change> =
        writes.iter().zip(checked).map(|(write, checked)| carry_out(draft, write, checked)).collect();
    if prune {
        prune_others(draft, writes, &mut changes);
    }
    if changes.iter().all(|change| change.change == ChangeKind::Unchanged) {
        return Ok(Done { changes, ..Done::default() });
    }
    check_removals(draft, &changes)?;
    check_whole(&draft.state, writes)?;
    let mut entries = vec![Entry::of_changes(&changes)];
    entries.extend(overrides::end_illegal(draft));
    Ok(Done { changes, entries, revises: true })
}

fn named(document: usize, kind: Kind, name: &str, violation: Violation) -> Violation {
    let document = u32::try_from(document).ok();
    Violation { document, resource: format!("{}/{name}", kind.as_str()), ..violation }
}

fn refuse_all(kind: ErrorKind, mut violations: Vec<Violation>) -> Result<(), Refusal> {
    violations.truncate(limits::VIOLATIONS_MAX);
    if violations.is_empty() { Ok(()) } else { Err(Refusal { kind, violations, ledger_index: None }) }
}

/// Checks what each write expects to find. The kind of the refusal is that of the first that does not hold.
fn check_revisions(state: &State, writes: &[ResourceWrite]) -> Result<(), Refusal> {
    let mut first = None;
    let mut violations = Vec::new();
    for (document, write) in (1..).zip(writes) {
        let found = state.resource(write.kind, &write.name).map(|resource| resource.revision);
        let (kind, field, message) = match (write.expected_revision, found) {
            (None | Some(0), None) if write.spec.is_none() => {
                (ErrorKind::NotFound, "", "there is no such resource".to_owned())
            }
            (None, _) | (Some(0), None) => continue,
            (Some(0), Some(_)) => {
                (ErrorKind::AlreadyExists, "expected_revision", "there is such a resource already".to_owned())
            }
            (Some(expected), Some(found)) if expected == found => continue,
            (Some(expected), Some(found)) => {
                let why = format!("is at revision {found}, not {expected}: read it again");
                (ErrorKind::Aborted, "expected_revision", why)
            }
            (Some(expected), None) => {
                let why = format!("is gone; it was expected at revision {expected}");
                (ErrorKind::Aborted, "expected_revision", why)
            }
        };
        first = first.or(Some(kind));
        violations.push(named(document, write.kind, &write.name, Violation::at(field, message)));
    }
    first.map_or(Ok(()), |kind| refuse_all(kind, violations))
}

/// Checks each spec that is not the stored one by itself. None stands for a write without a new spec.
fn check_specs(state: &State, writes: &[ResourceWrite]) -> Result<Vec<Option<Checked>>, Refusal> {
    let mut all = Vec::with_capacity(writes.len());
    let mut violations = Vec::new();
    for (document, write) in (1..).zip(writes) {
        let stored = state.resource(write.kind, &write.name).map(|resource| &resource.spec);
        let new = write.spec.as_ref().filter(|spec| stored != Some(*spec));
        match new.map(|spec| rules::check(write.kind, &write.name, spec)).transpose() {
            Ok(checked) => all.push(checked),
            Err(found) => violations.extend(
                found.into_iter().map(|violation| named(document, write.kind, &write.name, violation)),
            ),
        }
    }
    refuse_all(ErrorKind::InvalidArgument, violations)?;
    Ok(all)
}

fn carry_out(draft: &mut Draft, write: &ResourceWrite, checked: Option<Checked>) -> Change {
    let change = match (&write.spec, checked) {
        (None, _) => {
            draft.delete_resource(write.kind, &write.name);
            ChangeKind::Deleted
        }
        (Some(_), None) => ChangeKind::Unchanged,
        (Some(spec), Some(checked)) => {
            let before = draft.state.resource(write.kind, &write.name);
            let create = before.map_or(draft.now, |before| before.create);
            let change = if before.is_some() { ChangeKind::Updated } else { ChangeKind::Created };
            draft.put_resource(Resource {
                kind: write.kind,
                name: write.name.clone(),
                revision: draft.revision(),
                create,
                update: draft.now,
                spec: spec.clone(),
                decoded: checked.decoded,
                references: checked.references,
            });
            change
        }
    };
    Change { kind: write.kind, name: write.name.clone(), change }
}

fn prune_others(draft: &mut Draft, writes: &[ResourceWrite], changes: &mut Vec<Change>) {
    let written: BTreeSet<_> = writes.iter().map(|write| (write.kind, write.name.as_str())).collect();
    let others =
        draft.state.resources.keys().filter(|(kind, name)| !written.contains(&(*kind, name.as_str())));
    let others: Vec<(Kind, String)> = others.cloned().collect();
    for (kind, name) in others {
        draft.delete_resource(kind, &name);
        changes.push(Change { kind, name, change: ChangeKind::Deleted });
    }
}

/// Refuses to remove what something that stays refers to, and names who refers.
fn check_removals(draft: &Draft, changes: &[Change]) -> Result<(), Refusal> {
    let deleted = changes.iter().filter(|change| change.change == ChangeKind::Deleted);
    let deleted: BTreeSet<_> = deleted.map(|change| (change.kind, change.name.as_str())).collect();
    if deleted.is_empty() {
        return Ok(());
    }
    let mut violations = Vec::new();
    let mut refuse = |kind: Kind, name: &str, who: String| {
        let why = Violation::at("", format!("cannot be removed: {who} refers to it"));
        violations.push(Violation { resource: format!("{}/{name}", kind.as_str()), ..why });
    };
    for resource in draft.state.resources() {
        for reference in &resource.references {
            if deleted.contains(&(reference.kind, reference.name.as_str())) {
                let who = format!("{}/{} ({})", resource.kind.as_str(), resource.name, reference.field_path);
                refuse(reference.kind, &reference.name, who);
            }
        }
    }
    for key in draft.state.keys().filter(|key| key.is_active(draft.now)) {
        if deleted.contains(&(Kind::Tenant, key.made.tenant.as_str())) {
            refuse(Kind::Tenant, &key.made.tenant, format!("Key/{}, which is active,", key.made.id));
        }
    }
    refuse_all(ErrorKind::FailedPrecondition, violations)
}

/// Checks all resources that would be, with each other. A violation of a resource that was written names its document.
fn check_whole(state: &State, writes: &[ResourceWrite]) -> Result<(), Refusal> {
    let count = state.resources.len();
    let bytes: usize = state.resources().map(|resource| resource.spec.len()).sum();
    if count > limits::RESOURCES_MAX || bytes > limits::RESOURCES_BYTES_MAX {
        let why = format!(
            "there would be {count} resources of {bytes} bytes, more than {} or {}",
            limits::RESOURCES_MAX,
            limits::RESOURCES_BYTES_MAX
        );
        return refuse_all(ErrorKind::ResourceExhausted, vec![Violation::at("", why)]);
    }
    let mut violations = rules::check_whole(state.resources());
    for violation in &mut violations {
        let is_of = |write: &ResourceWrite| {
            violation.resource.split_once('/') == Some((write.kind.as_str(), write.name.as_str()))
        };
        let place = writes.iter().position(is_of);
        violation.line = None;
        violation.document = place.and_then(|place| u32::try_from(place + 1).ok());
    }
    refuse_all(ErrorKind::InvalidArgument, violations)
}
