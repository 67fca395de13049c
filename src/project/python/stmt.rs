//! Execution of statements.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{
    ExceptHandler, Expr, Stmt, StmtClassDef, StmtFor, StmtFunctionDef, StmtIf, StmtRaise, StmtTry,
    StmtWhile, StmtWith,
};

use super::interp::{Eval, Frame, Interp, MAX_ROUNDS, Raised, Stop};
use super::scope::{Elsewhere, ScopeKind};
use super::source::At;
use super::value::{Class, Code, Function, Shape, Unknown, Value};
use crate::project::{Problem, Severity};

/// How a statement ends.
pub(super) enum Flow<'a> {
    Next,
    Return(Value<'a>),
    Break,
    Continue,
    /// It is unknown whether a loop was left here.
    Lost(Rc<Unknown>),
}

type Exec<'a> = Result<Flow<'a>, Stop<'a>>;

impl<'a> Interp<'a> {
    /// Runs a module's body; `return` and the like have no meaning there.
    pub(super) fn exec_module(&mut self, frame: &Frame<'a>) -> Result<(), Stop<'a>> {
        let Some(source) = frame.module.source else { return Ok(()) };
        for stmt in &source.tree.body {
            self.exec(stmt, frame)?;
        }
        Ok(())
    }

    /// Runs statements in order.
    pub(super) fn exec_body(&mut self, body: &'a [Stmt], frame: &Frame<'a>) -> Exec<'a> {
        for stmt in body {
            match self.exec(stmt, frame)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn exec(&mut self, stmt: &'a Stmt, frame: &Frame<'a>) -> Exec<'a> {
        let at = At::new(frame.source, stmt);
        // A definition does not run its body, so it needs no compartment.
        if matches!(stmt, Stmt::FunctionDef(_)) {
            return self.deeper(|interp| interp.exec_one(stmt, frame));
        }
        let within = |interp: &mut Self| interp.deeper(|interp| interp.exec_one(stmt, frame));
        match self.compartment(at, within) {
            Ok(Ok(flow)) => Ok(flow),
            Ok(Err(why)) => Ok(self.poison_branches(&[std::slice::from_ref(stmt)], frame, &why)),
            Err(stop) => {
                if let Stop::Exhausted = stop {
                    self.reached_bounds(at);
                }
                Err(stop)
            }
        }
    }

    fn exec_one(&mut self, stmt: &'a Stmt, frame: &Frame<'a>) -> Exec<'a> {
        let at = At::new(frame.source, stmt);
        match stmt {
            Stmt::FunctionDef(def) => self.exec_def(def, frame)?,
            Stmt::ClassDef(def) => self.exec_class(def, frame)?,
            Stmt::Return(ret) => {
                return Ok(Flow::Return(match &ret.value {
                    Some(value) => self.eval(value, frame)?,
                    None => Value::None,
                }));
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.delete(target, frame)?;
                }
            }
            Stmt::Assign(assign) => {
                let value = self.eval(&assign.value, frame)?;
                for target in &assign.targets {
                    self.assign(target, value.clone(), frame)?;
                }
            }
            Stmt::AugAssign(assign) => self.exec_aug_assign(assign, frame)?,
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.eval(value, frame)?;
                    self.assign(&assign.target, value, frame)?;
                }
            }
            Stmt::For(stmt) => return self.exec_for(stmt, frame),
            Stmt::While(stmt) => return self.exec_while(stmt, frame, at),
            Stmt::If(stmt) => return self.exec_if(stmt, frame),
            Stmt::With(stmt) => return self.exec_with(stmt, frame),
            Stmt::Try(stmt) => return self.exec_try(stmt, frame),
            Stmt::Raise(raise) => return self.exec_raise(raise, frame, at),
            Stmt::Match(stmt) => return self.exec_match(stmt, frame),
            Stmt::Import(import) => self.exec_import(import, frame)?,
            Stmt::ImportFrom(import) => self.exec_import_from(import, frame)?,
            Stmt::Global(global) => {
                for name in &global.names {
                    frame.scope.declare(name.as_str(), Elsewhere::Global);
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                for name in &nonlocal.names {
                    frame.scope.declare(name.as_str(), Elsewhere::Nonlocal);
                }
            }
            Stmt::Expr(expr) => drop(self.eval(&expr.value, frame)?),
            Stmt::TypeAlias(alias) => {
                let value = self.unknown(at, "a type alias is not evaluated");
                self.assign(&alias.name, value, frame)?;
            }
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::Continue(_) => return Ok(Flow::Continue),
            // An assertion is assumed to hold, because a failing one would leave nothing to show.
            Stmt::Assert(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {}
        }
        Ok(Flow::Next)
    }

    fn exec_def(&mut self, def: &'a StmtFunctionDef, frame: &Frame<'a>) -> Result<(), Stop<'a>> {
        let mut value = self.function(Code::Def(def), frame, None)?;
        for decorator in def.decorator_list.iter().rev() {
            let at = At::new(frame.source, decorator);
            let applied = self.eval(&decorator.expression, frame)?;
            let decorated = self.call_with(&applied, vec![value.clone()], at)?;
            value = match decorated {
                // Most decorators from outside return the function, wrapped or not. Its name and
                // location are then still those of this definition.
                Value::Unknown(why) => self.function(Code::Def(def), frame, Some(why))?,
                known => known,
            };
        }
        frame.scope.set(def.name.as_str(), value);
        Ok(())
    }

    /// A function value for `code`; its defaults are evaluated now.
    pub(super) fn function(
        &mut self,
        code: Code<'a>,
        frame: &Frame<'a>,
        decorated: Option<Rc<Unknown>>,
    ) -> Eval<'a> {
        let mut defaults = HashMap::new();
        if let Some(parameters) = code.parameters() {
            for parameter in parameters.iter_non_variadic_params() {
                if let Some(default) = &parameter.default {
                    let value = self.eval(default, frame)?;
                    defaults.insert(parameter.parameter.name.as_str().into(), value);
                }
            }
        }
        let function = Function {
            code,
            source: frame.source,
            module: frame.module.clone(),
            closure: frame.scope.for_closure(),
            defaults,
            attributes: RefCell::default(),
            decorated,
        };
        Ok(self.keep(Value::Function(Rc::new(function))))
    }

    fn exec_class(&mut self, def: &'a StmtClassDef, frame: &Frame<'a>) -> Result<(), Stop<'a>> {
        let mut bases = Vec::new();
        if let Some(arguments) = &def.arguments {
            for base in &arguments.args {
                bases.push(self.eval(base, frame)?);
            }
        }
        let mut shape = Self::shape(&bases);
        let mut decorated = None;
        for decorator in &def.decorator_list {
            let value = self.eval(&decorator.expression, frame)?;
            match &value {
                Value::External(name) if &**name == "dataclasses.dataclass" => {
                    shape = Shape::Dataclass;
                }
                Value::External(name) if matches!(&**name, "enum.unique" | "typing.final") => {}
                _ => decorated = Some(self.why(&value, At::new(frame.source, decorator))),
            }
        }
        let namespace = self.scope(ScopeKind::Class, Some(frame.scope.clone()));
        self.exec_body(&def.body, &frame.within(namespace.clone()))?;
        let class = Rc::new(Class {
            shape,
            def,
            source: frame.source,
            module: frame.module.clone(),
            namespace,
            bases,
            decorated,
        });
        if shape == Shape::Enum {
            self.make_members(&class);
        }
        let value = self.keep(Value::Class(class));
        frame.scope.set(def.name.as_str(), value);
        Ok(())
    }

    fn exec_if(&mut self, stmt: &'a StmtIf, frame: &Frame<'a>) -> Exec<'a> {
        let mut test = Some(&*stmt.test);
        let mut body: &'a [Stmt] = &stmt.body;
        let mut rest = stmt.elif_else_clauses.iter();
        loop {
            let holds = match test {
                None => Ok(true),
                Some(test) => {
                    let value = self.eval(test, frame)?;
                    self.truth(&value, At::new(frame.source, test))
                }
            };
            match holds {
                Ok(true) => return self.exec_body(body, frame),
                Ok(false) => {}
                Err(why) => {
                    let mut branches = vec![body];
                    branches.extend(rest.map(|clause| &*clause.body));
                    return Ok(self.poison_branches(&branches, frame, &why));
                }
            }
            let Some(clause) = rest.next() else { return Ok(Flow::Next) };
            test = clause.test.as_ref();
            body = &clause.body;
        }
    }

    fn exec_for(&mut self, stmt: &'a StmtFor, frame: &Frame<'a>) -> Exec<'a> {
        let iterable = self.eval(&stmt.iter, frame)?;
        let (mut items, mut open) = self.items(&iterable, At::new(frame.source, &*stmt.iter))?;
        let mut index = 0;
        loop {
            // If the loop body changes the list, each iteration sees the current list, as in
            // Python.
            let item = match &iterable {
                Value::List(list) => list.items.borrow().get(index).cloned(),
                _ => items.get_mut(index).map(|item| std::mem::replace(item, Value::None)),
            };
            let Some(item) = item else { break };
            index += 1;
            self.step()?;
            self.assign(&stmt.target, item, frame)?;
            match self.exec_body(&stmt.body, frame)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Lost(why) => {
                    open = Some(why);
                    break;
                }
                flow @ Flow::Return(_) => return Ok(flow),
            }
        }
        if let Some(why) = open {
            self.poison_target(&stmt.target, frame, &why);
            return Ok(self.poison_flow(&stmt.body, frame, &why));
        }
        self.exec_body(&stmt.orelse, frame)
    }

    fn exec_while(&mut self, stmt: &'a StmtWhile, frame: &Frame<'a>, at: At<'a>) -> Exec<'a> {
        for _ in 0..MAX_ROUNDS {
            self.step()?;
            let test = self.eval(&stmt.test, frame)?;
            match self.truth(&test, At::new(frame.source, &*stmt.test)) {
                Ok(true) => {}
                Ok(false) => return self.exec_body(&stmt.orelse, frame),
                Err(why) => return Ok(self.poison_flow(&stmt.body, frame, &why)),
            }
            match self.exec_body(&stmt.body, frame)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                Flow::Lost(why) => return Ok(self.poison_flow(&stmt.body, frame, &why)),
                flow @ Flow::Return(_) => return Ok(flow),
            }
        }
        let why = self.because(at, "this loop does not end within 100,000 rounds");
        Ok(self.poison_flow(&stmt.body, frame, &why))
    }

    fn exec_with(&mut self, stmt: &'a StmtWith, frame: &Frame<'a>) -> Exec<'a> {
        for item in &stmt.items {
            let at = At::new(frame.source, &item.context_expr);
            let value = self.eval(&item.context_expr, frame)?;
            if let Some(target) = &item.optional_vars {
                let entered = self.unknown(at, format!("`{}` is not entered", at.text()));
                let entered = if let Value::Unknown(_) = value { value } else { entered };
                self.assign(target, entered, frame)?;
            }
        }
        self.exec_body(&stmt.body, frame)
    }

    fn exec_raise(&mut self, raise: &'a StmtRaise, frame: &Frame<'a>, at: At<'a>) -> Exec<'a> {
        let raised = match &raise.exc {
            Some(exc) => {
                // Exceptions are only compared by class; their arguments only matter as text.
                let class = match &**exc {
                    Expr::Call(call) => &*call.func,
                    other => other,
                };
                self.eval(class, frame)?
            }
            None => Value::External("builtins.Exception".into()),
        };
        let text = format!("`{}`", at.text());
        if self.tries > 0 {
            let raised = Raised { class: raised, text, place: at.place() };
            return Err(Stop::Raised(Box::new(raised)));
        }
        self.problem(
            Problem::new(
                Severity::Error,
                Some(at.place()),
                format!("The pipeline code stops here: {text}."),
                "Remove the cause of it; the exact reading shows the whole message.",
            )
            .hiding(),
        );
        let why = Self::error_at(at, format!("the code stops at {text}"));
        Ok(Flow::Return(Value::Unknown(why)))
    }

    fn exec_try(&mut self, stmt: &'a StmtTry, frame: &Frame<'a>) -> Exec<'a> {
        let guarded = !stmt.handlers.is_empty();
        self.tries += u32::from(guarded);
        let result = self.exec_body(&stmt.body, frame);
        self.tries -= u32::from(guarded);
        let went_through = result.is_ok();
        let result = match result {
            Ok(Flow::Next) => self.exec_body(&stmt.orelse, frame),
            Err(Stop::Raised(raised)) => self.handle(stmt, *raised, frame),
            other => other,
        };
        let result = match result {
            Err(Stop::Exhausted) => return result,
            Ok(flow) if guarded && went_through => self.poison_uncertain_imports(stmt, flow, frame),
            other => other,
        };
        match self.exec_body(&stmt.finalbody, frame)? {
            Flow::Next => result,
            flow => Ok(flow),
        }
    }

    fn handle(&mut self, stmt: &'a StmtTry, raised: Raised<'a>, frame: &Frame<'a>) -> Exec<'a> {
        for ExceptHandler::ExceptHandler(handler) in &stmt.handlers {
            let catches = match &handler.type_ {
                None => true,
                Some(class) => {
                    let class = self.eval(class, frame)?;
                    catches(&class, &raised.class)
                }
            };
            if catches {
                if let Some(name) = &handler.name {
                    let at = At::new(frame.source, handler);
                    let value = self.unknown(at, "an exception's text is not evaluated");
                    frame.scope.set(name.as_str(), value);
                }
                return self.exec_body(&handler.body, frame);
            }
        }
        if self.tries > 0 {
            return Err(Stop::Raised(Box::new(raised)));
        }
        self.problem(
            Problem::new(
                Severity::Error,
                Some(raised.place.clone()),
                format!("Python stops here with {}: {}.", class_name(&raised.class), raised.text),
                "Correct the code at this place.",
            )
            .hiding(),
        );
        let unknown =
            Unknown { reason: raised.text, place: raised.place, severity: Severity::Error };
        Ok(Flow::Return(Value::Unknown(Rc::new(unknown))))
    }
}

