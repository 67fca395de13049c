//! References from one piece of code to another, as written in the source.

use std::collections::{HashMap, HashSet};

use super::super::python::bindings;
use super::Unseen;

/// The target of an import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Import {
    /// The absolute dotted name of the module; empty if a relative import leads above the top
    /// package.
    pub module: String,
    /// The name imported from the module.
    pub name: Option<String>,
}

impl Import {
    /// Module and name, joined by a dot.
    pub(super) fn dotted(&self) -> String {
        match &self.name {
            Some(name) => format!("{}.{name}", self.module),
            None => self.module.clone(),
        }
    }
}

/// The start of a reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// A name of the module.
    Name(String),
    /// An import inside the code that uses it.
    Import(Import),
}

/// A name and the attributes taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ref {
    pub root: Root,
    pub path: Vec<String>,
}

/// The names that a module binds, collected before its code is analysed.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The package that relative imports start from.
    pub package: &'a str,
    /// Names that imports bind.
    pub imports: HashMap<&'a str, Vec<bindings::Import<'a>>>,
    /// Names bound in any other way than by an import.
    pub own: HashSet<&'a str>,
}

impl Names<'_> {
    /// Resolves a relative import to an absolute one.
    pub(super) fn absolute(&self, import: bindings::Import<'_>) -> Import {
        let name = import.name.map(str::to_owned);
        let mut package = Some(self.package).filter(|package| !package.is_empty());
        for _ in 1..import.level {
            package =
                package.and_then(|package| package.rsplit_once('.')).map(|(parent, _)| parent);
        }
        let module = match (import.level, package) {
            (0, _) => import.module.to_owned(),
            (_, Some(package)) if import.module.is_empty() => package.to_owned(),
            (_, Some(package)) => format!("{package}.{}", import.module),
            (_, None) => String::new(),
        };
        Import { module, name }
    }
}

/// The lengths of the lists in a [`References`].
pub(super) type Mark = [usize; 5];

/// The references found in a piece of code.
#[derive(Debug, Default)]
pub(super) struct References {
    pub refs: Vec<Ref>,
    /// Things that the code changes: it sets their attributes or items, or calls a mutating method
    /// on them.
    pub changes: Vec<Ref>,
    /// Names of the module that the code binds through `global`.
    pub writes: Vec<String>,
    /// Modules that the code imports when it runs.
    pub runs: Vec<Import>,
    pub unseen: Vec<Unseen>,
}

impl References {
    /// The current lengths, for [`References::since`].
    pub(super) fn mark(&self) -> Mark {
        [self.refs.len(), self.changes.len(), self.writes.len(), self.runs.len(), self.unseen.len()]
    }

    /// The references found since `mark`.
    pub(super) fn since(&self, [refs, changes, writes, runs, unseen]: Mark) -> References {
        References {
            refs: self.refs[refs..].to_vec(),
            changes: self.changes[changes..].to_vec(),
            writes: self.writes[writes..].to_vec(),
            runs: self.runs[runs..].to_vec(),
            unseen: self.unseen[unseen..].to_vec(),
        }
    }

    /// Removes duplicates.
    pub(super) fn dedup(&mut self) {
        fn once<T: Clone + Eq + std::hash::Hash>(items: &mut Vec<T>) {
            let mut known = HashSet::with_capacity(items.len());
            items.retain(|item| known.insert(item.clone()));
        }
        once(&mut self.refs);
        once(&mut self.changes);
        once(&mut self.runs);
    }
}
