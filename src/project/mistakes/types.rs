//! Dataset types that do not exist: `type: pandas.CSVDatset`.
//!
//! `types.txt` lists the modules and classes of kedro-datasets 1.8 to 9.6, of `kedro.io` and of kedro-mlflow, in the spelling
//! of Kedro 0.19 and later. A later release may have more of them, so only a type with a similar name in the list is
//! reported.

use std::collections::BTreeSet;

use crate::project::code::DefinitionKind;
use crate::project::{Problem, Severity, Snapshot, Value};
use crate::text::closest;

const KNOWN: &str = include_str!("types.txt");
/// The packages that Kedro puts before a type (`_DEFAULT_PACKAGES` in `kedro.io.core`). A name after them may be written
/// without its package.
const PACKAGES: [&str; 3] = ["kedro_datasets.", "kedro.io.", "kedro.extras.datasets."];
/// The Kedro version whose packages have classes that end with `Dataset` alone; earlier ones wrote `DataSet`.
const NEW_SPELLING: (u32, u32) = (0, 19);

/// Warnings about the entries and patterns of the catalog whose type is probably misspelled.
pub(super) fn misspelled(snapshot: &Snapshot) -> Vec<Problem> {
    let known = Known::of(snapshot);
    let entries = snapshot.datasets.values().filter(|dataset| dataset.pattern.is_none());
    let entries = entries.map(|dataset| (dataset.name.as_str(), &dataset.definition));
    let patterns = snapshot.patterns.iter();
    let patterns = patterns.map(|pattern| (pattern.pattern.as_str(), &pattern.definition));
    let problem = |(name, definition): (&str, &crate::project::Located)| {
        let located = definition.value.get("type")?;
        let Value::Str(written) = &located.value else { return None };
        let meant = known.meant(written)?;
        Some(Problem::new(
            Severity::Warning,
            located.origin.as_ref().map(|origin| origin.place.clone()),
            format!("There is no dataset type `{written}` (of `{name}`). Did you mean `{meant}`?"),
            "Correct the type; Kedro fails when it makes this dataset.",
        ))
    };
    entries.chain(patterns).filter_map(problem).collect()
}

/// The types that a project can use.
struct Known {
    /// Names as they may be written without the first package.
    types: BTreeSet<String>,
    /// Dotted names of the project's own classes.
    own: Vec<String>,
    /// Whether classes are called `...DataSet` and not only `...Dataset`.
    old_spelling: bool,
}

impl Known {
    fn of(snapshot: &Snapshot) -> Known {
        let types = KNOWN.lines().flat_map(|line| {
            let (module, classes) = line.split_once(' ').unwrap_or((line, ""));
            classes.split(' ').map(move |class| short(&format!("{module}.{class}")).to_owned())
        });
        let classes = snapshot.code.definitions().iter();
        let classes = classes.filter(|definition| definition.kind == DefinitionKind::Class);
        Known {
            types: types.collect(),
            own: classes.map(|definition| definition.name.clone()).collect(),
            old_spelling: snapshot.metadata.kedro_major_minor() < NEW_SPELLING,
        }
    }

    /// The type that was probably meant, if this one does not exist.
    fn meant(&self, written: &str) -> Option<String> {
        let (package, name) = written.split_at(written.len() - short(written).len());
        let known = |name: &str| self.types.contains(name);
        let newer = new_spelling(name);
        if known(name) || known(&without_file(name)) {
            return None;
        }
        if known(&newer) || known(&new_spelling(&without_file(name))) {
            return (!self.old_spelling).then(|| format!("{package}{newer}"));
        }
        if self.is_own(name) {
            return closest(name, self.own_similar(name)).map(str::to_owned);
        }
        let meant = closest(&newer, self.types.iter().map(String::as_str))?;
        let is_similar = |module: fn(&str) -> &str| {
            let (wanted, found) = (module(&newer), module(meant));
            wanted == found || closest(wanted, [found]).is_some()
        };
        // Two modules have classes of the same name, so both parts have to be similar.
        if !is_similar(module) || !is_similar(class) {
            return None;
        }
        let meant = if self.old_spelling && name.contains("DataSet") {
            meant.replace("Dataset", "DataSet")
        } else {
            meant.to_owned()
        };
        Some(format!("{package}{meant}"))
    }

