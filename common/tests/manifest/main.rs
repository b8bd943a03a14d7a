//! The resource language from the outside: the published example, tables of bad input, bombs, round trips.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; clippy sees that only inside of #[test]"
)]

mod bad_input;
mod bombs;
mod quickstart;
mod round_trip;

use breakwater_common::manifest::{Document, parse_yaml};

/// Parses what must be good.
fn parse(text: &str) -> Vec<Document> {
    parse_yaml(text).unwrap_or_else(|violations| {
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        panic!("must parse, but:\n{}\n---\n{text}", lines.join("\n"))
    })
}
