//! Runtime parameters (`--params`) that nothing in the configuration defines or reads: probably misspelled names.

use std::sync::LazyLock;

use indexmap::IndexMap;
use regex::Regex;

use crate::project::{Located, Value};
use crate::text::is_within;

/// A use of the resolver, such as `${runtime_params:folder, data}`.
static READ: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"runtime_params:\s*([^,}\s]+)").expect("a constant expression is valid")
});

/// What the configuration says about runtime parameters.
#[derive(Default)]
pub(super) struct Defined {
    /// The parameters of each environment, before runtime parameters are merged into them.
    parameters: Vec<IndexMap<String, Located>>,
    /// Dotted names that the resolver `runtime_params` reads.
    read: Vec<String>,
}

impl Defined {
    /// Notes the parameters of an environment.
    pub(super) fn parameters(&mut self, parameters: &IndexMap<String, Located>) {
        self.parameters.push(parameters.clone());
    }

    /// Notes the runtime parameters that the values of a configuration file read.
    pub(super) fn uses(&mut self, entries: &IndexMap<String, Located>) {
        let mut open: Vec<&Located> = entries.values().collect();
        while let Some(located) = open.pop() {
            match &located.value {
                Value::Str(text) => {
                    let found = READ.captures_iter(text).map(|found| found[1].to_owned());
                    self.read.extend(found);
                }
                Value::List(items) => open.extend(items),
                Value::Map(map) => open.extend(map.values()),
                _ => {}
            }
        }
    }

    /// The dotted names of the given runtime parameters that are neither defined nor read, in their order.
    pub(super) fn missing(&self, given: &Located) -> Vec<String> {
        let maps: Vec<&IndexMap<String, Located>> = self.parameters.iter().collect();
        let mut missing = Vec::new();
        self.collect("", given, &maps, &mut missing);
        missing
    }

    fn collect(
        &self,
        prefix: &str,
        given: &Located,
        maps: &[&IndexMap<String, Located>],
        missing: &mut Vec<String>,
    ) {
        for (key, value) in given.value.as_map().into_iter().flatten() {
            let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            let defined: Vec<&Located> = maps.iter().filter_map(|map| map.get(key)).collect();
            let inner: Vec<_> = defined.iter().filter_map(|at| at.value.as_map()).collect();
            if defined.is_empty() {
                if !self.read.iter().any(|read| overlap(read, &name)) {
                    missing.push(name);
                }
            } else if inner.len() == defined.len() {
                self.collect(&name, value, &inner, missing);
            }
        }
    }
}

/// Whether two dotted names are equal, or one is a group that holds the other.
pub(crate) fn overlap(a: &str, b: &str) -> bool {
    is_within(a, b) || is_within(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::config::value;

    fn map(text: &str) -> IndexMap<String, Located> {
        match value(text) {
            Value::Map(map) => map,
            other => panic!("{other:?} is not a mapping"),
        }
    }

    #[test]
    fn only_names_that_nothing_defines_or_reads_are_missing() {
        let mut defined = Defined::default();
        defined.parameters(&map("{lr: 0.1, model: {depth: 3}, text: '${oc.env:X}', none: null}"));
        defined.parameters(&map("{model: {width: 2}}"));
        defined
            .uses(&map("{path: ['data/${runtime_params:folder, raw}/${runtime_params:day.iso}']}"));
        let given = |text: &str| Located { value: value(text), origin: None };
        for (text, missing) in [
            ("{lr: 1, model: {depth: 1, width: 1}}", ""),
            ("{lrr: 1}", "lrr"),
            ("{model: {dept: 1, depth: 2}}", "model.dept"),
            ("{folder: x, day: {iso: 1}}", ""),
            ("{text: {a: 1}, none: {b: 1}}", ""),
            ("{model: 3}", ""),
            ("{days: 1, a: {b: 1}}", "days a"),
            ("null", ""),
        ] {
            assert_eq!(defined.missing(&given(text)).join(" "), missing, "{text}");
        }
    }
}
