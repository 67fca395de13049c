//! The data catalog: dataset definitions and dataset factories from the resolved configuration.
//!
//! Implements the part of `CatalogConfigResolver` and `DataCatalog` that runs before any dataset is
//! created. Files and dataset classes are not looked at. `pattern` matches names and fills
//! placeholders; `secrets` removes values that must not be shown.

mod pattern;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

use super::budget::Spent;
use super::config::size;
use super::json::value_to_json;
use super::{
    ASK_KEDRO, Budget, Dataset, Located, Pattern, Place, Problem, Severity, Value, secrets,
    strip_transcoding,
};
use pattern::Matcher;

/// The catalog of a project for one environment.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Concrete datasets, as [`super::Snapshot::datasets`] lists them.
    pub datasets: IndexMap<String, Dataset>,
    /// Factory patterns in Kedro's matching order.
    pub patterns: Vec<Pattern>,
    /// Errors and warnings about the definitions.
    pub problems: Vec<Problem>,
}

/// Resolves the `catalog` configuration for the dataset names that pipelines use.
///
/// `used` are dataset names without `params:`/`parameters`, with transcoding, in order of use. A
/// name that nothing resolves is a `MemoryDataset` to Kedro and is not listed. If names and
/// patterns exceed `budget`, a problem reports that.
pub fn resolve(
    catalog: &Located,
    credentials: &BTreeSet<String>,
    used: &[String],
    budget: &Budget,
) -> Catalog {
    let mut resolver = Resolver { credentials, budget, catalog: Catalog::default() };
    let mut factories = Vec::new();
    let entries = catalog.value.as_map().into_iter().flatten();
    // `OmegaConfigLoader` drops keys that start with `_`; they exist only for interpolation.
    for (key, definition) in entries.filter(|(key, _)| !key.starts_with('_')) {
        if pattern::is_pattern(key) {
            factories.extend(resolver.factory(key, definition));
        } else {
            resolver.entry(key, definition);
        }
    }
    pattern::sort(&mut factories, |factory| factory.pattern);
    resolver.check_catch_all(&factories);
    for name in used {
        if !resolver.catalog.datasets.contains_key(name) {
            if resolver.used_name(name, &mut factories).is_err() {
                resolver.too_many(name, &factories);
                break;
            }
        }
    }
    for factory in &factories {
        let mut definition = factory.definition.clone();
        secrets::remove_from_definition(&mut definition);
        let pattern = factory.pattern.to_owned();
        resolver.catalog.patterns.push(Pattern { pattern, definition });
    }
    resolver.check_transcoding();
    resolver.catalog
}

/// A pattern with its unfilled definition.
struct Factory<'a> {
    pattern: &'a str,
    definition: &'a Located,
    /// `None` if only Python can decide which names it matches.
    matcher: Option<Matcher>,
    lacks_type: bool,
}

struct Resolver<'a> {
    credentials: &'a BTreeSet<String>,
    budget: &'a Budget,
    catalog: Catalog,
}

