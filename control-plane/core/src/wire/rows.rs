//! Rows' values to protobuf and back.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::ledger::Head;
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_common::violation::Violation;
use breakwater_proto::internal as pb;
use prost::Message;

use super::command::{
    key_from_proto, key_to_proto, kind_of, token_from_proto, token_to_proto, unix_from_zero, unix_or_zero,
};
use super::{FORMAT, WireError, digest_of};
use crate::applied::{Change, ChangeKind, Receipt, Refusal};
use crate::rules;
use crate::state::{Answered, Key, Resource, State, Token};

pub(crate) fn encode_meta(state: &State) -> Vec<u8> {
    pb::MetaRow {
        format: FORMAT,
        cluster_id: state.cluster_id.clone(),
        revision: state.revision,
        clock_unix_ms: state.clock.0,
        ledger_size: state.ledger.size,
        ledger_last_leaf: state.ledger.last_leaf.to_vec(),
        ledger_peaks: state.ledger.peaks.iter().map(|peak| peak.to_vec()).collect(),
    }
    .encode_to_vec()
}

/// Reads the meta row into a state that has nothing else yet.
pub(crate) fn decode_meta(bytes: &[u8], state: &mut State) -> Result<(), WireError> {
    let row = pb::MetaRow::decode(bytes).map_err(|_| WireError::Decode { what: "the meta row" })?;
    if row.format != FORMAT {
        return Err(WireError::Format { found: row.format });
    }
    let peaks = row.ledger_peaks.iter().map(|peak| digest_of(peak)).collect::<Result<_, _>>()?;
    let ledger = Head { size: row.ledger_size, last_leaf: digest_of(&row.ledger_last_leaf)?, peaks };
    if !ledger.is_sound() {
        return Err(WireError::field("ledger_peaks", format!("{} of {}", ledger.peaks.len(), ledger.size)));
    }
    state.cluster_id = row.cluster_id;
    state.revision = row.revision;
    state.clock = UnixMillis(row.clock_unix_ms);
    state.ledger = ledger;
    Ok(())
}

pub(crate) fn encode_resource(resource: &Resource) -> Vec<u8> {
    pb::ResourceRow {
        revision: resource.revision,
        create_unix_ms: resource.create.0,
        update_unix_ms: resource.update.0,
        spec: resource.spec.clone(),
    }
    .encode_to_vec()
}

/// Reads a resource's row.
pub(crate) fn decode_resource(kind: Kind, name: &str, bytes: &[u8]) -> Result<Resource, WireError> {
    let row = pb::ResourceRow::decode(bytes).map_err(|_| WireError::Decode { what: "a resource's row" })?;
    let checked = rules::read(kind, &row.spec).ok_or(WireError::Decode { what: "a resource's spec" })?;
    Ok(Resource {
        kind,
        name: name.to_owned(),
        revision: row.revision,
        create: UnixMillis(row.create_unix_ms),
        update: UnixMillis(row.update_unix_ms),
        spec: row.spec,
        decoded: checked.decoded,
        references: checked.references,
    })
}

pub(crate) fn encode_key(key: &Key) -> Vec<u8> {
    pb::KeyRow {
        key: Some(key_to_proto(&key.made)),
        create_unix_ms: key.create.0,
        expire_unix_ms: unix_or_zero(key.expire),
        revoked: key.revoked,
        revision: key.revision,
    }
    .encode_to_vec()
}

pub(crate) fn decode_key(bytes: &[u8]) -> Result<Key, WireError> {
    const WHAT: WireError = WireError::Decode { what: "a key's row" };
    let row = pb::KeyRow::decode(bytes).map_err(|_| WHAT)?;
    Ok(Key {
        made: key_from_proto(row.key.ok_or(WHAT)?)?,
        create: UnixMillis(row.create_unix_ms),
        expire: unix_from_zero(row.expire_unix_ms),
        revoked: row.revoked,
        revision: row.revision,
    })
}

