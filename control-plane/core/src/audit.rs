//! A command and its outcome as a ledger record. What must not be in the ledger is kept out here, by two rules: a record
//! is made of names, ids, codes, times and counts, each of a closed form, and never of a spec, a hash of a key, an
//! attribute, or a message that quotes what somebody wrote. Whatever is of another form is replaced by [`REDACTED`].

use std::collections::BTreeMap;

use breakwater_common::ledger::{Actor, Hash, Outcome, Record, VERSION};
use breakwater_common::limits::LEDGER_DETAIL_TEXT_BYTES_MAX;
use breakwater_common::violation::Violation;

use crate::applied::{Change, ChangeKind, Refusal};
use crate::bounds;
use crate::draft::Draft;
use crate::proposal::Proposal;

/// Stands for a text that may not be in a record.
pub const REDACTED: &str = "(redacted)";

/// Refusals' places that a record names; the asker gets them all.
const PLACES_MAX: usize = 16;

/// What a room says of what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    action: String,
    object: String,
    reason: String,
    detail: BTreeMap<String, String>,
}

impl Entry {
    pub(crate) fn new(action: &str, object: String) -> Self {
        Self { action: code(action), object, reason: String::new(), detail: BTreeMap::new() }
    }

    pub(crate) fn because(self, reason: &str) -> Self {
        Self { reason: code(reason), ..self }
    }

    /// Adds a short text made of names, ids, codes, times or counts. Longer ones are cut, and say so.
    pub(crate) fn with(mut self, name: &str, text: &str) -> Self {
        self.detail.insert(name.to_owned(), bounded(text));
        self
    }

    /// What a change of resources did: the names of those that were made, changed and removed.
    pub(crate) fn of_changes(changes: &[Change]) -> Self {
        let name = |change: &Change| format!("{}/{}", change.kind.as_str(), change.name);
        let object = match changes {
            [only] => name(only),
            _ => "resources".to_owned(),
        };
        let mut entry = Self::new("resources.change", object);
        for kind in ChangeKind::ALL {
            let of_kind: Vec<String> =
                changes.iter().filter(|change| change.change == kind).map(name).collect();
            if kind == ChangeKind::Unchanged && !of_kind.is_empty() {
                entry = entry.with(kind.as_str(), &of_kind.len().to_string());
            } else if !of_kind.is_empty() {
                entry = entry.with(kind.as_str(), &of_kind.join(" "));
            }
        }
        entry
    }
}

/// Writes the records of one proposal.
#[derive(Debug)]
pub(crate) struct Scribe<'a> {
    pub(crate) proposal: &'a Proposal,
    pub(crate) body_sha256: Hash,
}

impl Scribe<'_> {
    /// Records what was carried out; returns the record's index.
    pub(crate) fn accept(&self, draft: &mut Draft, rev_before: u64, entry: Entry) -> u64 {
        let record = Record { rev_before, ..self.record(draft, Outcome::Accepted, entry) };
        draft.append(&record)
    }

    /// Records a refusal: its kind and where, not its words, which may quote what was written.
    pub(crate) fn refuse(&self, draft: &mut Draft, refusal: &Refusal) -> u64 {
        let places: Vec<String> = refusal.violations.iter().take(PLACES_MAX).map(place).collect();
        let entry = Entry::new(self.proposal.command.word(), "refused".to_owned())
            .because(refusal.kind.faces().1)
            .with("violations", &refusal.violations.len().to_string())
            .with("places", &places.join(" "));
        let object = self.object();
        let record = self.record(draft, Outcome::Refused, Entry { object, ..entry });
        draft.append(&record)
    }

    fn object(&self) -> String {
        use crate::command::Command;
        match &self.proposal.command {
            Command::Bootstrap { cluster_id, .. } => format!("Cluster/{cluster_id}"),
            Command::ChangeResources { writes, .. } => match writes.as_slice() {
                [only] => format!("{}/{}", only.kind.as_str(), only.name),
                _ => "resources".to_owned(),
            },
            Command::CreateKey(key) => format!("Key/{}", key.id),
            Command::RevokeKey { id } => format!("Key/{id}"),
            Command::CreateToken(token) => format!("Token/{}", token.id),
            Command::RevokeToken { id } => format!("Token/{id}"),
            Command::RecordActs { .. } => "acts".to_owned(),
            Command::SetRouteOverride(set) => format!("Route/{}", set.route),
            Command::ClearRouteOverride { route, .. } => format!("Route/{route}"),
        }
    }

    fn record(&self, draft: &Draft, outcome: Outcome, entry: Entry) -> Record {
        let (proposal, state) = (self.proposal, &draft.state);
        let principal = &proposal.principal;
        let subject = &principal.subject;
        let is_plain = subject.is_empty() || bounds::is_identifier(subject);
        Record {
            action: entry.action,
            actor: Actor {
                id: principal.id.clone(),
                role: principal.role.as_str().to_owned(),
                subject: if is_plain { subject.clone() } else { REDACTED.to_owned() },
            },
            body_sha256: self.body_sha256,
            cluster: state.cluster_id.clone(),
            detail: entry.detail,
            object: entry.object,
            outcome,
            prev: state.ledger.last_leaf,
            reason: entry.reason,
            request_id: proposal.request_id.clone(),
            rev_after: state.revision,
            rev_before: state.revision,
            seq: state.ledger.size,
            ts: draft.now.to_rfc3339(),
            v: VERSION,
        }
    }
}

