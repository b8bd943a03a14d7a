//! The circuit breaker as a pure machine: the time and the draw of its jitter are passed in, nothing is waited for.
//!
//! ```text
//!          failures in a row, or their share,         open time passed
//!          or that of slow first tokens
//!  closed ─────────────────────────────▶ open ───────────────────────────▶ half-open
//!    ▲                                     ▲ ▲   probe failed, or its lease     │ │
//!    │                                     │ └─────────────── expired ──────────┘ │
//!    └─────────────────────────────────────┼──────── probe succeeded ─────────────┘
//! ```
//!
//! Half-open lets exactly one probe through at a time. Each permit carries the generation it was granted in; what an
//! older generation reports is ignored, so a call that began before the breaker opened cannot close it. An operator's
//! hand ([`Force`]) goes before all of it: forced open lets nothing through, forced closed opens for no reason.
//!
//! Only a failure or a slow first token opens a breaker, never a success: the rules are looked at when something bad is
//! reported. So successes need not be told one by one ([`Machine::succeeded`]), which lets a shell count them without a
//! lock.
//!
//! [`failure`] is the table of what can go wrong with an attempt, and [`cooldown`] remembers which keys of an account are to be left
//! alone: a key that is over its limit says nothing about whether the provider works.

pub mod cooldown;
pub mod failure;
mod machine;
mod settings;
mod window;
mod words;

pub use machine::Machine;
pub use settings::{Force, Rule, Settings, Slow};
pub use window::Count;
pub use words::{Answer, Draw, Evidence, Outcome, Permit, Reason, Report, State, Transition};
