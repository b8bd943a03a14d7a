//! The only room of this crate that names protobuf types: the log's entries and the rows' values, both versioned. A
//! version or a command that this release does not know is an error, never skipped: the node must stop, not guess.

pub(crate) mod command;
pub(crate) mod overrides;
pub(crate) mod rows;

use breakwater_common::time::UnixMillis;
use breakwater_proto::internal as pb;
use prost::Message;

use crate::access::Role;
use crate::proposal::{Principal, Proposal};

/// Version of the encoding of proposals and of rows.
pub const FORMAT: u32 = 1;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They are not protobuf.
    #[error("bytes do not decode as {what}: check that the file is whole")]
    Decode {
        /// What they should be.
        what: &'static str,
    },
    /// They are of a release that knows more.
    #[error("format {found} is not known here (this release knows {FORMAT}): run a newer release")]
    Format {
        /// Their version.
        found: u32,
    },
    /// A field holds what it cannot.
    #[error("{field} holds a value that this release does not know: {value:?}")]
    Field {
        /// Which.
        field: &'static str,
        /// The value.
        value: String,
    },
}

impl WireError {
    pub(crate) fn field(field: &'static str, value: impl Into<String>) -> Self {
        Self::Field { field, value: value.into() }
    }
}

/// Encodes a proposal for the log. The same proposal always gives the same bytes.
#[must_use]
pub fn encode_proposal(proposal: &Proposal) -> Vec<u8> {
    let principal = &proposal.principal;
    pb::Proposal {
        format: FORMAT,
        request_id: proposal.request_id.clone(),
        principal: Some(pb::Principal {
            id: principal.id.clone(),
            subject: principal.subject.clone(),
            role: principal.role.as_str().to_owned(),
        }),
        stamped_unix_ms: proposal.stamped.0,
        request_digest: proposal.request_digest.map(Vec::from).unwrap_or_default(),
        command: Some(command::to_proto(&proposal.command)),
    }
    .encode_to_vec()
}

/// Decodes a proposal of the log.
///
/// # Errors
///
/// If the bytes are damaged or of a newer release.
pub fn decode_proposal(bytes: &[u8]) -> Result<Proposal, WireError> {
    let message = pb::Proposal::decode(bytes).map_err(|_| WireError::Decode { what: "a proposal" })?;
    if message.format != FORMAT {
        return Err(WireError::Format { found: message.format });
    }
    let principal = message.principal.ok_or(WireError::Decode { what: "a proposal's principal" })?;
    let command = message.command.ok_or(WireError::Decode { what: "a command of this release" })?;
    let request_digest = match message.request_digest.as_slice() {
        [] => None,
        digest => Some(digest_of(digest)?),
    };
    Ok(Proposal {
        request_digest,
        request_id: message.request_id,
        principal: Principal {
            id: principal.id,
            subject: principal.subject,
            role: role_of(&principal.role)?,
        },
        stamped: UnixMillis(message.stamped_unix_ms),
        command: command::from_proto(command)?,
    })
}

pub(crate) fn role_of(word: &str) -> Result<Role, WireError> {
    Role::parse(word).ok_or_else(|| WireError::field("role", word))
}

pub(crate) fn digest_of(bytes: &[u8]) -> Result<[u8; 32], WireError> {
    bytes.try_into().map_err(|_| WireError::field("sha256", format!("{} bytes", bytes.len())))
}
