//! What holds for a call whoever answers it: its deadline, its guardrails, its chain of upstreams.

pub(crate) mod attempts;
mod chain;
pub(crate) mod deadline;
mod eligible;
mod explain;
pub(crate) mod guard;
mod left_out;
mod live;
mod reply;
mod underway;
