//! Attributes and items: `object.name` and `container[index]`.

use std::rc::Rc;

use super::expr::{range_item, range_len};
use super::interp::{Eval, Interp, Stop};
use super::source::At;
use super::value::{Class, Function, Instance, Shape, Value};
use crate::project::python::module::Imported;

/// The module through which Kedro exposes the project's settings.
const SETTINGS: &str = "kedro.framework.project.settings";

impl<'a> Interp<'a> {
    /// The value of the attribute `value.name`.
    pub(super) fn attribute(&mut self, value: &Value<'a>, name: &str, at: At<'a>) -> Eval<'a> {
        match value {
            Value::Unknown(_) => Ok(value.clone()),
            Value::External(module) if &**module == "typing" && name == "TYPE_CHECKING" => {
                Ok(Value::Bool(false))
            }
            Value::External(outer) if &**outer == SETTINGS => self.project_setting(name),
            Value::External(outer) => self
                .text_of(outer.len() + 1 + name.len(), at, || format!("{outer}.{name}"))
                .map(|joined| match joined {
                    Value::Str(name) => Value::External(name),
                    other => other,
                }),
            Value::Module(module) => {
                if let Some(value) = module.scope.own(name) {
                    return Ok(value);
                }
                if module.is_package {
                    let dotted = format!("{}.{name}", module.name);
                    if let Imported::Project(found) = self.import(&dotted)? {
                        return Ok(Value::Module(found));
                    }
                }
                if let Some(why) = module.scope.open.borrow().clone() {
                    return Ok(Value::Unknown(why));
                }
                self.no_attribute(value, name, at)
            }
            Value::Instance(instance) => self.instance_attribute(instance, name, at),
            Value::Class(class) => match name {
                "__name__" | "__qualname__" => {
                    let name = class.def.name.as_str();
                    self.text_of(name.len(), at, || name.to_owned())
                }
                "__module__" => Ok(Value::Str(class.module.name.clone())),
                _ => match self.class_attribute(class, name) {
                    Some(Value::Partial(marker)) => match (&marker.func, marker.args.first()) {
                        (Value::External(kind), Some(Value::Function(function)))
                            if &**kind == "builtins.classmethod" =>
                        {
                            Ok(Value::Bound(Rc::new((value.clone(), function.clone()))))
                        }
                        (Value::External(kind), Some(function))
                            if &**kind == "builtins.staticmethod" =>
                        {
                            Ok(function.clone())
                        }
                        _ => Ok(Value::Partial(marker)),
                    },
                    Some(value) => Ok(value),
                    None => self.missing_in_class(class, value, name, at),
                },
            },
            Value::Function(function) => Ok(match name {
                "__name__" | "__qualname__" => Value::Str(function.name()),
                "__module__" => Value::Str(function.module_name()),
                "__doc__" => self.unknown(at, "a docstring is not evaluated"),
                _ => match function.attribute(name) {
                    Some(value) => value,
                    None => self.function_without(function, name, value, at)?,
                },
            }),
            Value::Partial(partial) => {
                if let Some(found) = self.super_attribute(value, name, at) {
                    return found;
                }
                if let Some(value) = partial.attributes.borrow().get(name) {
                    return Ok(value.clone());
                }
                match name {
                    "func" => Ok(partial.func.clone()),
                    "args" => Ok(self.tuple(partial.args.clone())),
                    _ => self.no_attribute(value, name, at),
                }
            }
            Value::Bound(bound) => self.attribute(&Value::Function(bound.1.clone()), name, at),
            Value::Node(node) => self.node_attribute(node, name, at),
            Value::Pipeline(pipeline) => self.pipeline_attribute(pipeline, name, at),
            Value::Path(path) => self.path_attribute(path, name, at),
            Value::None => self.no_attribute(value, name, at),
            _ if name == "__class__" => Ok(self.not_evaluated(at)),
            _ => Ok(Value::Method(Rc::new((value.clone(), name.into())))),
        }
    }

    /// `settings.NAME` of `kedro.framework.project`: the value that the project's `settings.py`
    /// binds.
    fn project_setting(&mut self, name: &str) -> Eval<'a> {
        let outside = || Value::External(format!("{SETTINGS}.{name}").into());
        if name.chars().any(char::is_lowercase) {
            return Ok(outside());
        }
        let module = format!("{}.settings", self.metadata.package_name);
        Ok(match self.import(&module)? {
            Imported::Project(module) => module.scope.own(name).unwrap_or_else(outside),
            Imported::External | Imported::Missing => outside(),
        })
    }

    fn function_without(
        &mut self,
        function: &Function<'a>,
        name: &str,
        value: &Value<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if let Some(why) = &function.decorated {
            return Ok(Value::Unknown(why.clone()));
        }
        if name.starts_with("__") {
            return Ok(self.not_evaluated(at));
        }
        self.no_attribute(value, name, at)
    }

    fn no_attribute(&mut self, value: &Value<'a>, name: &str, at: At<'a>) -> Eval<'a> {
        let text = match value {
            Value::Module(module) => format!("`{}` has no `{name}`", module.name),
            _ => format!("a `{}` has no `{name}`", value.type_name()),
        };
        self.raise(at, "AttributeError", text, "Correct the name, or define it.")
    }

    fn missing_in_class(
        &mut self,
        class: &Class<'a>,
        value: &Value<'a>,
        name: &str,
        at: At<'a>,
    ) -> Eval<'a> {
        let dynamic = ["__getattr__", "__getattribute__"]
            .iter()
            .any(|method| self.class_attribute(class, method).is_some());
        let closed = !dynamic
            && matches!(class.shape, Shape::Plain | Shape::Dataclass)
            && self.outside_base(class).is_none()
            && class.decorated.is_none()
            && !name.starts_with("__");
        if closed { self.no_attribute(value, name, at) } else { Ok(self.not_evaluated(at)) }
    }

    fn instance_attribute(
        &mut self,
        instance: &Rc<Instance<'a>>,
        name: &str,
        at: At<'a>,
    ) -> Eval<'a> {
        let object = Value::Instance(instance.clone());
        if let Some(value) = instance.attributes.borrow().get(name) {
            return Ok(value.clone());
        }
        match self.class_attribute(&instance.class, name) {
            Some(Value::Function(function)) => Ok(Value::Bound(Rc::new((object, function)))),
            Some(Value::Partial(marker)) => match (&marker.func, marker.args.first()) {
                (Value::External(kind), Some(getter)) if &**kind == "builtins.property" => {
                    self.call_with(getter, vec![object], at)
                }
                _ => self.attribute(&Value::Class(instance.class.clone()), name, at),
            },
            Some(value) => Ok(value),
            None if name == "__class__" => Ok(Value::Class(instance.class.clone())),
            None => {
                if let Some(why) = instance.open.borrow().clone() {
                    return Ok(Value::Unknown(why));
                }
                self.missing_in_class(&instance.class, &object, name, at)
            }
        }
    }

    /// Executes `object.name = value`.
    pub(super) fn set_attribute(&mut self, object: &Value<'a>, name: &str, value: Value<'a>) {
        let attributes = match object {
            Value::Instance(instance) => &instance.attributes,
            Value::Function(function) => &function.attributes,
            Value::Partial(partial) => &partial.attributes,
            Value::Module(module) => return module.scope.set(name, value),
            Value::Class(class) => return class.namespace.set(name, value),
            _ => return,
        };
        attributes.borrow_mut().insert(name.into(), value);
    }

    /// The value of `container[index]`.
    pub(super) fn item(
        &mut self,
        container: &Value<'a>,
        index: &Value<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if let Value::Unknown(_) = index {
            return Ok(index.clone());
        }
        match (container, index) {
            (Value::Unknown(_), _) => Ok(container.clone()),
            (Value::Dict(dict), _) => {
                let Some(key) = index.key(self.budget) else { return Ok(self.not_evaluated(at)) };
                if let Some((_, value)) = dict.entries.borrow().get(&key) {
                    return Ok(value.clone());
                }
                if let Some(why) = container.open() {
                    return Ok(Value::Unknown(why));
                }
                let text = match index {
                    Value::Str(text) => format!("there is no `{text}`"),
                    _ => format!("there is no such key in `{}`", at.text()),
                };
                self.raise(at, "KeyError", text, "Check the key.")
            }
            (Value::List(_) | Value::Tuple(_) | Value::Range(..) | Value::Str(_), _) => {
                self.sequence_item(container, index, at)
            }
            (Value::Instance(object), _) if object.class.shape == Shape::Tuple => {
                match self.tuple_values(object) {
                    Some(items) => {
                        let items = self.tuple(items);
                        self.sequence_item(&items, index, at)
                    }
                    None => Ok(self.not_evaluated(at)),
                }
            }
            (Value::Class(class), Value::Str(name)) if class.shape == Shape::Enum => {
                let member = class.namespace.own(name);
                Ok(member.unwrap_or_else(|| self.not_evaluated(at)))
            }
            (Value::External(outer), _) if outer.starts_with("typing.") => Ok(container.clone()),
            (Value::External(outer), _)
                if matches!(
                    &**outer,
                    "builtins.dict"
                        | "builtins.list"
                        | "builtins.tuple"
                        | "builtins.set"
                        | "builtins.type"
                        | "builtins.frozenset"
                ) =>
            {
                Ok(container.clone())
            }
            (Value::External(outer), _) if &**outer == "os.environ" => {
                Ok(self.unknown(at, format!("`{}` depends on the environment", at.text())))
            }
            _ => Ok(self.not_evaluated(at)),
        }
    }

    fn sequence_item(&mut self, container: &Value<'a>, index: &Value<'a>, at: At<'a>) -> Eval<'a> {
        if let Some(why) = container.open() {
            // An open list probably has its extra items at the end, but that is only a guess.
            return Ok(Value::Unknown(why));
        }
        match index {
            Value::Int(_) | Value::Bool(_) => {
                let index = match index {
                    Value::Int(index) => *index,
                    _ => i64::from(matches!(index, Value::Bool(true))),
                };
                match self.item_at(container, index)? {
                    Some(item) => Ok(item),
                    None => {
                        let text = format!("there is no item {index} in `{}`", at.text());
                        self.raise(at, "IndexError", text, "Check the index.")
                    }
                }
            }
            Value::Slice(parts) => {
                let (items, _) = self.items(container, at)?;
                let Some(chosen) = slice(&items, parts) else { return Ok(self.not_evaluated(at)) };
                Ok(match container {
                    Value::Str(_) => {
                        Value::str(chosen.iter().filter_map(Value::as_str).collect::<String>())
                    }
                    Value::Tuple(_) => self.tuple(chosen),
                    _ => self.list(chosen),
                })
            }
            _ => Ok(self.not_evaluated(at)),
        }
    }

    /// The item of a sequence at `index`; a negative index counts from the end.
    fn item_at(&self, container: &Value<'a>, index: i64) -> Result<Option<Value<'a>>, Stop<'a>> {
        let position = |len: usize| {
            let index = i128::from(index);
            let len = i128::try_from(len).ok()?;
            usize::try_from(if index < 0 { index + len } else { index }).ok()
        };
        Ok(match container {
            Value::List(list) => {
                let items = list.items.borrow();
                position(items.len()).and_then(|index| items.get(index).cloned())
            }
            Value::Tuple(items) => position(items.len()).and_then(|at| items.get(at).cloned()),
            Value::Range(start, stop, step) => {
                let len = range_len(*start, *stop, *step);
                let index = position(len).filter(|index| *index < len);
                index.and_then(|index| range_item(*start, *step, index))
            }
            Value::Str(text) => {
                self.elements(text.len() / 16)?;
                let index = position(text.chars().count());
                let found = index.and_then(|index| text.chars().nth(index));
                found.map(|c| Value::str(c.encode_utf8(&mut [0; 4])))
            }
            _ => None,
        })
    }

    /// Executes `container[index] = value`.
    pub(super) fn set_item(
        &mut self,
        container: &Value<'a>,
        index: &Value<'a>,
        value: Value<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        match container {
            Value::Dict(dict) => match index.key(self.budget) {
                Some(key) => {
                    self.entry_room(1)?;
                    let mut entries = dict.entries.borrow_mut();
                    match entries.get_mut(&key) {
                        Some(entry) => entry.1 = value,
                        None => drop(entries.insert(key, (index.clone(), value))),
                    }
                }
                None => container.make_open(&self.why(index, at)),
            },
            Value::List(list) => {
                let mut items = list.items.borrow_mut();
                let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let position = match index {
                    Value::Int(index) if *index < 0 => usize::try_from(index + len).ok(),
                    Value::Int(index) => usize::try_from(*index).ok(),
                    _ => None,
                };
                match position.and_then(|index| items.get_mut(index)) {
                    Some(item) => *item = value,
                    None => {
                        drop(items);
                        container.make_open(&self.why(index, at));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Executes `del container[index]`.
    pub(super) fn delete_item(
        &mut self,
        container: &Value<'a>,
        index: &Value<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        match container {
            Value::Dict(dict) => {
                // Removing the entry shifts all later entries.
                self.elements(dict.entries.borrow().len() / 8)?;
                let removed = index
                    .key(self.budget)
                    .and_then(|key| dict.entries.borrow_mut().shift_remove(&key));
                if removed.is_none() {
                    let why = self.why(index, at);
                    container.make_open(&why);
                }
                Ok(())
            }
            Value::List(_) => {
                let args = super::call::Args::positional(vec![index.clone()]);
                self.call_method(container, "pop", args, at).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// The items that a slice selects; `None` if its bounds or step are not integers.
fn slice<'a>(items: &[Value<'a>], parts: &[Value<'a>; 3]) -> Option<Vec<Value<'a>>> {
    let len = i64::try_from(items.len()).ok()?;
    let number = |value: &Value<'a>| match value {
        Value::None => Some(None),
        Value::Int(int) => Some(Some(*int)),
        _ => None,
    };
    let step = number(&parts[2])?.unwrap_or(1);
    if step == 0 {
        return None;
    }
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let bound = |value: Option<i64>, default: i64| match value {
        None => default,
        Some(index) if index < 0 => index.saturating_add(len).clamp(low, high),
        Some(index) => index.clamp(low, high),
    };
    let start = bound(number(&parts[0])?, if step > 0 { low } else { high });
    let stop = bound(number(&parts[1])?, if step > 0 { high } else { low });
    let mut chosen = Vec::new();
    let mut index = start;
    while (step > 0 && index < stop) || (step < 0 && index > stop) {
        chosen.push(items.get(usize::try_from(index).ok()?)?.clone());
        let Some(next) = index.checked_add(step) else { break };
        index = next;
    }
    Some(chosen)
}
