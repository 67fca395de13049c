//! Which names a scope binds, found from its whole source before anything runs, as Python's
//! compiler does, and how a name resolves inside nested scopes.

use std::collections::{BTreeSet, HashMap, HashSet};

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Alias, Comprehension, ExceptHandler, Expr, ExprContext, Parameters, Pattern, Stmt,
    StmtClassDef, StmtFunctionDef, StmtImport, StmtImportFrom, TypeParams,
};

use super::value::Code;

/// How a name is bound in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) enum Binding<'a> {
    /// Only by imports, and always the same import.
    Import(Import<'a>),
    /// By any other statement, or by several different ones.
    Plain,
}

/// The target of one name in an import statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::project) struct Import<'a> {
    /// The number of leading dots of a relative import.
    pub level: u32,
    /// The module as written, without leading dots.
    pub module: &'a str,
    /// The name imported from the module; `None` for the module itself.
    pub name: Option<&'a str>,
}

impl<'a> Import<'a> {
    /// One alias of `import a.b, c as d`: the bound name and the import.
    pub(in crate::project) fn of(alias: &'a Alias) -> (&'a str, Import<'a>) {
        let dotted = alias.name.as_str();
        match &alias.asname {
            Some(name) => (name.as_str(), Import { level: 0, module: dotted, name: None }),
            None => {
                let first = dotted.split('.').next().unwrap_or(dotted);
                (first, Import { level: 0, module: first, name: None })
            }
        }
    }

    /// One alias of `from a import b, c as d`: the bound name and the import.
    pub(in crate::project) fn from(
        stmt: &'a StmtImportFrom,
        alias: &'a Alias,
    ) -> (&'a str, Import<'a>) {
        let import = Import {
            level: stmt.level,
            module: stmt.module.as_ref().map_or("", |module| module.as_str()),
            name: Some(alias.name.as_str()),
        };
        (alias.asname.as_ref().unwrap_or(&alias.name).as_str(), import)
    }
}

/// The names that one scope binds or declares `global` or `nonlocal`.
#[derive(Debug, Default)]
pub(in crate::project) struct Bindings<'a> {
    names: HashMap<&'a str, Binding<'a>>,
    globals: HashSet<&'a str>,
    nonlocals: HashSet<&'a str>,
}

impl<'a> Bindings<'a> {
    fn of_function(
        parameters: Option<&'a Parameters>,
        types: Option<&'a TypeParams>,
        body: &'a [Stmt],
    ) -> Self {
        let mut bindings = Bindings::default();
        if let Some(types) = types {
            bindings.type_params(types);
        }
        for parameter in parameters.into_iter().flat_map(Parameters::iter) {
            bindings.bind(parameter.name().as_str(), Binding::Plain);
        }
        bindings.visit_body(body);
        bindings
    }

    fn of_lambda(parameters: Option<&'a Parameters>, body: &'a Expr) -> Self {
        let mut bindings = Bindings::of_function(parameters, None, &[]);
        bindings.visit_expr(body);
        bindings
    }

    fn of_comprehension(generators: &'a [Comprehension]) -> Self {
        let mut bindings = Bindings::default();
        for generator in generators {
            bindings.visit_expr(&generator.target);
        }
        bindings
    }

    fn type_params(&mut self, types: &'a TypeParams) {
        for parameter in &types.type_params {
            self.bind(parameter.name().as_str(), Binding::Plain);
        }
    }

    fn bind(&mut self, name: &'a str, binding: Binding<'a>) {
        let known = self.names.entry(name).or_insert(binding);
        if *known != binding {
            *known = Binding::Plain;
        }
    }

    /// The names declared `global` that this scope binds.
    pub(in crate::project) fn bound_globals(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.globals.iter().copied().filter(|name| self.names.contains_key(name))
    }

    fn get(&self, name: &str) -> Option<Binding<'a>> {
        let elsewhere = self.globals.contains(name) || self.nonlocals.contains(name);
        self.names.get(name).copied().filter(|_| !elsewhere)
    }

    fn import(&mut self, stmt: &'a StmtImport) {
        for alias in &stmt.names {
            let (name, import) = Import::of(alias);
            self.bind(name, Binding::Import(import));
        }
    }
}

