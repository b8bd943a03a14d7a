//! Within one format: see `breakwater_dialect_fuzz::pass`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| breakwater_dialect_fuzz::pass::feed(data));
