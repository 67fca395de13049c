//! Calls: arguments, project functions, partials, and objects of project classes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use indexmap::IndexMap;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ExprCall, Parameters, Stmt};

use super::interp::{ENTRY_BYTES, Eval, Frame, Interp, MAX_CALLS, Stop};
use super::scope::{Scope, ScopeKind};
use super::source::At;
use super::stmt::Flow;
use super::value::{Class, Code, Function, Instance, Key, Partial, Shape, Unknown, Value};
use crate::text::UserError;

/// The arguments of a call.
#[derive(Clone, Default)]
pub(super) struct Args<'a> {
    pub positional: Vec<Value<'a>>,
    pub named: Vec<(Rc<str>, Value<'a>)>,
    /// Why there may be more arguments than listed; `None` if all are known.
    pub open: Option<Rc<Unknown>>,
    /// The call expression; `None` for a call that the evaluator makes itself.
    pub written: Option<&'a ExprCall>,
}

impl<'a> Args<'a> {
    pub(super) fn positional(positional: Vec<Value<'a>>) -> Self {
        Args { positional, ..Args::default() }
    }

    /// Removes and returns the first positional argument.
    pub(super) fn take_first(&mut self) -> Option<Value<'a>> {
        if self.positional.is_empty() { None } else { Some(self.positional.remove(0)) }
    }

    /// Binds the arguments to parameters of these names. If the arguments are open, a missing one
    /// is unknown.
    pub(super) fn bind<const N: usize>(&self, names: [&str; N]) -> [Option<Value<'a>>; N] {
        let mut index = 0;
        names.map(|name| {
            let positional = self.positional.get(index).cloned();
            index += 1;
            positional
                .or_else(|| self.named(name))
                .or_else(|| self.open.clone().map(Value::Unknown))
        })
    }

    /// The last keyword argument called `name`.
    pub(super) fn named(&self, name: &str) -> Option<Value<'a>> {
        self.named.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value.clone())
    }

    /// The first keyword argument whose name is not in `known`.
    pub(super) fn unexpected<'s>(&'s self, known: &[&str]) -> Option<&'s str> {
        self.named.iter().map(|(name, _)| &**name).find(|name| !known.contains(name))
    }
}

