//! Collects the references of a piece of code: names of its module, imports, and attributes of
//! both.

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Expr, ExprCall, ExprContext, ExprLambda, Parameters, Stmt, StmtClassDef, StmtFunctionDef,
};
use ruff_text_size::{Ranged, TextSize};

use super::super::python::bindings::{self, Binding, Meaning, Scopes};
use super::super::python::names::is_builtin;
use super::super::python::source::Source;
use super::Unseen;
use super::normal::{is_type_checking, reads_annotations};
use super::reference::{Import, Mark, Names, Ref, References, Root};

/// A function, class or lambda inside a piece of code, which may itself be a node's function.
pub(super) struct Nested<'a> {
    pub code: NestedCode<'a>,
    pub name: String,
    pub found: References,
}

/// The code of a [`Nested`].
pub(super) enum NestedCode<'a> {
    Stmt(&'a Stmt),
    Lambda(&'a Expr),
}

impl NestedCode<'_> {
    /// The position of its [`crate::project::Entry`].
    pub(super) fn entry(&self) -> TextSize {
        match self {
            NestedCode::Stmt(Stmt::FunctionDef(def)) => def.name.start(),
            NestedCode::Stmt(Stmt::ClassDef(def)) => def.name.start(),
            NestedCode::Stmt(other) => other.start(),
            NestedCode::Lambda(lambda) => lambda.start(),
        }
    }
}

