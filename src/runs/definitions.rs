//! The code that the nodes of a run use, by definition, and the other facts that they ran with, as the history keeps
//! them.
//!
//! Each run refers to one [`Definitions`], and that to the text of each definition. The store keeps equal
//! texts once, so a run costs only the definitions that changed since the run before.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::dag::staleness::{Fact, Facts};
use crate::project::{Definition, Node, Snapshot};
use crate::store::{Store, StoreError, text_hash};
use crate::system::files;
use crate::text::secrets::redact_diff;

/// Most bytes of texts that are kept for a run; of further definitions only the hash is kept.
const LARGEST: usize = 1 << 20;
/// Most definitions of a run whose text is kept.
const MOST: usize = 2_000;

/// The definitions that the nodes of a run use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definitions {
    /// The definitions.
    pub all: Vec<Kept>,
    /// The indexes of the definitions that each node uses. Nodes whose code is not known are left out.
    pub nodes: BTreeMap<String, Vec<u32>>,
    /// The facts that the nodes ran with, each once: parameters, datasets' definitions, packages, the function's binding.
    #[serde(default)]
    pub facts: Facts,
    /// The indexes of each node's facts, in their order. Empty in runs of older versions of the program.
    #[serde(default)]
    pub facts_of: BTreeMap<String, Vec<u32>>,
}

impl Definitions {
    /// The facts that a node ran with, sorted; `None` when they were not kept.
    pub fn facts_of(&self, node: &str) -> Option<Facts> {
        let indexes = self.facts_of.get(node)?;
        let facts = indexes.iter().filter_map(|index| self.facts.get(*index as usize));
        Some(facts.cloned().collect())
    }
}

/// A definition as it was in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name, such as `pkg.nodes.clean`.
    pub name: String,
    /// Hash of its meaning: comments and formatting do not change it.
    pub hash: String,
    /// Its file, relative to the project's folder.
    pub file: String,
    /// Its first line.
    pub line: u32,
    /// The key of its text in the store; `None` if the text was not kept.
    pub text: Option<String>,
}

/// Definitions with the texts to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    definitions: Definitions,
    /// The texts by the index of their definition.
    texts: BTreeMap<usize, String>,
    /// The nodes of the run.
    pub(super) nodes: Vec<Arc<Node>>,
    /// The indexes of the facts.
    known: HashMap<(Fact, String), u32>,
}

impl Found {
    /// The definitions that the nodes of these names use, with their texts from the project's files.
    pub(super) fn of<'n>(
        snapshot: &Snapshot,
        nodes: impl Iterator<Item = &'n Arc<Node>> + Clone,
    ) -> Found {
        let mut found = Found { nodes: nodes.clone().cloned().collect(), ..Found::default() };
        let mut files: HashMap<Arc<Path>, Option<String>> = HashMap::new();
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut bytes = 0;
        for node in nodes {
            let Some(reach) = &node.reach else { continue };
            let mut used = Vec::with_capacity(reach.definitions.len());
            for definition in snapshot.code.reached(reach) {
                let index = found.definitions.all.len();
                let first = u32::try_from(index).unwrap_or(u32::MAX);
                let at = *known.entry(&definition.name).or_insert(first);
                used.push(at);
                if at != first {
                    continue;
                }
                let place = &definition.place;
                found.definitions.all.push(Kept {
                    name: definition.name.clone(),
                    hash: format!("{:032x}", definition.hash),
                    file: place.file.display().to_string(),
                    line: place.line,
                    text: None,
                });
                let file = files.entry(place.file.clone()).or_insert_with(|| {
                    files::read_text(&snapshot.metadata.root.join(&place.file)).ok()
                });
                let text = file.as_deref().map(|file| text_of(file, definition));
                let Some(text) = text.filter(|text| bytes + text.len() <= LARGEST) else {
                    continue;
                };
                if found.texts.len() < MOST {
                    bytes += text.len();
                    found.texts.insert(index, text);
                }
            }
            found.definitions.nodes.insert(node.name.clone(), used);
        }
        found
    }

    /// Adds the facts that a node runs with. Code is left out, because it is kept by definition, and Python, which is the
    /// same for all nodes.
    pub(super) fn add_facts(&mut self, node: &str, facts: Facts) {
        let known = &mut self.known;
        let all = &mut self.definitions.facts;
        let own =
            facts.into_iter().filter(|(fact, _)| !matches!(fact, Fact::Code(_) | Fact::Python));
        let indexes = own.map(|fact| {
            *known.entry(fact).or_insert_with_key(|fact| {
                all.push(fact.clone());
                u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
            })
        });
        let indexes = indexes.collect();
        self.definitions.facts_of.insert(node.to_owned(), indexes);
    }

    /// Stores the definitions; returns the key of their text. `mask` replaces secrets.
    pub(super) fn keep(
        mut self,
        store: &mut Store,
        mask: &dyn Fn(&str) -> String,
    ) -> Result<Option<String>, StoreError> {
        let mut parts = Vec::with_capacity(self.texts.len());
        for (index, text) in self.texts {
            let text = without_secrets(&text, mask);
            if let Some(kept) = self.definitions.all.get_mut(index) {
                kept.text = Some(text_hash(&text));
            }
            parts.push(text);
        }
        match serde_json::to_string(&self.definitions) {
            Ok(json) if !self.nodes.is_empty() => store.keep_parts(&json, &parts).map(Some),
            _ => Ok(None),
        }
    }
}

