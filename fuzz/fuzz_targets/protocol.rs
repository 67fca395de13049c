//! Any bytes as what a worker's child writes. The first two bytes are the lengths of the pieces that the others come in.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mlops_tui::runs::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let (sizes, bytes) = bytes.split_at(bytes.len().min(2));
    fuzzing::protocol(sizes, bytes);
});
