//! Comparison of the code of two runs: by definition where both runs kept theirs, and by file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;

use super::compare::Whole;
use crate::dag::staleness::{Reason, changes as fact_changes};
use crate::runs::code_version;
use crate::runs::definitions::{Definitions, Kept};
use crate::store::{CodeVersion, Store, StoreError};
use crate::text::secrets;

/// How the code of two runs differs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CodeChange {
    /// The version of the first run.
    pub first: Option<CodeVersion>,
    /// The version of the second run.
    pub second: Option<CodeVersion>,
    /// The definitions whose meaning differs and which nodes of both runs use, by name; `None` when they were not
    /// kept of both runs.
    pub definitions: Option<Vec<DefinitionChange>>,
    /// Files that differ, relative to the project's folder, sorted.
    pub files: Vec<String>,
    /// Why `files` may be incomplete; `None` when the list is complete.
    pub incomplete: Option<String>,
}

/// A definition that differs between two runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct DefinitionChange {
    /// Dotted name, such as `pkg.nodes.train`.
    pub name: String,
    /// How it differs.
    pub how: How,
    /// Its file, relative to the project's folder; that of the second run, if it has the definition.
    pub file: String,
    /// Its first line in the file, in each run.
    pub lines: (Option<u32>, Option<u32>),
    /// The nodes of both runs that use it, sorted.
    pub nodes: Vec<String>,
    /// Its text in the first run; `None` where it was not kept.
    pub first: Option<String>,
    /// Its text in the second run; `None` where it was not kept.
    pub second: Option<String>,
}

/// How a definition differs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// Both runs have it.
    #[default]
    Changed,
    /// Only the second run has it.
    Added,
    /// Only the first run has it.
    Removed,
}

impl How {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            How::Changed => "changed",
            How::Added => "added",
            How::Removed => "removed",
        }
    }
}

/// A difference in what nodes of both runs ran with, other than code: a parameter, the definition of a dataset, a package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingChange {
    /// The difference.
    #[serde(flatten)]
    pub reason: Reason,
    /// The nodes that it concerns, sorted.
    pub nodes: Vec<String>,
}

/// The definitions and the settings that differ.
type Differences = (Vec<DefinitionChange>, Option<Vec<SettingChange>>);

/// The definitions and the settings that differ; `None` when they were not kept of both runs.
async fn definitions(root: &Path, first: &Whole, second: &Whole) -> Option<Differences> {
    let keys = (first.run.definitions.clone()?, second.run.definitions.clone()?);
    let mut store = Store::new(root);
    let read = move || -> Result<_, StoreError> {
        let (Some(one), Some(two)) = (read(&mut store, &keys.0)?, read(&mut store, &keys.1)?)
        else {
            return Ok(None);
        };
        let settings = settings(&one, &two);
        let mut changes = changes(&one, &two);
        for (change, texts) in &mut changes {
            let mut text = |key: Option<&String>| match key {
                Some(key) => store.text(key),
                None => Ok(None),
            };
            let found = (text(texts.0.as_ref())?, text(texts.1.as_ref())?);
            (change.first, change.second) = match found {
                (Some(first), Some(second)) => {
                    let (first, second) = secrets::changed(&first, &second);
                    (Some(first), Some(second))
                }
                (first, second) => {
                    let clean = |text: Option<String>| text.as_deref().map(secrets::without_marks);
                    (clean(first), clean(second))
                }
            };
        }
        Ok(Some((changes.into_iter().map(|(change, _)| change).collect(), settings)))
    };
    tokio::task::spawn_blocking(read).await.ok()?.ok()?
}

/// The settings that differ of nodes of both runs; `None` when they were not kept of both.
fn settings(first: &Definitions, second: &Definitions) -> Option<Vec<SettingChange>> {
    if first.facts_of.is_empty() || second.facts_of.is_empty() {
        return None;
    }
    let mut found: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
    for node in first.facts_of.keys() {
        let Some((was, is)) = first.facts_of(node).zip(second.facts_of(node)) else { continue };
        for reason in fact_changes(&was, &is) {
            found.entry(reason).or_default().push(node.clone());
        }
    }
    Some(found.into_iter().map(|(reason, nodes)| SettingChange { reason, nodes }).collect())
}

fn read(store: &mut Store, key: &str) -> Result<Option<Definitions>, StoreError> {
    let json = store.text(key)?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}

/// The keys of the texts of a definition in both runs.
type Texts = (Option<String>, Option<String>);

/// The definitions that differ in what a node of both runs uses. A definition that is the same in both runs and is
/// only used by other nodes is left out: the code that begins or ceases to use it differs, and is listed.
fn changes(first: &Definitions, second: &Definitions) -> Vec<(DefinitionChange, Texts)> {
    let (one, two) = (by_name(first), by_name(second));
    let differs =
        |name: &str| one.get(name).map(|one| &one.hash) != two.get(name).map(|two| &two.hash);
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (node, used) in &first.nodes {
        let Some(other) = second.nodes.get(node) else { continue };
        let names = names(first, used).chain(names(second, other));
        for name in names.filter(|name| differs(name)) {
            users.entry(name).or_default().insert(node);
        }
    }
    let change = |(name, nodes): (&str, BTreeSet<&str>)| {
        let (one, two) = (one.get(name).copied(), two.get(name).copied());
        let place = two.or(one);
        let change = DefinitionChange {
            name: name.to_owned(),
            how: match (one, two) {
                (None, _) => How::Added,
                (_, None) => How::Removed,
                _ => How::Changed,
            },
            file: place.map(|kept| kept.file.clone()).unwrap_or_default(),
            lines: (one.map(|kept| kept.line), two.map(|kept| kept.line)),
            nodes: nodes.into_iter().map(str::to_owned).collect(),
            first: None,
            second: None,
        };
        let key = |of: Option<&Kept>| of.and_then(|kept| kept.text.clone());
        (change, (key(one), key(two)))
    };
    users.into_iter().map(change).collect()
}