fn class_name<'v>(class: &'v Value<'_>) -> &'v str {
    match class {
        Value::Class(class) => class.def.name.as_str(),
        Value::External(name) => name.rsplit('.').next().unwrap_or(name),
        _ => "an exception",
    }
}

/// Whether `except handler` catches an exception of class `raised`; if in doubt, it does.
fn catches<'a>(handler: &Value<'a>, raised: &Value<'a>) -> bool {
    match (handler, raised) {
        (Value::Tuple(classes), _) => classes.iter().any(|class| catches(class, raised)),
        (Value::Class(handler), Value::Class(raised)) => {
            raised.lineage().into_iter().any(|class| std::ptr::eq(class, &**handler))
        }
        (Value::External(_), Value::Class(raised)) => {
            let bases = raised.lineage().into_iter().flat_map(|class| &class.bases);
            bases.filter(|base| !matches!(base, Value::Class(_))).any(|base| catches(handler, base))
        }
        (Value::External(handler), Value::External(raised)) => {
            let mut class = Some(&**raised);
            while let Some(name) = class {
                if name == &**handler {
                    return true;
                }
                class = parent_exception(name);
            }
            // An exception from outside the project may be a subclass of any builtin exception.
            !raised.starts_with("builtins.") && handler.starts_with("builtins.")
        }
        (Value::Class(_), Value::External(_)) => false,
        _ => true,
    }
}

fn parent_exception(name: &str) -> Option<&'static str> {
    Some(match name.strip_prefix("builtins.")? {
        "ModuleNotFoundError" => "builtins.ImportError",
        "KeyError" | "IndexError" => "builtins.LookupError",
        "ZeroDivisionError" => "builtins.ArithmeticError",
        "FileNotFoundError" => "builtins.OSError",
        "NotImplementedError" => "builtins.RuntimeError",
        "UnboundLocalError" => "builtins.NameError",
        "Exception" => "builtins.BaseException",
        "BaseException" => return None,
        "SystemExit" | "KeyboardInterrupt" => "builtins.BaseException",
        _ => "builtins.Exception",
    })
}
