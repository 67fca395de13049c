//! The rows of the catalog screen.

use std::collections::HashSet;

use indexmap::IndexMap;

use crate::project::{Snapshot, is_parameter, strip_transcoding};

/// A row of the catalog screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogRow {
    /// A group, with how many entries it has and whether it is open.
    Group {
        /// Its name.
        name: String,
        /// How many entries it has.
        count: usize,
        /// Whether they are shown.
        open: bool,
    },
    /// A dataset by its name.
    Dataset(String),
    /// A dataset that only lives in memory.
    Memory(String),
    /// A dataset factory pattern, by its index.
    Pattern(usize),
}

const MEMORY: &str = "in memory";
const PATTERNS: &str = "dataset factories";

/// The rows: entries by layer where there are layers, else by namespace; then what lives in memory
/// only, then the factory patterns.
pub fn rows(snapshot: &Snapshot, closed: &HashSet<String>) -> Vec<CatalogRow> {
    let layers = snapshot.datasets.values().any(|dataset| dataset.layer.is_some());
    let mut groups: IndexMap<String, Vec<CatalogRow>> = IndexMap::new();
    for dataset in snapshot.datasets.values() {
        let group = match (&dataset.layer, dataset.name.split_once('.')) {
            (Some(layer), _) => layer.clone(),
            (None, _) if layers => "no layer".to_owned(),
            (None, Some((namespace, _))) => namespace.to_owned(),
            (None, None) => "no namespace".to_owned(),
        };
        groups.entry(group).or_default().push(CatalogRow::Dataset(dataset.name.clone()));
    }
    let memory = memory(snapshot);
    if !memory.is_empty() {
        groups.insert(MEMORY.into(), memory.into_iter().map(CatalogRow::Memory).collect());
    }
    if !snapshot.patterns.is_empty() {
        let patterns = (0..snapshot.patterns.len()).map(CatalogRow::Pattern).collect();
        groups.insert(PATTERNS.into(), patterns);
    }
    let mut rows = Vec::new();
    for (name, entries) in groups {
        let open = !closed.contains(&name);
        rows.push(CatalogRow::Group { name, count: entries.len(), open });
        if open {
            rows.extend(entries);
        }
    }
    rows
}

/// Datasets that nodes use and no entry or pattern defines: Kedro keeps them in memory.
fn memory(snapshot: &Snapshot) -> Vec<String> {
    let known: HashSet<&str> =
        snapshot.datasets.keys().map(|name| strip_transcoding(name)).collect();
    let mut seen = HashSet::new();
    let nodes = snapshot.pipelines.iter().flat_map(|pipeline| &pipeline.nodes);
    nodes
        .flat_map(|node| node.inputs.iter().chain(&node.outputs))
        .map(|name| strip_transcoding(name))
        .filter(|name| !is_parameter(name) && !known.contains(name) && seen.insert(*name))
        .map(ToOwned::to_owned)
        .collect()
}

impl CatalogRow {
    /// The name that a search looks at.
    pub fn name<'a>(&'a self, snapshot: &'a Snapshot) -> &'a str {
        match self {
            CatalogRow::Group { name, .. }
            | CatalogRow::Dataset(name)
            | CatalogRow::Memory(name) => name,
            CatalogRow::Pattern(index) => {
                snapshot.patterns.get(*index).map_or("", |pattern| &pattern.pattern)
            }
        }
    }
}
