//! The evaluated part of the standard library: `functools`, `itertools`, `copy`, and a few more.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;

use super::call::Args;
use super::interp::{Eval, Interp};
use super::source::At;
use super::value::{Partial, Set, Value};
use crate::project::budget::STEP;

impl<'a> Interp<'a> {
    /// Calls a function of an installed package.
    pub(super) fn call_library(&mut self, name: &str, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        Ok(match name {
            "functools.partial" => return self.make_partial(args, at),
            "functools.update_wrapper" => {
                let [wrapper, wrapped] = args.bind(["wrapper", "wrapped"]);
                let (Some(wrapper), Some(wrapped)) = (wrapper, wrapped) else {
                    return Ok(self.not_evaluated(at));
                };
                self.update_wrapper(&wrapper, &wrapped);
                wrapper
            }
            "functools.wraps" => {
                let [Some(wrapped)] = args.bind(["wrapped"]) else {
                    return Ok(self.not_evaluated(at));
                };
                let update = Value::External("functools.update_wrapper".into());
                let named = vec![(Rc::from("wrapped"), wrapped)];
                self.new_partial(update, Vec::new(), named)
            }
            "functools.reduce" => return self.reduce(&args, at),
            // Decorators that return the function unchanged, apart from attributes that do not
            // matter here.
            "abc.abstractmethod"
            | "typing.no_type_check"
            | "typing.final"
            | "typing.overload"
            | "typing_extensions.override"
            | "typing.override" => args.positional.into_iter().next().unwrap_or(Value::None),
            "typing.cast" => {
                let [_, value] = args.bind(["typ", "val"]);
                value.unwrap_or(Value::None)
            }
            "itertools.chain" => {
                let mut items = Vec::new();
                let mut open = args.open.clone();
                for value in &args.positional {
                    let (more, why) = self.items(value, at)?;
                    self.room(more.len())?;
                    items.extend(more);
                    open = open.or(why);
                }
                self.iter(items, open)
            }
            "itertools.chain.from_iterable" => {
                let [Some(outer)] = args.bind(["iterable"]) else {
                    return Ok(self.not_evaluated(at));
                };
                let (outer, mut open) = self.items(&outer, at)?;
                let mut items = Vec::new();
                for value in &outer {
                    let (more, why) = self.items(value, at)?;
                    self.room(1 + more.len())?;
                    items.extend(more);
                    open = open.or(why);
                }
                self.iter(items, open)
            }
            "itertools.product" => return self.product(&args, at),
            "copy.copy" | "copy.deepcopy" => {
                let [Some(value)] = args.bind(["x"]) else { return Ok(self.not_evaluated(at)) };
                self.copy(&value, name == "copy.deepcopy", at)?
            }
            "collections.OrderedDict" => {
                return self.call_external("builtins.dict", args, at);
            }
            "collections.defaultdict" => {
                let rest = args.positional[1.min(args.positional.len())..].to_vec();
                let dict = Args { positional: rest, ..args };
                let dict = self.call_external("builtins.dict", dict, at)?;
                // A missing key is no error in a `defaultdict`, so absent keys are unknown.
                dict.make_open(&self.because(at, "a `defaultdict` makes entries when asked"));
                dict
            }
            // These options do not change the effect on names, defaults and fields.
            "dataclasses.dataclass"
                if args.positional.is_empty()
                    && args.open.is_none()
                    && args.unexpected(&["frozen", "eq", "order", "repr", "slots"]).is_none() =>
            {
                Value::External(name.into())
            }
            "dataclasses.field" if args.open.is_none() => {
                self.new_partial(Value::External(name.into()), args.positional, args.named)
            }
            "pathlib.Path" | "pathlib.PurePath" | "pathlib.PurePosixPath" | "pathlib.PosixPath"
                if args.open.is_none() =>
            {
                let unknown =
                    args.positional.iter().find(|value| matches!(value, Value::Unknown(_)));
                let unknown = unknown.cloned();
                match unknown {
                    Some(unknown) => unknown,
                    None => self.path(&args.positional, at)?,
                }
            }
            "os.fspath" => {
                let [Some(path)] = args.bind(["path"]) else { return Ok(self.not_evaluated(at)) };
                match path {
                    Value::Path(text) => Value::Str(text),
                    other => other,
                }
            }
            "enum.auto" => Value::External(super::classes::AUTO.into()),
            "importlib.import_module" => return self.import_module(&args, at),
            "os.getenv" | "os.environ.get" => {
                self.unknown(at, format!("`{}` depends on the environment", at.text()))
            }
            "random.shuffle" | "bisect.insort" | "heapq.heappush" | "heapq.heapify" => {
                let why = self.because(at, format!("`{}` is not evaluated", at.text()));
                for value in &args.positional {
                    if let Value::List(list) = value {
                        list.items.borrow_mut().clear();
                        value.make_open(&why);
                    }
                }
                Value::None
            }
            "warnings.warn"
            | "warnings.filterwarnings"
            | "warnings.simplefilter"
            | "logging.basicConfig"
            | "sys.path.append"
            | "sys.path.insert" => Value::None,
            _ => {
                if let Some(function) = name.strip_prefix("os.path.") {
                    return self.path_function(function, &args, at);
                }
                self.unknown(at, format!("`{}` calls code from outside the project", at.text()))
            }
        })
    }

