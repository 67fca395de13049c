//! Any text as a line from outside: what is drawn or printed must be harmless.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mlops_tui::text::{ansi, is_hidden, json, sanitize, truncate, width};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let clean = sanitize(&text);
    assert_harmless(&clean);
    assert_eq!(sanitize(&clean), clean);
    for part in ansi::parts(&text) {
        assert!(!part.text.is_empty());
        assert_harmless(&part.text);
    }
    for max in [0, 1, 2, 7] {
        let cut = truncate(&clean, max);
        assert!(width(&cut) <= max, "{cut:?} is wider than {max}");
    }
    assert_read_back(&Value::from(&*text));
    if let Ok(value) = serde_json::from_str::<Value>(&text) {
        assert_read_back(&value);
    }
});

fn assert_harmless(text: &str) {
    let found = text.chars().find(|c| c.is_control() || is_hidden(*c));
    assert_eq!(found, None, "in {text:?}");
}

fn assert_read_back(value: &Value) {
    let line = json::line(value).unwrap();
    assert_harmless(&line);
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), *value);
    let mut pretty = Vec::new();
    json::write_pretty(&mut pretty, value).unwrap();
    let pretty = String::from_utf8(pretty).unwrap();
    pretty.split('\n').for_each(assert_harmless);
    assert_eq!(serde_json::from_str::<Value>(&pretty).unwrap(), *value);
}
