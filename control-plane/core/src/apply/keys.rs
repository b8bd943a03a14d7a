//! Keys of tenants made and ended.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::KEYS_MAX;
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_common::violation::Violation;

use super::Done;
use crate::applied::Refusal;
use crate::audit::Entry;
use crate::command::{CreateKey, Replaces};
use crate::draft::Draft;
use crate::state::Key;

fn refuse(kind: ErrorKind, field: &str, message: impl Into<String>) -> Refusal {
    Refusal::because(kind, Violation::at(field, message))
}

/// Makes a key; the one that it replaces ends when the command says, or at once.
pub(super) fn create(draft: &mut Draft, key: &CreateKey) -> Result<Done, Refusal> {
    let state = &draft.state;
    if state.keys.len() >= KEYS_MAX {
        let why = format!("the cluster holds {KEYS_MAX} keys, ended ones included, and takes no more");
        return Err(refuse(ErrorKind::ResourceExhausted, "", why));
    }
    if state.keys.contains_key(&key.id) || state.keys_by_sha256.contains_key(&key.sha256) {
        return Err(refuse(ErrorKind::AlreadyExists, "id", "there is such a key already"));
    }
    if state.resource(Kind::Tenant, &key.tenant).is_none() {
        let why = format!("there is no Tenant \"{}\": apply it first", key.tenant);
        return Err(refuse(ErrorKind::FailedPrecondition, "tenant", why));
    }
    if key.expire.is_some_and(|expire| expire <= draft.now) {
        return Err(refuse(ErrorKind::InvalidArgument, "ttl", "the key would have ended already"));
    }
    let mut entry = Entry::new("key.create", format!("Key/{}", key.id)).with("tenant", &key.tenant);
    if let Some(expire) = key.expire {
        entry = entry.with("expire", &expire.to_rfc3339());
    }
    if let Some(replaces) = &key.replaces {
        let end = replace(draft, key, replaces)?;
        entry = entry.with("replaces", &replaces.id).with("replaced_expire", &end.to_rfc3339());
    }
    let (create, revision) = (draft.now, draft.revision());
    draft.put_key(Key { made: key.clone(), create, expire: key.expire, revoked: false, revision });
    Ok(Done::revision(entry))
}

/// Lets the replaced key end, never later than it would have. Returns when.
fn replace(draft: &mut Draft, key: &CreateKey, replaces: &Replaces) -> Result<UnixMillis, Refusal> {
    let Some(old) = draft.state.key(&replaces.id).cloned() else {
        return Err(refuse(ErrorKind::NotFound, "replaces", format!("there is no key {}", replaces.id)));
    };
    if !old.is_active(draft.now) {
        return Err(refuse(ErrorKind::FailedPrecondition, "replaces", "the key has ended already"));
    }
    if old.made.tenant != key.tenant {
        return Err(refuse(ErrorKind::InvalidArgument, "tenant", "the replaced key is another tenant's"));
    }
    let end = old.expire.map_or(replaces.expire, |own| own.min(replaces.expire)).max(draft.now);
    let revision = draft.revision();
    draft.put_key(Key { expire: Some(end), revoked: end <= draft.now, revision, ..Key::clone(&old) });
    Ok(end)
}

/// Ends a key for good. Ending an ended one changes nothing.
pub(super) fn revoke(draft: &mut Draft, id: &str) -> Result<Done, Refusal> {
    let Some(key) = draft.state.key(id).cloned() else {
        return Err(refuse(ErrorKind::NotFound, "id", format!("there is no key {id}")));
    };
    if key.revoked {
        return Ok(Done::default());
    }
    let revision = draft.revision();
    draft.put_key(Key { revoked: true, revision, ..Key::clone(&key) });
    let entry = Entry::new("key.revoke", format!("Key/{id}"));
    Ok(Done::revision(entry.with("tenant", &key.made.tenant)))
}