    /// Whether a type is meant to be one of the project's classes.
    fn is_own(&self, name: &str) -> bool {
        let package = |name: &str| name.split('.').next().map(str::to_owned);
        let wanted = package(name);
        self.own.iter().any(|class| package(class) == wanted)
    }

    /// The project's classes, unless one of them has the name of the type: modules may import it under another path.
    fn own_similar(&self, name: &str) -> impl Iterator<Item = &str> {
        let exists = self.own.iter().any(|own| class(own) == class(name));
        self.own.iter().filter(move |_| !exists).map(String::as_str)
    }
}

/// The name without the package that Kedro adds.
fn short(name: &str) -> &str {
    PACKAGES.iter().find_map(|package| name.strip_prefix(package)).unwrap_or(name)
}

/// The module of a type; empty without one.
fn module(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(module, _)| module)
}

fn class(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn new_spelling(name: &str) -> String {
    match name.strip_suffix("DataSet") {
        Some(start) => format!("{start}Dataset"),
        None => name.to_owned(),
    }
}

/// The name without the file of the class: `pandas.CSVDataset` for `pandas.csv_dataset.CSVDataset`.
fn without_file(name: &str) -> String {
    match name.split('.').collect::<Vec<_>>()[..] {
        [package, _, class] => format!("{package}.{class}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::project::{Dataset, Located};

    #[test]
    fn similar_types_are_suggested_and_others_left_alone() {
        let known = |kedro: &str| {
            let mut snapshot = Snapshot::default();
            snapshot.metadata.kedro_version = kedro.to_owned();
            Known { own: vec!["shop.data.SalesDataset".into()], ..Known::of(&snapshot) }
        };
        let (new, old) = (known("1.7.0"), known("0.18.14"));
        for (written, meant) in [
            ("pandas.CSVDatset", Some("pandas.CSVDataset")),
            ("pandas.CsvDataset", Some("pandas.CSVDataset")),
            ("panda.CSVDataset", Some("pandas.CSVDataset")),
            ("kedro_datasets.pandas.CSVDatset", Some("kedro_datasets.pandas.CSVDataset")),
            ("kedro.io.MemoryDatset", Some("kedro.io.MemoryDataset")),
            ("MemoryDatset", Some("MemoryDataset")),
            ("pandas.CSVDataSet", Some("pandas.CSVDataset")),
            ("pickle.PickelDataset", Some("pickle.PickleDataset")),
            (
                "kedro_mlflow.io.metrics.MlflowMetricDatset",
                Some("kedro_mlflow.io.metrics.MlflowMetricDataset"),
            ),
            ("shop.data.SaleDataset", Some("shop.data.SalesDataset")),
            ("shop.SalesDataset", None),
            ("shop.other.Weather", None),
            ("pandas.CSVDataset", None),
            ("pandas.csv_dataset.CSVDataset", None),
            ("pandas.IcebergTable", None),
            ("acme.CSVDataset", None),
            ("acme.datasets.CSVDatset", None),
            ("", None),
            ("{type}", None),
        ] {
            assert_eq!(new.meant(written).as_deref(), meant, "{written}");
        }
        for (written, meant) in [
            ("pandas.CSVDataSet", None),
            ("pandas.CSVDatSet", Some("pandas.CSVDataset")),
            ("pandas.CSVDataSets", Some("pandas.CSVDataSet")),
        ] {
            assert_eq!(old.meant(written).as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn an_entry_is_reported_once_and_its_name_is_told() {
        let text = |text: &str| Located { value: Value::Str(text.into()), origin: None };
        let definition = Located {
            value: Value::Map([("type".to_owned(), text("pandas.CSVDatset"))].into()),
            origin: None,
        };
        let dataset = |pattern: Option<&str>| Dataset {
            name: "cars".into(),
            pattern: pattern.map(str::to_owned),
            definition: definition.clone(),
            ..Dataset::default()
        };
        let snapshot = Snapshot {
            datasets: [("cars".into(), dataset(None)), ("bikes".into(), dataset(Some("{x}")))]
                .into(),
            code: Arc::default(),
            ..Snapshot::default()
        };
        let problems = misspelled(&snapshot);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            problems[0].text,
            "There is no dataset type `pandas.CSVDatset` (of `cars`). Did you mean `pandas.CSVDataset`?"
        );
    }
}
