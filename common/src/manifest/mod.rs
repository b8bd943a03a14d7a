//! The resource language.
