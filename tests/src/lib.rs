//! The end-to-end kit. A test reads as a small play: a cluster in this process, a scripted LLM behind it, links that can be
//! cut, a caller in front, and phases that say where it stood when it failed.

pub mod caller;
pub mod certificates;
pub mod cluster;
pub mod corpus;
pub mod environments;
pub mod manifests;
pub mod network;
pub mod phases;
pub mod upstream;
