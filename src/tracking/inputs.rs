//! Datasets with the runs that have read them: the inverse of each run's list of datasets.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};

use serde_json::Value as Json;

use super::entities::Run;
use crate::project::{Dataset, Snapshot};

/// A dataset, identified by name and digest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadDataset {
    /// Name of the dataset.
    pub name: String,
    /// Digest of its content.
    pub digest: String,
    /// Kind of source, such as `local`.
    pub source_type: String,
    /// Source of the data, as JSON.
    pub source: String,
    /// Name of the same dataset in the project's catalog; set by [`join`].
    pub catalog: Option<String>,
    /// The runs that have read it, in increasing order.
    pub readers: Vec<Reader>,
}

/// A run that has read a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    /// Index of the run.
    pub run: usize,
    /// Purposes of reading the dataset, such as `training`; sorted.
    pub contexts: Vec<String>,
}

/// The datasets that the runs have read, sorted by name and digest. If runs name different sources, the first
/// run's is used.
pub fn datasets(runs: &[Run]) -> Vec<ReadDataset> {
    let mut found: BTreeMap<(&str, &str), ReadDataset> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        for input in &run.datasets {
            let dataset =
                found.entry((&input.name, &input.digest)).or_insert_with(|| ReadDataset {
                    name: input.name.clone(),
                    digest: input.digest.clone(),
                    source_type: input.source_type.clone(),
                    source: input.source.clone(),
                    catalog: None,
                    readers: Vec::new(),
                });
            let contexts = input.context().map(str::to_owned);
            match dataset.readers.last_mut().filter(|reader| reader.run == index) {
                Some(reader) => {
                    reader.contexts.extend(contexts);
                    reader.contexts.sort();
                    reader.contexts.dedup();
                }
                None => {
                    let contexts = contexts.into_iter().collect();
                    dataset.readers.push(Reader { run: index, contexts });
                }
            }
        }
    }
    found.into_values().collect()
}

/// A dataset of the project's catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the dataset.
    pub name: String,
    /// Absolute path if it is a file or folder on this machine; else the path as configured.
    pub path: Option<String>,
}

/// The datasets of a project's catalog.
pub fn catalog(root: &Path, snapshot: &Snapshot) -> Vec<Entry> {
    let entry = |(name, dataset): (&String, &Dataset)| Entry {
        name: name.clone(),
        path: dataset.filepath.as_deref().map(|path| plain(root, path)),
    };
    snapshot.datasets.iter().map(entry).collect()
}

