//! The oracle of the formats: recorded traffic of real providers goes through every pair of formats, and what comes out is
//! judged by schemas of the official SDKs and by readers that share nothing with the crate.
//!
//! `cargo test -p breakwater-dialect --test oracle -- --nocapture` prints what was counted. `ORACLE_LIST=<file>` writes every
//! difference with the recording's file.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "a test reads the corpus, prints what it counted and fails where it cannot go on"
)]

#[path = "../kit/mod.rs"]
mod kit;

mod aligned;
mod compare;
mod crossing;
mod errors;
mod floors;
mod matrix;
mod order;
mod questions;
mod refusals;
mod replies;
mod requests;
mod streams;
mod tally;
mod valid;
