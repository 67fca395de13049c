//! The methods of lists, dictionaries, sets and other containers.

use std::rc::Rc;

use super::call::Args;
use super::interp::{Eval, ITEM_BYTES, Interp, Stop};
use super::source::At;
use super::value::{Dict, List, Set, Value};

impl<'a> Interp<'a> {
    /// Calls the method `name` of a built-in type.
    pub(super) fn call_method(
        &mut self,
        receiver: &Value<'a>,
        name: &str,
        args: Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        match receiver {
            Value::Str(text) => self.str_method(&text.clone(), name, &args, at),
            Value::List(list) => self.list_method(receiver, list, name, &args, at),
            Value::Dict(dict) => self.dict_method(receiver, dict, name, &args, at),
            Value::Set(set) => self.set_method(receiver, set, name, &args, at),
            Value::Tuple(_) if name == "index" || name == "count" => {
                self.search(receiver, name, &args, at)
            }
            Value::Pipeline(pipeline) => self.pipeline_method(pipeline, name, args, at),
            Value::Path(path) => self.path_method(path, name, &args, at),
            Value::Node(node) => self.node_method(node, name, &args, at),
            _ => Ok(self.not_evaluated(at)),
        }
    }

    /// `list += value`, `list.extend(value)`.
    pub(super) fn extend(
        &mut self,
        list: &Value<'a>,
        value: &Value<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        let (items, open) = self.items(value, at)?;
        self.room(items.len())?;
        if let Value::List(list) = list {
            list.items.borrow_mut().extend(items);
        }
        if let Some(why) = open {
            list.make_open(&why);
        }
        Ok(())
    }

    /// `dict |= value`, `dict.update(value)`, and the same for sets.
    pub(super) fn update(
        &mut self,
        target: &Value<'a>,
        value: &Value<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        match (target, value) {
            (Value::Dict(dict), Value::Dict(other)) => {
                // The copy, and the entries that it adds.
                self.entry_room(other.entries.borrow().len().saturating_mul(2))?;
                let others = other.entries.borrow().clone();
                let mut entries = dict.entries.borrow_mut();
                for (key, (name, value)) in others {
                    match entries.get_mut(&key) {
                        Some(entry) => entry.1 = value,
                        None => drop(entries.insert(key, (name, value))),
                    }
                }
            }
            (Value::Dict(_), Value::Unknown(_) | Value::External(_) | Value::Instance(_)) => {}
            (Value::Dict(_), _) => {
                let (pairs, open) = self.items(value, at)?;
                for pair in &pairs {
                    self.step()?;
                    self.entry_room(1)?;
                    let (pair, _) = self.items(pair, at)?;
                    if let [key, value] = &pair[..] {
                        self.set_item(target, key, value.clone(), at)?;
                    }
                }
                if let Some(why) = open {
                    target.make_open(&why);
                }
            }
            (Value::Set(set), _) => {
                let (items, open) = self.items(value, at)?;
                self.entry_room(items.len())?;
                for item in items {
                    match item.key(self.budget) {
                        Some(key) => {
                            set.members.borrow_mut().entry(key).or_insert(item);
                        }
                        None => target.make_open(&self.why(&item, at)),
                    }
                }
                if let Some(why) = open {
                    target.make_open(&why);
                }
            }
            _ => {}
        }
        match value {
            Value::Unknown(_) | Value::External(_) | Value::Instance(_) => {
                target.make_open(&self.why(value, at));
            }
            _ => {
                if let Some(why) = value.open() {
                    target.make_open(&why);
                }
            }
        }
        Ok(())
    }

