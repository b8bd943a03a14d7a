//! What the control plane decides, and never does: the replicated state, who may change it, how a command changes it, and
//! the ledger record that says so. Pure: [`State::apply`] is a function of the state and the proposal alone, with no
//! clock, no randomness, no I/O and no map whose order is chance. So every node, and every replay, comes to the same bytes.
//!
//! The rooms:
//!
//! - [`command`], [`proposal`]: what is asked, and its envelope with who, when and which request.
//! - [`access`]: which role may do what: one table, asked at the door and again when a command is applied.
//! - [`state`]: the replicated state: maps that clone in constant time.
//! - [`apply`]: the one function that changes it; [`applied`]: what comes of that.
//! - [`bounds`]: the form of a proposal, checked at the door and again when it is applied.
//! - [`audit`]: a command and its outcome as a ledger record. What must not be in the ledger is kept out there.
//! - [`snapshot`]: the state as rows and back: the durable image and the Raft snapshot are the same thing.
//! - [`query`]: pages of resources. [`ruleset`]: what a proxy needs of the state.
//! - [`wire`]: the only room that names protobuf types: the log's entries and the rows' values.
//!
//! Invariants, each with a test: the same proposals give the same rows, leaves and digest, also from rows and a tail; a
//! refused command changes nothing but the ledger; nothing changes without a record; time never goes back; a repeated
//! request id gives the first answer; no secret and no prompt text is in a record.

#![forbid(unsafe_code)]
#![warn(clippy::wildcard_enum_match_arm)]

pub mod access;
mod aging;
pub mod applied;
pub mod apply;
pub mod audit;
pub mod bounds;
pub mod command;
mod draft;
pub mod proposal;
pub mod query;
mod rules;
pub mod ruleset;
pub mod snapshot;
pub mod state;
pub mod wire;

pub use access::{Action, Role};
pub use applied::{Applied, Change, ChangeKind, Receipt, Refusal, RowChange};
pub use command::{Act, Command, CreateKey, CreateToken, Replaces, ResourceWrite, SetRouteOverride};
pub use proposal::{Principal, Proposal};
pub use state::{Key, Resource, RouteOverride, State, Token};
