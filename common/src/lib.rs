//! What both planes share and decide. Pure: no I/O, no clock, no randomness, no environment, no map whose order is
//! chance. Whoever needs the time passes it in; whoever needs bytes from a file reads them first.
//!
//! The rooms, from the ground up:
//!
//! - [`error_kind`], [`limits`], [`time`], [`violation`]: words that everything else uses.
//! - [`resource`]: the domain, typed: providers, endpoints, policies, routes, tenants.
//! - [`breaker`]: the circuit breaker as a pure machine.
//! - [`sla`]: whether an endpoint keeps what a route asks for, as a pure machine.
//! - [`limit`]: rates, tokens and calls at the same time, held by pure machines.
//! - [`guard`]: guardrails: detectors, evaluation, and the same on streams.
//! - [`ledger`]: leaf bytes, hashes, the RFC 6962 tree, proofs, checkpoints, verification.
//! - [`wire`]: the only door between the domain and protobuf bodies.
//! - [`manifest`]: the resource language: YAML and JSON in and out, checked by the options in the proto files.
//! - [`ruleset`]: everything a proxy needs, stamped with a revision, and its compiled form.

#![forbid(unsafe_code)]
#![warn(clippy::wildcard_enum_match_arm)]

pub mod breaker;
pub mod error_kind;
pub mod guard;
pub mod ledger;
pub mod limit;
pub mod limits;
pub mod manifest;
pub mod resource;
pub mod ruleset;
pub mod sla;
mod suggest;
pub mod time;
pub mod violation;
pub mod wire;
