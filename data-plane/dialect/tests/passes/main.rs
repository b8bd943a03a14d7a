//! Within one format, over recorded traffic: what an upstream gets is what the caller sent, and what the caller gets is what
//! was recorded, apart from the edits that are documented. What is expected is made of the recording by replacing text,
//! found by `serde_json`'s parser: nothing is shared with the crate under test.
//!
//! `cargo test -p breakwater-dialect --test passes -- --nocapture` prints what was counted; `PASSES_SEED` sets another seed.

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

#[allow(dead_code, reason = "the oracle reads more of it")]
#[path = "../kit/mod.rs"]
mod kit;

#[allow(dead_code, reason = "the oracle judges more by it")]
#[path = "../oracle"]
mod oracle {
    pub mod valid;
}

mod corners;
mod corpus;
mod edit;
mod expected;
mod frames;
mod guarded;
mod replies;
mod requests;
mod spoken;
mod streams;
mod tally;
mod tokens;

use std::sync::Arc;

use breakwater_dialect::Format;
use breakwater_dialect::codec::Caller;
use breakwater_dialect::exchange::Exchange;

/// What the caller calls the model.
pub const ALIAS: &str = "prod-alias";
/// The call's own id.
pub const ID: &str = "0af7651916cd43dd";

pub fn caller(include_usage: bool) -> Caller {
    Caller {
        alias: ALIAS.to_owned(),
        id: ID.to_owned(),
        created: 7,
        include_usage,
        gemini_array: false,
        reveal_provider: false,
        request: Arc::default(),
    }
}

/// A call within one format.
pub fn exchange(format: Format, include_usage: bool) -> Exchange {
    Exchange {
        client: format,
        provider: format,
        caller: caller(include_usage),
        guards: None,
        embeddings: None,
    }
}

/// The seed of everything that is by chance; `PASSES_SEED` sets another.
pub fn seed() -> u64 {
    std::env::var("PASSES_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_121)
}

/// The next number of a sequence that looks like chance.
pub fn chance(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).expect("31 bits fit")
}
