//! What Kedro reads from a node's function: name, signature and source location.

use std::path::Path;
use std::rc::Rc;

use ruff_python_ast::Parameters;
use ruff_text_size::Ranged;

use super::super::block;
use super::super::interp::Interp;
use super::super::source::At;
use super::super::value::{Class, Code, Function, Partial, Unknown, Value};
use crate::project::SourceRange;

/// The properties of a node's function that Kedro reads.
#[derive(Debug, Clone)]
pub(in super::super) struct Func {
    /// The result of `_get_readable_func_name`, used in messages and `str(node)`.
    pub readable: Rc<str>,
    /// The start of an unnamed node's name in Kedro 1.
    pub base: Rc<str>,
    /// The start of the text that is hashed for an unnamed node's name in Kedro 1.
    pub hashed: Rc<str>,
    pub signature: Option<Signature>,
    pub source: Option<SourceRange>,
    /// Why the name or module may differ from these.
    pub doubt: Option<Rc<Unknown>>,
    /// Whether the function itself is unknown; its name is then the expression as written.
    pub unknown: bool,
}

/// A function's parameters, as `inspect.signature(func, follow_wrapped=False)` lists them.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Signature {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone)]
struct Parameter {
    name: Rc<str>,
    kind: Kind,
    optional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PositionalOnly,
    Plain,
    VarPositional,
    KeywordOnly,
    VarKeyword,
}

impl Signature {
    fn of(parameters: Option<&Parameters>) -> Signature {
        let mut signature = Signature::default();
        let Some(parameters) = parameters else { return signature };
        let mut push = |name: &str, kind, optional| {
            signature.parameters.push(Parameter { name: name.into(), kind, optional });
        };
        for parameter in &parameters.posonlyargs {
            push(&parameter.parameter.name, Kind::PositionalOnly, parameter.default.is_some());
        }
        for parameter in &parameters.args {
            push(&parameter.parameter.name, Kind::Plain, parameter.default.is_some());
        }
        if let Some(parameter) = &parameters.vararg {
            push(&parameter.name, Kind::VarPositional, true);
        }
        for parameter in &parameters.kwonlyargs {
            push(&parameter.parameter.name, Kind::KeywordOnly, parameter.default.is_some());
        }
        if let Some(parameter) = &parameters.kwarg {
            push(&parameter.name, Kind::VarKeyword, true);
        }
        signature
    }

    /// The signature of a method bound to its first argument.
    fn bound(mut self) -> Signature {
        let first = self.parameters.first().map(|parameter| parameter.kind);
        if first.is_some_and(|kind| matches!(kind, Kind::Plain | Kind::PositionalOnly)) {
            self.parameters.remove(0);
        }
        self
    }

    /// The signature of a partial: parameters bound by position disappear; those bound by name, and
    /// all later ones, become keyword-only.
    fn partial(self, partial: &Partial<'_>) -> Signature {
        let mut given = partial.args.len();
        let mut by_name = false;
        let (mut kept, mut keywords) = (Vec::new(), Vec::new());
        for mut parameter in self.parameters {
            let positional = matches!(parameter.kind, Kind::Plain | Kind::PositionalOnly);
            if positional && given > 0 {
                given -= 1;
                continue;
            }
            if partial.keywords.iter().any(|(name, _)| *name == parameter.name) {
                parameter.optional = true;
                by_name |= parameter.kind == Kind::Plain;
            }
            match parameter.kind {
                Kind::Plain if by_name => {
                    keywords.push(Parameter { kind: Kind::KeywordOnly, ..parameter });
                }
                Kind::KeywordOnly => keywords.push(parameter),
                Kind::VarPositional if by_name => {}
                _ => kept.push(parameter),
            }
        }
        let at = kept.iter().position(|parameter| parameter.kind == Kind::VarKeyword);
        let rest = kept.split_off(at.unwrap_or(kept.len()));
        kept.extend(keywords);
        kept.extend(rest);
        Signature { parameters: kept }
    }

    /// The names of all parameters, for messages.
    pub(super) fn names(&self) -> Vec<&str> {
        self.parameters.iter().map(|parameter| &*parameter.name).collect()
    }

    /// Whether the function accepts `count` positional arguments.
    pub(super) fn takes(&self, count: usize) -> bool {
        let by_position = || {
            (self.parameters.iter())
                .filter(|parameter| matches!(parameter.kind, Kind::Plain | Kind::PositionalOnly))
        };
        let variadic =
            self.parameters.iter().any(|parameter| parameter.kind == Kind::VarPositional);
        let missing = by_position().skip(count).any(|parameter| !parameter.optional)
            || self
                .parameters
                .iter()
                .any(|parameter| parameter.kind == Kind::KeywordOnly && !parameter.optional);
        (variadic || count <= by_position().count()) && !missing
    }

    /// The order in which keyword arguments are bound: first `BoundArguments.args`, then `.kwargs`.
    /// `None` if the function does not accept them.
    pub(super) fn order(&self, given: &[&str]) -> Option<Vec<usize>> {
        let mut order = Vec::with_capacity(given.len());
        let mut left: Vec<usize> = (0..given.len()).collect();
        for parameter in &self.parameters {
            if !matches!(parameter.kind, Kind::Plain | Kind::KeywordOnly) {
                if parameter.kind == Kind::PositionalOnly && !parameter.optional {
                    return None;
                }
                continue;
            }
            match left.iter().position(|index| given[*index] == &*parameter.name) {
                Some(position) => order.push(left.remove(position)),
                None if parameter.optional => {}
                None => return None,
            }
        }
        let takes_any = self.parameters.iter().any(|parameter| parameter.kind == Kind::VarKeyword);
        if !left.is_empty() && !takes_any {
            return None;
        }
        order.extend(left);
        Some(order)
    }
}

