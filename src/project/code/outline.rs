//! Divides one module into its definitions, each with its references.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, Stmt, StmtIf};
use ruff_text_size::{Ranged, TextSize};

use super::super::python::bindings::{self, bound_by};
use super::super::python::source::Source;
use super::normal::{hash_bytes, hash_expr, hash_stmt, is_idle, is_type_checking};
use super::reference::{Import, Names, Ref, References};
use super::refs::{Collector, Nested, NestedCode, mutates};
use super::{Definition, DefinitionKind as Kind, Unseen};

/// Line and column, counted from 1.
pub(super) type Position = (u32, u32);

/// A module of the project.
#[derive(Debug)]
pub(super) struct Module {
    /// The dotted name, such as `pkg.nodes`.
    pub name: Arc<str>,
    /// The file, as [`crate::project::Place`] shows it.
    pub file: Arc<Path>,
    pub is_package: bool,
    pub units: Vec<Unit>,
    /// The units that bind each name.
    pub bound: HashMap<String, Vec<u32>>,
    /// The units that are `*` imports.
    pub stars: Vec<u32>,
    /// `__all__`, if it is a plain list of names.
    pub all: Option<Vec<String>>,
    /// Modules that are imported whenever this module is.
    pub runs: Vec<Import>,
    /// Why a part of the module may be missing here.
    pub broken: Option<Unseen>,
    /// The units by the position of their name, or of the lambda.
    pub entries: HashMap<Position, u32>,
}

/// A definition within its module.
#[derive(Debug)]
pub(super) struct Unit {
    pub definition: Arc<Definition>,
    pub start: Position,
    pub end: Position,
    /// Whether it is inside another unit; only a node's function can start there.
    pub nested: bool,
    /// Whether everything that uses the module depends on this unit.
    pub effect: bool,
    /// The target of an import; a target inside the project is followed.
    pub import: Option<Import>,
    /// The decorators of a function or class.
    pub decorators: Vec<Ref>,
    pub found: References,
}

/// Divides the module `name` into units.
pub(super) fn outline(name: &str, is_package: bool, source: &Source) -> Module {
    let package = if is_package { name } else { name.rsplit_once('.').map_or("", |pair| pair.0) };
    let body = &source.tree.body;
    let module = Module {
        name: name.into(),
        file: source.shown.clone(),
        is_package,
        units: Vec::new(),
        bound: HashMap::new(),
        stars: Vec::new(),
        all: None,
        runs: Vec::new(),
        broken: source.problems.first().map(|problem| Unseen {
            place: problem.place.clone().unwrap_or_else(|| source.place(TextSize::new(0))),
            reason: format!("`{}` can't be read to its end", source.shown.display()),
        }),
        entries: HashMap::new(),
    };
    let names = names(package, body);
    let mut outline = Outline { source, names: &names, module, twins: HashMap::new() };
    outline.body(body);
    outline.module
}

/// The names that a module's statements bind.
fn names<'a>(package: &'a str, body: &'a [Stmt]) -> Names<'a> {
    let mut imports = Imports::default();
    imports.visit_body(body);
    let mut names = Names { package, ..Names::default() };
    for (name, import, _) in imports.found {
        let known = names.imports.entry(name).or_default();
        if !known.contains(&import) {
            known.push(import);
        }
    }
    let all = bound_by(|bindings| bindings.visit_body(body));
    names.own = all.into_iter().filter(|name| !names.imports.contains_key(name)).collect();
    names
}

/// The imports that run when the module runs.
#[derive(Default)]
struct Imports<'a> {
    found: Vec<(&'a str, bindings::Import<'a>, TextSize)>,
    /// Further modules that are imported.
    runs: Vec<&'a str>,
}

impl<'a> Visitor<'a> for Imports<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let (name, import) = bindings::Import::of(alias);
                    self.found.push((name, import, alias.start()));
                    self.runs.push(alias.name.as_str());
                }
            }
            Stmt::ImportFrom(from) => {
                for alias in &from.names {
                    let (name, import) = bindings::Import::from(from, alias);
                    if import.module != "__future__" {
                        self.found.push((name, import, alias.start()));
                    }
                }
            }
            Stmt::If(branch) if is_never_run(branch) => {
                branch.elif_else_clauses.iter().for_each(|arm| self.visit_elif_else_clause(arm));
            }
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

/// Whether this is `if TYPE_CHECKING:` or `if __name__ == "__main__":`.
fn is_never_run(branch: &StmtIf) -> bool {
    let main = match &*branch.test {
        Expr::Compare(compare) => {
            let mut sides = std::iter::once(&*compare.left).chain(&compare.comparators);
            sides.any(|side| matches!(side, Expr::Name(name) if name.id == "__name__"))
        }
        _ => false,
    };
    main || is_type_checking(branch)
}

/// Collects statements with an effect beyond the module's own names.
struct Effects<'n, 'a> {
    names: &'n Names<'a>,
    any: bool,
}

