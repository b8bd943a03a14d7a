//! The proxy as its callers, its upstreams and its control plane see it: real sockets on free ports, a scripted upstream, a
//! control plane that says what a test wants.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on fails; helpers of an integration test are not seen as tests"
)]

mod bad_input;
mod chain;
mod credentials;
mod drain;
mod eligible;
mod formats;
mod guarded;
mod kit;
mod leaving;
mod limits;
mod link;
mod opaque;
mod ops_port;
mod refusals;
mod stalled;
mod streams;
