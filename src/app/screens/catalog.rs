//! The catalog screen: entries by layer or namespace, what lives in memory, and factory patterns.

mod filter;

use std::collections::{BTreeSet, HashSet};

use indexmap::IndexMap;

use super::Screen;
use super::entry::{of_dataset, of_pattern};
use crate::app::effect::Effect;
use crate::app::filter::Filtering;
use crate::app::list::{Listing, Position};
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::project::{Snapshot, is_parameter, strip_transcoding};
use crate::text::filter::{FilterError, Key};

/// The catalog screen.
#[derive(Debug, Default)]
pub struct CatalogScreen {
    /// The rows and the closed groups.
    pub list: Listing<CatalogRow>,
    /// The filter of the rows.
    pub filtering: Filtering,
}

/// A row of the catalog screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogRow {
    /// A group of entries.
    Group {
        /// Its name.
        name: String,
        /// The number of entries.
        count: usize,
        /// Whether the entries are shown.
        open: bool,
    },
    /// A dataset by its name.
    Dataset(String),
    /// A dataset that only lives in memory.
    Memory(String),
    /// A dataset factory pattern, by its index.
    Pattern(usize),
}

impl CatalogScreen {
    /// Rebuilds the rows; the selected row stays selected.
    pub fn refresh(&mut self, shared: &Shared) {
        let Some(snapshot) = shared.snapshot() else { return };
        let height = self.list_height(shared);
        let filter = &self.filtering.filter;
        let asked = filter::Asked::of(filter, shared, snapshot);
        let (rows, [matching, total]) =
            rows(snapshot, &self.list.closed, |row| asked.matches(filter, row));
        (self.filtering.matching, self.filtering.total) = (matching, total);
        self.list.replace(rows, height, CatalogRow::is_same);
    }
}

impl Screen for CatalogScreen {
    fn title(&self, shared: &Shared) -> String {
        let count = shared.snapshot().map_or(0, |snapshot| snapshot.datasets.len());
        match self.filtering.text.is_empty() {
            true => format!("Catalog · {count} entr{}", if count == 1 { "y" } else { "ies" }),
            false => format!("Catalog{}", self.filtering.summary()),
        }
    }

    fn details(&self, shared: &Shared) -> Details {
        let Some(snapshot) = shared.snapshot() else { return Details::default() };
        match self.list.selected() {
            Some(CatalogRow::Dataset(name) | CatalogRow::Memory(name)) => {
                of_dataset(shared, snapshot, name)
            }
            Some(CatalogRow::Pattern(index)) => of_pattern(snapshot, *index),
            Some(CatalogRow::Group { .. }) | None => Details::default(),
        }
    }

    fn len(&self, _shared: &Shared) -> usize {
        self.list.rows.len()
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.list.position)
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        let Some(snapshot) = shared.snapshot() else { return Vec::new() };
        self.list.rows.iter().map(|row| row.name(snapshot).to_owned()).collect()
    }

    /// Closing from a row inside a group selects the group.
    fn fold(&mut self, shared: &mut Shared, open: bool) {
        let index = self.list.position.selected;
        let rows = self.list.rows.iter().enumerate().take(index + 1).rev();
        let mut groups = rows.filter_map(|(index, row)| match row {
            CatalogRow::Group { name, .. } => Some((index, name.clone())),
            _ => None,
        });
        let Some((group, name)) = groups.next() else { return };
        self.list.set_open(name, open);
        if !open {
            self.list.position.selected = group;
        }
        self.refresh(shared);
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        self.filtering.clear().then(|| {
            self.refresh(shared);
            Vec::new()
        })
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Ok(&self.filtering.text)
    }

    fn filter_keys(&self) -> &'static [Key] {
        filter::KEYS
    }

    fn known_values(&self, shared: &Shared, key: &str) -> Vec<String> {
        shared.snapshot().map(|snapshot| filter::known(snapshot, key)).unwrap_or_default()
    }

    fn set_filter(&mut self, shared: &mut Shared, text: &str) -> Result<Vec<Effect>, FilterError> {
        self.filtering.set(text, filter::KEYS)?;
        self.refresh(shared);
        Ok(Vec::new())
    }

    fn filter_edit(&self, before: String) -> Option<(&'static str, Before)> {
        Some(("filter of the catalog", Before::CatalogFilter(before)))
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let Some(CatalogRow::Group { open, .. }) = self.list.selected() else { return false };
        let open = *open;
        self.fold(shared, !open);
        true
    }
}

const MEMORY: &str = "in memory";
const PATTERNS: &str = "dataset factories";

/// The rows: entries grouped by layer, or by namespace if no entry has a layer; then datasets in memory;
/// then the factory patterns. Returns the rows that are to be kept, their number, and that of all rows, both without
/// the groups.
fn rows(
    snapshot: &Snapshot,
    closed: &HashSet<String>,
    keep: impl Fn(&CatalogRow) -> bool,
) -> (Vec<CatalogRow>, [usize; 2]) {
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
    let mut counts = [0, 0];
    for (name, mut entries) in groups {
        counts[1] += entries.len();
        entries.retain(&keep);
        counts[0] += entries.len();
        if entries.is_empty() {
            continue;
        }
        let open = !closed.contains(&name);
        rows.push(CatalogRow::Group { name, count: entries.len(), open });
        if open {
            rows.extend(entries);
        }
    }
    (rows, counts)
}

/// Datasets that nodes use but no entry or pattern defines, by name: the order of nodes may differ between readings.
/// Kedro keeps these datasets in memory.
fn memory(snapshot: &Snapshot) -> Vec<String> {
    let known: HashSet<&str> =
        snapshot.datasets.keys().map(|name| strip_transcoding(name)).collect();
    snapshot
        .nodes()
        .flat_map(|node| node.inputs.iter().chain(&node.outputs))
        .map(|name| strip_transcoding(name))
        .filter(|name| !is_parameter(name) && !known.contains(name))
        .map(ToOwned::to_owned)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

impl CatalogRow {
    /// Whether two rows of different readings are the same row. A group is the same if its name is.
    fn is_same(&self, other: &CatalogRow) -> bool {
        match (self, other) {
            (CatalogRow::Group { name, .. }, CatalogRow::Group { name: other, .. }) => {
                name == other
            }
            _ => self == other,
        }
    }

    /// The name that a search matches.
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
