//! References from one piece of code to another, as they are written.

use std::collections::{HashMap, HashSet};

use super::super::python::bindings;
use super::Unseen;

/// What an import leads to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Import {
    /// The absolute dotted name of the module; empty where it would be above the top.
    pub module: String,
    /// The name taken from it.
    pub name: Option<String>,
}

impl Import {
    /// Both parts with a full stop between them.
    pub(super) fn dotted(&self) -> String {
        match &self.name {
            Some(name) => format!("{}.{name}", self.module),
            None => self.module.clone(),
        }
    }
}

/// Where a reference begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Root {
    /// A name of the module.
    Name(String),
    /// Something imported where it is used.
    Import(Import),
}

/// A name and the attributes that are taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ref {
    pub root: Root,
    pub path: Vec<String>,
}

/// The names that a module binds, as far as they are known before its code is looked into.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// The package that relative imports begin at.
    pub package: &'a str,
    /// Names that imports bind.
    pub imports: HashMap<&'a str, Vec<bindings::Import<'a>>>,
    /// All other names.
    pub own: HashSet<&'a str>,
}

impl Names<'_> {
    /// The import with an absolute name.
    pub(super) fn absolute(&self, import: bindings::Import<'_>) -> Import {
        let name = import.name.map(str::to_owned);
        let mut package = Some(self.package).filter(|package| !package.is_empty());
        for _ in 1..import.level {
            package = package.and_then(|it| it.rsplit_once('.')).map(|(parent, _)| parent);
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

/// How many of each kind a [`References`] has.
pub(super) type Mark = [usize; 5];

/// What was found in a piece of code.
#[derive(Debug, Default)]
pub(super) struct References {
    pub refs: Vec<Ref>,
    /// What it changes: things that it sets attributes or items of, or calls methods on that do.
    pub changes: Vec<Ref>,
    /// Names of the module that it binds by `global`.
    pub writes: Vec<String>,
    /// Modules that it imports when it runs.
    pub runs: Vec<Import>,
    pub unseen: Vec<Unseen>,
}

impl References {
    /// How much was found until now.
    pub(super) fn mark(&self) -> Mark {
        [self.refs.len(), self.changes.len(), self.writes.len(), self.runs.len(), self.unseen.len()]
    }

    /// What was found since `mark`.
    pub(super) fn since(&self, [refs, changes, writes, runs, unseen]: Mark) -> References {
        References {
            refs: self.refs[refs..].to_vec(),
            changes: self.changes[changes..].to_vec(),
            writes: self.writes[writes..].to_vec(),
            runs: self.runs[runs..].to_vec(),
            unseen: self.unseen[unseen..].to_vec(),
        }
    }

    /// Leaves out what is there twice.
    pub(super) fn dedup(&mut self) {
        fn once<T: Clone + Eq + std::hash::Hash>(items: &mut Vec<T>) {
            let mut seen = HashSet::with_capacity(items.len());
            items.retain(|item| seen.insert(item.clone()));
        }
        once(&mut self.refs);
        once(&mut self.changes);
        once(&mut self.runs);
    }
}
