//! Python's built-in functions and the parts of the standard library that pipeline code uses.

use std::rc::Rc;

use indexmap::IndexMap;

use super::call::Args;
use super::expr::range_len;
use super::interp::{Eval, Interp, Stop};
use super::source::At;
use super::value::{Unknown, Value};
use crate::project::budget::STEP;

impl<'a> Interp<'a> {
    /// Calls a function from outside the project. Known functions are computed; the result of any
    /// other is unknown.
    pub(super) fn call_external(&mut self, name: &str, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        if let Some(builtin) = name.strip_prefix("builtins.") {
            return self.call_builtin(builtin, args, at);
        }
        if name.starts_with("kedro.") {
            return self.call_kedro(name, args, at);
        }
        self.call_library(name, args, at)
    }

    fn call_builtin(&mut self, name: &str, args: Args<'a>, at: At<'a>) -> Eval<'a> {
        let first = args.positional.first().cloned();
        if let (Some(why), true) = (&args.open, name != "dict" && name != "print") {
            return Ok(Value::Unknown(why.clone()));
        }
        Ok(match (name, first) {
            ("print" | "object.__init__", _) => Value::None,
            ("list" | "tuple" | "set" | "frozenset", None) => match name {
                "list" => self.list(Vec::new()),
                "tuple" => self.tuple(Vec::new()),
                _ => self.set(Vec::new(), None, at),
            },
            ("dict", first) => return self.make_dict(first, &args, at),
            ("str", None) => Value::str(""),
            ("int", None) => Value::Int(0),
            ("bool", None) => Value::Bool(false),
            ("range", Some(_)) => return Ok(self.range(&args, at)),
            ("zip", _) => return self.zip(&args, at),
            ("object", None) => self.not_evaluated(at),
            ("isinstance", Some(value)) => return Ok(self.is_instance(&value, &args, at)),
            ("getattr" | "hasattr", Some(object)) => {
                return self.get_attribute(name, &object, &args, at);
            }
            ("setattr", Some(object)) => {
                if let [_, Value::Str(name), value] = &args.positional[..] {
                    self.set_attribute(&object, name, value.clone());
                }
                Value::None
            }
            ("callable", Some(value)) => match &value {
                Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                    Value::Unknown(self.why(&value, at))
                }
                Value::Function(_)
                | Value::Bound(_)
                | Value::Partial(_)
                | Value::Class(_)
                | Value::Method(_) => Value::Bool(true),
                _ => Value::Bool(false),
            },
            ("staticmethod" | "classmethod" | "property", Some(function)) => {
                return self.partial(&format!("builtins.{name}"), vec![function]);
            }
            ("type", Some(Value::Instance(instance))) => Value::Class(instance.class.clone()),
            (_, Some(value @ Value::Unknown(_))) => value,
            (
                "list" | "tuple" | "set" | "frozenset" | "iter" | "enumerate" | "sorted"
                | "reversed" | "map" | "filter" | "sum" | "any" | "all" | "max" | "min" | "len",
                Some(value),
            ) => {
                return self.call_over_items(name, value, &args, at);
            }
            (method, Some(value @ Value::Str(_))) if method.starts_with("str.") => {
                let positional = args.positional[1..].to_vec();
                let args = Args { positional, ..args };
                return self.call_method(&value, &method["str.".len()..], args, at);
            }
            ("hex" | "oct" | "bin", Some(Value::Int(int))) => {
                let digits = int.unsigned_abs();
                let sign = if int < 0 { "-" } else { "" };
                Value::str(match name {
                    "hex" => format!("{sign}{digits:#x}"),
                    "oct" => format!("{sign}{digits:#o}"),
                    _ => format!("{sign}{digits:#b}"),
                })
            }
            ("dict.fromkeys", Some(keys)) => {
                let (keys, open) = self.items(&keys, at)?;
                let value = args.positional.get(1).cloned().unwrap_or(Value::None);
                self.entry_room(keys.len())?;
                let dict = self.dict(IndexMap::new(), open);
                for key in keys {
                    self.set_item(&dict, &key, value.clone(), at)?;
                }
                dict
            }
            ("next", Some(value)) => return self.next(&value, &args, at),
            ("str" | "repr" | "ascii", Some(value)) => {
                let text =
                    if name == "str" { self.str_of(&value, at) } else { self.repr_of(&value, at) };
                match text {
                    Ok(text) if name == "ascii" && !text.is_ascii() => self.not_evaluated(at),
                    text => text.map_or_else(Value::Unknown, Value::str),
                }
            }
            ("bool", Some(value)) => {
                self.truth(&value, at).map_or_else(Value::Unknown, Value::Bool)
            }
            ("format", Some(value)) => {
                let spec = args.positional.get(1).and_then(Value::as_str).unwrap_or("");
                self.format_value(&value, spec, at).map_or_else(Value::Unknown, Value::str)
            }
            ("int" | "float" | "abs" | "round" | "chr" | "ord", Some(value)) => {
                self.bytes(value.as_str().map_or(0, str::len))?;
                let single = args.positional.len() == 1;
                if let (true, "int", Value::Str(text)) = (single, name, &value)
                    && !is_integer(text)
                {
                    let reason = format!("`{text}` is no whole number");
                    return self.raise(at, "ValueError", reason, "Give digits.");
                }
                let result = if single { numeric(name, &value) } else { None };
                result.unwrap_or_else(|| self.not_evaluated(at))
            }
            _ => self.not_evaluated(at),
        })
    }

    fn call_over_items(
        &mut self,
        name: &str,
        value: Value<'a>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if matches!(name, "map" | "filter") {
            return self.map_or_filter(name, &value, args, at);
        }
        if matches!(name, "max" | "min") && args.positional.len() > 1 {
            return self.extreme(name, args.positional.clone(), args, at);
        }
        let sized = |value: &Value<'a>| self.items_are_its_length(value);
        if name == "len" && !sized(&value) {
            return Ok(self.not_evaluated(at));
        }
        if let ("len", Some(count)) = (name, self.len(&value)?) {
            let Ok(count) = i64::try_from(count) else { return Ok(self.not_evaluated(at)) };
            return Ok(value.open().map_or(Value::Int(count), Value::Unknown));
        }
        let (items, mut open) = self.items(&value, at)?;
        if matches!(name, "enumerate" | "iter") {
            open = open.or_else(|| self.without_order(&value, at));
        }
        let known_in_full = |interp: &mut Self, result: Value<'a>| match &open {
            Some(why) => Ok(Value::Unknown(why.clone())),
            None => Ok(interp.keep(result)),
        };
        match name {
            "list" => Ok(self.open_list(items, open)),
            "iter" | "enumerate" if self.without_order(&value, at).is_some() => {
                Ok(self.iter(Vec::new(), open))
            }
            "iter" => Ok(self.iter(items, open)),
            "set" | "frozenset" => Ok(self.set(items, open, at)),
            "tuple" => known_in_full(self, Value::Tuple(items.into())),
            "len" => {
                let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
                known_in_full(self, Value::Int(count))
            }
            "enumerate" => {
                let start = match args.positional.get(1).cloned().or_else(|| args.named("start")) {
                    None => 0,
                    Some(Value::Int(start)) => start,
                    Some(_) => return Ok(self.not_evaluated(at)),
                };
                self.room(items.len().saturating_mul(3))?;
                let mut pairs = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    self.elements(STEP)?;
                    let Some(n) = i64::try_from(index).ok().and_then(|n| start.checked_add(n))
                    else {
                        return Ok(self.not_evaluated(at));
                    };
                    pairs.push(self.tuple(vec![Value::Int(n), item]));
                }
                Ok(self.iter(pairs, open))
            }
            "reversed" => Ok(self.iter(items.into_iter().rev().collect(), open)),
            "sorted" => {
                let sorted = self.sort(items, args, at)?;
                Ok(match sorted {
                    Ok(items) => self.open_list(items, open),
                    Err(why) => Value::Unknown(why),
                })
            }
            "sum" => self.sum(items, open, args, at),
            "any" | "all" => {
                let decisive = name == "any";
                let mut doubt = open.clone();
                for item in &items {
                    self.elements(1)?;
                    match self.truth(item, at) {
                        Ok(truth) if truth == decisive => return Ok(Value::Bool(decisive)),
                        Ok(_) => {}
                        Err(why) => doubt = Some(why),
                    }
                }
                Ok(doubt.map_or(Value::Bool(!decisive), Value::Unknown))
            }
            _ => match open {
                Some(why) => Ok(Value::Unknown(why)),
                None => self.extreme(name, items, args, at),
            },
        }
    }

    /// Whether `len` equals the number of items that iteration yields.
    fn items_are_its_length(&self, value: &Value<'a>) -> bool {
        match value {
            Value::Instance(object) => self.tuple_values(object).is_some(),
            Value::External(_) => false,
            _ => true,
        }
    }

    /// The reason why the iteration order of `value` is unknown: it is a set with several members.
    pub(super) fn without_order(&self, value: &Value<'a>, at: At<'a>) -> Option<Rc<Unknown>> {
        match value {
            Value::Set(set) if set.members.borrow().len() > 1 => {
                Some(self.because(at, "the order of a set differs from run to run"))
            }
            _ => None,
        }
    }

    /// The result of `len` without copying the items; `None` if the items must be evaluated first.
    fn len(&self, value: &Value<'a>) -> Result<Option<usize>, Stop<'a>> {
        Ok(Some(match value {
            Value::List(list) => list.items.borrow().len(),
            Value::Tuple(items) => items.len(),
            Value::Dict(dict) => dict.entries.borrow().len(),
            Value::Set(set) => set.members.borrow().len(),
            Value::Range(start, stop, step) => range_len(*start, *stop, *step),
            Value::Str(text) => {
                self.elements(text.len() / 16)?;
                text.chars().count()
            }
            _ => return Ok(None),
        }))
    }

    fn sum(
        &mut self,
        items: Vec<Value<'a>>,
        open: Option<Rc<Unknown>>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let start = args.positional.get(1).cloned().or_else(|| args.named("start"));
        if let Some(total) = self.sum_of_pipelines(&items, start.as_ref(), open.as_ref(), at) {
            return Ok(total);
        }
        let mut total = start.unwrap_or(Value::Int(0));
        for item in items {
            self.step()?;
            total = self.binary(&total, ruff_python_ast::Operator::Add, &item, at)?;
        }
        Ok(open.map_or(total, Value::Unknown))
    }

    fn map_or_filter(
        &mut self,
        name: &str,
        function: &Value<'a>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let mut columns = Vec::new();
        let mut open = None;
        for value in &args.positional[1..] {
            let (items, why) = self.items(value, at)?;
            columns.push(items);
            open = open.or(why);
        }
        let rounds = columns.iter().map(Vec::len).min().unwrap_or(0);
        self.room(rounds.saturating_mul(1 + columns.len()))?;
        let mut results = Vec::with_capacity(rounds);
        for round in 0..rounds {
            self.step()?;
            let row: Vec<_> = columns.iter().map(|column| column[round].clone()).collect();
            let item = row[0].clone();
            let keeps_all = name == "filter" && matches!(function, Value::None);
            let result = if keeps_all { item.clone() } else { self.call_with(function, row, at)? };
            if name == "map" {
                results.push(result);
                continue;
            }
            match self.truth(&result, at) {
                Ok(true) => results.push(item),
                Ok(false) => {}
                Err(why) => open = Some(why),
            }
        }
        Ok(self.iter(results, open))
    }

    fn make_dict(&mut self, first: Option<Value<'a>>, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let dict = self.dict(IndexMap::new(), args.open.clone());
        if let Some(first) = first {
            self.update(&dict, &first, at)?;
        }
        self.entry_room(args.named.len())?;
        for (name, value) in &args.named {
            self.set_item(&dict, &Value::Str(name.clone()), value.clone(), at)?;
        }
        Ok(dict)
    }

    fn range(&mut self, args: &Args<'a>, at: At<'a>) -> Value<'a> {
        match &args.positional[..] {
            [Value::Int(stop)] => Value::Range(0, *stop, 1),
            [Value::Int(start), Value::Int(stop)] => Value::Range(*start, *stop, 1),
            [Value::Int(start), Value::Int(stop), Value::Int(step)] if *step != 0 => {
                Value::Range(*start, *stop, *step)
            }
            values => match values.iter().find(|value| matches!(value, Value::Unknown(_))) {
                Some(unknown) => unknown.clone(),
                None => self.not_evaluated(at),
            },
        }
    }

    fn zip(&mut self, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let mut columns = Vec::new();
        let mut open = None;
        for value in &args.positional {
            let (items, why) = self.items(value, at)?;
            let items = if self.without_order(value, at).is_some() { Vec::new() } else { items };
            columns.push(items);
            open = open.or(why).or_else(|| self.without_order(value, at));
        }
        let rounds = columns.iter().map(Vec::len).min().unwrap_or(0);
        self.room(rounds.saturating_mul(1 + columns.len()))?;
        let mut rows = Vec::with_capacity(rounds);
        for round in 0..rounds {
            self.step()?;
            rows.push(self.tuple(columns.iter().map(|column| column[round].clone()).collect()));
        }
        Ok(self.iter(rows, open))
    }

    fn next(&mut self, value: &Value<'a>, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let Value::Iter(list) = value else { return Ok(self.not_evaluated(at)) };
        let mut items = list.items.borrow_mut();
        if !items.is_empty() {
            self.elements(items.len() / 8)?;
            return Ok(items.remove(0));
        }
        drop(items);
        match (value.open(), args.positional.get(1)) {
            (Some(why), _) => Ok(Value::Unknown(why)),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => {
                let text = format!("`{}` has no next value", at.text());
                self.raise(at, "StopIteration", text, "Give a default.")
            }
        }
    }

    fn get_attribute(
        &mut self,
        name: &str,
        object: &Value<'a>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let Some(Value::Str(attribute)) = args.positional.get(1) else {
            return Ok(self.not_evaluated(at));
        };
        if name == "getattr" && args.positional.len() == 2 {
            return self.attribute(object, attribute, at);
        }
        // With a default, a missing attribute is no error.
        self.tries += 1;
        let found = self.attribute(object, attribute, at);
        self.tries -= 1;
        match (found, name) {
            (Err(Stop::Raised(_)), "hasattr") => Ok(Value::Bool(false)),
            (Ok(Value::Unknown(why)), _) => Ok(Value::Unknown(why)),
            (Ok(Value::External(_)), "hasattr") => Ok(self.not_evaluated(at)),
            (Ok(_), "hasattr") => Ok(Value::Bool(true)),
            (Err(Stop::Raised(_)), _) => Ok(args.positional.get(2).cloned().unwrap_or(Value::None)),
            (found, _) => found,
        }
    }

    fn is_instance(&mut self, value: &Value<'a>, args: &Args<'a>, at: At<'a>) -> Value<'a> {
        if let Value::Unknown(_) = value {
            return value.clone();
        }
        let classes = match args.positional.get(1) {
            Some(Value::Tuple(classes)) => classes.to_vec(),
            Some(class) => vec![class.clone()],
            None => return self.not_evaluated(at),
        };
        let lineage = match value {
            Value::Instance(object) => object.class.lineage().len(),
            _ => 1,
        };
        if self.afford(classes.len().saturating_mul(4 * lineage), at).is_err() {
            return self.not_evaluated(at);
        }
        let mut doubt = false;
        for class in &classes {
            match instance_of(value, class) {
                Some(true) => return Value::Bool(true),
                Some(false) => {}
                None => doubt = true,
            }
        }
        if doubt { self.not_evaluated(at) } else { Value::Bool(false) }
    }
}

