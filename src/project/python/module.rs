//! Modules: finds them in the project's source folder, evaluates each once, and imports from them.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::{TextRange, TextSize};

use super::interp::{Eval, Frame, Interp, Stop};
use super::scope::ScopeKind;
use super::source::At;
use super::value::{Module, Unknown, Value};
use crate::project::{Problem, Severity};

/// The result of an import.
pub(super) enum Imported<'a> {
    Project(Rc<Module<'a>>),
    /// Not in the source folder, so the module belongs to an installed package.
    External,
    /// The package is the project's, but it has no such module.
    Missing,
}

const IMPORT_REMEDY: &str = "Check the name, or whether the file was moved.";

impl<'a> Interp<'a> {
    /// The module with that dotted name. The first import evaluates the module and its packages.
    pub(super) fn import(&mut self, dotted: &str) -> Result<Imported<'a>, Stop<'a>> {
        let mut parent: Option<Rc<Module<'a>>> = None;
        let mut folder = self.metadata.source_dir.clone();
        let mut name = String::with_capacity(dotted.len());
        for part in dotted.split('.') {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(part);
            folder.push(part);
            let module = match self.modules.get(&name) {
                Some(module) => module.clone(),
                None => match self.load(&name, folder.clone())? {
                    Some(module) => module,
                    None if parent.is_none() => return Ok(Imported::External),
                    None => return Ok(Imported::Missing),
                },
            };
            if let Some(parent) = &parent {
                parent.scope.set(part, Value::Module(module.clone()));
            }
            parent = Some(module);
        }
        Ok(parent.map_or(Imported::External, Imported::Project))
    }

    fn load(&mut self, name: &str, path: PathBuf) -> Result<Option<Rc<Module<'a>>>, Stop<'a>> {
        let simple = path.file_name().is_some_and(|part| {
            part.to_str().is_some_and(|part| !part.is_empty() && !part.contains(['/', '\\']))
        });
        if !simple {
            return Ok(None);
        }
        let (file, source, is_package) = {
            let init = path.join("__init__.py");
            if let Some(source) = self.open(&init) {
                (Some(init), Some(source), true)
            } else {
                let file = path.with_extension("py");
                match self.open(&file) {
                    Some(source) => (Some(file), Some(source), false),
                    None if path.is_dir() => (None, None, true),
                    None => return Ok(None),
                }
            }
        };
        let scope = self.scope(ScopeKind::Module, None);
        let module = Rc::new(Module {
            name: name.into(),
            source,
            is_package,
            scope: scope.clone(),
            loading: Cell::new(true),
        });
        self.keep(Value::Module(module.clone()));
        self.modules.insert(name.to_owned(), module.clone());
        scope.set("__name__", Value::str(name));
        scope.set("__doc__", Value::None);
        let package =
            if is_package { name } else { name.rsplit_once('.').map_or("", |pair| pair.0) };
        scope.set("__package__", Value::str(package));
        if let Some(file) = file {
            scope.set("__file__", Value::str(file.to_string_lossy()));
        }
        if let Some(source) = source {
            for problem in &source.problems {
                self.problem(problem.clone());
            }
            if let (true, Some(first)) = (source.broken(), source.problems.first()) {
                let why = Unknown {
                    reason: format!("`{}` can't be read to its end", source.shown.display()),
                    place: first.place.clone().unwrap_or_else(|| source.place(TextSize::new(0))),
                    severity: first.severity,
                };
                *scope.open.borrow_mut() = Some(Rc::new(why));
            }
            let frame = Frame { module: module.clone(), source, scope, yields: None };
            let result = self.deeper(|interp| interp.exec_module(&frame));
            if let Err(stop) = result {
                self.modules.remove(name);
                return Err(stop);
            }
        }
        module.loading.set(false);
        Ok(Some(module))
    }

