//! Links the modules of a project: resolves each reference to vertices of the graph.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::super::python::SourceCache;
use super::super::{Metadata, Place};
use super::cache::{CodeCache, Known, Loaded, load};
use super::graph::Graph;
use super::outline::{Module, Unit};
use super::reference::{Import, Ref, Root};
use super::{Code, DefinitionKind, Unseen, stdlib};

/// A module's range of vertices in the graph.
pub(super) struct File {
    module: Arc<Module>,
    /// The vertex of its first unit.
    first: u32,
}

impl File {
    /// The vertex of the code that begins at `place` or contains it.
    pub(super) fn at(&self, place: &Place) -> Option<u32> {
        let at = (place.line, place.column);
        if let Some(unit) = self.module.entries.get(&at) {
            return Some(self.first + unit);
        }
        self.outermost(|unit| unit.start <= at && at < unit.end)
    }

    /// The vertex of the unit that contains these lines.
    pub(super) fn at_line(&self, first: u32, last: u32) -> Option<u32> {
        self.outermost(|unit| unit.start.0 <= first && last <= unit.end.0)
            .or_else(|| self.outermost(|unit| unit.start.0 <= first && first <= unit.end.0))
    }

    fn outermost(&self, matches: impl Fn(&Unit) -> bool) -> Option<u32> {
        let mut units = (0..).zip(&self.module.units);
        units
            .find(|(_, unit)| !unit.nested && unit.import.is_none() && matches(unit))
            .map(|(index, _)| self.first + index)
    }
}

/// Reads the project's code; unchanged parts come from the caches. Needs a large stack: see
/// [`crate::project::python`].
pub(in crate::project) fn link(
    metadata: &Metadata,
    sources: &mut SourceCache,
    cache: &mut CodeCache,
) -> Code {
    let loaded = load(metadata, sources, cache);
    let mut firsts = Vec::with_capacity(loaded.modules.len());
    let mut definitions = Vec::new();
    for module in &loaded.modules {
        firsts.push(u32::try_from(definitions.len()).unwrap_or(u32::MAX));
        definitions.extend(module.units.iter().map(|unit| unit.definition.clone()));
    }
    let units = u32::try_from(definitions.len()).unwrap_or(u32::MAX);
    let count = u32::try_from(loaded.modules.len()).unwrap_or(u32::MAX);
    let mut linker = Linker {
        loaded: &loaded,
        firsts: &firsts,
        module_at: units,
        whole_at: units + count,
        package_at: units + 2 * count,
        packages: Vec::new(),
        package_index: HashMap::new(),
        edges: Vec::with_capacity(definitions.len() * 8),
        unseen: HashMap::new(),
    };
    linker.all();
    let Linker { packages, edges, unseen, package_at, .. } = linker;
    let graph = Graph::new(units, package_at, packages, &edges, unseen);
    let files = |(module, first): (&Arc<Module>, &u32)| {
        (module.file.clone(), File { module: module.clone(), first: *first })
    };
    Code {
        definitions,
        graph,
        files: loaded.modules.iter().zip(&firsts).map(files).collect::<HashMap<Arc<Path>, File>>(),
        modules: (units + count..)
            .zip(&loaded.modules)
            .map(|(at, module)| (module.name.clone(), at))
            .collect(),
    }
}

struct Linker<'l> {
    loaded: &'l Loaded,
    /// The vertex of each module's first unit.
    firsts: &'l [u32],
    /// The first vertices of the groups after the units: modules that are run, modules that are
    /// used as a whole, and packages.
    module_at: u32,
    whole_at: u32,
    package_at: u32,
    packages: Vec<Arc<str>>,
    package_index: HashMap<&'l str, u32>,
    edges: Vec<(u32, u32)>,
    unseen: HashMap<u32, Vec<Unseen>>,
}

/// The vertices that a reference resolves to.
#[derive(Default)]
struct Targets<'l> {
    all: Vec<u32>,
    /// The members of `all` that are definitions of the project.
    units: Vec<u32>,
    missing: Option<String>,
    /// The names looked up on the way, to stop at re-exports that form a cycle.
    visited: Vec<(u32, &'l str)>,
}

