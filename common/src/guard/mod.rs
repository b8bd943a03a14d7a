//! Guardrails: what is looked for in the text of a call, and what a finding leads to.
//!
//! [`CompiledGuards`] is made from the policies of a route, once for each ruleset, by the same code at admission and in
//! the proxy. It judges a whole text ([`CompiledGuards::evaluate`]) or a text that comes in pieces ([`StreamGuard`]).
//! Both are one machine, so that how a text was cut never changes the verdict or the text that comes out, and so that no
//! byte of a masked or blocked span leaves before the decision.
//!
//! How it works: each detector walks the text once and holds the earliest place where a match may still begin. What lies
//! before the earliest of these places is decided and is let go; that is usually all but the word being written. A match
//! whose end is open (a PEM block, a token without a fixed length) is masked or blocked as soon as it is certain, and the
//! rest of it is swallowed as it comes.
//!
//! What it does not do: names and addresses of people, text in images, meaning. No text ever stands in a [`Finding`].

mod compile;
mod detect;
mod json;
mod scan;
mod stream;
mod verdict;

pub use compile::CompiledGuards;
pub use stream::{Channel, Part, Passage, Passages, Step, StreamGuard};
pub use verdict::{Evaluation, Finding, Side};

#[cfg(test)]
mod tests;
