//! The door. Everything that changes the replicated state goes through [`Admin::submit`], and everything that people
//! read of it through [`Admin::read`], whoever asks and over whichever edge. The right is decided here, early, and again
//! when a command is applied.

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::{REQUEST_ID_BYTES_MAX, SUBMIT_MS_MAX};
use breakwater_common::violation::Violation;
use breakwater_control_core::access::decide;
use breakwater_control_core::{Action, Command, Principal, Proposal, Receipt, Refusal, State};
use breakwater_runtime::SharedClock;

use crate::caller::mint_token;
use crate::replica::{Replica, SubmitError};

/// Longest wait for an answer to a write, after which the outcome is unknown: a little longer than the log's own, whose
/// word is better.
pub const SUBMIT_DEADLINE: Duration = Duration::from_millis(SUBMIT_MS_MAX + 1_000);

/// Why the door did not do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AdminError {
    /// The caller's role does not allow it.
    #[error("role {role:?} may not {action}")]
    Denied {
        /// The caller's role.
        role: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// A rule refused it.
    #[error("refused by a rule")]
    Refused(Refusal),
    /// The log gave no answer.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

/// A write, as asked for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Who asks.
    pub principal: Principal,
    /// Of the asker; empty if none was given.
    pub request_id: String,
    /// Digest of the request, where the state plays a part in making the command of it.
    pub request_digest: Option<[u8; 32]>,
    /// Only check.
    pub validate_only: bool,
    /// What is asked.
    pub command: Command,
}

impl Ask {
    /// Asks for what a part of the control plane does by itself.
    #[must_use]
    pub fn by_system(name: &str, command: Command) -> Self {
        Self {
            principal: Principal::system(name),
            request_id: String::new(),
            request_digest: None,
            validate_only: false,
            command,
        }
    }
}

/// The door. Clones are the same door.
#[derive(Debug, Clone)]
pub struct Admin {
    replica: Arc<dyn Replica>,
    clock: SharedClock,
}

impl Admin {
    /// Makes the door of a replica.
    #[must_use]
    pub fn new(replica: Arc<dyn Replica>, clock: SharedClock) -> Self {
        Self { replica, clock }
    }

    /// Lets the caller act, or says why not.
    pub fn allow(&self, principal: &Principal, action: Action) -> Result<(), AdminError> {
        if decide(principal.role, action) {
            return Ok(());
        }
        Err(AdminError::Denied { role: principal.role.as_str(), action: action.as_str() })
    }

    /// Returns the applied state to a caller who may do `action`.
    pub fn read(&self, principal: &Principal, action: Action) -> Result<Arc<State>, AdminError> {
        self.allow(principal, action)?;
        Ok(self.replica.state())
    }

    /// Returns the applied state to the control plane itself.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.replica.state()
    }

    /// Returns the time at this node, as a proposal made now would be stamped.
    #[must_use]
    pub fn now(&self) -> breakwater_common::time::UnixMillis {
        self.clock.wall()
    }

    /// Returns what would be proposed now.
    #[must_use]
    pub fn proposal(&self, ask: &Ask) -> Proposal {
        Proposal {
            request_id: ask.request_id.clone(),
            principal: ask.principal.clone(),
            stamped: self.clock.wall(),
            request_digest: ask.request_digest,
            command: ask.command.clone(),
        }
    }

    /// Asks for a write, and waits until it is applied here, at most [`SUBMIT_DEADLINE`].
    ///
    /// Errors: the caller may not; a rule refuses it; the log has no room or no leader; or no answer came in time, and
    /// then the write may or may not happen: ask again with the request id that the error names.
    ///
    /// Cancellation: a dropped future leaves the outcome unknown.
    pub async fn submit(&self, ask: Ask) -> Result<Receipt, AdminError> {
        self.allow(&ask.principal, ask.command.action())?;
        if ask.request_id.len() > REQUEST_ID_BYTES_MAX {
            let message = format!("at most {REQUEST_ID_BYTES_MAX} bytes");
            let violation = Violation::at("request_id", message);
            return Err(AdminError::Refused(Refusal::because(ErrorKind::InvalidArgument, violation)));
        }
        let mut proposal = self.proposal(&ask);
        if ask.validate_only {
            return self.replica.state().check(&proposal).map_err(AdminError::Refused);
        }
        if proposal.request_id.is_empty() && !matches!(proposal.command, Command::RecordActs { .. }) {
            // A write whose answer is lost must be askable again, so each has an id.
            proposal.request_id = mint_token().map(|minted| minted.id).unwrap_or_default();
        }
        let request_id = proposal.request_id.clone();
        match tokio::time::timeout(SUBMIT_DEADLINE, self.replica.submit(proposal)).await {
            Ok(answer) => answer?.map_err(AdminError::Refused),
            Err(_) => Err(SubmitError::Unknown { request_id }.into()),
        }
    }
}
