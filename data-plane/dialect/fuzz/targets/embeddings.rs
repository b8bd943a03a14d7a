//! Embeddings: see `breakwater_dialect_fuzz::embeddings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| breakwater_dialect_fuzz::embeddings::feed(data));
