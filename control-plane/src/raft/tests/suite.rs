//! openraft's storage suite, over a fresh directory for each of its cases.

use std::sync::Arc;

use openraft::{
    StorageError,
    testing::log::{StoreBuilder, Suite},
};
use tempfile::TempDir;

use super::super::{log_store::LogStore, state_machine::StateMachine, types::Types};
use crate::store::{image::Image, log::Log, snapshot::Snapshots};

struct Builder;

impl StoreBuilder<Types, LogStore, StateMachine, TempDir> for Builder {
    async fn build(&self) -> Result<(TempDir, LogStore, StateMachine), StorageError<Types>> {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(&dir.path().join("raft")).unwrap();
        let snapshots = Snapshots::open(&dir.path().join("snap")).unwrap();
        let (image, loaded) = Image::open(&dir.path().join("state"), 6).unwrap();
        let state_machine = StateMachine::open(Arc::new(image), snapshots, loaded).unwrap();
        Ok((dir, LogStore::new(Arc::new(log)), state_machine))
    }
}

#[test]
fn log_store_and_state_machine_pass_openrafts_suite() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(Suite::test_all(Builder)).unwrap();
}
