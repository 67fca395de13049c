//! Caches outlines of modules across reads, as long as their files do not change.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::Metadata;
use super::super::python::cache::{Purpose, SourceCache};
use super::super::python::source::Source;
use super::outline::{Module, outline};

/// Outlines of modules, cached across reads.
#[derive(Debug, Default)]
pub(in crate::project) struct CodeCache {
    modules: HashMap<PathBuf, (Arc<Source>, Arc<Module>)>,
}

/// The result of looking up a dotted module name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// An index into [`Loaded::modules`].
    Project(u32),
    /// A folder without `__init__.py`.
    Namespace,
    /// Not in the source folder, so the module belongs to an installed package.
    External,
    /// The package is the project's, but it has no such module.
    Missing,
}

/// All modules to analyse, sorted by name.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub modules: Vec<Arc<Module>>,
    known: HashMap<String, Known>,
}

impl Loaded {
    /// Looks up `dotted`; a name that was not requested while loading is external.
    pub(super) fn find(&self, dotted: &str) -> Known {
        self.known.get(dotted).copied().unwrap_or(Known::External)
    }
}

/// The largest number of files of a package that are analysed; more are generated, not written by
/// hand.
const MAX_FILES: usize = 20_000;

/// Loads the project's package and all modules of the source folder that it imports.
pub(super) fn load(
    metadata: &Metadata,
    sources: &mut SourceCache,
    cache: &mut CodeCache,
) -> Loaded {
    sources.begin(Purpose::Code);
    let before = std::mem::take(&mut cache.modules);
    let mut loader =
        Loader { metadata, sources, cache, before, loaded: Loaded::default(), next: 0 };
    if !metadata.package_name.is_empty() {
        let folder = metadata.source_dir.join(metadata.package_name.replace('.', "/"));
        for name in modules_in(&folder, &metadata.package_name) {
            loader.find(&name);
        }
    }
    loader.follow();
    let mut loaded = loader.loaded;
    let mut order: Vec<u32> = (0..).take(loaded.modules.len()).collect();
    order.sort_by(|a, b| loaded.modules[*a as usize].name.cmp(&loaded.modules[*b as usize].name));
    let mut moved = vec![0; order.len()];
    for (new, old) in (0..).zip(&order) {
        moved[*old as usize] = new;
    }
    for known in loaded.known.values_mut() {
        if let Known::Project(index) = known {
            *index = moved[*index as usize];
        }
    }
    loaded.modules.sort_by(|a, b| a.name.cmp(&b.name));
    loaded
}

/// The dotted names of all modules under a package's folder.
fn modules_in(folder: &Path, package: &str) -> Vec<String> {
    let mut found = vec![package.to_owned()];
    let mut folders = vec![(folder.to_owned(), package.to_owned())];
    while let Some((folder, package)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            // Tests patch the code that they test, and no pipeline runs them.
            let tests =
                matches!(name, "tests" | "test" | "conftest.py") || name.starts_with("test_");
            let Some(kind) = entry.file_type().ok().filter(|_| !tests) else { continue };
            if kind.is_dir() && name != "__pycache__" && !name.contains('.') {
                folders.push((entry.path(), format!("{package}.{name}")));
            } else if let Some(stem) = name.strip_suffix(".py").filter(|_| !kind.is_dir())
                && !stem.contains('.')
            {
                found.push(match stem {
                    "__init__" => package.clone(),
                    stem => format!("{package}.{stem}"),
                });
            }
        }
        if found.len() > MAX_FILES {
            break;
        }
    }
    found.sort();
    found.dedup();
    found
}

struct Loader<'r> {
    metadata: &'r Metadata,
    sources: &'r mut SourceCache,
    cache: &'r mut CodeCache,
    loaded: Loaded,
    /// Entries of the previous read; those used again are moved to `cache`.
    before: HashMap<PathBuf, (Arc<Source>, Arc<Module>)>,
    /// The first module whose imports are not yet followed.
    next: usize,
}

impl Loader<'_> {
    fn find(&mut self, dotted: &str) -> Known {
        if let Some(known) = self.loaded.known.get(dotted) {
            return *known;
        }
        let parent = dotted.rsplit_once('.').map(|(parent, _)| self.find(parent));
        let known = match parent {
            Some(Known::External) => Known::External,
            Some(Known::Missing) => Known::Missing,
            Some(Known::Project(parent)) if !self.loaded.modules[parent as usize].is_package => {
                Known::Missing
            }
            _ => match self.open(dotted) {
                Some(known) => known,
                None if matches!(parent, Some(Known::Project(_))) => Known::Missing,
                None => Known::External,
            },
        };
        self.loaded.known.insert(dotted.to_owned(), known);
        known
    }

    fn open(&mut self, dotted: &str) -> Option<Known> {
        let simple = |part: &str| !part.is_empty() && !part.contains(['/', '\\', ':']);
        if !dotted.split('.').all(simple) {
            return None;
        }
        let path =
            dotted.split('.').fold(self.metadata.source_dir.clone(), |path, part| path.join(part));
        let init = path.join("__init__.py");
        if let Some(source) = self.source(&init) {
            return Some(self.keep(dotted, init, true, source));
        }
        let file = path.with_extension("py");
        if let Some(source) = self.source(&file) {
            return Some(self.keep(dotted, file, false, source));
        }
        path.is_dir().then_some(Known::Namespace)
    }

    fn source(&mut self, path: &Path) -> Option<Arc<Source>> {
        self.sources.load(path, &self.metadata.root, Purpose::Code)
    }

    fn keep(
        &mut self,
        dotted: &str,
        path: PathBuf,
        is_package: bool,
        source: Arc<Source>,
    ) -> Known {
        let module = match self.before.remove(&path) {
            Some((cached_source, module))
                if Arc::ptr_eq(&cached_source, &source) && *module.name == *dotted =>
            {
                module
            }
            _ => Arc::new(outline(dotted, is_package, &source)),
        };
        self.cache.modules.insert(path, (source, module.clone()));
        let index = u32::try_from(self.loaded.modules.len()).unwrap_or(u32::MAX);
        self.loaded.modules.push(module);
        Known::Project(index)
    }

    /// Loads everything that the loaded modules import, transitively.
    fn follow(&mut self) {
        while let Some(module) = self.loaded.modules.get(self.next).cloned() {
            self.next += 1;
            for import in module.imports() {
                let found = self.find(&import.module);
                let Some(name) = import.name.as_ref().filter(|name| *name != "*") else { continue };
                let within = match found {
                    Known::Project(index) => self.loaded.modules[index as usize].is_package,
                    Known::Namespace => true,
                    Known::External | Known::Missing => false,
                };
                if within {
                    self.find(&format!("{}.{name}", import.module));
                }
            }
        }
    }
}