/// The lines of a definition, without their common indentation.
fn text_of(file: &str, definition: &Definition) -> String {
    let first = definition.place.line.saturating_sub(1) as usize;
    let count = (definition.line_end as usize).saturating_sub(first);
    let lines: Vec<&str> = file.lines().skip(first).take(count).collect();
    textwrap::dedent(&(lines.join("\n") + "\n"))
}

/// A definition is guarded as the diff of its file is, which is kept as well.
fn without_secrets(text: &str, mask: &dyn Fn(&str) -> String) -> String {
    const HEAD: &str = "diff --git a/a.py b/a.py\n";
    let added: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let clean = redact_diff(&(HEAD.to_owned() + &added), mask);
    let lines = clean.lines().skip(1).map(|line| line.strip_prefix('+').unwrap_or(line));
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Options, Reader};

    fn project(code: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "pyproject.toml",
            "[tool.kedro]\npackage_name = \"p\"\nproject_name = \"p\"\nkedro_init_version = \"1.0.0\"\n",
        );
        write("conf/base/catalog.yml", "");
        write("src/p/__init__.py", "");
        write("src/p/settings.py", "");
        write(
            "src/p/pipeline_registry.py",
            "from kedro.pipeline import node, pipeline\nfrom p.nodes import clean, train\n\
             def register_pipelines():\n    \
             return {\"__default__\": pipeline([node(clean, \"raw\", \"x\", name=\"clean\"), \
             node(train, \"x\", \"y\", name=\"train\")])}\n",
        );
        write("src/p/nodes.py", code);
        folder
    }

    fn keep(folder: &Path) -> (Store, String) {
        let snapshot = Reader::new(folder).read(&Options::default());
        let pipeline = snapshot.pipeline("__default__").unwrap();
        let found = Found::of(&snapshot, pipeline.nodes.iter());
        let mut store = Store::new(folder);
        let key = found.keep(&mut store, &|_| "<secret>".into()).unwrap().unwrap();
        (store, key)
    }

    #[test]
    fn a_node_s_definitions_are_kept_with_their_texts_and_without_secrets() {
        let folder = project(
            "def helper(x):\n    return x  # why\n\n\
             def clean(raw):\n    return helper(raw)\n\n\
             def train(x):\n    password = \"hunter2hunter2\"\n    return x\n",
        );
        let (mut store, key) = keep(folder.path());
        let json = store.text(&key).unwrap().unwrap();
        let kept: Definitions = serde_json::from_str(&json).unwrap();
        let find = |name: &str| kept.all.iter().find(|one| one.name == name).unwrap();
        let names = |node: &str| -> Vec<&str> {
            kept.nodes[node].iter().map(|index| &*kept.all[*index as usize].name).collect()
        };
        assert_eq!(names("clean"), ["p.nodes.helper", "p.nodes.clean"]);
        assert_eq!(names("train"), ["p.nodes.train"]);
        let mut text = |name: &str| store.text(find(name).text.as_ref().unwrap());
        let helper = text("p.nodes.helper").unwrap().unwrap();
        assert_eq!(helper, "def helper(x):\n    return x  # why\n");
        let train = text("p.nodes.train").unwrap().unwrap();
        assert!(!train.contains("hunter2") && train.contains("<secret>"), "{train}");
        assert_eq!((find("p.nodes.clean").line, keep(folder.path()).1), (4, key));
    }
}
