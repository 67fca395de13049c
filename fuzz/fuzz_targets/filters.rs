//! Any text as what people type: filters, limits, parameters, grids; and its first two lines as a dataset factory and a
//! name that it may match.

#![no_main]

use std::collections::BTreeSet;

use indexmap::IndexMap;
use libfuzzer_sys::fuzz_target;
use mlops_tui::dag::view::Filter;
use mlops_tui::project::{Budget, Located, Value, catalog};
use mlops_tui::runs::history::{change, filter};
use mlops_tui::runs::{grid, request};

const NOW: f64 = 1.8e9;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(chosen) = filter::parse(text, NOW) {
        assert!(chosen.since.into_iter().chain(chosen.until).all(f64::is_finite));
    }
    assert!(text.starts_with(filter::settled(text)));
    if let Err(error) = Filter::parse(text) {
        assert!(error.at < text.chars().count(), "{error:?}");
    }
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