impl<'a> Interp<'a> {
    /// The function that Kedro would read from `value`; `None` if `value` is not callable.
    ///
    /// `written` is the expression in the source; it names functions that have no known name.
    pub(super) fn func(&self, value: &Value<'a>, written: &str, at: At<'a>) -> Option<Func> {
        Some(match value {
            Value::Function(function) => self.of_function(function),
            Value::Bound(bound) => {
                let func = self.of_function(&bound.1);
                Func { signature: func.signature.map(Signature::bound), ..func }
            }
            Value::Partial(partial) => self.of_partial(partial, written, at)?,
            Value::Class(class) => self.of_class(class),
            Value::External(dotted) => self.of_external(dotted, at),
            Value::Instance(instance) => {
                self.class_attribute(&instance.class, "__call__")?;
                self.unknown_func(written, self.because(at, "an object's text is not evaluated"))
            }
            Value::Unknown(why) => self.unknown_func(written, why.clone()),
            Value::Method(_) => self.unknown_func(written, self.why(value, at)),
            _ => return None,
        })
    }

    fn unknown_func(&self, written: &str, doubt: Rc<Unknown>) -> Func {
        Func {
            readable: written.into(),
            base: written.into(),
            hashed: written.into(),
            signature: None,
            source: None,
            doubt: Some(doubt),
            unknown: true,
        }
    }

    fn of_function(&self, function: &Rc<Function<'a>>) -> Func {
        let name = function.name();
        let signature = match &function.decorated {
            Some(_) => None,
            None => Some(Signature::of(function.code.parameters())),
        };
        Func {
            hashed: format!("{}.{name}", function.module_name()).into(),
            base: name.clone(),
            signature,
            source: if &*name == "<lambda>" { None } else { self.source_of_function(function) },
            doubt: None,
            unknown: false,
            readable: name,
        }
    }

    /// `_resolve_node_source` of `kedro/inspection/snapshot.py`: follows `__wrapped__`.
    fn source_of_function(&self, function: &Rc<Function<'a>>) -> Option<SourceRange> {
        const MOST_WRAPPERS: usize = 100;
        let mut function = function.clone();
        for _ in 0..MOST_WRAPPERS {
            match function.attribute("__wrapped__") {
                Some(Value::Function(inner)) => function = inner,
                Some(Value::Bound(bound)) => function = bound.1.clone(),
                Some(Value::Class(class)) => return self.source_of_class(&class),
                Some(_) => return None,
                None => break,
            }
        }
        let source = function.source;
        if self.outside(&source.shown) {
            return None;
        }
        match function.code {
            Code::Def(def) => {
                Some(block::lines(source, def.range(), &def.decorator_list, &def.body))
            }
            // For a lambda with another name, Python counts the lines of the whole statement.
            Code::Lambda(lambda) => Some(SourceRange {
                filepath: source.shown.to_string_lossy().replace('\\', "/"),
                line_start: source.line(lambda.start()),
                line_end: source.line(lambda.end()),
            }),
        }
    }

    fn source_of_class(&self, class: &Class<'a>) -> Option<SourceRange> {
        let def = class.def;
        (!self.outside(&class.source.shown))
            .then(|| block::lines(class.source, def.range(), &def.decorator_list, &def.body))
    }

    fn outside(&self, shown: &Path) -> bool {
        shown.is_absolute()
    }

    fn of_class(&self, class: &Rc<Class<'a>>) -> Func {
        let name: Rc<str> = class.def.name.as_str().into();
        let signature = match self.class_attribute(class, "__init__") {
            Some(Value::Function(init)) if class.decorated.is_none() => {
                Some(Signature::of(init.code.parameters()).bound())
            }
            _ => None,
        };
        Func {
            readable: name.clone(),
            hashed: format!("{}.{name}", class.module.name).into(),
            base: name,
            signature,
            source: self.source_of_class(class),
            doubt: None,
            unknown: false,
        }
    }

    /// A function from outside the project. Its `__module__` may differ from the module that it was
    /// imported from, and its signature is unknown.
    fn of_external(&self, dotted: &Rc<str>, at: At<'a>) -> Func {
        let (module, name) = dotted.rsplit_once('.').unwrap_or(("", dotted));
        let of_paths = module == "os.path" && !cfg!(windows);
        let doubt = (module != "builtins" && !of_paths).then(|| {
            self.because(at, format!("the module that `{dotted}` names as its own is not known"))
        });
        Func {
            readable: name.into(),
            base: name.into(),
            hashed: if of_paths { format!("posixpath.{name}").into() } else { dotted.clone() },
            signature: None,
            source: None,
            doubt,
            unknown: false,
        }
    }

    fn of_partial(&self, partial: &Rc<Partial<'a>>, written: &str, at: At<'a>) -> Option<Func> {
        let inner = self.func(&partial.func, written, at)?;
        let set = |name: &str| match partial.attributes.borrow().get(name) {
            Some(Value::Str(text)) => Some(text.clone()),
            _ => None,
        };
        let base: Rc<str> = format!("partial({})", inner.base).into();
        Some(Func {
            readable: set("__name__").unwrap_or_else(|| "<partial>".into()),
            hashed: base.clone(),
            base,
            signature: inner.signature.map(|signature| signature.partial(partial)),
            source: None,
            // Only the inner function's name is used, not its module.
            doubt: inner.doubt.filter(|_| !matches!(partial.func, Value::External(_))),
            unknown: false,
        })
    }
}
