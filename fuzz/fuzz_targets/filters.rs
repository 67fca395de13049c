//! Any text as what people type: filters, limits, parameters, grids; and its first two lines as a dataset factory and a
//! name that it may match.

#![no_main]

use std::collections::BTreeSet;

use indexmap::IndexMap;
use libfuzzer_sys::fuzz_target;
use mlops_tui::dag::view::filter::KEYS;
use mlops_tui::project::{Budget, Located, Value, catalog};
use mlops_tui::runs::history::{change, filter};
use mlops_tui::runs::{grid, request};
use mlops_tui::text::filter as language;

const NOW: f64 = 1.8e9;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for keys in [KEYS, filter::KEYS] {
        match language::parse(text, keys) {
            Ok(parsed) => {
                let written = parsed.to_string();
                let again = language::parse(&written, keys).expect("what is written is valid");
                assert_eq!(again.to_string(), written);
            }
            Err(error) => assert!(error.at <= text.chars().count(), "{error:?}"),
        }
        assert!(text.starts_with(language::settled(text, keys)));
    }
    let _ = filter::parse(text, NOW);
    if let Ok(limits) = change::parse_prune_limits(text, NOW) {
        assert!(limits.before.is_none_or(f64::is_finite));
    }
    let _ = change::parse_size(text);
    if let Ok(params) = request::parse_params(text) {
        assert!(params.keys().all(|key| !key.is_empty()));
    }
    let _ = request::parse_load_versions(text);
    let names = request::split_node_names(text);
    assert!(names.iter().all(|name| !name.trim().is_empty()));
    assert!(!request::quote(text).is_empty());
    if let Ok(runs) = grid::parse(text) {
        assert!((1..=64).contains(&runs.len()));
    }
    let mut lines = text.lines();
    if let (Some(pattern), Some(name)) = (lines.next(), lines.next()) {
        factory(pattern, name, lines.next().unwrap_or("data/{name}.csv"));
    }
});

/// A name against a catalog of one factory.
fn factory(pattern: &str, name: &str, filepath: &str) {
    let located = |value| Located { value, origin: None };
    let text = |text: &str| located(Value::Str(text.to_owned()));
    let definition = IndexMap::from([
        ("type".to_owned(), text("pandas.CSVDataset")),
        ("filepath".to_owned(), text(filepath)),
    ]);
    let entries = IndexMap::from([(pattern.to_owned(), located(Value::Map(definition)))]);
    let budget = Budget::new(1_000_000, 16 << 20);
    let used = [name.to_owned()];
    catalog::resolve(&located(Value::Map(entries)), &BTreeSet::new(), &used, &budget);
}
