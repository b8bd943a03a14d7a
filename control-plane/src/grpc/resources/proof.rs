//! The proof that proxies will accept a change: the ruleset that would be is compiled by the same code that compiles it in
//! a proxy. So a proxy that refuses a ruleset is one of another release.

use std::convert::Infallible;

use breakwater_common::resource::SEALED_PLACEHOLDER;
use breakwater_common::ruleset::compile;
use breakwater_common::violation::Violation;
use breakwater_control_core::ruleset::project;
use breakwater_control_core::{Proposal, State};

/// Compiles what a proposal would leave. What the state machine refuses is not looked at: its own words are better.
pub(super) fn prove(state: &State, proposal: &Proposal) -> Result<(), Vec<Violation>> {
    let mut next = state.clone();
    if next.apply(proposal).outcome.is_err() {
        return Ok(());
    }
    // What a secret says plays no part in whether a ruleset compiles.
    let ruleset = match project(&next, &|_, _, _, _| Ok::<_, Infallible>(SEALED_PLACEHOLDER.to_owned())) {
        Ok(ruleset) => ruleset,
        Err(never) => match never {},
    };
    compile(&ruleset).map(drop)
}