/// Collects the names that one scope binds, without its nested scopes.
impl<'a> Visitor<'a> for Bindings<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                self.bind(def.name.as_str(), Binding::Plain);
                for decorator in &def.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                for parameter in def.parameters.iter_non_variadic_params() {
                    parameter.default.iter().for_each(|default| self.visit_expr(default));
                }
            }
            Stmt::ClassDef(def) => {
                self.bind(def.name.as_str(), Binding::Plain);
                for decorator in &def.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                if let Some(arguments) = &def.arguments {
                    self.visit_arguments(arguments);
                }
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(from) => {
                for alias in &from.names {
                    let (name, import) = Import::from(from, alias);
                    self.bind(name, Binding::Import(import));
                }
            }
            Stmt::Global(global) => {
                self.globals.extend(global.names.iter().map(|name| name.as_str()));
            }
            Stmt::Nonlocal(nonlocal) => {
                self.nonlocals.extend(nonlocal.names.iter().map(|name| name.as_str()));
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if !matches!(name.ctx, ExprContext::Load) => {
                self.bind(name.id.as_str(), Binding::Plain);
            }
            Expr::Lambda(lambda) => {
                let parameters = lambda
                    .parameters
                    .iter()
                    .flat_map(|parameters| parameters.iter_non_variadic_params());
                for default in parameters.filter_map(|parameter| parameter.default.as_ref()) {
                    self.visit_expr(default);
                }
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_comprehension(&mut self, comprehension: &'a Comprehension) {
        // The targets belong to the comprehension's own scope; a `:=` inside binds in this scope.
        self.visit_expr(&comprehension.iter);
        comprehension.ifs.iter().for_each(|test| self.visit_expr(test));
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.bind(name.as_str(), Binding::Plain);
        }
        visitor::walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchStar(star) => star.name.as_ref(),
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.bind(name.as_str(), Binding::Plain);
        }
        visitor::walk_pattern(self, pattern);
    }
}

/// The names bound by the code that `visit` visits, sorted.
pub(in crate::project) fn bound_by<'a>(visit: impl FnOnce(&mut Bindings<'a>)) -> Vec<&'a str> {
    let mut bindings = Bindings::default();
    visit(&mut bindings);
    let mut names: Vec<&str> = bindings.names.into_keys().collect();
    names.sort_unstable();
    names
}

/// How a name resolves where it is read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::project) enum Meaning<'a> {
    /// Bound in one of the enclosing function scopes.
    Local(Binding<'a>),
    /// Bound in the class body directly around; until the body has bound it, the name resolves
    /// outside the class.
    InClass,
    /// Bound outside the scopes on the stack: in the module or a builtin.
    Outside,
    /// Declared `global` in the innermost scope that declares or binds the name.
    Global,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Function,
    Class,
}

/// The nested scopes around a place in the code, outermost first, without the module's scope.
#[derive(Debug, Default)]
pub(in crate::project) struct Scopes<'a> {
    stack: Vec<(Kind, Bindings<'a>)>,
}

impl<'a> Scopes<'a> {
    pub(in crate::project) fn enter_function(&mut self, def: &'a StmtFunctionDef) -> &Bindings<'a> {
        let types = def.type_params.as_deref();
        self.enter(Kind::Function, Bindings::of_function(Some(&def.parameters), types, &def.body))
    }

    pub(in crate::project) fn enter_lambda(
        &mut self,
        parameters: Option<&'a Parameters>,
        body: &'a Expr,
    ) {
        self.enter(Kind::Function, Bindings::of_lambda(parameters, body));
    }

    pub(in crate::project) fn enter_comprehension(&mut self, generators: &'a [Comprehension]) {
        self.enter(Kind::Function, Bindings::of_comprehension(generators));
    }

    /// Enters the type parameters of a class, which are visible to its bases and methods.
    pub(in crate::project) fn enter_types(&mut self, types: Option<&'a TypeParams>) {
        let mut bindings = Bindings::default();
        types.into_iter().for_each(|types| bindings.type_params(types));
        self.enter(Kind::Function, bindings);
    }

    pub(in crate::project) fn enter_class(&mut self, def: &'a StmtClassDef) {
        let bindings = Bindings::of_function(None, None, &def.body);
        self.enter(Kind::Class, bindings);
    }

    fn enter(&mut self, kind: Kind, bindings: Bindings<'a>) -> &Bindings<'a> {
        let index = self.stack.len();
        self.stack.push((kind, bindings));
        &self.stack[index].1
    }

    pub(in crate::project) fn leave(&mut self) {
        self.stack.pop();
    }

    /// The number of scopes on the stack.
    pub(in crate::project) fn depth(&self) -> usize {
        self.stack.len()
    }

    /// Whether the innermost scope is a class body.
    pub(in crate::project) fn in_class(&self) -> bool {
        self.stack.last().is_some_and(|(kind, _)| *kind == Kind::Class)
    }

    pub(in crate::project) fn meaning(&self, name: &str) -> Meaning<'a> {
        for (index, (kind, bindings)) in self.stack.iter().enumerate().rev() {
            if bindings.globals.contains(name) {
                return Meaning::Global;
            }
            let innermost = index + 1 == self.stack.len();
            match bindings.get(name) {
                Some(_) if *kind == Kind::Class && innermost => return Meaning::InClass,
                Some(binding) if *kind == Kind::Function => return Meaning::Local(binding),
                _ => {}
            }
        }
        Meaning::Outside
    }
}

/// The free variables of a function: the names that it takes from enclosing scopes.
pub(super) fn free_names<'a>(code: Code<'a>) -> BTreeSet<&'a str> {
    let mut free = Free { scopes: Scopes::default(), names: BTreeSet::new() };
    match code {
        Code::Def(def) => {
            free.scopes.enter_function(def);
            free.visit_body(&def.body);
        }
        Code::Lambda(lambda) => {
            free.scopes.enter_lambda(lambda.parameters.as_deref(), &lambda.body);
            free.visit_expr(&lambda.body);
        }
    }
    free.names
}