fn by_name(of: &Definitions) -> HashMap<&str, &Kept> {
    of.all.iter().map(|one| (&*one.name, one)).collect()
}

/// The names of the definitions at these indexes. The store's text may name others.
fn names<'a>(of: &'a Definitions, used: &'a [u32]) -> impl Iterator<Item = &'a str> {
    used.iter().filter_map(|index| of.all.get(*index as usize)).map(|one| &*one.name)
}

/// Compares the code of two runs of the project in `root`, and the settings of their nodes.
pub(super) async fn compare(
    root: &Path,
    first: &Whole,
    second: &Whole,
) -> (CodeChange, Option<Vec<SettingChange>>) {
    let mut change = files(root, first, second).await;
    let (definitions, settings) = definitions(root, first, second).await.unzip();
    change.definitions = definitions;
    (change, settings.flatten())
}

/// The files that differ, by the commits, the diffs to them, and the untracked files.
async fn files(root: &Path, first: &Whole, second: &Whole) -> CodeChange {
    let (one, two) = (first.run.code.as_ref(), second.run.code.as_ref());
    let mut change =
        CodeChange { first: one.cloned(), second: two.cloned(), ..CodeChange::default() };
    let (Some(one), Some(two)) = (one, two) else {
        change.incomplete = Some("the code's version was not kept of both runs".into());
        return change;
    };
    let mut files: BTreeSet<String> = BTreeSet::new();
    if one.commit != two.commit {
        let between = match (&one.commit, &two.commit) {
            (Some(from), Some(to)) => code_version::files_between(root, from, to).await,
            _ => None,
        };
        match between {
            Some(between) => {
                files.extend(between.into_iter().map(|file| file.to_string_lossy().into_owned()));
            }
            None => change.incomplete = Some("git does not have both commits here".into()),
        }
    }
    let own = sections(first.diff.as_deref().unwrap_or_default());
    let other = sections(second.diff.as_deref().unwrap_or_default());
    let touched = own.keys().chain(other.keys());
    files.extend(touched.filter(|file| own.get(*file) != other.get(*file)).cloned());
    let untracked = |code: &CodeVersion| code.untracked.iter().cloned().collect::<BTreeSet<_>>();
    files.extend(untracked(one).symmetric_difference(&untracked(two)).cloned());
    if !one.untracked.is_empty() && !two.untracked.is_empty() && change.incomplete.is_none() {
        change.incomplete = Some("files that git does not track may differ, too".into());
    }
    change.files = files.into_iter().collect();
    change
}

/// Splits a diff by file.
fn sections(diff: &str) -> BTreeMap<String, Vec<&str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut file = None;
    for line in diff.lines() {
        if let Some(names) = line.strip_prefix("diff --git ") {
            // Both names are equal except for the prefix, because renames are off.
            let name = names.rsplit_once(" b/").map_or(names, |(_, name)| name);
            file = Some(name.trim_end_matches('"').to_owned());
        }
        // The `index` line is left out: the commit already determines the old content.
        if let Some(file) = &file
            && !line.starts_with("index ")
        {
            found.entry(file.clone()).or_default().push(line);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definitions(all: &[(&str, &str)], nodes: &[(&str, &[u32])]) -> Definitions {
        let kept = |(name, hash): &(&str, &str)| Kept {
            name: (*name).into(),
            hash: (*hash).into(),
            file: "src/p/nodes.py".into(),
            line: 1,
            text: Some(format!("{name} {hash}")),
        };
        let nodes = nodes.iter().map(|(node, used)| ((*node).to_owned(), used.to_vec()));
        Definitions {
            all: all.iter().map(kept).collect(),
            nodes: nodes.collect(),
            ..Definitions::default()
        }
    }

    #[test]
    fn a_change_is_listed_once_with_the_nodes_that_use_it() {
        let first = definitions(
            &[("p.clean", "1"), ("p.helper", "1"), ("p.old", "1"), ("p.train", "1")],
            &[("clean", &[0, 1]), ("train", &[1, 2, 3]), ("first alone", &[0])],
        );
        let second = definitions(
            &[("p.clean", "1"), ("p.helper", "2"), ("p.new", "1"), ("p.train", "2")],
            &[("clean", &[0, 1]), ("train", &[0, 1, 2, 3]), ("second alone", &[1])],
        );
        let changes = changes(&first, &second);
        let texts: Vec<String> = changes
            .iter()
            .map(|(change, texts)| {
                let nodes = change.nodes.join(" ");
                format!("{} {} by {nodes}: {texts:?}", change.name, change.how.as_str())
            })
            .collect();
        assert_eq!(
            texts,
            [
                r#"p.helper changed by clean train: (Some("p.helper 1"), Some("p.helper 2"))"#,
                r#"p.new added by train: (None, Some("p.new 1"))"#,
                r#"p.old removed by train: (Some("p.old 1"), None)"#,
                r#"p.train changed by train: (Some("p.train 1"), Some("p.train 2"))"#,
            ]
        );
        assert!(super::changes(&first, &first).is_empty());
    }
}
