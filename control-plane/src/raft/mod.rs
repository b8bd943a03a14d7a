//! Raft: openraft over the store, behind a facade whose types are ours.
//!
//! openraft is an alpha pinned exactly (ADR 0002); its types end in this directory.

mod codec;
mod log_store;
mod network;
mod node;
mod snapshot_builder;
mod start;
mod state_machine;
mod types;

pub use node::{Raft, ReadError, Role, Status, SubmitError};
pub use start::{Config, StartError};
pub use state_machine::StateError;

#[cfg(test)]
mod tests;