    fn list_method(
        &mut self,
        receiver: &Value<'a>,
        list: &Rc<List<'a>>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if let Some(why) = &args.open {
            receiver.make_open(why);
            return Ok(Value::Unknown(why.clone()));
        }
        let first = args.positional.first();
        match (name, first) {
            ("append", Some(item)) => {
                self.bytes(2 * ITEM_BYTES)?;
                list.items.borrow_mut().push(item.clone());
            }
            ("extend", Some(items)) => self.extend(receiver, items, at)?,
            ("insert", Some(Value::Int(index))) if args.positional.len() == 2 => {
                self.bytes(2 * ITEM_BYTES)?;
                let mut items = list.items.borrow_mut();
                let len = items.len();
                self.elements(len / 4)?;
                let index = match usize::try_from(*index) {
                    Ok(index) => index.min(len),
                    Err(_) => {
                        len.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(len))
                    }
                };
                items.insert(index, args.positional[1].clone());
            }
            ("pop", first) => {
                if let Some(why) = receiver.open() {
                    list.items.borrow_mut().clear();
                    return Ok(Value::Unknown(why));
                }
                let index = first.cloned().unwrap_or(Value::Int(-1));
                let item = self.item(receiver, &index, at)?;
                let mut items = list.items.borrow_mut();
                let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
                if let Value::Int(index) = index {
                    let position = if index < 0 { index + len } else { index };
                    if let Some(position) =
                        usize::try_from(position).ok().filter(|position| *position < items.len())
                    {
                        self.elements((items.len() - position) / 4)?;
                        items.remove(position);
                    }
                }
                return Ok(item);
            }
            ("remove", Some(item)) => {
                let found = {
                    let items = list.items.borrow();
                    self.elements(items.len() / 8)?;
                    items.iter().position(|other| matches!(self.equal(other, item, at), Ok(true)))
                };
                match found {
                    Some(index) => drop(list.items.borrow_mut().remove(index)),
                    None => receiver.make_open(&self.why(item, at)),
                }
            }
            ("clear", None) => {
                list.items.borrow_mut().clear();
                list.open.borrow_mut().take();
            }
            ("copy", None) => {
                self.room(list.items.borrow().len())?;
                let items = list.items.borrow().clone();
                return Ok(self.open_list(items, receiver.open()));
            }
            ("reverse", None) => {
                self.elements(list.items.borrow().len())?;
                list.items.borrow_mut().reverse();
            }
            ("sort", None) => {
                self.room(list.items.borrow().len())?;
                let items = list.items.borrow().clone();
                match self.sort(items, args, at)? {
                    Ok(items) => *list.items.borrow_mut() = items,
                    Err(why) => receiver.make_open(&why),
                }
            }
            ("index" | "count", Some(_)) => return self.search(receiver, name, args, at),
            _ => return Ok(self.not_evaluated(at)),
        }
        Ok(Value::None)
    }

    /// The list methods `index` and `count`, which compare the items with an argument.
    fn search(
        &mut self,
        receiver: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let (items, open) = self.items(receiver, at)?;
        let (Some(wanted), None) = (args.positional.first(), open) else {
            return Ok(self.not_evaluated(at));
        };
        let mut count = 0;
        for (index, item) in items.iter().enumerate() {
            match self.equal(item, wanted, at) {
                Ok(true) if name == "index" => {
                    return Ok(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
                }
                Ok(true) => count += 1,
                Ok(false) => {}
                Err(why) => return Ok(Value::Unknown(why)),
            }
        }
        if name == "count" {
            return Ok(Value::Int(count));
        }
        let text = format!("`{}` does not find it", at.text());
        self.raise(at, "ValueError", text, "Check the value.")
    }

    fn dict_method(
        &mut self,
        receiver: &Value<'a>,
        dict: &Rc<Dict<'a>>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let open = receiver.open();
        let count = dict.entries.borrow().len();
        match name {
            "values" => self.room(count)?,
            // Each pair is a tuple of its own.
            "items" => self.room(count.saturating_mul(9))?,
            "copy" => self.entry_room(count)?,
            // Removing the entry shifts all later entries.
            "pop" => self.elements(count / 8)?,
            "update" => self.entry_room(args.named.len())?,
            _ => {}
        }
        if let (Some(why), true) = (&args.open, name != "update") {
            return Ok(Value::Unknown(why.clone()));
        }
        Ok(match (name, args.positional.first()) {
            ("keys", None) => {
                let (keys, open) = self.items(receiver, at)?;
                self.open_list(keys, open)
            }
            ("values", None) => {
                let values =
                    dict.entries.borrow().values().map(|(_, value)| value.clone()).collect();
                self.open_list(values, open)
            }
            ("items", None) => {
                let entries: Vec<_> = dict.entries.borrow().values().cloned().collect();
                let pairs =
                    entries.into_iter().map(|(key, value)| self.tuple(vec![key, value])).collect();
                self.open_list(pairs, open)
            }
            ("get" | "pop" | "setdefault", Some(index)) => {
                let Some(key) = index.key(self.budget) else {
                    let why = self.why(index, at);
                    if name != "get" {
                        receiver.make_open(&why);
                    }
                    return Ok(Value::Unknown(why));
                };
                let found = match name {
                    "pop" => dict.entries.borrow_mut().shift_remove(&key),
                    _ => dict.entries.borrow().get(&key).cloned(),
                };
                let default = args.positional.get(1).cloned().or_else(|| args.named("default"));
                match (found, open, default) {
                    (Some((_, value)), _, _) => value,
                    (None, Some(why), _) => Value::Unknown(why),
                    (None, None, default) if name == "setdefault" => {
                        let value = default.unwrap_or(Value::None);
                        self.set_item(receiver, index, value.clone(), at)?;
                        value
                    }
                    (None, None, Some(default)) => default,
                    (None, None, None) if name == "get" => Value::None,
                    (None, None, None) => return self.item(receiver, index, at),
                }
            }
            ("update", first) => {
                if let Some(first) = first {
                    self.update(receiver, first, at)?;
                }
                for (name, value) in &args.named {
                    self.set_item(receiver, &Value::Str(name.clone()), value.clone(), at)?;
                }
                if let Some(why) = &args.open {
                    receiver.make_open(why);
                }
                Value::None
            }
            ("copy", None) => {
                let entries = dict.entries.borrow().clone();
                self.dict(entries, open)
            }
            ("clear", None) => {
                dict.entries.borrow_mut().clear();
                dict.open.borrow_mut().take();
                Value::None
            }
            ("popitem", None) => {
                let last = dict.entries.borrow_mut().pop();
                match (last, open) {
                    (_, Some(why)) => Value::Unknown(why),
                    (Some((_, (key, value))), None) => self.tuple(vec![key, value]),
                    (None, None) => self.not_evaluated(at),
                }
            }
            ("fromkeys", _) => self.not_evaluated(at),
            _ => self.not_evaluated(at),
        })
    }

    fn set_method(
        &mut self,
        receiver: &Value<'a>,
        set: &Rc<Set<'a>>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        use ruff_python_ast::Operator as Op;
        if let Some(why) = &args.open {
            return Ok(Value::Unknown(why.clone()));
        }
        let combine = match name {
            "union" => Some(Op::BitOr),
            "intersection" => Some(Op::BitAnd),
            "difference" => Some(Op::Sub),
            "symmetric_difference" => Some(Op::BitXor),
            _ => None,
        };
        if let Some(op) = combine {
            let mut result = receiver.clone();
            for other in &args.positional {
                let (items, open) = self.items(other, at)?;
                let other = self.set(items, open, at);
                result = self.binary(&result, op, &other, at)?;
            }
            return Ok(result);
        }
        match name {
            "add" => self.entry_room(1)?,
            // Removing the member shifts all later members.
            "discard" | "remove" => self.elements(set.members.borrow().len() / 8)?,
            _ => {}
        }
        match (name, args.positional.first()) {
            ("add", Some(item)) => match item.key(self.budget) {
                Some(key) => {
                    set.members.borrow_mut().entry(key).or_insert_with(|| item.clone());
                }
                None => receiver.make_open(&self.why(item, at)),
            },
            ("update", _) => {
                for other in &args.positional {
                    self.update(receiver, other, at)?;
                }
            }
            ("discard" | "remove", Some(item)) => match item.key(self.budget) {
                Some(key) => drop(set.members.borrow_mut().shift_remove(&key)),
                None => {
                    set.members.borrow_mut().clear();
                    receiver.make_open(&self.why(item, at));
                }
            },
            ("copy", None) => {
                let (items, open) = self.items(receiver, at)?;
                return Ok(self.set(items, open, at));
            }
            ("issubset" | "issuperset" | "isdisjoint", Some(other)) => {
                let (items, open) = self.items(other, at)?;
                let other = self.set(items, open.clone(), at);
                let Value::Set(other) = &other else { return Ok(self.not_evaluated(at)) };
                if let Some(why) = open.or_else(|| receiver.open()) {
                    return Ok(Value::Unknown(why));
                }
                let (own, other) = (set.members.borrow(), other.members.borrow());
                self.elements((own.len() + other.len()).saturating_mul(4))?;
                return Ok(Value::Bool(match name {
                    "issubset" => own.keys().all(|key| other.contains_key(key)),
                    "issuperset" => other.keys().all(|key| own.contains_key(key)),
                    _ => !own.keys().any(|key| other.contains_key(key)),
                }));
            }
            _ => return Ok(self.not_evaluated(at)),
        }
        Ok(Value::None)
    }
}
