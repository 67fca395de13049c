//! The parameters screen: the values as a tree with groups that open and close.

mod filter;

use std::collections::HashSet;

use super::Screen;
use super::entry::{find, of_parameter, one_line};
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::filter::Filtering;
use crate::app::list::{Listing, Position};
use crate::app::prompt::PromptKind;
use crate::app::shared::Shared;
use crate::app::undo::Before;
use crate::app::words::Details;
use crate::project::{Located, Snapshot, Value};
use crate::runs::params;
use crate::text::filter::{FilterError, Key};

/// The parameters screen.
#[derive(Debug, Default)]
pub struct ParametersScreen {
    /// The rows and the closed groups.
    pub list: Listing<ParameterRow>,
    /// The filter of the rows.
    pub filtering: Filtering,
}

/// A row of the parameters screen.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterRow {
    /// The dotted key, as after `params:`.
    pub path: String,
    /// The last part of the key.
    pub key: String,
    /// The depth in the tree, from 0.
    pub depth: usize,
    /// The value on one line; for a group, the number of its values.
    pub value: String,
    /// For a group, whether it is open.
    pub group: Option<bool>,
}

impl ParametersScreen {
    /// Rebuilds the rows; the selected row stays selected.
    pub fn refresh(&mut self, shared: &Shared) {
        let Some(snapshot) = shared.snapshot() else { return };
        let height = self.list_height(shared);
        let filter = &self.filtering.filter;
        let asked = filter::Asked::of(filter, shared, snapshot);
        let mut total = 0;
        let (rows, matching) = rows(snapshot, &self.list.closed, &mut |path, located| {
            total += 1;
            asked.matches(filter, path, located)
        });
        (self.filtering.matching, self.filtering.total) = (matching, total);
        self.list.replace(rows, height, |row, other| row.path == other.path);
    }

    /// Begins to type the value of the selected parameter.
    fn begin(&self, shared: &mut Shared) {
        let Some(row) = self.list.selected() else { return };
        let path = row.path.clone();
        let found = shared.snapshot().and_then(|snapshot| find(&snapshot.parameters, &path));
        let before = shared.overrides.get(&path);
        let is_secret = params::is_secret(&path, before.map_or("", String::as_str))
            || found.is_some_and(|located| matches!(located.value, Value::Secret(_)));
        let text = match (before, found) {
            // A secret is not shown, so its value is typed from scratch.
            _ if is_secret => String::new(),
            (Some(text), _) => text.clone(),
            (None, found) => found.map(|located| one_line(&located.value)).unwrap_or_default(),
        };
        shared.begin(PromptKind::Override(path), &text);
        if let Some(prompt) = shared.prompt.as_mut().filter(|_| is_secret) {
            prompt.field.set_mask_char('*');
        }
    }
}

impl Screen for ParametersScreen {
    fn title(&self, _shared: &Shared) -> String {
        format!("Parameters{}", self.filtering.summary())
    }

    fn details(&self, shared: &Shared) -> Details {
        match (self.list.selected(), shared.snapshot()) {
            (Some(row), Some(snapshot)) => {
                of_parameter(shared, snapshot, &format!("params:{}", row.path))
            }
            _ => Details::default(),
        }
    }

    fn len(&self, _shared: &Shared) -> usize {
        self.list.rows.len()
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.list.position)
    }

    fn names(&self, _shared: &Shared) -> Vec<String> {
        self.list.rows.iter().map(|row| format!("{} {}", row.path, row.value)).collect()
    }

    /// Closing from a row inside a group selects the group.
    fn fold(&mut self, shared: &mut Shared, open: bool) {
        let index = self.list.position.selected;
        let Some(row) = self.list.rows.get(index) else { return };
        let target = match (row.group, open) {
            (Some(true), false) | (Some(false), true) => Some(index),
            (_, false) => self.list.rows[..index].iter().rposition(|other| other.depth < row.depth),
            _ => None,
        };
        let Some(target) = target else { return };
        let path = self.list.rows[target].path.clone();
        self.list.set_open(path, open);
        self.list.position.selected = target;
        self.refresh(shared);
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        let open = self.list.selected().and_then(|row| row.group);
        open.map(|open| self.fold(shared, !open)).is_some()
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
        Some(("filter of the parameters", Before::ParametersFilter(before)))
    }

    fn act(&mut self, shared: &mut Shared, command: Command) -> Vec<Effect> {
        if command == Command::Override {
            self.begin(shared);
        }
        Vec::new()
    }

    fn disabled(&self, shared: &Shared, command: Command) -> Option<String> {
        let row = self.list.selected();
        match command {
            Command::Override => match row {
                Some(row) if row.group.is_some() => {
                    Some("it is a group; choose a value in it".into())
                }
                Some(_) => None,
                None => Some("no parameter is selected".into()),
            },
            Command::ClearOverride => {
                let overridden = row.is_some_and(|row| shared.overrides.contains_key(&row.path));
                (!overridden).then(|| "it is not overridden".into())
            }
            _ => None,
        }
    }
}

/// The values to keep, with the groups around them, and the number of these values.
fn rows(
    snapshot: &Snapshot,
    closed: &HashSet<String>,
    keep: &mut impl FnMut(&str, &Located) -> bool,
) -> (Vec<ParameterRow>, usize) {
    let mut rows = Vec::new();
    let mut kept = 0;
    if let Some(map) = snapshot.parameters.value.as_map() {
        for (key, located) in map {
            kept += push(&mut rows, key.clone(), (key, located), 0, closed, keep);
        }
    }
    (rows, kept)
}

/// Adds a value, or a group with what is kept in it. Returns the number of values.
fn push(
    rows: &mut Vec<ParameterRow>,
    path: String,
    (key, located): (&str, &Located),
    depth: usize,
    closed: &HashSet<String>,
    keep: &mut impl FnMut(&str, &Located) -> bool,
) -> usize {
    let children = located.value.as_map().filter(|map| !map.is_empty());
    if children.is_none() && !keep(&path, located) {
        return 0;
    }
    let open = !closed.contains(&path);
    let at = rows.len();
    rows.push(ParameterRow {
        path: path.clone(),
        key: key.to_owned(),
        depth,
        value: match children {
            Some(map) => match map.len() {
                1 => "1 value".into(),
                count => format!("{count} values"),
            },
            None => one_line(&located.value),
        },
        group: children.map(|_| open),
    });
    let Some(children) = children else { return 1 };
    let mut kept = 0;
    for (key, located) in children {
        kept += push(rows, format!("{path}.{key}"), (key, located), depth + 1, closed, keep);
    }
    if kept == 0 {
        rows.truncate(at);
    } else if !open {
        rows.truncate(at + 1);
    }
    kept
}
