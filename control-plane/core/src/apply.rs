//! The one function that changes the state.
//!
//! In order: form and bounds; the request id (a repeated one gets the first answer and nothing else happens); the right,
//! decided again by the token as it is now; the rules of the command's room; the change; its record, in the same step.
//! All of it or nothing: the rooms work on a draft, which a refusal throws away. A refusal by a rule is a record too, and
//! changes nothing else. What was malformed or came before the bootstrap makes no record: the door lets neither through.
//!
//! Trade-off: the rules of `common` run here, so that two releases whose rules differ come to different states from one
//! log. A release that changes a rule must bring the cluster's version into the decision first.

mod acts;
mod bootstrap;
mod keys;
mod overrides;
mod resources;
mod tokens;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;
use sha2::{Digest, Sha256};

use crate::access::{self, Action, Role};
use crate::applied::{Applied, Change, Receipt, Refusal};
use crate::audit::{self, Entry};
use crate::bounds;
use crate::command::Command;
use crate::draft::Draft;
use crate::proposal::{Principal, Proposal};
use crate::state::{Answered, State};
use crate::wire;

/// What a room did to the draft.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What happened to each resource.
    pub(crate) changes: Vec<Change>,
    /// What is to be recorded; nothing if nothing changed.
    pub(crate) entries: Vec<Entry>,
    /// It is a new revision.
    pub(crate) revises: bool,
}

impl Done {
    /// One change of the configuration, with its record.
    pub(crate) fn revision(entry: Entry) -> Self {
        Self { changes: Vec::new(), entries: vec![entry], revises: true }
    }
}

impl State {
    /// Carries out a proposal, or refuses it by a rule. A function of the state and the proposal alone.
    pub fn apply(&mut self, proposal: &Proposal) -> Applied {
        if let Err(refusal) = self.is_applicable(proposal) {
            return Applied { outcome: Err(refusal), rows: Vec::new() };
        }
        let command_sha256 = Sha256::digest(wire::command::bytes(&proposal.command)).into();
        let asked = proposal.request_digest.unwrap_or(command_sha256);
        let request = request_key(&proposal.principal.id, &proposal.request_id);
        let first = request.as_ref().and_then(|request| self.requests.get(request));
        let reused = match first {
            Some(first) if first.asked == asked => {
                return Applied { outcome: first.outcome.clone(), rows: Vec::new() };
            }
            Some(_) => true,
            None => false,
        };

        let now = self.clock.max(proposal.stamped);
        let mut draft = Draft::new(self, now);
        let carried_out = if reused { Err(reused_request_id()) } else { carry_out(&mut draft, proposal) };
        let scribe = audit::Scribe { proposal, body_sha256: command_sha256 };
        let outcome = match carried_out {
            Ok(done) => Ok(accept(&mut draft, &scribe, done)),
            Err(refusal) => {
                draft = Draft::new(self, now);
                Err(Refusal { ledger_index: Some(scribe.refuse(&mut draft, &refusal)), ..refusal })
            }
        };
        if let Some(request) = request.filter(|_| !reused) {
            draft.remember(request, Answered { asked, outcome: outcome.clone() });
        }
        let (state, rows) = draft.finish();
        *self = state;
        Applied { outcome, rows }
    }

    /// Returns the first answer to a request that comes again, known by its [`Proposal::request_digest`]. Whoever makes a
    /// command of a request and the state asks here first: the state may no longer be what the request was for.
    #[must_use]
    pub fn first_answer(
        &self,
        principal_id: &str,
        request_id: &str,
        request_digest: &[u8; 32],
    ) -> Option<&Result<Receipt, Refusal>> {
        let first = self.requests.get(&request_key(principal_id, request_id)?)?;
        (first.asked == *request_digest).then_some(&first.outcome)
    }

    /// Says what [`Self::apply`] would answer if it came under a new request id, and changes nothing.
    ///
    /// # Errors
    ///
    /// The refusal that it would give.
    pub fn check(&self, proposal: &Proposal) -> Result<Receipt, Refusal> {
        let asked = Proposal { request_id: String::new(), ..proposal.clone() };
        let outcome = self.clone().apply(&asked).outcome;
        outcome
            .map(|receipt| Receipt { ledger_index: None, ..receipt })
            .map_err(|refusal| Refusal { ledger_index: None, ..refusal })
    }

    fn is_applicable(&self, proposal: &Proposal) -> Result<(), Refusal> {
        let violations = bounds::check(proposal);
        if !violations.is_empty() {
            return Err(Refusal { kind: ErrorKind::InvalidArgument, violations, ledger_index: None });
        }
        let founding = matches!(proposal.command, Command::Bootstrap { .. });
        if self.cluster_id.is_empty() && !founding {
            let why = Violation::at("", "the cluster has no first entry yet: bootstrap it");
            return Err(Refusal::because(ErrorKind::FailedPrecondition, why));
        }
        Ok(())
    }
}

/// Ids of two principals are two ids: nobody can take another's away.
fn request_key(principal_id: &str, id: &str) -> Option<String> {
    (!id.is_empty()).then(|| format!("{principal_id}\0{id}"))
}

fn reused_request_id() -> Refusal {
    let why = Violation::at("request_id", "was used for another command: take a new one");
    Refusal::because(ErrorKind::Aborted, why)
}

fn carry_out(draft: &mut Draft, proposal: &Proposal) -> Result<Done, Refusal> {
    admit(&draft.state, &proposal.principal, proposal.command.action())?;
    match &proposal.command {
        Command::Bootstrap { cluster_id, tokens } => bootstrap::bootstrap(draft, cluster_id, tokens),
        Command::ChangeResources { writes, prune } => resources::change(draft, writes, *prune),
        Command::CreateKey(key) => keys::create(draft, key),
        Command::RevokeKey { id } => keys::revoke(draft, id),
        Command::CreateToken(token) => tokens::create(draft, token),
        Command::RevokeToken { id } => tokens::revoke(draft, id),
        Command::RecordActs { acts } => Ok(acts::record(draft, acts)),
        Command::SetRouteOverride(asked) => overrides::set(draft, &proposal.principal, asked),
        Command::ClearRouteOverride { route, reason, made_by_revision } => {
            overrides::clear(draft, route, reason, *made_by_revision)
        }
    }
}

/// Decides the right by the token as it is now, not as it was at the door.
fn admit(state: &State, principal: &Principal, action: Action) -> Result<(), Refusal> {
    let role = match principal.role {
        Role::System => Role::System,
        Role::Viewer | Role::Operator | Role::Auditor | Role::Admin | Role::Proxy => {
            let token = state.token(&principal.id).filter(|token| !token.revoked);
            let why = || Violation::at("", "the token is unknown or was revoked: ask an admin for a new one");
            token.ok_or_else(|| Refusal::because(ErrorKind::Unauthenticated, why()))?.made.role
        }
    };
    if access::decide(role, action) {
        return Ok(());
    }
    let why = format!("the role {} may not {}", role.as_str(), action.as_str());
    Err(Refusal::because(ErrorKind::PermissionDenied, Violation::at("", why)))
}

fn accept(draft: &mut Draft, scribe: &audit::Scribe<'_>, done: Done) -> Receipt {
    let before = draft.state.revision;
    if done.revises {
        draft.state.revision = draft.revision();
    }
    let mut ledger_index = None;
    for entry in done.entries {
        let index = scribe.accept(draft, before, entry);
        ledger_index = ledger_index.or(Some(index));
    }
    Receipt { revision: draft.state.revision, ledger_index, changes: done.changes }
}
