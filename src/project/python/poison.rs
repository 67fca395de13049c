//! Code that may or may not run: everything that it could change is marked as unknown ("poisoned").

use std::rc::Rc;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{ExceptHandler, Expr, ExprCall, Operator, Stmt, StmtAssign, StmtTry};

use super::interp::{Frame, Interp, Stop};
use super::module::Imported;
use super::scope::{Elsewhere, ScopeKind};
use super::source::At;
use super::stmt::Flow;
use super::value::{Code, Key, Unknown, Value};

/// The largest number of possibly called functions to look into; each is nested in the previous
/// one.
const MAX_CALLED: usize = 200;

/// Packages, of those that pipeline code imports, that are installed wherever Kedro is.
const CERTAIN: [&str; 24] = [
    "abc",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "importlib",
    "inspect",
    "itertools",
    "json",
    "kedro",
    "logging",
    "math",
    "operator",
    "os",
    "pathlib",
    "re",
    "sys",
    "time",
    "types",
    "typing",
    "warnings",
];

/// The ways in which code that may run could leave its surroundings.
#[derive(Default)]
struct Exits {
    returns: bool,
    leaves_loop: bool,
}

impl<'a> Interp<'a> {
    /// The flow after branches of which any may have run.
    ///
    /// A branch that may return leaves the result unknown. A branch that may raise is assumed not
    /// to raise, because a pipeline that raises has nothing to show.
    pub(super) fn poison_branches(
        &mut self,
        branches: &[&'a [Stmt]],
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
    ) -> Flow<'a> {
        self.perhaps_called.clear();
        let mut exits = Exits::default();
        for branch in branches {
            self.poison_body(branch, frame, why, &mut exits, false);
        }
        if exits.returns {
            Flow::Return(Value::Unknown(why.clone()))
        } else if exits.leaves_loop {
            Flow::Lost(why.clone())
        } else {
            Flow::Next
        }
    }

