//! Breakwater's gRPC API as Rust: the messages of `proto/breakwater/v1`, the service stubs (feature `rpc`), and the
//! descriptors by which manifests are checked and REST is transcoded.
//!
//! What it does not do: decide anything. Domain types live in `breakwater-common`; the only places that know both are
//! `common::wire`, `common::manifest`, `control_core::wire` and the gRPC edges.

#![allow(missing_docs, reason = "generated; the documentation stands in the proto files")]

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

/// The public API, `breakwater.v1`.
pub mod v1 {
    #![allow(clippy::all, clippy::pedantic, unused_qualifications, unreachable_pub, reason = "generated")]
    #![allow(clippy::allow_attributes_without_reason, reason = "generated")]
    #![allow(
        rustdoc::all,
        clippy::allow_attributes_without_reason,
        missing_docs,
        missing_debug_implementations,
        let_underscore_drop,
        reason = "generated"
    )]
    include!(concat!(env!("OUT_DIR"), "/breakwater.v1.rs"));
}

/// What is in the Raft log and in the state's rows, `breakwater.internal.v1`.
pub mod internal {
    #![allow(clippy::all, clippy::pedantic, unused_qualifications, unreachable_pub, reason = "generated")]
    #![allow(clippy::allow_attributes_without_reason, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/breakwater.internal.v1.rs"));
}

/// The encoded descriptor set of all files, options included.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The descriptors of all files. Decoded once, at first use.
pub static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(DESCRIPTOR_SET).unwrap_or_else(|error| unreachable!("the build wrote it: {error}"))
});