impl Resolver<'_> {
    fn error(&mut self, at: &Located, text: String, remedy: impl Into<String>) {
        self.problem(Severity::Error, at, text, remedy);
    }

    fn problem(
        &mut self,
        severity: Severity,
        at: &Located,
        text: String,
        remedy: impl Into<String>,
    ) {
        self.catalog.problems.push(Problem::new(severity, place(at), text, remedy));
    }

    /// An entry with a plain name (`CatalogConfigResolver._resolve_credentials`,
    /// `DataCatalog._validate_dataset_config`).
    fn entry(&mut self, name: &str, definition: &Located) {
        if !self.is_definition(name, definition) {
            return;
        }
        if lacks_type(definition) {
            self.type_is_missing(Severity::Error, &format!("dataset `{name}`"), definition);
        }
        self.check_credentials(name, definition);
        self.add(name, definition.clone(), None);
    }

    /// Whether an entry is a mapping, or may be one; the loader has already reported values that it
    /// could not resolve.
    fn is_definition(&mut self, name: &str, definition: &Located) -> bool {
        let fits = matches!(definition.value, Value::Map(_) | Value::Unknown(_));
        if !fits {
            self.error(
                definition,
                format!("`{name}` is not a dataset: a mapping with a `type` is missing."),
                format!(
                    "Write `type:` and its settings under `{name}:`; if it serves interpolation alone, name it `_{name}`."
                ),
            );
        }
        fits
    }

    fn type_is_missing(&mut self, severity: Severity, whose: &str, definition: &Located) {
        let remedy = match place(definition) {
            Some(place) => {
                format!("Add `type: ...`, such as `pandas.CSVDataset`, under line {}.", place.line)
            }
            None => "Add `type: ...`, such as `pandas.CSVDataset`.".to_owned(),
        };
        self.problem(severity, definition, format!("`type` is missing for {whose}."), remedy);
    }

    /// Checks names of credentials in a definition and its nested mappings (`_resolve_credentials`
    /// in `kedro.io.catalog_config_resolver`; lists are not searched).
    fn check_credentials(&mut self, name: &str, definition: &Located) {
        for (key, located) in definition.value.as_map().into_iter().flatten() {
            match &located.value {
                Value::Str(entry) if key == "credentials" => {
                    if !self.credentials.contains(entry) {
                        self.error(
                            located,
                            format!("`{name}` needs the credentials `{entry}`, which are not defined."),
                            format!("Add `{entry}:` to credentials.yml of the local environment, or correct the name."),
                        );
                    }
                }
                Value::Map(_) => self.check_credentials(name, located),
                _ => {}
            }
        }
    }

    /// Compiles a pattern entry (`CatalogConfigResolver._extract_patterns`) and checks its
    /// definition.
    fn factory<'b>(&mut self, name: &'b str, definition: &'b Located) -> Option<Factory<'b>> {
        if !self.is_definition(name, definition) {
            return None;
        }
        let known: Vec<&str> = pattern::placeholders(name).collect();
        self.check_placeholders(name, &known, definition);
        self.check_credentials(name, definition);
        let matcher = match Matcher::new(name) {
            Ok(matcher) => Some(matcher),
            Err(reason) => {
                let problem = Problem::new(
                    Severity::Info,
                    place(definition),
                    format!(
                        "Which names pattern `{name}` matches is not known here, for {reason}."
                    ),
                    ASK_KEDRO,
                );
                self.catalog.problems.push(problem.hiding());
                None
            }
        };
        Some(Factory { pattern: name, definition, matcher, lacks_type: lacks_type(definition) })
    }

    /// Reports placeholders in the values that the pattern's name lacks
    /// (`CatalogConfigResolver._validate_pattern_config`). Keys are neither checked nor filled.
    fn check_placeholders(&mut self, name: &str, known: &[&str], at: &Located) {
        match &at.value {
            Value::Map(map) => {
                map.values().for_each(|value| self.check_placeholders(name, known, value));
            }
            Value::List(items) => {
                items.iter().for_each(|item| self.check_placeholders(name, known, item));
            }
            Value::Str(text) => {
                if let Some(other) = pattern::placeholders(text).find(|part| !known.contains(part))
                {
                    self.error(
                        at,
                        format!("`{other}` is not a placeholder of pattern `{name}`."),
                        match known {
                            [] => "Write the value itself.".to_owned(),
                            known => {
                                format!("Use {}, or add it to the pattern's name.", listed(known))
                            }
                        },
                    );
                }
            }
            _ => {}
        }
    }

    /// Reports more than one catch-all pattern, which `CatalogConfigResolver._sort_patterns`
    /// refuses.
    fn check_catch_all(&mut self, factories: &[Factory<'_>]) {
        let all: Vec<&Factory<'_>> =
            factories.iter().filter(|factory| pattern::specificity(factory.pattern) == 0).collect();
        for factory in all.iter().skip(1) {
            self.error(
                factory.definition,
                format!(
                    "`{}` matches every name, as `{}` does; Kedro takes one such pattern.",
                    factory.pattern, all[0].pattern
                ),
                "Remove one of them, or add characters outside the braces.",
            );
        }
    }

    /// `CatalogConfigResolver.resolve_pattern`: resolves a name with the first pattern that
    /// matches.
    fn used_name(&mut self, name: &str, factories: &mut [Factory<'_>]) -> Result<(), Spent> {
        let lower = name.to_ascii_lowercase();
        let mut matched = None;
        for factory in factories.iter_mut() {
            let Some(matcher) = &factory.matcher else { continue };
            self.budget.elements(2 + name.len() / 64)?;
            if !matcher.may_match(&lower) {
                continue;
            }
            self.budget.elements(matcher.cost(name))?;
            if let Some(values) = matcher.matches(name) {
                matched = Some((factory, values));
                break;
            }
        }
        let Some((factory, values)) = matched else { return Ok(()) };
        // Every value may be filled with the whole name.
        size::charge(&factory.definition.value, self.budget)?;
        self.budget.bytes(name.len().saturating_mul(size::count(&factory.definition.value)))?;
        if std::mem::take(&mut factory.lacks_type) {
            let owner = format!("pattern `{}`, which makes `{name}`", factory.pattern);
            self.type_is_missing(Severity::Error, &owner, factory.definition);
        }
        let definition = self.fill(factory.pattern, factory.definition, &values);
        self.add(name, definition, Some(factory.pattern.to_owned()));
        Ok(())
    }

    /// Reports that the datasets from `name` on were not matched against the patterns.
    fn too_many(&mut self, name: &str, factories: &[Factory<'_>]) {
        let at = factories.first().and_then(|factory| place(factory.definition));
        let problem = Problem::new(
            Severity::Warning,
            at,
            format!(
                "There are too many patterns and datasets to tell which pattern makes `{}` and those after it.",
                &name[..name.floor_char_boundary(200)]
            ),
            ASK_KEDRO,
        );
        self.catalog.problems.push(problem.hiding());
    }

    /// `CatalogConfigResolver._resolve_dataset_config`: fills values that contain a `}`.
    fn fill(&mut self, name: &str, at: &Located, values: &HashMap<String, String>) -> Located {
        let value = match &at.value {
            Value::Map(map) => Value::Map(
                map.iter()
                    .map(|(key, item)| (key.clone(), self.fill(name, item, values)))
                    .collect(),
            ),
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.fill(name, item, values)).collect())
            }
            Value::Str(text) if text.contains('}') => match pattern::fill(text, values) {
                Ok(text) => Value::Str(text),
                Err(reason) => {
                    self.unfilled(name, at, text, &reason.text);
                    Value::Unknown(text.clone())
                }
            },
            Value::Secret(secret) => Value::Secret(match secret.part() {
                // The shown part contains the markers of removed secrets and may contain
                // placeholders.
                Some(part) => match pattern::fill(part, values) {
                    Ok(text) => secret.showing(&text),
                    Err(_) => secret.clone(),
                },
                None => secret.clone(),
            }),
            other => other.clone(),
        };
        Located { value, origin: at.origin.clone() }
    }

    /// Reports once per place that a value can't be filled.
    fn unfilled(&mut self, name: &str, at: &Located, text: &str, reason: &str) {
        let problem = Problem::new(
            Severity::Error,
            place(at),
            format!("`{}` in pattern `{name}` can't be filled: {reason}.", text),
            "Write `{name}` for a placeholder, `{{` and `}}` for the braces themselves.",
        );
        let reported = self.catalog.problems.iter().any(|other| {
            *other == problem
                || other.place.is_some()
                    && other.place == problem.place
                    && other.severity == Severity::Error
        });
        if !reported {
            self.catalog.problems.push(problem);
        }
    }

    fn add(&mut self, name: &str, mut definition: Located, pattern: Option<String>) {
        secrets::remove_from_definition(&mut definition);
        let value = &definition.value;
        let dataset = Dataset {
            name: name.to_owned(),
            type_name: value.get("type").and_then(text).unwrap_or_default(),
            filepath: value.get("filepath").and_then(text),
            layer: layer(value),
            versioned: value.get("versioned").is_some_and(|flag| is_true(&flag.value)),
            credentials: credentials(value),
            pattern,
            definition,
        };
        self.catalog.datasets.insert(name.to_owned(), dataset);
    }

    /// Pipelines treat `a@x` and `a@y` as one dataset. Different files for the two are probably a
    /// mistake.
    fn check_transcoding(&mut self) {
        let mut first: HashMap<&str, &Dataset> = HashMap::new();
        let mut problems = Vec::new();
        for dataset in self.catalog.datasets.values() {
            let base = strip_transcoding(&dataset.name);
            if base == dataset.name || dataset.filepath.is_none() {
                continue;
            }
            let other = *first.entry(base).or_insert(dataset);
            let known = |dataset: &Dataset| {
                let filepath = dataset.definition.value.get("filepath");
                filepath.is_some_and(|located| matches!(located.value, Value::Str(_)))
            };
            if other.filepath != dataset.filepath && known(other) && known(dataset) {
                problems.push(Problem::new(
                    Severity::Warning,
                    dataset.definition.value.get("filepath").and_then(place),
                    format!(
                        "`{}` and `{}` are one dataset to pipelines, but their file paths differ.",
                        other.name, dataset.name
                    ),
                    "Give both the same `filepath`, or different names before the `@`.",
                ));
            }
        }
        self.catalog.problems.append(&mut problems);
    }
}

