//! The admin port of a real node on a real data directory, from the outside: gRPC and REST say the same, callers are
//! proven, writes are idempotent, and proxies get what changed.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_docs,
    reason = "a test may end by panicking"
)]

mod access;
mod edges;
mod kit;
mod resources;
mod start;
mod streams;
