//! Who calls, and the proof: bearer tokens on the one admin port. The port's outermost layer proves the caller once and
//! puts a [`Caller`] into the request; whatever stands behind it and finds none refuses.

mod layer;
mod token;

pub use layer::{Refused, prove};
pub use token::{Minted, mint_key, mint_token, parse_bearer, public_part, sha256};

use breakwater_control_core::Principal;

/// A proven caller. Only [`prove`] and the parts of the control plane itself make one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who it is, and its role.
    pub principal: Principal,
}