fn place(located: &Located) -> Option<Place> {
    located.origin.as_ref().map(|origin| origin.place.clone())
}

fn lacks_type(definition: &Located) -> bool {
    definition.value.as_map().is_some_and(|map| !map.contains_key("type"))
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A scalar as text; an unknown value as written.
fn text(located: &Located) -> Option<String> {
    match &located.value {
        Value::Str(text) | Value::Unknown(text) => Some(text.clone()),
        Value::Secret(secret) => secret.part().map(str::to_owned),
        Value::Null | Value::List(_) | Value::Map(_) => None,
        scalar => Some(value_to_json(scalar).to_string()),
    }
}

/// The layer: `metadata.kedro-viz.layer`, or top-level `layer` as in Kedro 0.18.
fn layer(definition: &Value) -> Option<String> {
    definition
        .get("metadata")
        .and_then(|metadata| metadata.value.get("kedro-viz"))
        .and_then(|viz| viz.value.get("layer"))
        .or_else(|| definition.get("layer"))
        .and_then(text)
}

/// The name of the credentials entry; that of a nested dataset if the entry itself has none.
fn credentials(definition: &Value) -> Option<String> {
    let map = definition.as_map()?;
    match map.get("credentials").map(|located| &located.value) {
        Some(Value::Str(name) | Value::Unknown(name)) => Some(name.clone()),
        _ => map.values().find_map(|located| credentials(&located.value)),
    }
}

/// Python's truth value of a configuration value.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Unknown(_) => false,
        Value::Bool(flag) => *flag,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::BigInt(_) | Value::Secret(_) => true,
    }
}
