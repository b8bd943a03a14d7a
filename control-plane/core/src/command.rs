//! What can be asked of the replicated state: every write there is.

use std::collections::BTreeMap;
use std::fmt;

use breakwater_common::resource::{Kind, RerouteKind};
use breakwater_common::time::UnixMillis;

use crate::access::{Action, Role};

/// How a sealed secret begins. A spec whose secrets begin otherwise is never applied: the replicated state, its log and
/// its snapshots hold no open secret.
pub const SEALED_PREFIX: &str = "sealed:v1:";

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The first entry of a cluster.
    Bootstrap {
        /// The cluster's id, 1 to 64 printable ASCII characters without spaces.
        cluster_id: String,
        /// The first tokens.
        tokens: Vec<CreateToken>,
    },
    /// Resources made, changed, removed: all or none.
    ChangeResources {
        /// In order; no resource twice.
        writes: Vec<ResourceWrite>,
        /// Remove every resource that is not written.
        prune: bool,
    },
    /// A tenant's key made.
    CreateKey(CreateKey),
    /// A tenant's key ended.
    RevokeKey {
        /// Its public part.
        id: String,
    },
    /// A token made.
    CreateToken(CreateToken),
    /// A token ended.
    RevokeToken {
        /// Its public part.
        id: String,
    },
    /// Acts of proxies, for the ledger.
    RecordActs {
        /// In order; 1 to 256.
        acts: Vec<Act>,
    },
    /// A route moved for a time.
    SetRouteOverride(SetRouteOverride),
    /// A route's override ended.
    ClearRouteOverride {
        /// The route.
        route: String,
        /// Why: a code.
        reason: String,
        /// Only if this revision made it.
        made_by_revision: Option<u64>,
    },
}

impl Command {
    /// Returns the right that it takes.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Bootstrap { .. } => Action::Bootstrap,
            Self::ChangeResources { .. } => Action::WriteResources,
            Self::CreateKey(_) | Self::RevokeKey { .. } => Action::WriteKeys,
            Self::CreateToken(_) | Self::RevokeToken { .. } => Action::WriteTokens,
            Self::RecordActs { .. } => Action::RecordActs,
            Self::SetRouteOverride(_) | Self::ClearRouteOverride { .. } => Action::WriteResources,
        }
    }

    /// Returns what ledger records call it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Bootstrap { .. } => "cluster.bootstrap",
            Self::ChangeResources { .. } => "resources.change",
            Self::CreateKey(_) => "key.create",
            Self::RevokeKey { .. } => "key.revoke",
            Self::CreateToken(_) => "token.create",
            Self::RevokeToken { .. } => "token.revoke",
            Self::RecordActs { .. } => "acts.record",
            Self::SetRouteOverride(_) => "route.override",
            Self::ClearRouteOverride { .. } => "route.restore",
        }
    }
}

/// One resource made, changed or removed.
#[derive(Clone, PartialEq, Eq)]
pub struct ResourceWrite {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its encoded spec with secrets sealed; none removes it.
    pub spec: Option<Vec<u8>>,
    /// Only if this is its revision now; 0: only if there is none.
    pub expected_revision: Option<u64>,
}

impl fmt::Debug for ResourceWrite {
    /// Leaves the spec out: a log line is no place for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceWrite")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("spec_bytes", &self.spec.as_ref().map(Vec::len))
            .field("expected_revision", &self.expected_revision)
            .finish()
    }
}

/// A tenant's key made. The key itself is known to its holder alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateKey {
    /// Public part: 16 of 0-9 and a-f.
    pub id: String,
    /// SHA-256 of the whole key.
    pub sha256: [u8; 32],
    /// Whose it is.
    pub tenant: String,
    /// What conditions see as `user.NAME`. At most 16, each part at most 256 bytes.
    pub attributes: BTreeMap<String, String>,
    /// When it ends by itself; never if none.
    pub expire: Option<UnixMillis>,
    /// The key that it takes the place of.
    pub replaces: Option<Replaces>,
}

/// A key whose place is taken, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// Its public part.
    pub id: String,
    /// When it ends; at once if that is past. It never lives longer than it would have.
    pub expire: UnixMillis,
}

/// A token made. The token itself is known to its holder alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateToken {
    /// Public part: 16 of 0-9 and a-f.
    pub id: String,
    /// SHA-256 of the whole token.
    pub sha256: [u8; 32],
    /// Who holds it: a name.
    pub subject: String,
    /// What it may do; never [`Role::System`].
    pub role: Role,
}

/// One act of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The proxy.
    pub proxy: String,
    /// Its process.
    pub boot_id: String,
    /// `breaker.transition`.
    pub action: String,
    /// The resource, `Provider/openai`.
    pub object: String,
    /// From which state.
    pub from: String,
    /// To which.
    pub to: String,
    /// Why: a code, never text of a call.
    pub reason: String,
    /// When, at the proxy.
    pub at: UnixMillis,
    /// Counts up for each object and boot id; an act recorded before is dropped.
    pub generation: u64,
}

/// A route moved for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRouteOverride {
    /// Which.
    pub route: String,
    /// How.
    pub kind: RerouteKind,
    /// Name of the Endpoint that takes its calls; none: the first legal of its fallback endpoints.
    pub endpoint: Option<String>,
    /// Why: a code.
    pub reason: String,
    /// How long it holds, in milliseconds; see `ROUTE_OVERRIDE_MS`.
    pub ttl_ms: u64,
    /// Only if the override in force has this revision; 0: only if there is none.
    pub expected_revision: Option<u64>,
}
