//! Describes a node's function: the code that it is made from, and the values bound to it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::rc::Rc;

use ruff_text_size::{Ranged, TextSize};

use super::super::bindings::free_names;
use super::super::interp::{Interp, MAX_TEXT};
use super::super::repr::{float_repr, str_repr};
use super::super::scope::ScopeKind;
use super::super::source::{At, Source};
use super::super::value::{Class, Code, Function, Instance, Shape, Unknown, Value};
use super::Io;
use super::node::Parts;
use crate::project::{Bound, Callable, Entry};
use crate::text::secrets::{Secret, names_secret};

/// Longer texts of bound values are cut; a hash stands for the rest.
const LONGEST_TEXT: usize = 400;

impl<'a> Interp<'a> {
    /// The node's callable, with the values that variables have after all pipeline code has run.
    pub(super) fn callable(&self, parts: &Parts<'a>) -> Callable {
        let mut gather =
            Gather { interp: self, at: parts.at, entries: Vec::new(), within: HashSet::new() };
        let mut bound = Vec::new();
        let name = gather.callable(&parts.func, &mut bound);
        let inputs = match &parts.inputs {
            Io::One(name) => Io::List(vec![name.clone()]),
            other => other.clone(),
        };
        Callable {
            name,
            entries: gather.entries,
            bound,
            takes: wiring(&inputs),
            gives: wiring(&parts.outputs),
        }
    }
}

