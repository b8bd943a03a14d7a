//! The control plane: what operators change, what proxies get, and the ledger of both.
//!
//! A change comes in at [`server`] over gRPC or REST ([`rest`] is transcoded onto [`grpc`]), its caller is proven once
//! ([`caller`]), and it goes through the one door ([`admin`]) into the replicated log ([`replica`], [`raft`]). What is
//! applied is projected and streamed to the proxies ([`publish`]); what they report comes back ([`fleet`]).
//!
//! Secrets of resources are sealed ([`seal`]) before they are replicated. [`ledger`] reads and proves; nothing but the
//! state machine writes it. [`app`] is the only assembler; nothing starts in a constructor.

#![forbid(unsafe_code)]

pub mod admin;
pub mod app;
pub mod caller;
pub mod config;
pub mod fleet;
pub mod grpc;
pub mod ledger;
pub mod metrics;
pub mod publish;
pub mod raft;
pub mod replica;
pub mod rest;
pub mod seal;
pub mod secret_files;
pub mod server;
pub mod store;

pub use app::App;
pub use config::Config;