    /// The flow after statements that may have run.
    pub(super) fn poison_flow(
        &mut self,
        body: &'a [Stmt],
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
    ) -> Flow<'a> {
        self.perhaps_called.clear();
        let mut exits = Exits::default();
        self.poison_body(body, frame, why, &mut exits, true);
        if exits.returns { Flow::Return(Value::Unknown(why.clone())) } else { Flow::Next }
    }

    /// The flow after a `try` whose body succeeded here, but may fail where a package is missing.
    pub(super) fn poison_uncertain_imports(
        &mut self,
        stmt: &'a StmtTry,
        flow: Flow<'a>,
        frame: &Frame<'a>,
    ) -> Result<Flow<'a>, Stop<'a>> {
        let handlers: Vec<&'a [Stmt]> = (stmt.handlers.iter())
            .map(|ExceptHandler::ExceptHandler(handler)| &*handler.body)
            .filter(|body| !matches!(body.last(), Some(Stmt::Raise(_))))
            .collect();
        if handlers.is_empty() {
            return Ok(flow);
        }
        let mut uncertain = None;
        for (index, stmt) in stmt.body.iter().enumerate() {
            if let Some(package) = self.uncertain_package(stmt)? {
                uncertain = Some((index, package, At::new(frame.source, stmt)));
                break;
            }
        }
        let Some((index, package, at)) = uncertain else { return Ok(flow) };
        let why = self.because(at, format!("whether `{package}` is installed is not known"));
        // Names that only the body imports keep their values: if the import failed, the code that
        // uses them would fail too.
        let after = stmt.body[index..].iter().chain(&stmt.orelse);
        let branches: Vec<&'a [Stmt]> = after
            .filter(|stmt| !matches!(stmt, Stmt::Import(_) | Stmt::ImportFrom(_)))
            .map(std::slice::from_ref)
            .chain(handlers)
            .collect();
        let poisoned = self.poison_branches(&branches, frame, &why);
        Ok(match (flow, poisoned) {
            (Flow::Next, poisoned) => poisoned,
            (Flow::Return(_), _) => Flow::Return(Value::Unknown(why)),
            (_, _) => Flow::Lost(why),
        })
    }

    /// The package that `stmt` imports and that may not be installed.
    fn uncertain_package(&mut self, stmt: &'a Stmt) -> Result<Option<&'a str>, Stop<'a>> {
        let names: Vec<&'a str> = match stmt {
            Stmt::Import(import) => import.names.iter().map(|alias| alias.name.as_str()).collect(),
            Stmt::ImportFrom(import) if import.level == 0 => {
                import.module.iter().map(|name| name.as_str()).collect()
            }
            _ => Vec::new(),
        };
        for name in names {
            let package = name.split('.').next().unwrap_or(name);
            let certain = CERTAIN.contains(&package);
            if !certain && matches!(self.import(package)?, Imported::External) {
                return Ok(Some(package));
            }
        }
        Ok(None)
    }

    fn poison_body(
        &mut self,
        body: &'a [Stmt],
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
        exits: &mut Exits,
        in_loop: bool,
    ) {
        for stmt in body {
            self.poison_stmt(stmt, frame, why, exits, in_loop);
        }
    }

    fn poison_stmt(
        &mut self,
        stmt: &'a Stmt,
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
        exits: &mut Exits,
        in_loop: bool,
    ) {
        // Values left unpoisoned here are never shown, because the next step stops the evaluation.
        if self.step().is_err() {
            return;
        }
        let set = |name: &str| frame.scope.set(name, Value::Unknown(why.clone()));
        match stmt {
            Stmt::FunctionDef(def) => set(def.name.as_str()),
            Stmt::ClassDef(def) => set(def.name.as_str()),
            Stmt::Return(ret) => {
                exits.returns = true;
                ret.value.iter().for_each(|value| self.poison_expr(value, frame, why));
            }
            Stmt::Global(global) => {
                let names = global.names.iter();
                names.for_each(|name| frame.scope.declare(name.as_str(), Elsewhere::Global));
            }
            Stmt::Nonlocal(nonlocal) => {
                let names = nonlocal.names.iter();
                names.for_each(|name| frame.scope.declare(name.as_str(), Elsewhere::Nonlocal));
            }
            Stmt::Break(_) | Stmt::Continue(_) => exits.leaves_loop |= !in_loop,
            Stmt::Delete(delete) => {
                delete.targets.iter().for_each(|target| self.poison_target(target, frame, why));
            }
            Stmt::Assign(assign) if adds_to_its_target(assign) => {
                self.poison_addition(&assign.targets[0], frame, why);
            }
            Stmt::Assign(assign) => {
                assign.targets.iter().for_each(|target| self.poison_target(target, frame, why));
                self.poison_expr(&assign.value, frame, why);
            }
            Stmt::AugAssign(assign) => {
                self.poison_expr(&assign.value, frame, why);
                self.poison_addition(&assign.target, frame, why);
            }
            Stmt::AnnAssign(assign) if assign.value.is_some() => {
                assign.value.iter().for_each(|value| self.poison_expr(value, frame, why));
                self.poison_target(&assign.target, frame, why);
            }
            Stmt::For(stmt) => {
                self.poison_expr(&stmt.iter, frame, why);
                self.poison_target(&stmt.target, frame, why);
                self.poison_body(&stmt.body, frame, why, exits, true);
                self.poison_body(&stmt.orelse, frame, why, exits, in_loop);
            }
            Stmt::While(stmt) => {
                self.poison_expr(&stmt.test, frame, why);
                self.poison_body(&stmt.body, frame, why, exits, true);
                self.poison_body(&stmt.orelse, frame, why, exits, in_loop);
            }
            Stmt::If(stmt) => {
                self.poison_expr(&stmt.test, frame, why);
                self.poison_body(&stmt.body, frame, why, exits, in_loop);
                for clause in &stmt.elif_else_clauses {
                    self.poison_body(&clause.body, frame, why, exits, in_loop);
                }
            }
            Stmt::With(stmt) => {
                stmt.items.iter().for_each(|item| self.poison_expr(&item.context_expr, frame, why));
                for target in stmt.items.iter().filter_map(|item| item.optional_vars.as_deref()) {
                    self.poison_target(target, frame, why);
                }
                self.poison_body(&stmt.body, frame, why, exits, in_loop);
            }
            Stmt::Try(stmt) => {
                self.poison_body(&stmt.body, frame, why, exits, in_loop);
                for ExceptHandler::ExceptHandler(handler) in &stmt.handlers {
                    self.poison_body(&handler.body, frame, why, exits, in_loop);
                }
                self.poison_body(&stmt.orelse, frame, why, exits, in_loop);
                self.poison_body(&stmt.finalbody, frame, why, exits, in_loop);
            }
            Stmt::Match(stmt) => {
                for case in &stmt.cases {
                    self.poison_captures(&case.pattern, frame, why);
                    self.poison_body(&case.body, frame, why, exits, in_loop);
                }
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let first = alias.name.as_str().split('.').next().unwrap_or_default();
                    set(alias.asname.as_ref().map_or(first, |name| name.as_str()));
                }
            }
            Stmt::ImportFrom(import) => {
                for alias in import.names.iter().filter(|alias| alias.name.as_str() != "*") {
                    set(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
                }
            }
            Stmt::Expr(expr) => self.poison_expr(&expr.value, frame, why),
            _ => {}
        }
    }

    /// Marks containers that `target += ...` may extend as open; any other value becomes unknown.
    fn poison_addition(&mut self, target: &'a Expr, frame: &Frame<'a>, why: &Rc<Unknown>) {
        match plain(target, frame) {
            Some(value @ (Value::List(_) | Value::Dict(_) | Value::Set(_))) => value.make_open(why),
            Some(Value::Pipeline(pipeline)) => {
                let more = self.pipeline_with_more(&pipeline, why);
                if let Expr::Name(name) = target {
                    frame.scope.set(name.id.as_str(), more);
                } else {
                    self.poison_target(target, frame, why);
                }
            }
            _ => self.poison_target(target, frame, why),
        }
    }

    /// Marks the names and items that an assignment to `target` may have bound as unknown.
    pub(super) fn poison_target(&mut self, target: &'a Expr, frame: &Frame<'a>, why: &Rc<Unknown>) {
        match target {
            Expr::Name(name) => frame.scope.set(name.id.as_str(), Value::Unknown(why.clone())),
            Expr::Tuple(tuple) => {
                tuple.elts.iter().for_each(|target| self.poison_target(target, frame, why));
            }
            Expr::List(list) => {
                list.elts.iter().for_each(|target| self.poison_target(target, frame, why));
            }
            Expr::Starred(starred) => self.poison_target(&starred.value, frame, why),
            Expr::Subscript(subscript) => {
                if let Some(container) = plain(&subscript.value, frame) {
                    self.poison_item(&container, &subscript.slice, frame, why);
                }
            }
            Expr::Attribute(attribute) => {
                if let Some(object) = plain(&attribute.value, frame) {
                    self.set_attribute(
                        &object,
                        attribute.attr.as_str(),
                        Value::Unknown(why.clone()),
                    );
                }
            }
            _ => {}
        }
    }

    /// Marks one item of a container as unknown if its key is simple; otherwise marks the container
    /// as open.
    fn poison_item(
        &mut self,
        container: &Value<'a>,
        index: &'a Expr,
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
    ) {
        let key = match index {
            Expr::StringLiteral(literal) => Some(Value::str(literal.value.to_str())),
            other => plain(other, frame),
        };
        if let (Value::Dict(dict), Some(value)) = (container, key)
            && let Some(key) = value.key(self.budget)
            && let Some(entry) = dict.entries.borrow_mut().get_mut(&key)
        {
            entry.1 = Value::Unknown(why.clone());
            return;
        }
        container.make_open(why);
        if let Value::List(list) = container {
            list.items.borrow_mut().clear();
        }
    }

    /// Marks containers as open that methods called in `expr` may have changed.
    pub(super) fn poison_expr(&mut self, expr: &'a Expr, frame: &Frame<'a>, why: &Rc<Unknown>) {
        let mut calls = Calls::default();
        calls.visit_expr(expr);
        self.poison_calls(calls, frame, why);
    }

    /// Like [`Interp::poison_expr`], for one call that was aborted.
    pub(super) fn poison_call(&mut self, call: &'a ExprCall, frame: &Frame<'a>, why: &Rc<Unknown>) {
        let mut calls = Calls::default();
        calls.take(call);
        self.poison_calls(calls, frame, why);
    }

    fn poison_calls(&mut self, calls: Calls<'a>, frame: &Frame<'a>, why: &Rc<Unknown>) {
        for (receiver, method) in calls.methods {
            if let Some(container) = plain(receiver, frame) {
                may_have_changed(&container, method, why);
            }
        }
        for (callee, argument) in calls.arguments {
            let changes = !matches!(plain(callee, frame), Some(Value::External(_)) | None);
            if let (true, Some(container)) = (changes, plain(argument, frame)) {
                container.make_open(why);
            }
        }
        for callee in calls.callees {
            self.poison_called(callee, frame, why);
        }
        for name in calls.walrus {
            frame.scope.set_outside_comprehension(name, Value::Unknown(why.clone()));
        }
    }
}

