//! The cluster's first entry.

use anyhow::Context;
use breakwater_control_core::{Command, CreateToken, Role};

use super::secrets::Secrets;
use crate::admin::{Admin, Ask};
use crate::caller::{public_part, sha256};
use crate::raft::Raft;

/// Makes the cluster's first entry, with the tokens of the files. In a cluster that is there, the tokens of the files are
/// looked up: one that is not in force is said, because whoever holds the file waits in vain.
pub(super) async fn bootstrap(admin: &Admin, raft: &Raft, secrets: &Secrets) -> anyhow::Result<()> {
    let tokens = [
        (Some(&secrets.admin_token), "admin", Role::Admin),
        (secrets.proxy_token.as_ref(), "proxy", Role::Proxy),
    ];
    if !raft.needs_bootstrap() {
        for (token, subject, _) in tokens {
            let in_force =
                token.is_none_or(|token| admin.state().authenticate(&sha256(token.expose())).is_some());
            if !in_force {
                tracing::warn!(
                    subject,
                    "the token of the file is not in force: it was revoked or another file's"
                );
            }
        }
        return Ok(());
    }
    let first = tokens.into_iter().filter_map(|(token, subject, role)| {
        let text = token?.expose();
        let id = public_part(text)?.to_owned();
        Some(CreateToken { id, sha256: sha256(text), subject: subject.to_owned(), role })
    });
    let command =
        Command::Bootstrap { cluster_id: raft.identity().cluster_id.clone(), tokens: first.collect() };
    let receipt = admin
        .submit(Ask::by_system("bootstrap", command))
        .await
        .context("the cluster's first entry was not accepted")?;
    tracing::info!(revision = receipt.revision, "cluster made");
    Ok(())
}