/// Whether `int` accepts this text. Non-ASCII digits are assumed to be valid.
fn is_integer(text: &str) -> bool {
    let digits = text.trim();
    let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    !digits.is_empty()
        && digits.split('_').all(|part| !part.is_empty() && part.chars().all(char::is_numeric))
}

/// Whether `value` is an instance of `class`; `None` if that can't be decided.
pub(super) fn instance_of<'a>(value: &Value<'a>, class: &Value<'a>) -> Option<bool> {
    match (value, class) {
        (Value::Instance(instance), Value::Class(class)) => {
            Some(instance.class.lineage().into_iter().any(|base| std::ptr::eq(base, &**class)))
        }
        (_, Value::Class(_)) => Some(false),
        (Value::External(_) | Value::Instance(_), _) => None,
        (_, Value::External(name)) => {
            let own = value.type_name();
            Some(match &**name {
                "builtins.object" => true,
                "builtins.int" => matches!(value, Value::Int(_) | Value::Bool(_)),
                "collections.abc.Mapping" | "typing.Mapping" => matches!(value, Value::Dict(_)),
                "collections.abc.Callable" | "typing.Callable" => matches!(
                    value,
                    Value::Function(_) | Value::Bound(_) | Value::Partial(_) | Value::Class(_)
                ),
                "collections.abc.Iterable" | "typing.Iterable" => matches!(
                    value,
                    Value::List(_)
                        | Value::Tuple(_)
                        | Value::Dict(_)
                        | Value::Set(_)
                        | Value::Str(_)
                        | Value::Range(..)
                        | Value::Iter(_)
                ),
                "kedro.pipeline.Pipeline" | "kedro.pipeline.pipeline.Pipeline" => own == "Pipeline",
                "kedro.pipeline.node.Node" | "kedro.pipeline.Node" => own == "Node",
                name => match name.strip_prefix("builtins.") {
                    Some(builtin) => builtin == own,
                    None if own == "functools.partial" => name == own,
                    None => return None,
                },
            })
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to lie within the range")]
fn numeric<'a>(name: &str, value: &Value<'a>) -> Option<Value<'a>> {
    Some(match (name, value) {
        ("int", Value::Str(text)) => Value::Int(text.trim().replace('_', "").parse().ok()?),
        ("int", Value::Float(float)) if float.abs() < 9e15 => Value::Int(float.trunc() as i64),
        ("int", Value::Int(int)) => Value::Int(*int),
        ("int", Value::Bool(value)) => Value::Int(i64::from(*value)),
        ("float", Value::Str(text)) => Value::Float(text.trim().parse().ok()?),
        ("float", value) => Value::Float(super::ops::number(value)?),
        ("abs", Value::Int(int)) => Value::Int(int.checked_abs()?),
        ("abs", Value::Float(float)) => Value::Float(float.abs()),
        ("round", Value::Int(int)) => Value::Int(*int),
        ("round", Value::Float(float)) if float.abs() < 9e15 => {
            Value::Int(float.round_ties_even() as i64)
        }
        ("chr", Value::Int(int)) => {
            Value::str(char::from_u32(u32::try_from(*int).ok()?)?.to_string())
        }
        ("ord", Value::Str(text)) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Value::Int(i64::from(u32::from(c))),
                _ => return None,
            }
        }
        _ => return None,
    })
}
