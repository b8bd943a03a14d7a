//! The circuit breaker of a provider as a pure machine: the time is passed in, nothing is waited for.

mod settings;

pub use settings::Settings;
