//! Commands to protobuf and back.

use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use breakwater_proto::internal as pb;
use prost::Message;

use super::{WireError, digest_of, overrides, role_of};
use crate::command::{Act, Command, CreateKey, CreateToken, Replaces, ResourceWrite};

/// Returns the bytes of a command alone: what a request id is compared by and what a record's `body_sha256` is over.
#[must_use]
pub(crate) fn bytes(command: &Command) -> Vec<u8> {
    let empty = pb::Proposal { command: Some(to_proto(command)), ..pb::Proposal::default() };
    empty.encode_to_vec()
}

pub(crate) fn to_proto(command: &Command) -> pb::proposal::Command {
    use pb::proposal::Command as Wire;
    match command {
        Command::Bootstrap { cluster_id, tokens } => Wire::Bootstrap(pb::Bootstrap {
            cluster_id: cluster_id.clone(),
            tokens: tokens.iter().map(token_to_proto).collect(),
        }),
        Command::ChangeResources { writes, prune } => Wire::ChangeResources(pb::ChangeResources {
            writes: writes.iter().map(write_to_proto).collect(),
            prune: *prune,
        }),
        Command::CreateKey(key) => Wire::CreateKey(key_to_proto(key)),
        Command::RevokeKey { id } => Wire::RevokeKey(pb::RevokeKey { id: id.clone() }),
        Command::CreateToken(token) => Wire::CreateToken(token_to_proto(token)),
        Command::RevokeToken { id } => Wire::RevokeToken(pb::RevokeToken { id: id.clone() }),
        Command::RecordActs { acts } => {
            Wire::RecordActs(pb::RecordActs { acts: acts.iter().map(act_to_proto).collect() })
        }
        Command::SetRouteOverride(set) => Wire::SetRouteOverride(overrides::set_to_proto(set)),
        Command::ClearRouteOverride { route, reason, made_by_revision } => {
            Wire::ClearRouteOverride(pb::ClearRouteOverride {
                route: route.clone(),
                reason: reason.clone(),
                made_by_revision: made_by_revision.unwrap_or_default(),
            })
        }
    }
}

pub(crate) fn from_proto(command: pb::proposal::Command) -> Result<Command, WireError> {
    use pb::proposal::Command as Wire;
    Ok(match command {
        Wire::Bootstrap(body) => Command::Bootstrap {
            cluster_id: body.cluster_id,
            tokens: body.tokens.into_iter().map(token_from_proto).collect::<Result<_, _>>()?,
        },
        Wire::ChangeResources(body) => Command::ChangeResources {
            writes: body.writes.into_iter().map(write_from_proto).collect::<Result<_, _>>()?,
            prune: body.prune,
        },
        Wire::CreateKey(body) => Command::CreateKey(key_from_proto(body)?),
        Wire::RevokeKey(body) => Command::RevokeKey { id: body.id },
        Wire::CreateToken(body) => Command::CreateToken(token_from_proto(body)?),
        Wire::RevokeToken(body) => Command::RevokeToken { id: body.id },
        Wire::RecordActs(body) => {
            Command::RecordActs { acts: body.acts.into_iter().map(act_from_proto).collect() }
        }
        Wire::SetRouteOverride(body) => Command::SetRouteOverride(overrides::set_from_proto(body)?),
        Wire::ClearRouteOverride(body) => Command::ClearRouteOverride {
            route: body.route,
            reason: body.reason,
            made_by_revision: (body.made_by_revision != 0).then_some(body.made_by_revision),
        },
    })
}

fn write_to_proto(write: &ResourceWrite) -> pb::ResourceWrite {
    pb::ResourceWrite {
        kind: write.kind.as_str().to_owned(),
        name: write.name.clone(),
        spec: write.spec.clone(),
        expected_revision: write.expected_revision,
    }
}

fn write_from_proto(write: pb::ResourceWrite) -> Result<ResourceWrite, WireError> {
    Ok(ResourceWrite {
        kind: kind_of(&write.kind)?,
        name: write.name,
        spec: write.spec,
        expected_revision: write.expected_revision,
    })
}

pub(crate) fn kind_of(word: &str) -> Result<Kind, WireError> {
    Kind::parse(word).ok_or_else(|| WireError::field("kind", word))
}

pub(crate) fn key_to_proto(key: &CreateKey) -> pb::CreateKey {
    let attribute =
        |(name, value): (&String, &String)| pb::Attribute { name: name.clone(), value: value.clone() };
    pb::CreateKey {
        id: key.id.clone(),
        sha256: key.sha256.to_vec(),
        tenant: key.tenant.clone(),
        attributes: key.attributes.iter().map(attribute).collect(),
        expire_unix_ms: unix_or_zero(key.expire),
        replaces: key.replaces.as_ref().map(|old| old.id.clone()).unwrap_or_default(),
        replaced_expire_unix_ms: unix_or_zero(key.replaces.as_ref().map(|old| old.expire)),
    }
}

pub(crate) fn key_from_proto(key: pb::CreateKey) -> Result<CreateKey, WireError> {
    let replaces = (!key.replaces.is_empty())
        .then_some(Replaces { id: key.replaces, expire: UnixMillis(key.replaced_expire_unix_ms) });
    Ok(CreateKey {
        id: key.id,
        sha256: digest_of(&key.sha256)?,
        tenant: key.tenant,
        attributes: key.attributes.into_iter().map(|pair| (pair.name, pair.value)).collect(),
        expire: unix_from_zero(key.expire_unix_ms),
        replaces,
    })
}

pub(crate) fn token_to_proto(token: &CreateToken) -> pb::CreateToken {
    pb::CreateToken {
        id: token.id.clone(),
        sha256: token.sha256.to_vec(),
        subject: token.subject.clone(),
        role: token.role.as_str().to_owned(),
    }
}

pub(crate) fn token_from_proto(token: pb::CreateToken) -> Result<CreateToken, WireError> {
    Ok(CreateToken {
        id: token.id,
        sha256: digest_of(&token.sha256)?,
        subject: token.subject,
        role: role_of(&token.role)?,
    })
}

fn act_to_proto(act: &Act) -> pb::Act {
    pb::Act {
        proxy: act.proxy.clone(),
        boot_id: act.boot_id.clone(),
        action: act.action.clone(),
        object: act.object.clone(),
        from: act.from.clone(),
        to: act.to.clone(),
        reason: act.reason.clone(),
        at_unix_ms: act.at.0,
        generation: act.generation,
    }
}

fn act_from_proto(act: pb::Act) -> Act {
    Act {
        proxy: act.proxy,
        boot_id: act.boot_id,
        action: act.action,
        object: act.object,
        from: act.from,
        to: act.to,
        reason: act.reason,
        at: UnixMillis(act.at_unix_ms),
        generation: act.generation,
    }
}

pub(crate) fn unix_or_zero(time: Option<UnixMillis>) -> u64 {
    time.map_or(0, |time| time.0)
}

pub(crate) fn unix_from_zero(millis: u64) -> Option<UnixMillis> {
    (millis != 0).then_some(UnixMillis(millis))
}
