//! Any text as a configuration file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mlops_tui::project::config::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        fuzzing::yaml(text);
    }
});
