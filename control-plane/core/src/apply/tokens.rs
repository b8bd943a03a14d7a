//! Tokens made and ended.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::TOKENS_MAX;
use breakwater_common::violation::Violation;

use super::Done;
use crate::access::Role;
use crate::applied::Refusal;
use crate::audit::Entry;
use crate::command::CreateToken;
use crate::draft::Draft;
use crate::state::Token;

/// Makes a token.
pub(super) fn create(draft: &mut Draft, token: &CreateToken) -> Result<Done, Refusal> {
    put_new(draft, token)?;
    let entry = Entry::new("token.create", format!("Token/{}", token.id));
    Ok(Done::revision(entry.with("subject", &token.subject).with("role", token.role.as_str())))
}

pub(super) fn put_new(draft: &mut Draft, token: &CreateToken) -> Result<(), Refusal> {
    let state = &draft.state;
    if state.tokens.len() >= TOKENS_MAX {
        let why = format!("the cluster holds {TOKENS_MAX} tokens, ended ones included, and takes no more");
        return Err(Refusal::because(ErrorKind::ResourceExhausted, Violation::at("", why)));
    }
    if state.tokens.contains_key(&token.id) || state.tokens_by_sha256.contains_key(&token.sha256) {
        let why = Violation::at("id", "there is such a token already");
        return Err(Refusal::because(ErrorKind::AlreadyExists, why));
    }
    let (create, revision) = (draft.now, draft.revision());
    draft.put_token(Token { made: token.clone(), create, revoked: false, revision });
    Ok(())
}

/// Ends a token for good. Ending an ended one changes nothing. The last admin stays: nobody could make another.
pub(super) fn revoke(draft: &mut Draft, id: &str) -> Result<Done, Refusal> {
    let Some(token) = draft.state.token(id).cloned() else {
        let why = Violation::at("id", format!("there is no token {id}"));
        return Err(Refusal::because(ErrorKind::NotFound, why));
    };
    if token.revoked {
        return Ok(Done::default());
    }
    let another_admin =
        |other: &Token| other.made.role == Role::Admin && !other.revoked && other.made.id != id;
    if token.made.role == Role::Admin && !draft.state.tokens().any(|other| another_admin(other)) {
        let why = Violation::at("id", "it is the last token of an admin: make another one first");
        return Err(Refusal::because(ErrorKind::FailedPrecondition, why));
    }
    let revision = draft.revision();
    draft.put_token(Token { revoked: true, revision, ..Token::clone(&token) });
    let entry = Entry::new("token.revoke", format!("Token/{id}"));
    Ok(Done::revision(entry.with("subject", &token.made.subject).with("role", token.made.role.as_str())))
}