pub(crate) fn encode_token(token: &Token) -> Vec<u8> {
    pb::TokenRow {
        token: Some(token_to_proto(&token.made)),
        create_unix_ms: token.create.0,
        revoked: token.revoked,
        revision: token.revision,
    }
    .encode_to_vec()
}

pub(crate) fn decode_token(bytes: &[u8]) -> Result<Token, WireError> {
    const WHAT: WireError = WireError::Decode { what: "a token's row" };
    let row = pb::TokenRow::decode(bytes).map_err(|_| WHAT)?;
    Ok(Token {
        made: token_from_proto(row.token.ok_or(WHAT)?)?,
        create: UnixMillis(row.create_unix_ms),
        revoked: row.revoked,
        revision: row.revision,
    })
}

pub(crate) fn encode_answered(at: UnixMillis, answered: &Answered) -> Vec<u8> {
    let mut outcome = pb::Outcome::default();
    let index = match &answered.outcome {
        Ok(receipt) => {
            outcome.revision = receipt.revision;
            outcome.changes = receipt.changes.iter().map(change_to_proto).collect();
            receipt.ledger_index
        }
        Err(refusal) => {
            outcome.refusal_kind = refusal.kind.faces().1.to_owned();
            outcome.violations = refusal.violations.iter().map(violation_to_proto).collect();
            refusal.ledger_index
        }
    };
    outcome.recorded = index.is_some();
    outcome.ledger_index = index.unwrap_or_default();
    pb::RequestRow { at_unix_ms: at.0, command_sha256: answered.asked.to_vec(), outcome: Some(outcome) }
        .encode_to_vec()
}

pub(crate) fn decode_answered(bytes: &[u8]) -> Result<(UnixMillis, Answered), WireError> {
    const WHAT: WireError = WireError::Decode { what: "a request id's row" };
    let row = pb::RequestRow::decode(bytes).map_err(|_| WHAT)?;
    let outcome = row.outcome.ok_or(WHAT)?;
    let ledger_index = outcome.recorded.then_some(outcome.ledger_index);
    let result = if outcome.refusal_kind.is_empty() {
        let changes = outcome.changes.into_iter().map(change_from_proto).collect::<Result<_, _>>()?;
        Ok(Receipt { revision: outcome.revision, ledger_index, changes })
    } else {
        let kind = ErrorKind::from_word(&outcome.refusal_kind)
            .ok_or_else(|| WireError::field("refusal_kind", outcome.refusal_kind))?;
        let violations = outcome.violations.into_iter().map(violation_from_proto).collect();
        Err(Refusal { kind, violations, ledger_index })
    };
    let answered = Answered { asked: digest_of(&row.command_sha256)?, outcome: result };
    Ok((UnixMillis(row.at_unix_ms), answered))
}

fn change_to_proto(change: &Change) -> pb::Change {
    pb::Change {
        kind: change.kind.as_str().to_owned(),
        name: change.name.clone(),
        change: change.change.as_str().to_owned(),
    }
}

fn change_from_proto(change: pb::Change) -> Result<Change, WireError> {
    Ok(Change {
        kind: kind_of(&change.kind)?,
        name: change.name,
        change: ChangeKind::parse(&change.change).ok_or_else(|| WireError::field("change", change.change))?,
    })
}

/// The document counts from 0 in the row and from 1 in a violation; lines of files are not known here.
fn violation_to_proto(violation: &Violation) -> pb::Violation {
    pb::Violation {
        document: violation.document.map(|number| number.saturating_sub(1)),
        resource: violation.resource.clone(),
        field_path: violation.field_path.clone(),
        message: violation.message.clone(),
    }
}

fn violation_from_proto(violation: pb::Violation) -> Violation {
    Violation {
        document: violation.document.map(|number| number.saturating_add(1)),
        line: None,
        resource: violation.resource,
        field_path: violation.field_path,
        message: violation.message,
    }
}
