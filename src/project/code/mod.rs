//! The project code that a node reaches, by definition and not by file.
//!
//! A module is divided into [`Definition`]s (`outline`): functions, classes, assigned names, and
//! statements that have an effect. Each has a hash that only its meaning changes (`normal`), and a
//! list of what it refers to (`refs`, as `reference`). The references of all modules make a graph (`link`), and what
//! a node reaches in it is its [`Reach`] (`graph`). Nothing is executed here; where the code decides
//! only at run time what it uses, the reach says so. The values that are bound to a node's function
//! are not here but in [`super::Callable`].

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

/// A piece of project code that has an effect on a result as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Dotted name, such as `pkg.nodes.clean`; `pkg.nodes:pd.set_option` for a statement that binds
    /// nothing. What a module binds twice is numbered: `pkg.nodes.SCALE (2)`.
    pub name: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// Where it begins, decorators included.
    pub place: Place,
    /// Its last line.
    pub line_end: u32,
    /// Hash of what it says: comments, docstrings, formatting and annotations that nothing reads do
    /// not change it, nor does its place.
    pub hash: u128,
}

/// What a [`Definition`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
    /// A function.
    Function,
    /// A class with all its methods.
    Class,
    /// An assignment to names of the module.
    Constant,
    /// Any other statement of a module: a call, a changed attribute, an `if` or `try` block.
    Statement,
    /// A name imported from outside the project.
    Import,
}

/// All project code that a node may run, as far as it can be told without running it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Indexes into [`Code::definitions`], ascending.
    pub definitions: Vec<u32>,
    /// Top-level names of third-party packages, sorted; Python's standard library is left out.
    pub packages: Vec<Arc<str>>,
    /// Where more may be reached than this.
    pub unknown: Vec<Unseen>,
}

/// Code that decides only at run time what it uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unseen {
    /// Where.
    pub place: Place,
    /// Why: a sentence without its full stop, such as "`eval` runs code that is made at run time".
    pub reason: String,
}

/// The definitions of a project, and what each reaches.
#[derive(Default)]
pub struct Code {
    definitions: Vec<Arc<Definition>>,
    graph: graph::Graph,
    files: HashMap<Arc<Path>, link::File>,
    /// The whole module of a dotted name.
    modules: HashMap<Arc<str>, u32>,
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("definitions", &self.definitions.len()).finish_non_exhaustive()
    }
}

impl Code {
    /// All definitions: modules by name, the definitions of one in the order of its file.
    pub fn definitions(&self) -> &[Arc<Definition>] {
        &self.definitions
    }

    /// The definitions of a reach of this code.
    pub fn reached<'c>(&'c self, reach: &'c Reach) -> impl Iterator<Item = &'c Definition> {
        reach
            .definitions
            .iter()
            .filter_map(|index| self.definitions.get(*index as usize))
            .map(Arc::as_ref)
    }

    /// One hash of a reach: it changes when a definition is changed, comes in or goes out, and not
    /// when definitions change their places.
    pub fn fingerprint(&self, reach: &Reach) -> u128 {
        let mut parts: Vec<(&str, u128)> =
            self.reached(reach).map(|it| (it.name.as_str(), it.hash)).collect();
        parts.sort_unstable();
        let mut bytes = Vec::with_capacity(parts.len() * 64);
        for (name, hash) in parts {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        normal::hash_bytes(&bytes)
    }

    /// What the function or class reaches that Python itself finds at `source`, as the exact reading
    /// tells it; `None` where there is no definition in the project's source folder.
    ///
    /// A function inside another reaches all that the outer one does: what that has bound in it is not
    /// known.
    pub fn reach_at(&self, source: &SourceRange) -> Option<Arc<Reach>> {
        let file = self.files.get(Path::new(&source.filepath))?;
        let start = file.at_line(source.line_start, source.line_end)?;
        Some(Arc::new(self.graph.reach(&[start], &mut Marks::default())))
    }

    /// Tells each node of `pipelines` what it reaches. A node of several pipelines stays one.
    pub(super) fn tell(&self, pipelines: &mut [Pipeline]) {
        let mut told: HashMap<*const Node, Arc<Node>> = HashMap::new();
        let mut marks = Marks::default();
        for node in pipelines.iter_mut().flat_map(|pipeline| &mut pipeline.nodes) {
            let tell = || {
                let reach =
                    node.callable.as_ref().map(|it| Arc::new(self.reach_of(it, &mut marks)));
                Arc::new(Node { reach, ..(**node).clone() })
            };
            *node = told.entry(Arc::as_ptr(node)).or_insert_with(tell).clone();
        }
    }

    /// What a node reaches by its callable.
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