impl<'l> Linker<'l> {
    fn module(&self, index: u32) -> &'l Module {
        &self.loaded.modules[index as usize]
    }

    fn edge(&mut self, from: u32, to: u32) {
        if from != to {
            self.edges.push((from, to));
        }
    }

    fn all(&mut self) {
        for index in 0..self.package_at - self.whole_at {
            let module = self.module(index);
            let first = self.firsts[index as usize];
            for (at, unit) in (first..).zip(&module.units) {
                self.unit(index, at, unit);
            }
            self.run(index, module);
            self.whole(index, module);
        }
    }

    fn unit(&mut self, module: u32, at: u32, unit: &'l Unit) {
        self.edge(at, self.module_at + module);
        if !unit.found.unseen.is_empty() {
            self.unseen.entry(at).or_default().extend(unit.found.unseen.iter().cloned());
        }
        if let Some(import) = &unit.import {
            if self.loaded.find(&import.module) == Known::External
                && let Some(package) = stdlib::package(&import.module)
            {
                let package = self.package(package);
                self.edge(at, package);
            }
            return;
        }
        for reference in &unit.found.refs {
            let targets = self.targets(module, reference);
            targets.all.iter().for_each(|to| self.edge(at, *to));
            if let Some(missing) = targets.missing {
                let reason = format!("there is no Python file of module `{missing}`");
                let place = unit.definition.place.clone();
                self.unseen.entry(at).or_default().push(Unseen { place, reason });
            }
        }
        self.runs(at, &unit.found.runs);
        if unit.nested {
            return;
        }
        for changed in &unit.found.changes {
            // Every user of the changed thing depends on the code that changes it.
            for to in self.targets(module, changed).units {
                self.edge(to, at);
            }
        }
        for decorator_ref in &unit.decorators {
            for decorator in self.targets(module, decorator_ref).units {
                self.registered(decorator, at);
            }
        }
    }

    /// What a decorator changes may depend on the decorated code, as with a registry.
    fn registered(&mut self, decorator: u32, at: u32) {
        let module = self.firsts.partition_point(|first| *first <= decorator) - 1;
        let unit = &self.loaded.modules[module].units[(decorator - self.firsts[module]) as usize];
        if unit.definition.kind == DefinitionKind::Constant {
            self.edge(decorator, at);
        }
        let Ok(module) = u32::try_from(module) else { return };
        for changed in &unit.found.changes {
            for to in self.targets(module, changed).units {
                self.edge(to, at);
            }
        }
    }

    /// The edges of running a module.
    fn run(&mut self, index: u32, module: &'l Module) {
        let at = self.module_at + index;
        for (unit, _) in
            (self.firsts[index as usize]..).zip(&module.units).filter(|(_, unit)| unit.effect)
        {
            self.edge(at, unit);
        }
        if let Some((parent, _)) = module.name.rsplit_once('.') {
            self.run_by_name(at, parent);
        }
        self.runs(at, &module.runs);
        if let Some(broken) = &module.broken {
            self.unseen.entry(at).or_default().push(broken.clone());
        }
    }

    fn runs(&mut self, at: u32, runs: &'l [Import]) {
        for import in runs {
            self.run_by_name(at, &import.module);
            if let Some(name) = import.name.as_ref().filter(|name| *name != "*")
                && matches!(self.loaded.find(&import.module), Known::Project(_) | Known::Namespace)
            {
                self.run_by_name(at, &format!("{}.{name}", import.module));
            }
        }
    }

    fn run_by_name(&mut self, at: u32, dotted: &str) {
        if let Known::Project(module) = self.loaded.find(dotted) {
            self.edge(at, self.module_at + module);
        }
    }

    /// The edges to everything that a module contains.
    fn whole(&mut self, index: u32, module: &'l Module) {
        let at = self.whole_at + index;
        self.edge(at, self.module_at + index);
        for (unit, item) in (self.firsts[index as usize]..).zip(&module.units) {
            let mut targets = Targets::default();
            match &item.import {
                Some(import) => {
                    self.import(import, &[], Some(unit), &mut targets);
                    // Other modules that this module imports do not count as its contents.
                    if import.name.as_deref() != Some("*") {
                        targets.all.retain(|to| *to < self.whole_at || *to >= self.package_at);
                    }
                }
                None if !item.nested => targets.all.push(unit),
                None => {}
            }
            targets.all.iter().for_each(|to| self.edge(at, *to));
        }
    }

    fn package(&mut self, name: &'l str) -> u32 {
        let next = self.package_at + u32::try_from(self.packages.len()).unwrap_or(u32::MAX);
        let index = *self.package_index.entry(name).or_insert(next);
        if index == next {
            self.packages.push(name.into());
        }
        index
    }

    fn targets(&mut self, module: u32, reference: &'l Ref) -> Targets<'l> {
        let mut targets = Targets::default();
        match &reference.root {
            Root::Name(name) => self.name(module, name, &reference.path, &mut targets),
            Root::Import(import) => self.import(import, &reference.path, None, &mut targets),
        }
        targets
    }

    /// Resolves a name of a module, and the attributes taken from it.
    fn name(&mut self, index: u32, name: &'l str, path: &'l [String], out: &mut Targets<'l>) {
        let module = self.module(index);
        if out.visited.contains(&(index, name)) {
            // `from . import name` in the package itself.
            if let Some(inner) = self.submodule(module, name) {
                self.attribute(inner, path, out);
            }
            return;
        }
        out.visited.push((index, name));
        let first = self.firsts[index as usize];
        if let Some(units) = module.bound.get(name) {
            for unit in units {
                match &module.units[*unit as usize].import {
                    Some(import) => self.import(import, path, Some(first + unit), out),
                    None => {
                        out.all.push(first + unit);
                        out.units.push(first + unit);
                    }
                }
            }
            return;
        }
        if name == "__dict__" {
            out.all.push(self.whole_at + index);
            return;
        }
        if let Some(inner) = self.submodule(module, name) {
            self.attribute(inner, path, out);
            return;
        }
        if name.starts_with("__") && name.ends_with("__") {
            return;
        }
        let (mut found, mut outside) = (false, Vec::new());
        for star in &module.stars {
            let Some(import) = &module.units[*star as usize].import else { continue };
            match self.loaded.find(&import.module) {
                Known::Project(from) if self.module(from).exports(name) => {
                    let before = out.all.len();
                    self.name(from, name, path, out);
                    if out.all.len() > before {
                        found = true;
                        out.all.push(self.module_at + from);
                    }
                }
                Known::External => outside.push(first + star),
                _ => {}
            }
        }
        if !found {
            out.all.extend(outside);
        }
        if let Some(getattr) = module.bound.get("__getattr__") {
            out.all.extend(getattr.iter().map(|unit| first + unit));
        }
    }

    fn submodule(&self, module: &Module, name: &str) -> Option<u32> {
        match self.loaded.find(&format!("{}.{name}", module.name)) {
            Known::Project(inner) if module.is_package => Some(inner),
            _ => None,
        }
    }

    /// Resolves an attribute of a module; without attributes, the whole module is used.
    fn attribute(&mut self, module: u32, path: &'l [String], out: &mut Targets<'l>) {
        out.all.push(self.module_at + module);
        match path.split_first() {
            Some((name, rest)) => self.name(module, name, rest, out),
            None => out.all.push(self.whole_at + module),
        }
    }

    fn import(
        &mut self,
        import: &'l Import,
        path: &'l [String],
        unit: Option<u32>,
        out: &mut Targets<'l>,
    ) {
        let named = |name: &str| self.loaded.find(&format!("{}.{name}", import.module));
        match (self.loaded.find(&import.module), &import.name) {
            (Known::Project(module), Some(name)) if name != "*" => {
                out.all.push(self.module_at + module);
                self.name(module, name, path, out);
            }
            (Known::Project(module), Some(_)) => self.attribute(module, &[], out),
            (Known::Project(module), None) => self.attribute(module, path, out),
            (Known::Namespace, Some(name)) => match named(name) {
                Known::Project(module) => self.attribute(module, path, out),
                _ => out.missing = Some(import.dotted()),
            },
            (Known::Namespace, None) => {
                // A namespace folder contains only modules.
                let mut dotted = import.module.clone();
                for (index, part) in path.iter().enumerate() {
                    dotted = format!("{dotted}.{part}");
                    if let Known::Project(module) = self.loaded.find(&dotted) {
                        self.attribute(module, &path[index + 1..], out);
                        break;
                    }
                }
            }
            (Known::External, _) => match (unit, stdlib::package(&import.module)) {
                (Some(unit), _) => out.all.push(unit),
                (None, Some(package)) => out.all.push(self.package(package)),
                (None, None) => {}
            },
            (Known::Missing, _) => out.missing = Some(import.module.clone()),
        }
    }
}

impl Module {
    /// All imports anywhere in the module.
    pub(super) fn imports(&self) -> impl Iterator<Item = &Import> {
        let inside = self.units.iter().flat_map(|unit| {
            let named = unit.found.refs.iter().filter_map(|reference| match &reference.root {
                Root::Import(import) => Some(import),
                Root::Name(_) => None,
            });
            unit.found.runs.iter().chain(named)
        });
        self.runs.iter().chain(inside)
    }

    /// Whether `from module import *` binds `name`.
    fn exports(&self, name: &str) -> bool {
        match &self.all {
            Some(all) => all.iter().any(|known| known == name),
            None => !name.starts_with('_'),
        }
    }
}