struct Free<'a> {
    scopes: Scopes<'a>,
    names: BTreeSet<&'a str>,
}

impl<'a> Free<'a> {
    fn defaults(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter_non_variadic_params() {
            parameter.default.iter().for_each(|default| self.visit_expr(default));
        }
    }
}

/// Visits the parts of a comprehension, each in the scope where Python evaluates it.
pub(in crate::project) fn comprehension<'a, V: Visitor<'a>>(
    visitor: &mut V,
    scopes: fn(&mut V) -> &mut Scopes<'a>,
    generators: &'a [Comprehension],
    elements: &[Option<&'a Expr>],
) {
    // Python evaluates the first iterable in the enclosing scope.
    generators.first().into_iter().for_each(|first| visitor.visit_expr(&first.iter));
    scopes(visitor).enter_comprehension(generators);
    for (index, generator) in generators.iter().enumerate() {
        if index > 0 {
            visitor.visit_expr(&generator.iter);
        }
        visitor.visit_expr(&generator.target);
        generator.ifs.iter().for_each(|test| visitor.visit_expr(test));
    }
    elements.iter().flatten().for_each(|element| visitor.visit_expr(element));
    scopes(visitor).leave();
}

impl<'a> Visitor<'a> for Free<'a> {
    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.defaults(&def.parameters);
                self.scopes.enter_function(def);
                self.visit_body(&def.body);
                self.scopes.leave();
            }
            Stmt::ClassDef(def) => {
                def.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.scopes.enter_types(def.type_params.as_deref());
                def.arguments.iter().for_each(|arguments| self.visit_arguments(arguments));
                self.scopes.enter_class(def);
                self.visit_body(&def.body);
                self.scopes.leave();
                self.scopes.leave();
            }
            _ => visitor::walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                let meaning = self.scopes.meaning(&name.id);
                if matches!(meaning, Meaning::Outside | Meaning::InClass) {
                    self.names.insert(name.id.as_str());
                }
            }
            Expr::Lambda(lambda) => {
                lambda.parameters.iter().for_each(|parameters| self.defaults(parameters));
                self.scopes.enter_lambda(lambda.parameters.as_deref(), &lambda.body);
                self.visit_expr(&lambda.body);
                self.scopes.leave();
            }
            Expr::ListComp(comp) => {
                comprehension(self, |to| &mut to.scopes, &comp.generators, &[Some(&comp.elt)])
            }
            Expr::SetComp(comp) => {
                comprehension(self, |to| &mut to.scopes, &comp.generators, &[Some(&comp.elt)])
            }
            Expr::Generator(comp) => {
                comprehension(self, |to| &mut to.scopes, &comp.generators, &[Some(&comp.elt)])
            }
            Expr::DictComp(comp) => {
                comprehension(
                    self,
                    |to| &mut to.scopes,
                    &comp.generators,
                    &[comp.key.as_deref(), Some(&comp.value)],
                );
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}
