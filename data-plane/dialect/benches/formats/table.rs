//! What was measured, side by side.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One measurement of the table.
#[derive(Debug)]
pub struct Row {
    /// The group of benches.
    pub name: &'static str,
    /// What was done.
    pub what: String,
    /// To how much.
    pub bytes: usize,
}

/// Where criterion keeps what it measured.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion")
}

/// Prints the table; rows that were never measured are left out.
pub fn print(folder: &Path, rows: &[Row]) {
    println!("| what | ours | serde_json::Value | ratio |\n|---|---|---|---|");
    for Row { name, what, bytes } in rows {
        let median = |function: &str| median_ns(&folder.join(name).join(function));
        if let (Some(ours), Some(value)) = (median("ours"), median("value")) {
            let (ours, value) = (ours / 1_000.0, value / 1_000.0);
            let ratio = value / ours;
            println!("| {what}, {bytes} bytes | {ours:.1} µs | {value:.0} µs | {ratio:.1} |");
        }
    }
}

fn median_ns(folder: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(folder.join("new/estimates.json")).ok()?;
    let estimates: Value = serde_json::from_str(&text).ok()?;
    estimates.get("median")?.get("point_estimate")?.as_f64()
}