/// Finds the catalog's dataset for each dataset that was read: by the path in its source (also a version of
/// the dataset or a file inside), else by name, else by the digest of a dataset that was found.
pub fn join(datasets: &mut [ReadDataset], root: &Path, catalog: &[Entry]) {
    for dataset in &mut *datasets {
        let paths = paths(root, &dataset.source);
        let has_path = |entry: &&Entry| {
            let Some(own) = entry.path.as_deref() else { return false };
            let below = |path: &String| {
                path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            paths.iter().any(below)
        };
        // The longest path is the closest match.
        let near = catalog
            .iter()
            .filter(has_path)
            .max_by_key(|entry| entry.path.as_ref().map(String::len));
        let named = || catalog.iter().find(|entry| entry.name == dataset.name);
        dataset.catalog = near.or_else(named).map(|entry| entry.name.clone());
    }
    let found = datasets.iter().filter(|dataset| !dataset.digest.is_empty());
    let of_digest: HashMap<String, String> = found
        .filter_map(|dataset| Some((dataset.digest.clone(), dataset.catalog.clone()?)))
        .collect();
    for dataset in datasets.iter_mut().filter(|dataset| dataset.catalog.is_none()) {
        dataset.catalog = of_digest.get(&dataset.digest).cloned();
    }
}

/// The paths in a dataset's source: all texts in its JSON.
fn paths(root: &Path, source: &str) -> Vec<String> {
    let Ok(Json::Object(fields)) = serde_json::from_str(source) else { return Vec::new() };
    let texts = fields.into_iter().filter_map(|(_, value)| Some(value.as_str()?.to_owned()));
    texts.map(|text| plain(root, &text)).collect()
}

/// Normalizes a path: without `file://`, absolute, without `.` and `..`.
fn plain(root: &Path, path: &str) -> String {
    let local = path.strip_prefix("file://").unwrap_or(path);
    if local.contains("://") {
        return local.to_owned();
    }
    let mut parts = PathBuf::new();
    for part in root.join(local).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::entities::DatasetInput;

    #[test]
    fn a_dataset_is_one_for_each_name_and_digest() {
        let input = |name: &str, digest: &str, context: &str| DatasetInput {
            name: name.to_owned(),
            digest: digest.to_owned(),
            tags: vec![("mlflow.data.context".to_owned(), context.to_owned())],
            ..DatasetInput::default()
        };
        let run = |datasets| Run { datasets, ..Run::default() };
        let runs = [
            run(vec![input("b", "1", "train"), input("a", "2", "x"), input("b", "1", "eval")]),
            run(Vec::new()),
            run(vec![input("b", "1", "train"), input("b", "0", "train")]),
        ];
        let found = datasets(&runs);
        let shown: Vec<_> =
            found.iter().map(|dataset| format!("{}{}", dataset.name, dataset.digest)).collect();
        assert_eq!(shown, ["a2", "b0", "b1"]);
        let reader = |run, contexts: &[&str]| Reader {
            run,
            contexts: contexts.iter().map(|context| (*context).to_owned()).collect(),
        };
        assert_eq!(found[2].readers, [reader(0, &["eval", "train"]), reader(2, &["train"])]);
    }

    #[test]
    fn the_catalog_is_joined_by_path_and_by_name() {
        let root = Path::new("/p");
        let entry = |name: &str, path: Option<&str>| Entry {
            name: name.to_owned(),
            path: path.map(|path| plain(root, path)),
        };
        let catalog = [
            entry("raw", Some("data/01_raw")),
            entry("companies", Some("./data/01_raw/../01_raw/companies.csv")),
            entry("remote", Some("s3://bucket/x.csv")),
            entry("memory", None),
        ];
        let joined = |name: &str, source: &str| {
            let mut datasets = [ReadDataset {
                name: name.into(),
                source: source.into(),
                ..ReadDataset::default()
            }];
            join(&mut datasets, root, &catalog);
            datasets[0].catalog.clone().unwrap_or_default()
        };
        assert_eq!(joined("d", r#"{"uri": "/p/data/01_raw/companies.csv"}"#), "companies");
        assert_eq!(
            joined("d", r#"{"uri": "file:///p/data/01_raw/companies.csv/2026/companies.csv"}"#),
            "companies"
        );
        assert_eq!(joined("d", r#"{"uri": "/p/data/01_raw/other.csv"}"#), "raw");
        assert_eq!(joined("d", r#"{"uri": "data/01_raw/companies.csv"}"#), "companies");
        assert_eq!(joined("d", r#"{"uri": "/p/data/01_raw2"}"#), "");
        assert_eq!(joined("d", r#"{"url": "s3://bucket/x.csv"}"#), "remote");
        assert_eq!(joined("memory", "no JSON"), "memory");
        assert_eq!(joined("companies", r#"{"tags": {}}"#), "companies");
    }

    #[test]
    fn datasets_with_the_same_digest_are_the_same() {
        let dataset = |name: &str, digest: &str| ReadDataset {
            name: name.into(),
            digest: digest.into(),
            ..ReadDataset::default()
        };
        let mut datasets = [dataset("x", "1"), dataset("companies", "1"), dataset("y", "")];
        let catalog = [Entry { name: "companies".into(), path: None }];
        join(&mut datasets, Path::new("/p"), &catalog);
        let found: Vec<_> = datasets.iter().map(|dataset| dataset.catalog.as_deref()).collect();
        assert_eq!(found, [Some("companies"), Some("companies"), None]);
    }
}