impl<'a> Interp<'a> {
    /// Poisons everything that a possibly called project function may change in turn.
    fn poison_called(&mut self, callee: &'a Expr, frame: &Frame<'a>, why: &Rc<Unknown>) {
        let receiver = match callee {
            Expr::Attribute(attribute) => plain(&attribute.value, frame),
            _ => None,
        };
        let (object, function) = match (plain(callee, frame), &receiver, callee) {
            (Some(Value::Function(function)), _, _) => (None, function),
            (Some(Value::Bound(bound)), _, _) => (Some(bound.0.clone()), bound.1.clone()),
            (_, Some(Value::Instance(instance)), Expr::Attribute(attribute)) => {
                match self.class_attribute(&instance.class, attribute.attr.as_str()) {
                    Some(Value::Function(function)) => (receiver, function),
                    _ => return,
                }
            }
            _ => return,
        };
        let Code::Def(def) = function.code else { return };
        let address = |value: &Value<'a>| match value {
            Value::Instance(instance) => Rc::as_ptr(instance).cast::<()>() as usize,
            Value::Class(class) => Rc::as_ptr(class).cast::<()>() as usize,
            _ => 0,
        };
        let key = (Rc::as_ptr(&function).cast::<()>() as usize, object.as_ref().map_or(0, address));
        if self.perhaps_called.len() >= MAX_CALLED || !self.perhaps_called.insert(key) {
            return;
        }
        let scope = self.scope(ScopeKind::Function, Some(function.closure.clone()));
        for parameter in def.parameters.iter_non_variadic_params() {
            scope.set(parameter.parameter.name.as_str(), Value::Unknown(why.clone()));
        }
        if let (Some(object), Some(first)) = (object, def.parameters.args.first()) {
            scope.set(first.parameter.name.as_str(), object);
        }
        let frame =
            Frame { module: function.module.clone(), source: function.source, scope, yields: None };
        self.poison_body(&def.body, &frame, why, &mut Exits::default(), false);
    }
}