    /// `import a.b`, `import a.b as c`.
    pub(super) fn exec_import(
        &mut self,
        stmt: &'a StmtImport,
        frame: &Frame<'a>,
    ) -> Result<(), Stop<'a>> {
        for alias in &stmt.names {
            let at = At::new(frame.source, alias);
            let dotted = alias.name.as_str();
            let first = dotted.split('.').next().unwrap_or(dotted);
            let found = self.import(dotted)?;
            let (name, value) = match (found, &alias.asname) {
                (Imported::Project(module), Some(name)) => (name.as_str(), Value::Module(module)),
                (Imported::Project(_), None) => match self.modules.get(first) {
                    Some(module) => (first, Value::Module(module.clone())),
                    None => continue,
                },
                (Imported::External, Some(name)) => (name.as_str(), Value::External(dotted.into())),
                (Imported::External, None) => (first, Value::External(first.into())),
                (Imported::Missing, name) => {
                    let name = name.as_ref().map_or(first, |name| name.as_str());
                    (name, self.no_module(dotted, at)?)
                }
            };
            frame.scope.set(name, value);
        }
        Ok(())
    }

    fn no_module(&mut self, dotted: &str, at: At<'a>) -> Eval<'a> {
        let text = format!("no module named `{dotted}`");
        self.raise(at, "ModuleNotFoundError", text, IMPORT_REMEDY)
    }

    /// `from a.b import c as d`, `from . import c`, `from a import *`.
    pub(super) fn exec_import_from(
        &mut self,
        stmt: &'a StmtImportFrom,
        frame: &Frame<'a>,
    ) -> Result<(), Stop<'a>> {
        let at = At::new(frame.source, stmt);
        let name = stmt.module.as_ref().map_or("", |name| name.as_str());
        if name == "__future__" {
            return Ok(());
        }
        let dotted = match stmt.level {
            0 => Some(name.to_owned()),
            level => relative(&frame.module, level, name),
        };
        let found = match &dotted {
            Some(dotted) => self.import(dotted)?,
            None => Imported::Missing,
        };
        if let (Imported::External, Some(dotted)) = (&found, &dotted) {
            self.check_version(dotted, at);
        }
        let dotted = dotted.unwrap_or_else(|| ".".repeat(stmt.level as usize) + name);
        for alias in &stmt.names {
            let at = At::new(at.source, alias);
            let name = alias.name.as_str();
            if name == "*" {
                self.import_star(&found, &dotted, frame, at)?;
                continue;
            }
            let value = match &found {
                Imported::Project(module) => self.import_name(module, name, at)?,
                Imported::External => Value::External(format!("{dotted}.{name}").into()),
                Imported::Missing => self.no_module(&dotted, at)?,
            };
            frame.scope.set(alias.asname.as_ref().unwrap_or(&alias.name).as_str(), value);
        }
        Ok(())
    }

    /// Reports an import from a part of Kedro that the project's version no longer has.
    fn check_version(&mut self, dotted: &str, at: At<'a>) {
        let gone = ["kedro.pipeline.modular_pipeline", "kedro.modular_pipeline"].contains(&dotted);
        if gone && self.tries == 0 && self.metadata.kedro_major_minor() >= (1, 0) {
            let text = format!("Kedro has no `{dotted}` since version 1.0.");
            let remedy = "Import it from `kedro.pipeline`.";
            self.problem(Problem::new(Severity::Error, Some(at.place()), text, remedy));
        }
    }

    /// The attribute or submodule `name` of a module.
    fn import_name(&mut self, module: &Rc<Module<'a>>, name: &str, at: At<'a>) -> Eval<'a> {
        if let Some(value) = module.scope.own(name) {
            return Ok(value);
        }
        if module.is_package
            && let Imported::Project(found) = self.import(&format!("{}.{name}", module.name))?
        {
            return Ok(Value::Module(found));
        }
        if let Some(why) = module.scope.open.borrow().clone() {
            return Ok(Value::Unknown(why));
        }
        let text = if module.loading.get() {
            format!(
                "`{}` and this file import each other, so `{name}` is not there yet",
                module.name
            )
        } else {
            format!("`{}` has no `{name}`", module.name)
        };
        self.raise(at, "ImportError", text, IMPORT_REMEDY)
    }

    fn import_star(
        &mut self,
        found: &Imported<'a>,
        dotted: &str,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        let module = match found {
            Imported::Project(module) => module.clone(),
            Imported::External => {
                let why = self.because(at, format!("`{dotted}` is outside the project"));
                frame.scope.open.borrow_mut().get_or_insert(why);
                return Ok(());
            }
            Imported::Missing => return self.no_module(dotted, at).map(drop),
        };
        // The module may be this one, so this borrow must end before the next begins.
        let open = module.scope.open.borrow().clone();
        if let Some(why) = open {
            frame.scope.open.borrow_mut().get_or_insert(why);
        }
        match module.scope.own("__all__") {
            Some(all) => {
                let (names, open) = self.items(&all, at)?;
                self.entry_room(names.len())?;
                for name in names.iter().filter_map(Value::as_str) {
                    let value = self.import_name(&module, name, at)?;
                    frame.scope.set(name, value);
                }
                if let Some(why) = open {
                    frame.scope.open.borrow_mut().get_or_insert(why);
                }
            }
            None => {
                self.entry_room(module.scope.names.borrow().len().saturating_mul(2))?;
                let names: Vec<_> = (module.scope.names.borrow().iter())
                    .filter(|(name, _)| !name.starts_with('_'))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                for (name, value) in names {
                    frame.scope.set(&name, value);
                }
            }
        }
        Ok(())
    }

    /// The start of `module`'s file: the place for messages that belong to no line.
    pub(super) fn start_of(module: &Module<'a>) -> Option<At<'a>> {
        module.source.map(|source| At { source, range: TextRange::default() })
    }

    /// The reason for an unknown value that is caused by an error in the code.
    pub(super) fn error_at(at: At<'a>, reason: impl Into<String>) -> Rc<Unknown> {
        Rc::new(Unknown { reason: reason.into(), place: at.place(), severity: Severity::Error })
    }
}

/// The absolute name of a relative import.
fn relative(module: &Module<'_>, level: u32, name: &str) -> Option<String> {
    let mut package: &str = &module.name;
    let up = if module.is_package { level - 1 } else { level };
    for _ in 0..up {
        package = package.rsplit_once('.').map_or("", |(parent, _)| parent);
    }
    match (package, name) {
        ("", _) => None,
        (package, "") => Some(package.to_owned()),
        (package, name) => Some(format!("{package}.{name}")),
    }
}
