//! The operator's command line, and the newcomer's way in.
//!
//! - [`simulate`] (feature `dev`): a provider that speaks the wire formats, for the first minutes, drills and tests.

#![forbid(unsafe_code)]

#[cfg(feature = "dev")]
pub mod simulate;
