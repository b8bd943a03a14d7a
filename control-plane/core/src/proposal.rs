//! The envelope of a command.

use breakwater_common::time::UnixMillis;

use crate::access::Role;
use crate::command::Command;

/// A command with who asks, when, and under which request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Of the asker; empty if none was given. At most 128 bytes. Ids of two principals are two ids.
    pub request_id: String,
    /// Who asks.
    pub principal: Principal,
    /// Time at the leader.
    pub stamped: UnixMillis,
    /// Digest of the request as the asker wrote it, where the state plays a part in making the command of it (a field mask,
    /// a kept secret); none where the command is the request. Two requests of one id are the same if this is.
    pub request_digest: Option<[u8; 32]>,
    /// What is asked.
    pub command: Command,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Token id, or `system:NAME`.
    pub id: String,
    /// Who holds the token, for people.
    pub subject: String,
    /// What it could do when it was authenticated; the right is decided again when the command is applied.
    pub role: Role,
}

impl Principal {
    /// Makes the principal of a part of the control plane itself: `system:NAME`.
    ///
    /// Only shells make these, and only for what they do by themselves; authentication never does.
    #[must_use]
    pub fn system(name: &str) -> Self {
        Self { id: format!("system:{name}"), subject: format!("system:{name}"), role: Role::System }
    }
}
