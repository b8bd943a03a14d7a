//! Process plumbing of both servers, so that `breakwater-common` stays free of I/O and the planes do not do it twice.
//!
//! - [`clock`]: the only place that reads a clock.
//! - [`tasks`]: the only place that spawns; names tasks and ends them in order.
//! - [`ready`]: what is still missing before traffic may come.
//! - [`config`]: a TOML file and overrides into a typed configuration, with errors that name the key.
//! - [`secret`]: text that never prints itself.
//! - [`tls`]: rustls configurations from PEM files, with reload.
//! - [`telemetry`], [`metrics`]: logs; Prometheus text with bounded labels.
//! - [`backoff`]: jittered, capped, seedable.
//! - [`shutdown`]: the signals that end a process.

#![forbid(unsafe_code)]

pub mod backoff;
pub mod clock;
pub mod config;
pub mod metrics;
pub mod ready;
pub mod secret;
pub mod shutdown;
pub mod tasks;
pub mod telemetry;
pub mod tls;

pub use backoff::Backoff;
pub use clock::{Clock, ManualClock, SharedClock, SystemClock};
pub use ready::Readiness;
pub use secret::Secret;
pub use tasks::Tasks;
pub use tokio_util::sync::CancellationToken;
