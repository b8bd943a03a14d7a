//! Test data that lives outside of the repository, read where it is.

use std::path::PathBuf;

use serde_json::Value;

/// The folder with contract, seeds and corpus: `BREAKWATER_SHARED`, or `shared` beside the repository.
///
/// # Panics
///
/// If it is not there: a test that needs it must not pass without it.
#[must_use]
pub fn shared() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let path = std::env::var_os("BREAKWATER_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    assert!(path.is_dir(), "no test data at {}: set BREAKWATER_SHARED", path.display());
    path
}

/// The resource language by example, as the contract has it.
#[must_use]
pub fn quickstart() -> String {
    let path = shared().join("contract/quickstart.yaml");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All recorded interactions that `keep` keeps.
#[must_use]
pub fn recordings(keep: impl Fn(&Value) -> bool) -> Vec<Value> {
    let path = shared().join("corpus/recordings.jsonl.zst");
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let plain = zstd::decode_all(packed.as_slice()).expect("the corpus is zstd");
    plain
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("the corpus is JSON lines"))
        .filter(|recording| keep(recording))
        .collect()
}
