//! The project code that a node reaches, by definition instead of by file.
//!
//! A module is divided into [`Definition`]s (`outline`): functions, classes, assigned names, and
//! statements with an effect. Each has a hash that changes only with its meaning (`normal`), and a
//! list of its references (`refs`, as `reference`). The references of all modules form a graph
//! (`link`); the part of the graph that a node leads to is its [`Reach`] (`graph`). Nothing is
//! executed here. Where code decides only at run time what it uses, the reach records that. Values
//! bound to a node's function are not here but in [`super::Callable`].

mod cache;
mod graph;
mod link;
mod normal;
mod outline;
mod reference;
mod refs;
mod stdlib;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::{Bound, Callable, Entry, Node, Pipeline, Place, SourceRange};

pub(super) use cache::CodeCache;
pub(super) use link::link;

use graph::Marks;

/// A piece of project code that counts as one unit when something depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Dotted name, such as `pkg.nodes.clean`; `pkg.nodes:pd.set_option` for a statement that binds
    /// nothing. A second binding of a name is numbered: `pkg.nodes.SCALE (2)`.
    pub name: String,
    /// The kind of code.
    pub kind: DefinitionKind,
    /// The start of the definition, decorators included.
    pub place: Place,
    /// The last line, counted from 1.
    pub line_end: u32,
    /// Hash of the code's meaning. Comments, docstrings, formatting, unread annotations and the
    /// position do not change it.
    pub hash: u128,
}

/// The kind of a [`Definition`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
    /// A function with its decorators and nested functions.
    Function,
    /// A class with all its methods.
    Class,
    /// An assignment to module-level names.
    Constant,
    /// Any other module-level statement: a call, a changed attribute, an `if` or `try` block.
    Statement,
    /// A name imported from outside the project.
    Import,
}

/// All project code that a node may run, as far as static analysis shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Indexes into [`Code::definitions`], ascending.
    pub definitions: Vec<u32>,
    /// Top-level names of third-party packages, sorted; without Python's standard library.
    pub packages: Vec<Arc<str>>,
    /// Places from which more code may be reached.
    pub unknown: Vec<Unseen>,
}

/// Code that decides only at run time what it uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// The place of that code.
    pub place: Place,
    /// The reason, as a sentence without its full stop, such as "`eval` runs code that is made at
    /// run time".
    pub reason: String,
}

/// The definitions of a project, and what each one reaches.
#[derive(Default)]
pub struct Code {
    definitions: Vec<Arc<Definition>>,
    graph: graph::Graph,
    files: HashMap<Arc<Path>, link::File>,
    /// The vertex that uses a module as a whole, by dotted name.
    modules: HashMap<Arc<str>, u32>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("definitions", &self.definitions.len()).finish_non_exhaustive()
    }
}

impl Code {
    /// All definitions, sorted by module name, then in file order.
    pub fn definitions(&self) -> &[Arc<Definition>] {
        &self.definitions
    }

    /// The definitions of a reach that was computed by this code.
    pub fn reached<'c>(&'c self, reach: &'c Reach) -> impl Iterator<Item = &'c Definition> {
        reach
            .definitions
            .iter()
            .filter_map(|index| self.definitions.get(*index as usize))
            .map(Arc::as_ref)
    }

    /// One hash of a reach. It changes when a definition is changed, added or removed, but not when
    /// definitions move.
    pub fn fingerprint(&self, reach: &Reach) -> u128 {
        let mut parts: Vec<(&str, u128)> = self
            .reached(reach)
            .map(|definition| (definition.name.as_str(), definition.hash))
            .collect();
        parts.sort_unstable();
        let mut bytes = Vec::with_capacity(parts.len() * 64);
        for (name, hash) in parts {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        normal::hash_bytes(&bytes)
    }

    /// The reach of the function or class at `source`, where Python itself finds it (from the exact
    /// reading); `None` if the project's source folder has no definition there.
    ///
    /// A nested function gets the reach of its outer function, because the captured values are
    /// unknown.
    pub fn reach_at(&self, source: &SourceRange) -> Option<Arc<Reach>> {
        let file = self.files.get(Path::new(&source.filepath))?;
        let start = file.at_line(source.line_start, source.line_end)?;
        Some(Arc::new(self.graph.reach(&[start], &mut Marks::default())))
    }

    /// Sets the reach of each node of `pipelines`. A node shared by several pipelines stays shared.
    pub(super) fn set_reaches(&self, pipelines: &mut [Pipeline]) {
        let mut updated: HashMap<*const Node, Arc<Node>> = HashMap::new();
        let mut marks = Marks::default();
        for node in pipelines.iter_mut().flat_map(|pipeline| &mut pipeline.nodes) {
            let with_reach = || {
                let reach = node
                    .callable
                    .as_ref()
                    .map(|callable| Arc::new(self.reach_of(callable, &mut marks)));
                Arc::new(Node { reach, ..(**node).clone() })
            };
            *node = updated.entry(Arc::as_ptr(node)).or_insert_with(with_reach).clone();
        }
    }

    /// The reach of a node, computed from its callable.
    fn reach_of(&self, callable: &Callable, marks: &mut Marks) -> Reach {
        let mut starts = Vec::with_capacity(callable.entries.len());
        let mut packages = Vec::new();
        let mut unknown = Vec::new();
        for entry in &callable.entries {
            match entry {
                Entry::Code(place) => {
                    let file = self.files.get(&place.file);
                    match file.and_then(|file| file.at(place)) {
                        Some(start) => starts.push(start),
                        None => unknown.push(Unseen {
                            place: place.clone(),
                            reason: "this code is not in the project's source folder".to_owned(),
                        }),
                    }
                }
                Entry::Name(name) => match self.modules.get(name.as_str()) {
                    Some(module) => starts.push(*module),
                    None => packages.extend(stdlib::package(name).map(Arc::<str>::from)),
                },
            }
        }
        for (_, bound) in callable.bound.iter().filter(|_| callable.entries.is_empty()) {
            if let Bound::Unknown { reason, place } = bound {
                unknown.push(Unseen { place: place.clone(), reason: reason.clone() });
            }
        }
        let mut reach = self.graph.reach(&starts, marks);
        if !packages.is_empty() {
            reach.packages.extend(packages);
            reach.packages.sort();
            reach.packages.dedup();
        }
        if !unknown.is_empty() {
            reach.unknown.extend(unknown);
            reach.unknown.sort();
            reach.unknown.dedup();
        }
        reach
    }
}