impl Effects<'_, '_> {
    /// Whether the object that `expr` belongs to is bound by the module itself.
    fn owned(&self, mut expr: &Expr) -> bool {
        loop {
            match expr {
                Expr::Attribute(attribute) => expr = &attribute.value,
                Expr::Subscript(subscript) => expr = &subscript.value,
                Expr::Name(name) => return self.names.own.contains(name.id.as_str()),
                _ => return false,
            }
        }
    }

    fn target(&mut self, target: &Expr) {
        match target {
            Expr::Attribute(_) | Expr::Subscript(_) => self.any |= !self.owned(target),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|target| self.target(target)),
            Expr::List(list) => list.elts.iter().for_each(|target| self.target(target)),
            Expr::Starred(starred) => self.target(&starred.value),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Effects<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            Stmt::Expr(expr) if !is_idle(stmt) => {
                let confined = match &*expr.value {
                    Expr::Call(call) => match &*call.func {
                        Expr::Attribute(method) => {
                            mutates(&method.attr) && self.owned(&method.value)
                        }
                        _ => false,
                    },
                    _ => false,
                };
                self.any |= !confined;
            }
            Stmt::Assign(assign) => assign.targets.iter().for_each(|target| self.target(target)),
            Stmt::AugAssign(assign) => self.target(&assign.target),
            Stmt::AnnAssign(assign) => self.target(&assign.target),
            Stmt::Delete(delete) => delete.targets.iter().for_each(|target| self.target(target)),
            Stmt::If(branch) if is_never_run(branch) => {
                branch.elif_else_clauses.iter().for_each(|arm| self.visit_elif_else_clause(arm));
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, _: &'a Expr) {}
}

struct Outline<'n, 'a> {
    source: &'a Source,
    names: &'n Names<'a>,
    module: Module,
    /// How often each definition name has occurred.
    twins: HashMap<String, u32>,
}

impl<'a> Outline<'_, 'a> {
    fn body(&mut self, body: &'a [Stmt]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            _ if is_idle(stmt) => {}
            Stmt::Global(_) | Stmt::Nonlocal(_) => {}
            Stmt::If(branch) if is_never_run(branch) => {
                branch.elif_else_clauses.iter().for_each(|clause| self.body(&clause.body));
            }
            Stmt::AnnAssign(assign) if assign.value.is_none() && assign.simple => {}
            Stmt::Import(_) | Stmt::ImportFrom(_) => self.imports(stmt),
            Stmt::FunctionDef(def) => {
                self.unit(stmt, Kind::Function, &[def.name.as_str()], Some(def.name.start()));
            }
            Stmt::ClassDef(def) => {
                self.unit(stmt, Kind::Class, &[def.name.as_str()], Some(def.name.start()));
            }
            _ => {
                let bound = bound_by(|bindings| bindings.visit_stmt(stmt));
                let simple = matches!(
                    stmt,
                    Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::AugAssign(_) | Stmt::TypeAlias(_)
                );
                let kind = match simple && !bound.is_empty() {
                    true => Kind::Constant,
                    false => Kind::Statement,
                };
                if let Stmt::Assign(assign) = stmt
                    && bound == ["__all__"]
                {
                    self.module.all = names_in(&assign.value);
                } else if bound.contains(&"__all__") {
                    self.module.all = None;
                }
                // An assigned lambda is identical with its assignment.
                let lambda = stmt.as_assign_stmt().and_then(|assign| assign.value.as_lambda_expr());
                self.unit(stmt, kind, &bound, lambda.map(Ranged::start));
                self.imports(stmt);
            }
        }
    }

