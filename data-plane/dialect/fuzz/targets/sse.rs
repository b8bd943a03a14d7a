//! Server-sent events: see `breakwater_dialect_fuzz::frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| breakwater_dialect_fuzz::frames::sse(data));
