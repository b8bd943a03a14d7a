//! Everything a proxy needs, stamped with a revision, and its compiled form.
//!
//! The control plane projects its state into a [`Ruleset`]: resources as they were committed, with their secrets open,
//! and a grant for each API key. A proxy checks its [`digest()`], compiles it whole, and only then swaps it in; a call
//! keeps the one it began with. [`compile()`] checks again what admission checked, with the same code: a proxy trusts no
//! stream.

mod authenticate;
mod compile;
mod compiled;
mod detour;
mod digest;

pub use authenticate::KeyHolder;
pub use compile::compile;
pub use compiled::{Candidate, CompiledRoute, CompiledRuleset, Selection, Upstream};
pub use digest::digest;

pub use crate::resource::Facts;

/// Kind of an item that is an API key; its name is the key's id, its body a [`crate::wire::KeyGrant`]. Resources' kinds
/// are the words of [`crate::resource::Kind`].
pub const KEY_KIND: &str = "Key";

/// Kind of an item that is a route's override; its name is the route's, its body a [`crate::wire::RouteOverride`].
pub const OVERRIDE_KIND: &str = "RouteOverride";

/// One resource as committed, or one API key, or one override.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// The word of its kind, or [`KEY_KIND`].
    pub kind: String,
    /// Its name, or the key's id.
    pub name: String,
    /// The revision that last changed it.
    pub revision: u64,
    /// Its encoded `*Spec` message, with secrets open, or its encoded key grant.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Item {
    /// Leaves the body out: secrets are open in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let item = (&self.kind, &self.name, self.revision, self.body.len());
        f.debug_tuple("Item").field(&item).finish()
    }
}

/// Everything a proxy needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// Revision of the state that it was projected from.
    pub revision: u64,
    /// Sorted by kind and name, as bytes; no two alike.
    pub items: Vec<Item>,
}

#[cfg(test)]
mod tests;