/// Inputs or outputs as text; the key order of a dictionary does not matter.
fn wiring(io: &Io) -> String {
    match io.canonical() {
        Io::None => "[]".to_owned(),
        Io::One(name) => name.to_string(),
        Io::List(names) => format!("[{}]", names.join(", ")),
        Io::Dict(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, name)| format!("{key}: {name}")).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Writes values as text, and collects the code that they refer to.
struct Gather<'i, 'a> {
    interp: &'i Interp<'a>,
    at: At<'a>,
    entries: Vec<Entry>,
    /// Addresses of the functions and objects being written, to stop at cycles.
    within: HashSet<usize>,
}

type Written = Result<(), Rc<Unknown>>;

impl<'a> Gather<'_, 'a> {
    /// The name of a callable. Values bound to it are appended to `bound`.
    fn callable(&mut self, value: &Value<'a>, bound: &mut Vec<(String, Bound)>) -> String {
        match value {
            Value::Function(function) => {
                self.enter(function);
                for (name, value) in captured(function) {
                    self.bind(bound, name, &value);
                }
                dotted(function)
            }
            Value::Bound(method) => {
                self.bind(bound, "self".to_owned(), &method.0);
                self.enter(&method.1);
                dotted(&method.1)
            }
            Value::Partial(partial) => {
                let inner = self.callable(&partial.func, bound);
                for (index, value) in partial.args.iter().enumerate() {
                    self.bind(bound, format!("#{}", index + 1), value);
                }
                for (name, value) in &partial.keywords {
                    self.bind(bound, name.to_string(), value);
                }
                format!("functools.partial({inner})")
            }
            Value::Instance(instance) => {
                self.bind(bound, "self".to_owned(), value);
                format!("{}.__call__", class_name(&instance.class))
            }
            Value::Class(class) => {
                self.enter_class(class);
                class_name(class)
            }
            Value::Method(method) => {
                self.bind(bound, "self".to_owned(), &method.0);
                method.1.to_string()
            }
            Value::External(name) => {
                self.entry(Entry::Name(name.to_string()));
                name.to_string()
            }
            other => {
                self.bind(bound, "function".to_owned(), other);
                self.at.text()
            }
        }
    }

    fn bind(&mut self, bound: &mut Vec<(String, Bound)>, name: String, value: &Value<'a>) {
        if let Value::Str(secret) = value
            && names_secret(&name)
        {
            // Registers the secret, because the function's own messages may quote it.
            drop(Secret::of(secret));
        }
        let mut text = String::new();
        let known = match self.write(&mut text, value) {
            Ok(()) => Bound::Known(shortened(text)),
            Err(why) => Bound::Unknown { reason: why.reason.clone(), place: why.place.clone() },
        };
        // A partial of a closure may bind the same name twice.
        let twins =
            bound.iter().filter(|(other, _)| other.split(' ').next() == Some(&name)).count();
        let name = if twins > 0 { format!("{name} ({})", twins + 1) } else { name };
        bound.push((name, known));
    }

    fn entry(&mut self, entry: Entry) {
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    fn code(&mut self, source: &Source, start: TextSize) {
        self.entry(Entry::Code(source.place(start)));
    }

    fn enter(&mut self, function: &Function<'a>) {
        let start = match function.code {
            Code::Def(def) => def.name.start(),
            Code::Lambda(lambda) => lambda.start(),
        };
        self.code(function.source, start);
    }

    fn enter_class(&mut self, class: &Class<'a>) {
        self.code(class.source, class.def.name.start());
    }

    /// Writes `value` in Python's notation: functions by name, objects with their attributes.
    fn write(&mut self, out: &mut String, value: &Value<'a>) -> Written {
        if out.len() > MAX_TEXT {
            return Err(self.interp.because(self.at, "the text is too long"));
        }
        // The bytes of the text and of the copied items.
        let bytes = value.as_str().map_or(32, |text| 64 + 4 * text.len());
        self.interp.afford_bytes(bytes, self.at)?;
        self.interp.afford(self.entries.len(), self.at)?;
        if let Some(why) = value.open() {
            return Err(why);
        }
        match value {
            Value::None => out.push_str("None"),
            Value::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
            Value::Int(int) => drop(write!(out, "{int}")),
            Value::Float(float) => out.push_str(&float_repr(*float)),
            Value::Str(text) => out.push_str(&str_repr(text)),
            Value::Path(path) => drop(write!(out, "Path({})", str_repr(path))),
            Value::Ellipsis => out.push_str("..."),
            Value::Range(start, stop, step) => drop(write!(out, "range({start}, {stop}, {step})")),
            Value::List(list) => {
                self.interp.afford(list.items.borrow().len(), self.at)?;
                let items = list.items.borrow().clone();
                self.items(out, ["[", "]"], &items)?;
            }
            Value::Tuple(items) => self.items(out, ["(", ")"], items)?,
            Value::Slice(parts) => self.items(out, ["slice(", ")"], &parts[..])?,
            Value::Set(set) => {
                let members: Vec<_> = set.members.borrow().values().cloned().collect();
                self.set(out, &members)?;
            }
            Value::Dict(dict) => {
                let entries: Vec<_> = dict.entries.borrow().values().cloned().collect();
                let entries = entries.into_iter().map(|(key, value)| (Some(key), value));
                self.entries(out, ["{", ": ", "}"], entries)?;
            }
            Value::Function(function) => {
                self.enter(function);
                out.push_str(&dotted(function));
                self.attributes(out, Rc::as_ptr(function) as usize, captured(function))?;
            }
            Value::Bound(method) => {
                self.nested(out, &method.0)?;
                let _ = write!(out, ".{}", method.1.name());
                self.enter(&method.1);
            }
            Value::Method(method) => {
                self.nested(out, &method.0)?;
                let _ = write!(out, ".{}", method.1);
            }
            Value::Partial(partial) => {
                out.push_str("functools.partial(");
                self.nested(out, &partial.func)?;
                for value in &partial.args {
                    out.push_str(", ");
                    self.nested(out, value)?;
                }
                for (name, value) in &partial.keywords {
                    let _ = write!(out, ", {name}=");
                    self.nested(out, value)?;
                }
                out.push(')');
            }
            Value::Class(class) => {
                self.enter_class(class);
                out.push_str(&class_name(class));
            }
            Value::Instance(instance) => self.object(out, instance)?,
            Value::Module(module) => {
                self.entry(Entry::Name(module.name.to_string()));
                out.push_str(&module.name);
            }
            Value::External(name) => {
                self.entry(Entry::Name(name.to_string()));
                out.push_str(name);
            }
            Value::Unknown(why) => return Err(why.clone()),
            Value::Iter(_) | Value::Node(_) | Value::Pipeline(_) => {
                let reason = format!("the text of a `{}` is not evaluated", value.type_name());
                return Err(self.interp.because(self.at, reason));
            }
        }
        Ok(())
    }

    /// Writes `value` one nesting level deeper.
    fn nested(&mut self, out: &mut String, value: &Value<'a>) -> Written {
        let (interp, at) = (self.interp, self.at);
        interp.look_into(at, || self.write(out, value))
    }

    fn items(&mut self, out: &mut String, brackets: [&str; 2], items: &[Value<'a>]) -> Written {
        out.push_str(brackets[0]);
        for (index, item) in items.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            self.nested(out, item)?;
        }
        out.push_str(brackets[1]);
        Ok(())
    }

    /// Writes the members sorted by their texts, because the iteration order of a set is arbitrary.
    fn set(&mut self, out: &mut String, members: &[Value<'a>]) -> Written {
        let mut texts = Vec::with_capacity(members.len());
        for member in members {
            let mut text = String::new();
            self.nested(&mut text, member)?;
            texts.push(text);
        }
        texts.sort();
        let _ = write!(out, "set({})", texts.join(", "));
        Ok(())
    }

    fn entries(
        &mut self,
        out: &mut String,
        [open, between, close]: [&str; 3],
        entries: impl Iterator<Item = (Option<Value<'a>>, Value<'a>)>,
    ) -> Written {
        out.push_str(open);
        for (index, (key, value)) in entries.enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            if let Some(key) = key {
                self.nested(out, &key)?;
                out.push_str(between);
            }
            self.nested(out, &value)?;
        }
        out.push_str(close);
        Ok(())
    }

    fn object(&mut self, out: &mut String, instance: &Rc<Instance<'a>>) -> Written {
        self.enter_class(&instance.class);
        out.push_str(&class_name(&instance.class));
        if instance.class.shape == Shape::Enum
            && let Some(Value::Str(name)) = instance.attributes.borrow().get("name")
        {
            let _ = write!(out, ".{name}");
            return Ok(());
        }
        let mut attributes: Vec<(String, Value<'a>)> = (instance.attributes.borrow().iter())
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        out.push_str(if attributes.is_empty() { "()" } else { "" });
        self.attributes(out, Rc::as_ptr(instance) as usize, attributes)
    }

    /// Named values in brackets; nothing for a function or object that is already being written.
    fn attributes(
        &mut self,
        out: &mut String,
        address: usize,
        attributes: Vec<(String, Value<'a>)>,
    ) -> Written {
        if attributes.is_empty() || !self.within.insert(address) {
            return Ok(());
        }
        out.push('(');
        for (index, (name, value)) in attributes.iter().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            let _ = write!(out, "{name}=");
            self.nested(out, value)?;
        }
        out.push(')');
        self.within.remove(&address);
        Ok(())
    }
}

/// The values that a function holds besides its code: captured variables, and defaults evaluated at
/// its definition. A `def` at module level has none: its code says everything.
fn captured<'a>(function: &Rc<Function<'a>>) -> Vec<(String, Value<'a>)> {
    let of_module = function.closure.kind == ScopeKind::Module;
    if of_module && matches!(function.code, Code::Def(_)) {
        return Vec::new();
    }
    let mut values: Vec<(String, Value<'a>)> =
        (function.defaults.iter()).map(|(name, value)| (name.to_string(), value.clone())).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0));
    if !of_module {
        let names = free_names(function.code).into_iter();
        values.extend(names.filter_map(|name| {
            function.closure.captured(name).map(|value| (name.to_owned(), value))
        }));
    }
    values
}

fn dotted(function: &Function<'_>) -> String {
    format!("{}.{}", function.module_name(), function.name())
}

fn class_name(class: &Class<'_>) -> String {
    format!("{}.{}", class.module.name, class.def.name)
}

fn shortened(text: String) -> String {
    let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) else { return text };
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{}… ({} characters, {})", &text[..end], text.chars().count(), &hash[..16])
}
