//! The values of evaluated code.
//!
//! Lists, dictionaries and the like are shared references, as in Python. [`Value::Unknown`] is a
//! value that could not be computed; it carries a reason and a place, and every operation passes it
//! on. A container that is only partly known is *open*; the reason is stored beside its items.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use indexmap::IndexMap;
use ruff_python_ast::{ExprLambda, Parameters, StmtClassDef, StmtFunctionDef};

use super::kedro::{KedroNode, KedroPipeline};
use super::scope::Scope;
use super::source::Source;
use crate::project::{Budget, Place, Severity};

/// The deepest nesting of containers that is compared, copied or written.
pub(super) const MAX_NESTING: u32 = 100;

/// A value of evaluated code.
#[derive(Clone)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    /// A `pathlib` path in normalised form.
    Path(Rc<str>),
    Ellipsis,
    List(Rc<List<'a>>),
    Tuple(Rc<[Value<'a>]>),
    Dict(Rc<Dict<'a>>),
    Set(Rc<Set<'a>>),
    Range(i64, i64, i64),
    Slice(Rc<[Value<'a>; 3]>),
    /// An iterator: its remaining items, evaluated eagerly.
    Iter(Rc<List<'a>>),
    Function(Rc<Function<'a>>),
    /// A method of a built-in type, bound to its value.
    Method(Rc<(Value<'a>, Rc<str>)>),
    /// A project function bound to its first argument.
    Bound(Rc<(Value<'a>, Rc<Function<'a>>)>),
    Partial(Rc<Partial<'a>>),
    Class(Rc<Class<'a>>),
    Instance(Rc<Instance<'a>>),
    Module(Rc<Module<'a>>),
    /// An imported object from outside the project, or a builtin: only its dotted name is known.
    External(Rc<str>),
    Node(Rc<KedroNode<'a>>),
    Pipeline(Rc<KedroPipeline<'a>>),
    Unknown(Rc<Unknown>),
}

/// Why a value is unknown, and where the cause is.
#[derive(Debug, Clone)]
pub(super) struct Unknown {
    /// A clause that ends the sentence "... can't be told without running Python: {reason}."
    pub reason: String,
    pub place: Place,
    pub severity: Severity,
}

/// The items of a list or iterator.
#[derive(Default)]
pub(super) struct List<'a> {
    pub items: RefCell<Vec<Value<'a>>>,
    /// Why the list may contain more or other items.
    pub open: RefCell<Option<Rc<Unknown>>>,
}

/// The entries of a dictionary, in insertion order.
#[derive(Default)]
pub(super) struct Dict<'a> {
    pub entries: RefCell<IndexMap<Key, (Value<'a>, Value<'a>)>>,
    pub open: RefCell<Option<Rc<Unknown>>>,
}

/// The members of a set, in insertion order.
#[derive(Default)]
pub(super) struct Set<'a> {
    pub members: RefCell<IndexMap<Key, Value<'a>>>,
    pub open: RefCell<Option<Rc<Unknown>>>,
}

/// The part of a hashable value that equality and hashing compare.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    None,
    Int(i64),
    Float(u64),
    Str(Rc<str>),
    Path(Rc<str>),
    Tuple(Rc<[Key]>),
    External(Rc<str>),
    Node(u32),
    /// The address of an object that is only equal to itself.
    Object(usize),
}

/// A function defined in the project.
pub(super) struct Function<'a> {
    pub code: Code<'a>,
    pub source: &'a Source,
    /// The module that defines it; its name is `__module__`.
    pub module: Rc<Module<'a>>,
    pub closure: Rc<Scope<'a>>,
    /// Default values of the parameters, by name.
    pub defaults: HashMap<Rc<str>, Value<'a>>,
    pub attributes: RefCell<HashMap<Rc<str>, Value<'a>>>,
    /// The reason why one of its decorators could not be evaluated.
    pub decorated: Option<Rc<Unknown>>,
}

/// The syntax tree of a function.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    Def(&'a StmtFunctionDef),
    Lambda(&'a ExprLambda),
}

impl<'a> Code<'a> {
    pub(super) fn parameters(self) -> Option<&'a Parameters> {
        match self {
            Code::Def(def) => Some(&def.parameters),
            Code::Lambda(lambda) => lambda.parameters.as_deref(),
        }
    }

    pub(super) fn name(self) -> &'a str {
        match self {
            Code::Def(def) => def.name.as_str(),
            Code::Lambda(_) => "<lambda>",
        }
    }
}

impl<'a> Function<'a> {
    /// An attribute set on the function, such as `__wrapped__`.
    pub(super) fn attribute(&self, name: &str) -> Option<Value<'a>> {
        self.attributes.borrow().get(name).cloned()
    }

    /// `__name__`; `functools.wraps` may have set it.
    pub(super) fn name(&self) -> Rc<str> {
        match self.attribute("__name__") {
            Some(Value::Str(name)) => name,
            _ => self.code.name().into(),
        }
    }

    /// `__module__`; `functools.wraps` may have set it.
    pub(super) fn module_name(&self) -> Rc<str> {
        match self.attribute("__module__") {
            Some(Value::Str(name)) => name,
            _ => self.module.name.clone(),
        }
    }
}

/// A `functools.partial` object.
pub(super) struct Partial<'a> {
    pub func: Value<'a>,
    pub args: Vec<Value<'a>>,
    pub keywords: Vec<(Rc<str>, Value<'a>)>,
    pub attributes: RefCell<HashMap<Rc<str>, Value<'a>>>,
}

/// How a class creates its objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Dataclass,
    /// A subclass of `typing.NamedTuple`.
    Tuple,
    Enum,
}

/// A class defined in the project.
pub(super) struct Class<'a> {
    pub shape: Shape,
    pub def: &'a StmtClassDef,
    pub source: &'a Source,
    pub module: Rc<Module<'a>>,
    pub namespace: Rc<Scope<'a>>,
    pub bases: Vec<Value<'a>>,
    /// The reason why one of its decorators could not be evaluated.
    pub decorated: Option<Rc<Unknown>>,
}

impl<'a> Class<'a> {
    /// This class and its project base classes, each once, in the order of attribute lookup.
    pub(super) fn lineage(&self) -> Vec<&Class<'a>> {
        let mut visited = HashSet::new();
        let mut line = Vec::new();
        let mut next = vec![self];
        while let Some(class) = next.pop() {
            if visited.insert(std::ptr::from_ref(class)) {
                line.push(class);
                next.extend(class.bases.iter().rev().filter_map(|base| match base {
                    Value::Class(base) => Some(&**base),
                    _ => None,
                }));
            }
        }
        line
    }

    /// Whether this is an enumeration whose members are themselves numbers or strings.
    fn is_its_value(&self) -> bool {
        let value = |base: &Value<'_>| {
            matches!(base, Value::External(name)
                if matches!(&**name, "enum.IntEnum" | "enum.StrEnum" | "builtins.str" | "builtins.int"))
        };
        self.shape == Shape::Enum && self.bases.iter().any(value)
    }

    /// Whether the objects are only equal to themselves, as far as the class shows.
    fn equal_to_itself(&self) -> bool {
        let plain = |class: &Class<'a>| {
            matches!(class.shape, Shape::Plain | Shape::Enum)
                && class.namespace.own("__eq__").is_none()
                && class.bases.iter().all(|base| match base {
                    Value::Class(_) => true,
                    Value::External(name) => {
                        matches!(
                            &**name,
                            "builtins.object" | "abc.ABC" | "typing.Protocol" | "enum.Enum"
                        )
                    }
                    _ => false,
                })
        };
        self.lineage().into_iter().all(plain)
    }
}

/// An object of a project class.
pub(super) struct Instance<'a> {
    pub class: Rc<Class<'a>>,
    pub attributes: RefCell<HashMap<Rc<str>, Value<'a>>>,
    /// Why the object may have other attributes.
    pub open: RefCell<Option<Rc<Unknown>>>,
}

/// A module of the project.
pub(super) struct Module<'a> {
    pub name: Rc<str>,
    /// `None` for a namespace package, which has no file.
    pub source: Option<&'a Source>,
    pub is_package: bool,
    pub scope: Rc<Scope<'a>>,
    pub loading: Cell<bool>,
}

impl<'a> Value<'a> {
    pub(super) fn str(text: impl AsRef<str>) -> Self {
        Value::Str(Rc::from(text.as_ref()))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The type's name for messages.
    pub(super) fn type_name(&self) -> &str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Str(_) => "str",
            Value::Path(_) => "Path",
            Value::Ellipsis => "ellipsis",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Set(_) => "set",
            Value::Range(..) => "range",
            Value::Slice(_) => "slice",
            Value::Iter(_) => "iterator",
            Value::Function(_) => "function",
            Value::Method(_) => "builtin_function_or_method",
            Value::Bound(_) => "method",
            Value::Partial(_) => "functools.partial",
            Value::Class(_) => "type",
            Value::Instance(instance) => instance.class.def.name.as_str(),
            Value::Module(_) => "module",
            Value::External(name) => name,
            Value::Node(_) => "Node",
            Value::Pipeline(_) => "Pipeline",
            Value::Unknown(_) => "unknown",
        }
    }

    /// The hashable key of this value; `None` if the value is unhashable or unknown, or if the
    /// budget does not cover the key.
    pub(super) fn key(&self, budget: &Budget) -> Option<Key> {
        self.key_within(MAX_NESTING, budget)
    }

    fn key_within(&self, levels: u32, budget: &Budget) -> Option<Key> {
        let address = |pointer: *const ()| Some(Key::Object(pointer as usize));
        match self {
            Value::None => Some(Key::None),
            Value::Bool(value) => Some(Key::Int(i64::from(*value))),
            Value::Int(value) => Some(Key::Int(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "checked by the comparison")]
            #[expect(clippy::cast_precision_loss, reason = "checked by the comparison")]
            Value::Float(value) if (*value as i64) as f64 == *value => {
                Some(Key::Int(*value as i64))
            }
            Value::Float(value) => Some(Key::Float(value.to_bits())),
            Value::Str(text) => {
                // The text is hashed, and possibly compared.
                budget.elements(text.len() / 64).ok()?;
                Some(Key::Str(text.clone()))
            }
            Value::Path(path) => Some(Key::Path(path.clone())),
            Value::Tuple(tuple) => {
                let levels = levels.checked_sub(1)?;
                budget.elements(tuple.len()).ok()?;
                // The keys are collected first and then stored.
                budget.bytes(2 * tuple.len() * size_of::<Key>()).ok()?;
                let keys = tuple.iter().map(|item| item.key_within(levels, budget));
                keys.collect::<Option<_>>().map(Key::Tuple)
            }
            Value::External(name) => Some(Key::External(name.clone())),
            Value::Node(node) => Some(Key::Node(node.key)),
            Value::Function(function) => address(Rc::as_ptr(function).cast()),
            Value::Class(class) => address(Rc::as_ptr(class).cast()),
            Value::Instance(object) if object.class.is_its_value() => {
                object.attributes.borrow().get("value")?.key_within(levels, budget)
            }
            // Objects of classes that define equality may be equal to others, so they have no key.
            Value::Instance(object) if object.class.equal_to_itself() => {
                address(Rc::as_ptr(object).cast())
            }
            Value::Module(object) => address(Rc::as_ptr(object).cast()),
            Value::Partial(object) => address(Rc::as_ptr(object).cast()),
            Value::Pipeline(object) => address(Rc::as_ptr(object).cast()),
            _ => None,
        }
    }

    /// Why this container may have more items than are known.
    pub(super) fn open(&self) -> Option<Rc<Unknown>> {
        match self {
            Value::List(list) | Value::Iter(list) => list.open.borrow().clone(),
            Value::Dict(dict) => dict.open.borrow().clone(),
            Value::Set(set) => set.open.borrow().clone(),
            Value::Instance(instance) => instance.open.borrow().clone(),
            Value::Unknown(unknown) => Some(unknown.clone()),
            _ => None,
        }
    }

    /// Marks a container as partly known; an earlier reason is kept.
    pub(super) fn make_open(&self, why: &Rc<Unknown>) {
        let open = match self {
            Value::List(list) | Value::Iter(list) => &list.open,
            Value::Dict(dict) => &dict.open,
            Value::Set(set) => &set.open,
            Value::Instance(instance) => &instance.open,
            _ => return,
        };
        open.borrow_mut().get_or_insert_with(|| why.clone());
    }
}
