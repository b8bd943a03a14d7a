//! One format's room: see `breakwater_dialect_fuzz::room`.
#![no_main]

use breakwater_dialect::Format;

libfuzzer_sys::fuzz_target!(|data: &[u8]| breakwater_dialect_fuzz::room::feed(Format::Messages, data));
