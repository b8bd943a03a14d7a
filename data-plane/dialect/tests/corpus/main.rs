//! Rooms that the oracle does not know, against recorded calls: what the crate reads is what `serde_json` reads.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test reads the corpus, prints what it counted and fails where it cannot go on"
)]

mod completions;
mod converse;
mod embeddings;
mod gemini;
mod messages;
mod ollama;

use std::path::PathBuf;

use serde_json::Value;

/// All recordings of one endpoint.
fn recordings(endpoint: &str) -> Vec<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
    let folder = std::env::var_os("BREAKWATER_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = folder.join("corpus/recordings.jsonl.zst");
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let plain = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let lines = plain.lines().filter(|line| line.contains(endpoint));
    let read = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    read.filter(|recording| recording["endpoint"] == endpoint).collect()
}