    fn make_partial(&mut self, mut args: Args<'a>, at: At<'a>) -> Eval<'a> {
        if let Some(why) = args.open {
            return Ok(Value::Unknown(why));
        }
        let Some(func) = args.take_first() else { return Ok(self.not_evaluated(at)) };
        // A partial of a partial is flattened, unless attributes were set on the inner one.
        if let Value::Partial(inner) = &func
            && inner.attributes.borrow().is_empty()
        {
            self.merge_cost(inner, &args)?;
            let mut positional = inner.args.clone();
            positional.append(&mut args.positional);
            let mut named = inner.keywords.clone();
            for (name, value) in args.named {
                named.retain(|(known, _)| *known != name);
                named.push((name, value));
            }
            return Ok(self.new_partial(inner.func.clone(), positional, named));
        }
        Ok(self.new_partial(func, args.positional, args.named))
    }

    /// A partial call of the external function `name`.
    pub(super) fn partial(&mut self, name: &str, args: Vec<Value<'a>>) -> Eval<'a> {
        Ok(self.new_partial(Value::External(name.into()), args, Vec::new()))
    }

    fn new_partial(
        &mut self,
        func: Value<'a>,
        args: Vec<Value<'a>>,
        keywords: Vec<(Rc<str>, Value<'a>)>,
    ) -> Value<'a> {
        let attributes = RefCell::new(HashMap::new());
        self.keep(Value::Partial(Rc::new(Partial { func, args, keywords, attributes })))
    }

    /// `functools.update_wrapper`: copies name and module to the wrapper, and sets `__wrapped__`.
    fn update_wrapper(&mut self, wrapper: &Value<'a>, wrapped: &Value<'a>) {
        let (name, module, own) = match wrapped {
            Value::Function(function) => (
                Some(function.name()),
                Some(function.module_name()),
                function.attributes.borrow().clone(),
            ),
            Value::Bound(bound) => {
                (Some(bound.1.name()), Some(bound.1.module_name()), HashMap::new())
            }
            Value::Class(class) => (
                Some(Rc::from(class.def.name.as_str())),
                Some(class.module.name.clone()),
                HashMap::new(),
            ),
            Value::Partial(partial) => {
                let own = partial.attributes.borrow().clone();
                (None, None, own)
            }
            Value::External(dotted) => match dotted.rsplit_once('.') {
                Some((module, name)) => (Some(name.into()), Some(module.into()), HashMap::new()),
                None => (None, None, HashMap::new()),
            },
            _ => (None, None, HashMap::new()),
        };
        let _ = self.entry_room(own.len());
        for (attribute, value) in own {
            self.set_attribute(wrapper, &attribute, value);
        }
        if let Some(name) = name {
            self.set_attribute(wrapper, "__name__", Value::Str(name));
        }
        if let Some(module) = module {
            self.set_attribute(wrapper, "__module__", Value::Str(module));
        }
        self.set_attribute(wrapper, "__wrapped__", wrapped.clone());
    }

    fn reduce(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let [Some(function), Some(iterable)] = args.bind(["function", "iterable"]) else {
            return Ok(self.not_evaluated(at));
        };
        let (items, open) = self.items(&iterable, at)?;
        if let Some(why) = open {
            return Ok(Value::Unknown(why));
        }
        let mut items = items.into_iter();
        let Some(mut total) = args.positional.get(2).cloned().or_else(|| items.next()) else {
            return Ok(self.not_evaluated(at));
        };
        let adds = matches!(&function, Value::External(name) if &**name == "operator.add");
        for item in items {
            self.step()?;
            total = if adds {
                self.binary(&total, ruff_python_ast::Operator::Add, &item, at)?
            } else {
                self.call_with(&function, vec![total, item], at)?
            };
        }
        Ok(total)
    }

    fn product(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let mut columns = Vec::new();
        let mut open = args.open.clone();
        for value in &args.positional {
            let (items, why) = self.items(value, at)?;
            columns.push(items);
            open = open.or(why);
        }
        match args.named("repeat") {
            None => {}
            Some(Value::Int(times @ 0..=8)) => {
                let once = columns.clone();
                self.room(columns.iter().map(Vec::len).sum::<usize>().saturating_mul(8))?;
                columns.clear();
                (0..times).for_each(|_| columns.extend(once.iter().cloned()));
            }
            Some(_) => return Ok(self.not_evaluated(at)),
        }
        let mut rows: Vec<Vec<Value<'a>>> = vec![Vec::new()];
        for column in &columns {
            let count = rows.len().saturating_mul(column.len());
            let width = 1 + rows.first().map_or(0, Vec::len);
            self.room(count.saturating_mul(2 + width))?;
            self.elements(count.saturating_mul(STEP))?;
            let mut longer = Vec::with_capacity(count);
            for row in &rows {
                for item in column {
                    longer.push(row.iter().cloned().chain([item.clone()]).collect());
                }
            }
            rows = longer;
        }
        let rows = rows.into_iter().map(|row| self.tuple(row)).collect();
        Ok(self.iter(rows, open))
    }

    fn copy(&mut self, value: &Value<'a>, deep: bool, at: At<'a>) -> Eval<'a> {
        let open = value.open();
        Ok(match value {
            Value::List(_) | Value::Tuple(_) => {
                let (items, _) = self.items(value, at)?;
                self.room(items.len())?;
                let mut copies = Vec::with_capacity(items.len());
                for item in items {
                    copies.push(self.copy_inner(item, deep, at)?);
                }
                match value {
                    Value::Tuple(_) => self.tuple(copies),
                    _ => self.open_list(copies, open),
                }
            }
            Value::Dict(dict) => {
                self.entry_room(dict.entries.borrow().len().saturating_mul(2))?;
                let entries = dict.entries.borrow().clone();
                let mut copies = IndexMap::with_capacity(entries.len());
                for (key, (name, item)) in entries {
                    let item = self.copy_inner(item, deep, at)?;
                    copies.insert(key, (name, item));
                }
                self.dict(copies, open)
            }
            Value::Set(set) => {
                self.entry_room(set.members.borrow().len())?;
                let members = set.members.borrow().clone();
                let copy = Set { members: RefCell::new(members), open: RefCell::new(open) };
                self.keep(Value::Set(Rc::new(copy)))
            }
            Value::Iter(_) | Value::Instance(_) => self.not_evaluated(at),
            other => other.clone(),
        })
    }

    fn copy_inner(&mut self, item: Value<'a>, deep: bool, at: At<'a>) -> Eval<'a> {
        if deep { self.deeper(|interp| interp.copy(&item, true, at)) } else { Ok(item) }
    }

    fn import_module(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let [name, package] = args.bind(["name", "package"]);
        let name = match (&name, package) {
            (Some(Value::Str(name)), None) => name.clone(),
            (Some(Value::Str(name)), Some(Value::Str(package))) if name.starts_with('.') => {
                self.bytes(package.len() + name.len())?;
                format!("{package}{name}").into()
            }
            (Some(value @ Value::Unknown(_)), _) => return Ok(value.clone()),
            _ => return Ok(self.not_evaluated(at)),
        };
        Ok(match self.import(&name)? {
            super::module::Imported::Project(module) => Value::Module(module),
            super::module::Imported::External => Value::External(name),
            super::module::Imported::Missing => {
                let text = format!("no module named `{name}`");
                return self.raise(at, "ModuleNotFoundError", text, "Check the name.");
            }
        })
    }
}
