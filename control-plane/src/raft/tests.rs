//! What the node promises: openraft's own storage suite, and a node stopped and started again.

mod restart;
mod suite;

use std::{path::Path, sync::Arc};

use breakwater_common::time::UnixMillis;
use breakwater_control_core::{Command, CreateToken, Principal, Proposal, Role as AccessRole};
use breakwater_runtime::{clock::ManualClock, tasks::Tasks};

use super::*;
use crate::store::identity::Identity;

fn proposal(request_id: &str, command: Command) -> Proposal {
    Proposal {
        request_id: request_id.to_owned(),
        principal: Principal::system("test"),
        stamped: UnixMillis(0),
        request_digest: None,
        command,
    }
}

fn token(name: &str) -> CreateToken {
    let id = format!("{:016x}", u64::from(crc32c::crc32c(name.as_bytes())));
    let sha256 = std::array::from_fn(|at| id.as_bytes().get(at).copied().unwrap_or(7));
    CreateToken { id, sha256, subject: "somebody".to_owned(), role: AccessRole::Admin }
}

fn bootstrap() -> Proposal {
    proposal("bootstrap", Command::Bootstrap { cluster_id: "0f3c".to_owned(), tokens: vec![token("first")] })
}

/// As the holder of the first token would ask.
fn create_token(name: &str) -> Proposal {
    let first = token("first");
    let principal = Principal { id: first.id, subject: first.subject, role: first.role };
    Proposal { principal, ..proposal(name, Command::CreateToken(token(name))) }
}

async fn try_start(data_dir: &Path) -> Result<(Raft, Tasks), StartError> {
    let tasks = Tasks::new();
    let clock = ManualClock::at(UnixMillis(1_800_000_000_000));
    let config = Config {
        data_dir: data_dir.to_owned(),
        new_identity: Identity::new("0f3c".to_owned(), 1),
        address: "127.0.0.1:7946".to_owned(),
    };
    Raft::start(config, clock, tasks.clone()).await.map(|raft| (raft, tasks))
}

async fn start(data_dir: &Path) -> Raft {
    try_start(data_dir).await.unwrap().0
}

/// Everything a reader can see.
async fn seen(raft: &Raft) -> (Vec<(Vec<u8>, Vec<u8>)>, [u8; 32], Vec<(u64, Vec<u8>)>) {
    let state: Arc<breakwater_control_core::State> = raft.state();
    (state.rows(), state.digest(), raft.ledger_leaves(0, 10_000).await.unwrap())
}