    /// The name of a statement that binds nothing.
    fn summary(&self, stmt: &'a Stmt) -> String {
        let head = |expr: &'a Expr| {
            let text = self.source.slice(expr.range());
            let end = text.find(['(', '[', '\n', ' ']).unwrap_or(text.len());
            text[..end].to_owned()
        };
        let text = match stmt {
            Stmt::Expr(expr) => match &*expr.value {
                Expr::Call(call) => head(&call.func),
                other => head(other),
            },
            Stmt::Assign(assign) => assign.targets.first().map(head).unwrap_or_default(),
            Stmt::AugAssign(assign) => head(&assign.target),
            Stmt::AnnAssign(assign) => head(&assign.target),
            Stmt::Delete(_) => "del".to_owned(),
            Stmt::If(_) => "if".to_owned(),
            Stmt::For(_) => "for".to_owned(),
            Stmt::While(_) => "while".to_owned(),
            Stmt::With(_) => "with".to_owned(),
            Stmt::Try(_) => "try".to_owned(),
            Stmt::Match(_) => "match".to_owned(),
            Stmt::Assert(_) => "assert".to_owned(),
            _ => "raise".to_owned(),
        };
        if text.is_empty() { "(…)".to_owned() } else { text }
    }

    /// Adds the units of all imports that run with a statement.
    fn imports(&mut self, stmt: &'a Stmt) {
        let mut imports = Imports::default();
        imports.visit_stmt(stmt);
        for module in imports.runs {
            self.module.runs.push(Import { module: module.to_owned(), name: None });
        }
        for (name, import, at) in imports.found {
            let import = self.names.absolute(import);
            self.module.runs.push(import.clone());
            let index = self.index();
            match name {
                "*" => self.module.stars.push(index),
                _ => self.bind(name, index),
            }
            let place = self.source.place(at);
            let hash = hash_bytes(import.dotted().as_bytes());
            let definition = Definition {
                name: match name {
                    "*" => self.named(&format!(":{}", import.dotted())),
                    name => self.named(&format!(".{name}")),
                },
                kind: Kind::Import,
                line_end: place.line,
                hash,
                place,
            };
            let at = (definition.place.line, definition.place.column);
            self.module.units.push(Unit {
                definition: Arc::new(definition),
                start: at,
                end: at,
                nested: false,
                effect: false,
                import: Some(import),
                decorators: Vec::new(),
                found: References::default(),
            });
        }
    }

    fn index(&self) -> u32 {
        u32::try_from(self.module.units.len()).unwrap_or(u32::MAX)
    }

    fn bind(&mut self, name: &str, unit: u32) {
        let units = self.module.bound.entry(name.to_owned()).or_default();
        if !units.contains(&unit) {
            units.push(unit);
        }
    }

    /// The dotted name, numbered from the second occurrence on.
    fn named(&mut self, name: &str) -> String {
        let name = format!("{}{name}", self.module.name);
        let count = self.twins.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 { format!("{name} ({count})") } else { name }
    }

    fn position(&self, offset: TextSize) -> Position {
        let place = self.source.place(offset);
        (place.line, place.column)
    }

    fn unit(&mut self, stmt: &'a Stmt, kind: Kind, bound: &[&'a str], entry: Option<TextSize>) {
        let mut collector = Collector::new(self.source, self.names);
        collector.visit_stmt(stmt);
        let index = self.index();
        let decorators = match stmt {
            Stmt::FunctionDef(def) => &def.decorator_list[..],
            Stmt::ClassDef(def) => &def.decorator_list[..],
            _ => &[],
        };
        let over = decorators.iter().filter_map(|decorator| {
            let expr = &decorator.expression;
            collector.direct(if let Expr::Call(call) = expr { &call.func } else { expr })
        });
        let over: Vec<Ref> = over.collect();
        let definite = matches!(kind, Kind::Function | Kind::Class);
        let effect = !definite && {
            let mut effects = Effects { names: self.names, any: false };
            effects.visit_stmt(stmt);
            effects.any || (bound.is_empty() && collector.found.changes.is_empty())
        };
        bound.iter().for_each(|name| self.bind(name, index));
        for name in &collector.found.writes {
            self.bind(name, index);
        }
        let name = match bound.is_empty() {
            true => format!(":{}", self.summary(stmt)),
            false => format!(".{}", bound.join(", ")),
        };
        let start = decorators.iter().map(Ranged::start).chain([stmt.start()]).min();
        let start = start.unwrap_or(stmt.start());
        let nested = std::mem::take(&mut collector.nested);
        let definition = Definition {
            name: self.named(&name),
            kind,
            place: self.source.place(start),
            line_end: self.source.line(stmt.end()),
            hash: hash_stmt(stmt),
        };
        let (start, end) = (self.position(start), self.position(stmt.end()));
        if let Some(entry) = entry {
            let entry = self.position(entry);
            self.module.entries.insert(entry, index);
        }
        let mut found = collector.found;
        found.dedup();
        self.module.units.push(Unit {
            definition: Arc::new(definition),
            start,
            end,
            nested: false,
            effect,
            import: None,
            decorators: over,
            found,
        });
        for nested in nested {
            self.nested(nested);
        }
    }

    fn nested(&mut self, nested: Nested<'a>) {
        let entry = self.position(nested.code.entry());
        if self.module.entries.contains_key(&entry) {
            return;
        }
        let (range, hash, kind) = match nested.code {
            NestedCode::Lambda(expr) => (expr.range(), hash_expr(expr), Kind::Function),
            NestedCode::Stmt(stmt) => {
                let class = matches!(stmt, Stmt::ClassDef(_));
                let kind = if class { Kind::Class } else { Kind::Function };
                (stmt.range(), hash_stmt(stmt), kind)
            }
        };
        let index = self.index();
        self.module.entries.insert(entry, index);
        let mut found = nested.found;
        found.dedup();
        let definition = Definition {
            name: format!("{}.{}", self.module.name, nested.name),
            kind,
            place: self.source.place(range.start()),
            line_end: self.source.line(range.end()),
            hash,
        };
        self.module.units.push(Unit {
            definition: Arc::new(definition),
            start: self.position(range.start()),
            end: self.position(range.end()),
            nested: true,
            effect: false,
            import: None,
            decorators: Vec::new(),
            found,
        });
    }
}

/// The strings of a list or tuple that contains nothing else.
fn names_in(expr: &Expr) -> Option<Vec<String>> {
    let items = match expr {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        _ => return None,
    };
    let text =
        |item: &Expr| item.as_string_literal_expr().map(|text| text.value.to_str().to_owned());
    items.iter().map(text).collect()
}