/// Methods that change their receiver.
const MUTATORS: [&str; 14] = [
    "add",
    "append",
    "appendleft",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Whether a method of this name changes its receiver.
pub(super) fn mutates(method: &str) -> bool {
    MUTATORS.contains(&method)
}

/// Functions whose effect is known only at run time, each with a reason.
const OPAQUE: [(&str, &str); 9] = [
    ("builtins.eval", "`eval` runs code that is made at run time"),
    ("builtins.exec", "`exec` runs code that is made at run time"),
    ("builtins.globals", "`globals` gives access to every name of the module"),
    ("importlib.util.spec_from_file_location", "a file is loaded as a module at run time"),
    ("importlib.machinery.SourceFileLoader", "a file is loaded as a module at run time"),
    ("imp.load_source", "a file is loaded as a module at run time"),
    ("runpy.run_module", "`runpy` runs a module that is chosen at run time"),
    ("runpy.run_path", "`runpy` runs a file that is chosen at run time"),
    ("pydoc.locate", "`locate` imports what is only known at run time"),
];

const IMPORTERS: [&str; 3] =
    ["importlib.import_module", "importlib.__import__", "builtins.__import__"];

/// Visits one module-level statement, or one expression.
pub(super) struct Collector<'n, 'a> {
    source: &'a Source,
    names: &'n Names<'a>,
    scopes: Scopes<'a>,
    classes: u32,
    /// Names of the enclosing functions, which become part of the names of nested ones.
    around: Vec<&'a str>,
    pub found: References,
    pub nested: Vec<Nested<'a>>,
}

/// A name or import with its attributes, as written.
type Chain<'a> = (Start<'a>, Vec<&'a str>);

#[derive(Clone, Copy)]
enum Start<'a> {
    Name(&'a str),
    /// A call such as `import_module("pkg.a")`.
    Imported(&'a ExprCall),
}

impl<'n, 'a> Collector<'n, 'a> {
    pub(super) fn new(source: &'a Source, names: &'n Names<'a>) -> Self {
        Collector {
            source,
            names,
            scopes: Scopes::default(),
            classes: 0,
            around: Vec::new(),
            found: References::default(),
            nested: Vec::new(),
        }
    }

    /// The reference that an expression itself is, without visiting its parts.
    pub(super) fn direct(&self, expr: &'a Expr) -> Option<Ref> {
        let (start, path) = self.chain(expr)?;
        self.resolve(start, &path)
    }

    fn chain(&self, mut expr: &'a Expr) -> Option<Chain<'a>> {
        let mut path = Vec::new();
        loop {
            match expr {
                Expr::Attribute(attribute) => {
                    path.push(attribute.attr.as_str());
                    expr = &attribute.value;
                }
                Expr::Name(name) => {
                    path.reverse();
                    return Some((Start::Name(name.id.as_str()), path));
                }
                Expr::Call(call) if self.imported(call).is_some() => {
                    path.reverse();
                    return Some((Start::Imported(call), path));
                }
                _ => return None,
            }
        }
    }

    /// The chain of the object that `expr` belongs to: `a.b` for `a.b[0].c`.
    fn owner(&self, mut expr: &'a Expr) -> Option<Chain<'a>> {
        let mut whole = expr;
        loop {
            match expr {
                Expr::Attribute(attribute) => expr = &attribute.value,
                Expr::Subscript(subscript) => {
                    expr = &subscript.value;
                    whole = expr;
                }
                _ => return self.chain(whole),
            }
        }
    }

    fn resolve(&self, start: Start<'a>, path: &[&str]) -> Option<Ref> {
        let path = path.iter().map(|&part| part.to_owned()).collect();
        let root = match start {
            Start::Imported(call) => {
                Root::Import(Import { module: self.imported(call)?, name: None })
            }
            Start::Name(name) => match self.scopes.meaning(name) {
                Meaning::Local(Binding::Import(import)) => {
                    Root::Import(self.names.absolute(import))
                }
                Meaning::Local(Binding::Plain) => return None,
                Meaning::InClass | Meaning::Outside | Meaning::Global => {
                    if !self.bound(name) && is_builtin(name) {
                        return None;
                    }
                    Root::Name(name.to_owned())
                }
            },
        };
        Some(Ref { root, path })
    }

    fn bound(&self, name: &str) -> bool {
        self.names.own.contains(name) || self.names.imports.contains_key(name)
    }

    /// The dotted name of a function from outside the project.
    fn dotted(&self, expr: &'a Expr) -> Option<String> {
        let (Start::Name(name), path) = self.chain(expr)? else { return None };
        let start = match self.scopes.meaning(name) {
            Meaning::Local(Binding::Import(import)) => self.names.absolute(import).dotted(),
            Meaning::Local(Binding::Plain) => return None,
            _ => match self.names.imports.get(name).and_then(|imports| imports.first()) {
                Some(import) => self.names.absolute(*import).dotted(),
                None if !self.names.own.contains(name) && is_builtin(name) => {
                    format!("builtins.{name}")
                }
                None => return None,
            },
        };
        Some(path.iter().fold(start, |dotted, part| dotted + "." + part))
    }

    /// The module that `import_module("...")` returns.
    fn imported(&self, call: &'a ExprCall) -> Option<String> {
        let dotted = self.dotted(&call.func)?;
        if !IMPORTERS.contains(&dotted.as_str()) {
            return None;
        }
        let Expr::StringLiteral(name) = call.arguments.find_argument_value("name", 0)? else {
            return None;
        };
        let name = name.value.to_str();
        let relative = name.trim_start_matches('.');
        let level = u32::try_from(name.len() - relative.len()).ok()?;
        if level == 0 {
            // `__import__("a.b")` returns `a`.
            let first = name.split('.').next().filter(|_| dotted.ends_with("__import__"));
            return Some(first.unwrap_or(name).to_owned());
        }
        let given;
        let package = match call.arguments.find_argument_value("package", 1)? {
            Expr::Name(name) if matches!(name.id.as_str(), "__package__" | "__name__") => {
                self.names.package
            }
            Expr::StringLiteral(text) => {
                given = text.value.to_str();
                given
            }
            _ => return None,
        };
        let names = Names { package, ..Names::default() };
        let import = bindings::Import { level, module: relative, name: None };
        Some(names.absolute(import).module).filter(|module| !module.is_empty())
    }

    fn refer(&mut self, start: Start<'a>, path: &[&str]) {
        if let Some(found) = self.resolve(start, path) {
            self.found.refs.push(found);
        }
    }

    fn change(&mut self, chain: Option<Chain<'a>>) {
        if let Some((start, path)) = chain
            && let Some(found) = self.resolve(start, &path)
        {
            self.found.changes.push(found);
        }
    }

    fn unseen(&mut self, at: &impl Ranged, reason: &str) {
        let place = self.source.place(at.start());
        self.found.unseen.push(Unseen { place, reason: reason.to_owned() });
    }

    fn call(&mut self, call: &'a ExprCall) {
        if let Expr::Attribute(method) = &*call.func
            && mutates(&method.attr)
        {
            self.change(self.owner(&method.value));
        }
        let dotted = self.dotted(&call.func);
        let dotted = dotted.as_deref().unwrap_or_default();
        if let Some((_, reason)) = OPAQUE.iter().find(|(name, _)| *name == dotted) {
            self.unseen(call, reason);
        }
        if IMPORTERS.contains(&dotted) {
            match self.imported(call) {
                Some(module) => {
                    self.found.runs.push(Import { module, name: None });
                    self.refer(Start::Imported(call), &[]);
                }
                None => {
                    self.unseen(call, "the name of an imported module is only known at run time")
                }
            }
        }
        let name = match call.arguments.args.get(1) {
            Some(Expr::StringLiteral(name)) => Some(name.value.to_str()),
            _ => None,
        };
        let receiver = call.arguments.args.first().and_then(|receiver| self.chain(receiver));
        match (dotted, receiver, name) {
            // A reference to the module alone would reach it as a whole.
            ("builtins.getattr" | "builtins.hasattr", Some((start, mut path)), Some(name)) => {
                path.push(name);
                self.refer(start, &path);
                call.arguments.args.iter().skip(2).for_each(|arg| self.visit_expr(arg));
                return;
            }
            ("builtins.setattr" | "builtins.delattr", Some((start, mut path)), Some(name)) => {
                path.push(name);
                self.change(Some((start, path)));
            }
            _ => {}
        }
        self.visit_expr(&call.func);
        self.visit_arguments(&call.arguments);
    }

    fn attribute(&mut self, expr: &'a Expr, changes: bool) {
        let Some((start, path)) = self.chain(expr) else {
            if changes {
                self.change(self.owner(expr));
            }
            visitor::walk_expr(self, expr);
            return;
        };
        if path == ["modules"] && self.dotted(expr).as_deref() == Some("sys.modules") {
            self.unseen(expr, "`sys.modules` gives access to every module");
        }
        if let Start::Imported(call) = start
            && let Some(module) = self.imported(call)
        {
            self.visit_expr(&call.func);
            self.found.runs.push(Import { module, name: None });
        }
        self.refer(start, &path);
        if changes {
            self.change(Some((start, path)));
        }
    }

    /// Adds an import inside a function or class.
    fn import(&mut self, name: &'a str, import: bindings::Import<'a>) {
        let absolute = self.names.absolute(import);
        if absolute.module == "__future__" {
            return;
        }
        // If a name is bound to several things, each of them may be used.
        if self.scopes.meaning(name) != Meaning::Local(Binding::Import(import)) {
            self.found.refs.push(Ref { root: Root::Import(absolute.clone()), path: Vec::new() });
        }
        self.found.runs.push(absolute);
    }

    fn imports(&mut self, names: impl Iterator<Item = (&'a str, bindings::Import<'a>, &'a Alias)>) {
        for (name, import, alias) in names {
            // All of `a.b.c` is imported, though only `a` is bound.
            if import.name.is_none() && alias.asname.is_none() {
                let module = alias.name.to_string();
                self.found.runs.push(Import { module, name: None });
            }
            self.import(name, import);
        }
    }

    fn defaults(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            parameter.default.iter().for_each(|default| self.visit_expr(default));
        }
    }

    fn function(&mut self, stmt: &'a Stmt, def: &'a StmtFunctionDef) {
        def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        self.defaults(&def.parameters);
        if reads_annotations(&def.decorator_list) {
            let all = def.parameters.iter().filter_map(|parameter| parameter.annotation());
            all.chain(def.returns.as_deref()).for_each(|annotation| self.visit_expr(annotation));
        }
        let mark = self.found.mark();
        let inner = self.scopes.enter_function(def);
        let writes = inner.bound_globals().map(str::to_owned);
        self.found.writes.extend(writes);
        self.around.push(def.name.as_str());
        self.visit_body(&def.body);
        self.around.pop();
        self.scopes.leave();
        self.nest(NestedCode::Stmt(stmt), def.name.as_str(), mark);
    }

    fn class(&mut self, stmt: &'a Stmt, def: &'a StmtClassDef) {
        def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
        let mark = self.found.mark();
        self.scopes.enter_types(def.type_params.as_deref());
        def.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
        self.scopes.enter_class(def);
        self.classes += 1;
        self.around.push(def.name.as_str());
        self.visit_body(&def.body);
        self.around.pop();
        self.classes -= 1;
        self.scopes.leave();
        self.scopes.leave();
        self.nest(NestedCode::Stmt(stmt), def.name.as_str(), mark);
    }

    fn lambda(&mut self, expr: &'a Expr, lambda: &'a ExprLambda) {
        lambda.parameters.iter().for_each(|parameters| self.defaults(parameters));
        let mark = self.found.mark();
        self.scopes.enter_lambda(lambda.parameters.as_deref(), &lambda.body);
        self.visit_expr(&lambda.body);
        self.scopes.leave();
        self.nest(NestedCode::Lambda(expr), "<lambda>", mark);
    }

    /// Records a nested function. Classes and module-level blocks count as a whole, so code inside
    /// them is not recorded.
    fn nest(&mut self, code: NestedCode<'a>, name: &str, mark: Mark) {
        let whole = matches!(code, NestedCode::Stmt(_)) && self.scopes.depth() == 0;
        if whole || self.classes > 0 {
            return;
        }
        let mut name = name.to_owned();
        for outer in self.around.iter().rev() {
            name = format!("{outer}.{name}");
        }
        self.nested.push(Nested { code, name, found: self.found.since(mark) });
    }
}

impl<'a> Visitor<'a> for Collector<'_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let inside = self.scopes.depth() > 0;
        match stmt {
            Stmt::FunctionDef(def) => self.function(stmt, def),
            Stmt::ClassDef(def) => self.class(stmt, def),
            Stmt::Import(import) if inside => {
                self.imports(import.names.iter().map(|alias| {
                    let (name, import) = bindings::Import::of(alias);
                    (name, import, alias)
                }));
            }
            Stmt::ImportFrom(from) if inside => {
                self.imports(from.names.iter().map(|alias| {
                    let (name, import) = bindings::Import::from(from, alias);
                    (name, import, alias)
                }));
            }
            Stmt::If(branch) if is_type_checking(branch) => {
                branch.elif_else_clauses.iter().for_each(|arm| self.visit_elif_else_clause(arm));
            }
            Stmt::AnnAssign(assign) => {
                assign.value.iter().for_each(|value| self.visit_expr(value));
                if self.scopes.in_class() {
                    self.visit_expr(&assign.annotation);
                }
                self.visit_expr(&assign.target);
            }
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target {
                    self.refer(Start::Name(name.id.as_str()), &[]);
                }
                visitor::walk_stmt(self, stmt);
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if matches!(name.ctx, ExprContext::Load) => {
                self.refer(Start::Name(name.id.as_str()), &[]);
            }
            Expr::Name(_) => {}
            Expr::Attribute(attribute) => {
                self.attribute(expr, !matches!(attribute.ctx, ExprContext::Load));
            }
            Expr::Subscript(subscript) => {
                if !matches!(subscript.ctx, ExprContext::Load) {
                    self.change(self.owner(expr));
                }
                self.visit_expr(&subscript.value);
                self.visit_expr(&subscript.slice);
            }
            Expr::Call(call) => self.call(call),
            Expr::Lambda(lambda) => self.lambda(expr, lambda),
            Expr::ListComp(list) => bindings::comprehension(
                self,
                |to| &mut to.scopes,
                &list.generators,
                &[Some(&list.elt)],
            ),
            Expr::SetComp(set) => bindings::comprehension(
                self,
                |to| &mut to.scopes,
                &set.generators,
                &[Some(&set.elt)],
            ),
            Expr::Generator(generator) => bindings::comprehension(
                self,
                |to| &mut to.scopes,
                &generator.generators,
                &[Some(&generator.elt)],
            ),
            Expr::DictComp(dict) => {
                bindings::comprehension(
                    self,
                    |to| &mut to.scopes,
                    &dict.generators,
                    &[dict.key.as_deref(), Some(&dict.value)],
                );
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}