fn code(text: &str) -> String {
    if bounds::is_code(text) { text.to_owned() } else { REDACTED.to_owned() }
}

/// Names the resource and the field of a violation. Names of list entries and keys of maps, which people choose, are left
/// out of the path; their numbers are not.
fn place(violation: &Violation) -> String {
    let mut field = String::new();
    let mut entry: Option<String> = None;
    for letter in violation.field_path.chars().take(256) {
        match (&mut entry, letter) {
            (None, '[') => entry = Some(String::new()),
            (None, _) if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.') => field.push(letter),
            (None, _) => {}
            (Some(inside), ']') => {
                let number = inside.bytes().all(|byte| byte.is_ascii_digit());
                field.extend(["[", if number { inside.as_str() } else { "" }, "]"]);
                entry = None;
            }
            (Some(inside), _) => inside.push(letter),
        }
    }
    let resource = violation.resource.as_str();
    let resource = if resource.is_empty() || bounds::is_object(resource) { resource } else { REDACTED };
    [resource, &field].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":")
}

/// Cuts a text at a space so that it fits, and says how many words are left out.
fn bounded(text: &str) -> String {
    if text.len() <= LEDGER_DETAIL_TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut words = text.split(' ');
    for word in words.by_ref() {
        // Room for the last words, which say how many are left out.
        if kept.len() + word.len() + 32 > LEDGER_DETAIL_TEXT_BYTES_MAX {
            break;
        }
        kept.push_str(word);
        kept.push(' ');
    }
    format!("{kept}and {} more", words.count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_name_fields_and_numbers_but_nothing_that_people_chose() {
        let check = |resource: &str, path: &str, expect: &str| {
            let at = Violation::at(path, "some words");
            assert_eq!(place(&Violation { resource: resource.to_owned(), ..at }), expect);
        };
        check(
            "Route/chat",
            "spec.rules[0].conditions[12].field",
            "Route/chat:spec.rules[0].conditions[12].field",
        );
        check("Provider/p", "spec.credentials[sk-canary].api_key", "Provider/p:spec.credentials[].api_key");
        check("Provider/hello there", "spec.tags", "(redacted):spec.tags");
        check("", "id", "id");
        check("Provider/p", "", "Provider/p");
        check("", "labels[never closed", "labels");
    }

    #[test]
    fn long_details_are_cut_at_a_word_and_say_how_many_are_left() {
        let words: Vec<String> = (0..2_000).map(|number| format!("word{number}")).collect();
        let cut = bounded(&words.join(" "));
        assert!(cut.len() <= LEDGER_DETAIL_TEXT_BYTES_MAX);
        let kept = cut.split(' ').filter(|word| word.starts_with("word")).count();
        assert!(cut.ends_with(&format!(" and {} more", 2_000 - kept)), "{cut}");
        assert_eq!(bounded("a b"), "a b");
    }
}
