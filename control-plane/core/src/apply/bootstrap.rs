//! The first entry of a cluster.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;

use super::{Done, tokens};
use crate::applied::Refusal;
use crate::audit::Entry;
use crate::command::CreateToken;
use crate::draft::Draft;

/// Gives the cluster its id and its first tokens; once.
pub(super) fn bootstrap(
    draft: &mut Draft,
    cluster_id: &str,
    first_tokens: &[CreateToken],
) -> Result<Done, Refusal> {
    if !draft.state.cluster_id.is_empty() {
        let why = Violation::at("cluster_id", "the cluster has its first entry already");
        return Err(Refusal::because(ErrorKind::FailedPrecondition, why));
    }
    cluster_id.clone_into(&mut draft.state.cluster_id);
    for token in first_tokens {
        tokens::put_new(draft, token)?;
    }
    let tokens: Vec<String> =
        first_tokens.iter().map(|token| format!("{} {}", token.id, token.role.as_str())).collect();
    let entry = Entry::new("cluster.bootstrap", format!("Cluster/{cluster_id}"));
    Ok(Done::revision(entry.with("tokens", &tokens.join(", "))))
}
