//! The filter of the catalog.

use std::collections::{BTreeSet, HashMap};

use super::CatalogRow;
use crate::app::screens::entry::origins;
use crate::app::shared::Shared;
use crate::datasets::DatasetStatus;
use crate::project::{Dataset, Located, Node, Snapshot, strip_transcoding};
use crate::text::filter::{Filter, Key, Kind, Row, Value, key, value};

/// The keys for the entries of the catalog.
pub const KEYS: &[Key] = &[
    key(
        "is",
        Kind::Values(&[
            value("missing", "the file is not there"),
            value("present", "the file is there"),
            value("remote", "not a local file"),
            Value { name: "memory", alias: "in-memory", help: "only in memory" },
            value("versioned", "with versions"),
            value("unused", "no known node uses it"),
            Value { name: "factory", alias: "pattern", help: "a factory, or made by one" },
        ]),
        "state of the dataset",
    ),
    key("type", Kind::Text, "types that contain it"),
    key("layer", Kind::Text, "datasets of the layer"),
    key("in", Kind::Text, "defined in the environment or file"),
    key("node", Kind::Text, "datasets that the node reads or writes"),
    key("namespace", Kind::Text, "datasets in the namespace"),
];

/// What the terms of a filter ask of the project.
pub(super) struct Asked<'a> {
    shared: &'a Shared,
    snapshot: &'a Snapshot,
    /// The nodes that use a dataset, by its name without transcoding.
    users: HashMap<&'a str, Vec<&'a Node>>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(filter: &Filter, shared: &'a Shared, snapshot: &'a Snapshot) -> Self {
        let mut users: HashMap<&str, Vec<&Node>> = HashMap::new();
        if filter.asks(&["is", "node"]) {
            for node in snapshot.nodes() {
                for name in node.inputs.iter().chain(&node.outputs) {
                    users.entry(strip_transcoding(name)).or_default().push(node);
                }
            }
        }
        Asked { shared, snapshot, users }
    }

    pub(super) fn matches(&self, filter: &Filter, row: &CatalogRow) -> bool {
        filter.matches(&Entry { asked: self, row })
    }
}

/// A row with what is asked of it.
struct Entry<'a> {
    asked: &'a Asked<'a>,
    row: &'a CatalogRow,
}

impl Entry<'_> {
    fn dataset(&self) -> Option<&Dataset> {
        match self.row {
            CatalogRow::Dataset(name) => self.asked.snapshot.datasets.get(name),
            _ => None,
        }
    }

    fn definition(&self) -> Option<&Located> {
        match self.row {
            CatalogRow::Pattern(index) => {
                self.asked.snapshot.patterns.get(*index).map(|pattern| &pattern.definition)
            }
            _ => self.dataset().map(|dataset| &dataset.definition),
        }
    }

    fn users(&self) -> &[&Node] {
        let name = strip_transcoding(self.row.name(self.asked.snapshot));
        self.asked.users.get(name).map_or(&[], Vec::as_slice)
    }

    fn is_state(&self, value: &str) -> bool {
        let dataset = self.dataset();
        let status =
            dataset.and_then(|dataset| self.asked.shared.project.datasets.get(&dataset.name));
        match value {
            "missing" => status == Some(&DatasetStatus::Missing),
            "present" => matches!(status, Some(DatasetStatus::Present { .. })),
            "remote" => status == Some(&DatasetStatus::Elsewhere),
            "memory" => {
                matches!(self.row, CatalogRow::Memory(_))
                    || dataset.is_some_and(|dataset| dataset.type_name.ends_with("MemoryDataset"))
            }
            "versioned" => dataset.is_some_and(|dataset| dataset.versioned),
            "unused" => !matches!(self.row, CatalogRow::Pattern(_)) && self.users().is_empty(),
            _ => {
                matches!(self.row, CatalogRow::Pattern(_))
                    || dataset.is_some_and(|dataset| dataset.pattern.is_some())
            }
        }
    }
}

impl Row for Entry<'_> {
    fn contains(&self, word: &str) -> bool {
        let has = |text: &str| text.to_lowercase().contains(word);
        has(self.row.name(self.asked.snapshot))
            || self.dataset().is_some_and(|dataset| has(&dataset.type_name))
    }

    fn is(&self, key: &str, value: &str) -> bool {
        let lower = value.to_lowercase();
        match key {
            "is" => self.is_state(value),
            "type" => {
                let name = match (self.dataset(), self.row) {
                    (Some(dataset), _) => &dataset.type_name,
                    (None, CatalogRow::Memory(_)) => "MemoryDataset",
                    _ => "",
                };
                name.to_lowercase().contains(&lower)
            }
            "layer" => self
                .dataset()
                .and_then(|dataset| dataset.layer.as_ref())
                .is_some_and(|layer| layer.to_lowercase() == lower),
            "in" => self.definition().is_some_and(|located| origins(located).is_in(value)),
            "node" => self.users().iter().any(|node| node.name == value),
            _ => {
                let rest = self.row.name(self.asked.snapshot).strip_prefix(value);
                rest.is_some_and(|rest| rest.starts_with('.'))
            }
        }
    }
}

/// The values of a key that occur in the project.
pub(super) fn known(snapshot: &Snapshot, key: &str) -> Vec<String> {
    let datasets = snapshot.datasets.values();
    let found: BTreeSet<String> = match key {
        "type" => datasets.map(|dataset| dataset.type_name.clone()).collect(),
        "layer" => datasets.filter_map(|dataset| dataset.layer.clone()).collect(),
        "in" => datasets.flat_map(|dataset| origins(&dataset.definition).into_names()).collect(),
        "node" => snapshot.nodes().map(|node| node.name.clone()).collect(),
        "namespace" => datasets
            .filter_map(|dataset| dataset.name.rsplit_once('.'))
            .map(|(namespace, _)| namespace.to_owned())
            .collect(),
        _ => BTreeSet::new(),
    };
    found.into_iter().collect()
}
