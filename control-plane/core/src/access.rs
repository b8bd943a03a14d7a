//! Who may do what: one table of roles and actions. It is asked at the door, so that the early answer is cheap, and
//! again when a command is applied, so that a right lost in between is lost.

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads all but the ledger.
    Viewer,
    /// Viewer, and changes resources and keys.
    Operator,
    /// Viewer, and reads the ledger.
    Auditor,
    /// Everything that people do.
    Admin,
    /// The configuration stream and reports, nothing else.
    Proxy,
    /// A part of the control plane itself; no token has it.
    System,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Operator, Self::Auditor, Self::Admin, Self::Proxy, Self::System];

    /// Returns the word of tokens and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Proxy => "proxy",
            Self::System => "system",
        }
    }

    /// Returns the role of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Get and list resources; validate without change needs [`Action::WriteResources`].
    ReadResources,
    /// Apply, change and delete resources.
    WriteResources,
    /// List keys, without their secrets.
    ReadKeys,
    /// Make, rotate and revoke keys.
    WriteKeys,
    /// List tokens, without their secrets.
    ReadTokens,
    /// Make and revoke tokens.
    WriteTokens,
    /// Breakers, proxies, calls, version: what the fleet and the system report.
    ReadFleet,
    /// Records, checkpoints, proofs.
    ReadLedger,
    /// The configuration stream and health reports of a proxy. Provider secrets are open in there, so that no role that
    /// people hold has it, not even admin; an admin makes a proxy token, which is on record.
    ServeProxy,
    /// Put acts of proxies into the ledger.
    RecordActs,
    /// Make the cluster's first entry.
    Bootstrap,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 11] = [
        Self::ReadResources,
        Self::WriteResources,
        Self::ReadKeys,
        Self::WriteKeys,
        Self::ReadTokens,
        Self::WriteTokens,
        Self::ReadFleet,
        Self::ReadLedger,
        Self::ServeProxy,
        Self::RecordActs,
        Self::Bootstrap,
    ];

    /// Returns the word for it in refusals.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadResources => "read resources",
            Self::WriteResources => "change resources",
            Self::ReadKeys => "read keys",
            Self::WriteKeys => "change keys",
            Self::ReadTokens => "read tokens",
            Self::WriteTokens => "change tokens",
            Self::ReadFleet => "read the fleet's reports",
            Self::ReadLedger => "read the ledger",
            Self::ServeProxy => "hold a proxy's streams",
            Self::RecordActs => "record acts of proxies",
            Self::Bootstrap => "bootstrap a cluster",
        }
    }
}

/// Decides whether a role may do something. Whatever no line grants is denied.
#[must_use]
pub fn decide(role: Role, action: Action) -> bool {
    use Role::{Admin, Auditor, Operator, Proxy, System, Viewer};
    let granted: &[Role] = match action {
        Action::ReadResources | Action::ReadKeys | Action::ReadTokens | Action::ReadFleet => {
            &[Viewer, Operator, Auditor, Admin]
        }
        Action::WriteResources | Action::WriteKeys => &[Operator, Admin],
        Action::WriteTokens => &[Admin],
        Action::ReadLedger => &[Auditor, Admin],
        Action::ServeProxy => &[Proxy],
        Action::RecordActs | Action::Bootstrap => &[System],
    };
    granted.contains(&role)
}
