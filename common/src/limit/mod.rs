//! How much of something may pass: calls a second, tokens a minute, calls at the same time. Pure machines: whoever asks
//! tells the time, and a shell holds the lock.
//!
//! - [`Share`]: a rate with a burst, as data: the configured one, a part of it, or what a lease grants.
//! - [`Meter`]: holds a share (GCRA in whole nanoseconds); what one thing costs may be corrected afterwards.
//! - [`Limiter`]: the limits of one route, tenant or key together, and [`admit`], which asks several and takes from all
//!   or from none.
//! - [`Gate`]: how many calls are taken in at once, by [`Priority`] and by how long our own work waits.

mod gate;
mod limiter;
mod meter;
mod share;

pub use gate::{Gate, Priority};
pub use limiter::{Limit, Limiter, Limits, Refusal, admit};
pub use meter::Meter;
pub use share::Share;