/// Whether an assignment has the form `name = name + ...`.
fn adds_to_its_target(assign: &StmtAssign) -> bool {
    match (&assign.targets[..], &*assign.value) {
        ([Expr::Name(target)], Expr::BinOp(sum)) => {
            matches!(sum.op, Operator::Add | Operator::BitOr)
                && matches!(&*sum.left, Expr::Name(left) if left.id == target.id)
        }
        _ => false,
    }
}

/// Marks a container as open if calling `method` may have changed it.
fn may_have_changed(container: &Value<'_>, method: &str, why: &Rc<Unknown>) {
    match method {
        "append" | "extend" | "add" | "update" | "setdefault" | "__setitem__" => {
            container.make_open(why);
        }
        "insert" | "pop" | "popitem" | "remove" | "discard" | "clear" | "sort" | "reverse" => {
            container.make_open(why);
            match container {
                Value::List(list) | Value::Iter(list) => list.items.borrow_mut().clear(),
                Value::Dict(dict) => dict.entries.borrow_mut().clear(),
                Value::Set(set) => set.members.borrow_mut().clear(),
                _ => {}
            }
        }
        _ => {}
    }
}

/// The value of a name or of an attribute of a name, if the lookup can have no side effect.
fn plain<'a>(expr: &Expr, frame: &Frame<'a>) -> Option<Value<'a>> {
    match expr {
        Expr::Name(name) => frame.scope.get(name.id.as_str()),
        Expr::Attribute(attribute) => match plain(&attribute.value, frame)? {
            Value::Instance(instance) => {
                instance.attributes.borrow().get(attribute.attr.as_str()).cloned()
            }
            Value::Module(module) => module.scope.own(attribute.attr.as_str()),
            Value::Class(class) => class.namespace.own(attribute.attr.as_str()),
            _ => None,
        },
        Expr::Subscript(subscript) => match (plain(&subscript.value, frame)?, &*subscript.slice) {
            (Value::Dict(dict), Expr::StringLiteral(literal)) => {
                let key = Key::Str(literal.value.to_str().into());
                dict.entries.borrow().get(&key).map(|entry| entry.1.clone())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The method calls and `:=` targets of an expression.
#[derive(Default)]
struct Calls<'a> {
    methods: Vec<(&'a Expr, &'a str)>,
    arguments: Vec<(&'a Expr, &'a Expr)>,
    callees: Vec<&'a Expr>,
    walrus: Vec<&'a str>,
}

impl<'a> Calls<'a> {
    fn take(&mut self, call: &'a ExprCall) {
        self.callees.push(&call.func);
        self.arguments.extend(call.arguments.args.iter().map(|arg| (&*call.func, arg)));
        if let Expr::Attribute(attribute) = &*call.func {
            self.methods.push((&attribute.value, attribute.attr.as_str()));
        }
    }
}

impl<'a> Visitor<'a> for Calls<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Call(call) => self.take(call),
            Expr::Named(named) => {
                if let Expr::Name(name) = &*named.target {
                    self.walrus.push(name.id.as_str());
                }
            }
            Expr::Lambda(_) => return,
            _ => {}
        }
        visitor::walk_expr(self, expr);
    }
}
