//! The proxy: takes LLM calls, guards them, sends them to an upstream that works, and guards what comes back. It is
//! stateless: its configuration comes from the control plane over one stream, and it answers without it.
//!
//! The way of a call, top down: [`server`] accepts, [`stack`] lists the layers, `edge` turns HTTP into a [`call::Call`],
//! `enforce` turns a call into attempts, `upstream` turns an attempt into an answer. The zones see [`call`] and `trace`,
//! and not each other; only the edge sees `ruleset_cell`, only the upstream zone sees `breakers`.
//!
//! Beside the way: `agent` keeps the link to the control plane, `outcomes` folds what became of calls into metrics,
//! reports and the memory of `why`. [`app`] is the only assembler.

#![forbid(unsafe_code)]

pub mod app;
// For its bench alone.
#[doc(hidden)]
pub mod breakers;
pub mod config;

mod agent;
mod call;
mod edge;
mod enforce;
mod fault;
mod gate;
mod limiters;
mod metrics;
mod outcomes;
mod reroutes;
mod ruleset_cell;
mod server;
mod stack;
mod tokens;
mod told;
mod trace;
mod upstream;

pub use app::App;
pub use config::Config;
