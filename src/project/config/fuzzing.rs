//! Entry points for the fuzzers in `fuzz/`: the private steps of loading a configuration, with the
//! properties that must hold for any text.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::interpolation::{self, Scope};
use super::{size, yaml};
use crate::project::python::on_large_stack;
use crate::project::{Budget, Located, Place, Value};

/// A small budget, so that many texts can be tried in a second.
fn budget() -> Budget {
    Budget::new(4_000_000, 32 << 20)
}

/// Parses a YAML text. Every place in the result must lie inside the text.
pub fn yaml(text: &str) {
    let document = read(text);
    let lines: Vec<usize> =
        text.replace("\r\n", "\n").split(['\n', '\r']).map(|line| line.chars().count()).collect();
    let inside = |place: &Place| {
        let line = place.line.checked_sub(1).map(|line| line as usize);
        let length = line.and_then(|line| lines.get(line));
        let fits = length.is_some_and(|length| (1..=length + 1).contains(&(place.column as usize)));
        assert!(fits, "{}:{} is outside of the text", place.line, place.column);
    };
    document.entries.values().for_each(|value| {
        each(value, &|value| {
            value.origin.iter().for_each(|origin| inside(&origin.place));
        })
    });
    document.odd_keys.iter().for_each(|(_, place)| inside(place));
    document.problems.iter().filter_map(|problem| problem.place.as_ref()).for_each(inside);
    let _ = yaml::value(text);
}

/// Resolves the interpolations of a YAML text. Up to two more texts may follow, each after a line
/// `---`: globals and runtime parameters.
pub fn interpolation(text: &str) {
    let mut texts = text.split("\n---\n");
    let mut mapping = || {
        let entries = texts.next().map(|text| read(text).entries).unwrap_or_default();
        Located { value: Value::Map(entries), origin: None }
    };
    let (root, globals, runtime_params) = (mapping(), mapping(), mapping());
    on_large_stack(|| {
        let budget = budget();
        let custom = IndexMap::from([
            ("three".to_owned(), Value::Int(3)),
            ("today".to_owned(), Value::Unknown("date.today()".to_owned())),
        ]);
        let scope = Scope {
            kind: "globals",
            root: &globals,
            globals: None,
            runtime_params: None,
            env_allowed: true,
            custom: &custom,
            budget: &budget,
        };
        let (globals, _) = interpolation::resolve(scope);
        let (globals, runtime_params) = (Some(&globals), Some(&runtime_params));
        let scope = Scope { kind: "parameters", root: &root, globals, runtime_params, ..scope };
        let (resolved, _) = interpolation::resolve(scope);
        let depth = size::depth(&resolved.value);
        assert!(depth <= size::DEEPEST + 1, "values are nested {depth} deep");
    });
}

fn read(text: &str) -> yaml::Document {
    let (file, env) = (Arc::from(Path::new("conf/base/parameters.yml")), Arc::from("base"));
    yaml::read(text, &file, &env, &budget())
}

fn each(value: &Located, check: &impl Fn(&Located)) {
    check(value);
    match &value.value {
        Value::List(items) => items.iter().for_each(|item| each(item, check)),
        Value::Map(map) => map.values().for_each(|item| each(item, check)),
        _ => {}
    }
}