impl<'a> Interp<'a> {
    /// Calls with positional arguments only.
    pub(super) fn call_with(
        &mut self,
        callee: &Value<'a>,
        positional: Vec<Value<'a>>,
        at: At<'a>,
    ) -> Eval<'a> {
        self.call(callee, Args::positional(positional), at)
    }

    /// Calls `callee` with `args`.
    pub(super) fn call(&mut self, callee: &Value<'a>, mut args: Args<'a>, at: At<'a>) -> Eval<'a> {
        self.step()?;
        self.elements(args.positional.len() + args.named.len())?;
        match callee {
            Value::Function(function) => self.call_function(function, args, at),
            Value::Bound(bound) => {
                args.positional.insert(0, bound.0.clone());
                self.call_function(&bound.1, args, at)
            }
            Value::Method(method) => self.call_method(&method.0, &method.1, args, at),
            Value::Partial(partial) => {
                self.merge_cost(partial, &args)?;
                let mut positional = partial.args.clone();
                positional.append(&mut args.positional);
                let mut named = partial.keywords.clone();
                for (name, value) in std::mem::take(&mut args.named) {
                    named.retain(|(known, _)| *known != name);
                    named.push((name, value));
                }
                let args = Args { positional, named, ..args };
                self.deeper(|interp| interp.call(&partial.func, args, at))
            }
            Value::Class(class) => self.instantiate(class, args, at),
            Value::Instance(instance) => match self.class_attribute(&instance.class, "__call__") {
                Some(Value::Function(function)) => {
                    args.positional.insert(0, callee.clone());
                    self.call_function(&function, args, at)
                }
                _ => Ok(self.not_evaluated(at)),
            },
            Value::External(name) => self.call_external(name, args, at),
            Value::Unknown(_) => Ok(callee.clone()),
            other => {
                let text = format!("a `{}` can't be called", other.type_name());
                self.raise(at, "TypeError", text, "Give a function here.")
            }
        }
    }

    /// Charges the cost of merging the arguments of a call with those of a partial.
    pub(super) fn merge_cost(
        &self,
        partial: &Partial<'a>,
        args: &Args<'a>,
    ) -> Result<(), Stop<'a>> {
        self.room(partial.args.len() + partial.keywords.len() + args.named.len())?;
        self.elements(partial.keywords.len().saturating_mul(args.named.len()))
    }

    /// The unknown value of an expression that is not evaluated.
    pub(super) fn not_evaluated(&self, at: At<'a>) -> Value<'a> {
        self.unknown(at, format!("`{}` is not evaluated", at.text()))
    }

    fn call_function(
        &mut self,
        function: &Rc<Function<'a>>,
        args: Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if let Some(why) = &function.decorated {
            return Ok(Value::Unknown(why.clone()));
        }
        if self.calls >= MAX_CALLS {
            return Ok(self.unknown(at, "the calls are nested too deeply"));
        }
        self.calls += 1;
        let result = self.deeper(|interp| interp.run(function, args, at));
        self.calls -= 1;
        result
    }

    fn run(&mut self, function: &Rc<Function<'a>>, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        let scope = self.scope(ScopeKind::Function, Some(function.closure.clone()));
        if let Some(parameters) = function.code.parameters() {
            let names = parameters.iter().map(|parameter| parameter.name().as_str().len()).sum();
            self.bytes(names)?;
            self.elements(args.named.len().saturating_mul(1 + parameters.len()))?;
            self.bytes((args.positional.len() + args.named.len()).saturating_mul(ENTRY_BYTES))?;
            if let Err(text) = self.bind_parameters(function, parameters, args, &scope) {
                let text = format!("`{}` {text}", function.name());
                return self.raise(at, "TypeError", text, "Give the arguments that it takes.");
            }
        }
        let mut frame =
            Frame { module: function.module.clone(), source: function.source, scope, yields: None };
        let body = match function.code {
            Code::Lambda(lambda) => return self.eval(&lambda.body, &frame),
            Code::Def(def) if def.is_async => return Ok(self.not_evaluated(at)),
            Code::Def(def) => def,
        };
        let address = std::ptr::from_ref(body) as usize;
        let generates =
            *self.generators.entry(address).or_insert_with(|| Yields::within(&body.body));
        if generates {
            let yields = self.iter(Vec::new(), None);
            if let Value::Iter(list) = &yields {
                frame.yields = Some(list.clone());
            }
            if let Flow::Return(Value::Unknown(why)) = self.exec_body(&body.body, &frame)? {
                yields.make_open(&why);
            }
            return Ok(yields);
        }
        match self.exec_body(&body.body, &frame)? {
            Flow::Return(value) => Ok(value),
            Flow::Lost(why) => Ok(Value::Unknown(why)),
            _ => Ok(Value::None),
        }
    }

    fn bind_parameters(
        &mut self,
        function: &Function<'a>,
        parameters: &'a Parameters,
        args: Args<'a>,
        scope: &Rc<Scope<'a>>,
    ) -> Result<(), UserError> {
        let Args { positional, mut named, open, .. } = args;
        let mut positional = positional.into_iter();
        let by_position = parameters.posonlyargs.iter().chain(&parameters.args);
        for (index, parameter) in by_position.enumerate() {
            let name = parameter.parameter.name.as_str();
            let by_name = (index >= parameters.posonlyargs.len())
                .then(|| named.iter().position(|(known, _)| &**known == name))
                .flatten();
            let value = match (positional.next(), by_name) {
                (Some(_), Some(_)) => return Err(format!("is given `{name}` twice").into()),
                (Some(value), None) => value,
                (None, Some(index)) => named.remove(index).1,
                (None, None) => missing(function, name, open.as_ref())?,
            };
            scope.set(name, value);
        }
        for parameter in &parameters.kwonlyargs {
            let name = parameter.parameter.name.as_str();
            let value = match named.iter().position(|(known, _)| &**known == name) {
                Some(index) => named.remove(index).1,
                None => missing(function, name, open.as_ref())?,
            };
            scope.set(name, value);
        }
        match &parameters.vararg {
            Some(parameter) => {
                let rest = self.tuple(positional.collect());
                let rest = open.clone().map_or(rest, Value::Unknown);
                scope.set(parameter.name.as_str(), rest);
            }
            None if positional.len() > 0 => {
                let most = parameters.posonlyargs.len() + parameters.args.len();
                return Err(format!(
                    "takes at most {most} arguments, {} are given",
                    most + positional.len()
                )
                .into());
            }
            None => {}
        }
        match &parameters.kwarg {
            Some(parameter) => {
                let entries = (named.into_iter())
                    .map(|(name, value)| (Key::Str(name.clone()), (Value::Str(name), value)))
                    .collect();
                let rest = self.dict(entries, open);
                scope.set(parameter.name.as_str(), rest);
            }
            None => {
                if let Some((name, _)) = named.first() {
                    return Err(format!("does not take `{name}`").into());
                }
            }
        }
        Ok(())
    }

    fn instantiate(&mut self, class: &Rc<Class<'a>>, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        if let Some(why) = &class.decorated {
            return Ok(Value::Unknown(why.clone()));
        }
        if class.shape == Shape::Enum {
            return self.member_of(class, &args, at);
        }
        let outside = self.outside_base(class);
        if outside.as_ref().is_some_and(|name| !name.ends_with("Exception")) {
            let reason = format!(
                "`{}` is built on a class from outside the project",
                class.def.name.as_str()
            );
            return Ok(self.unknown(at, reason));
        }
        let instance = Instance {
            class: class.clone(),
            attributes: RefCell::new(HashMap::new()),
            open: RefCell::new(None),
        };
        let instance = Rc::new(instance);
        let value = self.keep(Value::Instance(instance.clone()));
        let own_init = class.namespace.own("__init__").is_some();
        if class.shape != Shape::Plain && !own_init {
            self.fill_fields(class, &instance, &args, at)?;
        } else if let Some(Value::Function(init)) = self.class_attribute(class, "__init__") {
            let mut args = args;
            args.positional.insert(0, value.clone());
            if let Value::Unknown(why) = self.call_function(&init, args, at)? {
                value.make_open(&why);
            }
        }
        Ok(value)
    }

    /// The first base class from outside the project, except `object` and helpers from `abc` and
    /// `typing`.
    pub(super) fn outside_base(&self, class: &Class<'a>) -> Option<String> {
        let mut seen = HashSet::new();
        let mut next: Vec<&Value<'a>> = class.bases.iter().rev().collect();
        while let Some(base) = next.pop() {
            match base {
                Value::Class(base) => {
                    if seen.insert(Rc::as_ptr(base)) {
                        next.extend(base.bases.iter().rev());
                    }
                }
                Value::External(name)
                    if matches!(
                        &**name,
                        "builtins.object" | "abc.ABC" | "typing.Protocol" | "typing.NamedTuple"
                    ) => {}
                Value::External(name) => return Some(name.to_string()),
                _ => return Some(String::new()),
            }
        }
        None
    }

    /// `locals()`, `globals()` and `super()`, whose results depend on the calling frame.
    pub(super) fn call_in_frame(
        &mut self,
        name: &str,
        _args: Args<'a>,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let scope = match name {
            "builtins.super" => return self.super_of(frame, at),
            "builtins.locals" => frame.scope.clone(),
            "builtins.globals" => frame.scope.global(),
            _ => return Ok(self.not_evaluated(at)),
        };
        self.entry_room(scope.names.borrow().len())?;
        let entries: IndexMap<_, _> = (scope.names.borrow().iter())
            .map(|(name, value)| {
                (Key::Str(name.clone()), (Value::Str(name.clone()), value.clone()))
            })
            .collect();
        Ok(self.dict(entries, scope.any_open()))
    }

    /// The attribute `name` of `class` or of the first project base that has it.
    pub(super) fn class_attribute(&self, class: &Class<'a>, name: &str) -> Option<Value<'a>> {
        if let Some(value) = class.namespace.own(name) {
            return Some(value);
        }
        if class.bases.is_empty() {
            return None;
        }
        let lineage = class.lineage();
        self.budget.elements(lineage.len() * 16).ok()?;
        lineage.into_iter().skip(1).find_map(|base| base.namespace.own(name))
    }
}

/// The default of a parameter for which no argument was given.
fn missing<'a>(
    function: &Function<'a>,
    name: &str,
    open: Option<&Rc<Unknown>>,
) -> Result<Value<'a>, UserError> {
    if let Some(why) = open {
        return Ok(Value::Unknown(why.clone()));
    }
    function.defaults.get(name).cloned().ok_or_else(|| format!("needs `{name}`").into())
}

/// Detects `yield` in a function's body, which makes the function a generator.
struct Yields(bool);

impl Yields {
    fn within(body: &[Stmt]) -> bool {
        let mut yields = Yields(false);
        yields.visit_body(body);
        yields.0
    }
}

impl<'a> Visitor<'a> for Yields {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            visitor::walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.0 = true,
            Expr::Lambda(_) => {}
            _ => visitor::walk_expr(self, expr),
        }
    }
}
