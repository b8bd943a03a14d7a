//! The stateless proxy in front of LLM traffic.

#![forbid(unsafe_code)]

pub mod body;
pub mod dialect;
