//! The circuit breaker of a provider as a pure machine: the time is passed in, nothing is waited for.
//!
//! ```text
//!            threshold failures in a row              open_ttl passed
//!  closed ─────────────────────────────▶ open ───────────────────────────▶ half-open
//!    ▲                                     ▲ ▲   probe failed, or its lease     │ │
//!    │                                     │ └─────────────── expired ──────────┘ │
//!    └─────────────────────────────────────┼──────── probe succeeded ─────────────┘
//! ```
//!
//! Half-open lets exactly one probe through at a time. Each permit carries the generation it was granted in; what an
//! older generation reports is ignored, so a call that began before the breaker opened cannot close it. There is no
//! jitter and no growth of `open_ttl` here: the machine knows no randomness, and a fixed time is what the guide
//! promises (seed 002).

mod machine;
mod settings;

pub use machine::{Answer, Machine, Outcome, Permit, Reason, State, Transition};
pub use settings::Settings;
