//! Evaluation of expressions.

use std::rc::Rc;

use indexmap::IndexMap;
use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, Expr, ExprCall, ExprCompare, ExprDict, Number, UnaryOp,
};

use super::call::Args;
use super::interp::{ENTRY_BYTES, Eval, Frame, ITEM_BYTES, Interp, Stop};
use super::scope::ScopeKind;
use super::source::At;
use super::value::{Code, Shape, Unknown, Value};

/// The known items, and the reason why there may be more.
pub(super) type Items<'a> = (Vec<Value<'a>>, Option<Rc<Unknown>>);

impl<'a> Interp<'a> {
    /// Evaluates `expr`, one nesting level deeper, and records where the budget was spent.
    pub(super) fn eval(&mut self, expr: &'a Expr, frame: &Frame<'a>) -> Eval<'a> {
        let value = self.deeper(|interp| interp.eval_one(expr, frame));
        if let Err(Stop::Exhausted) = value {
            self.reached_bounds(At::new(frame.source, expr));
        }
        value
    }

    fn eval_one(&mut self, expr: &'a Expr, frame: &Frame<'a>) -> Eval<'a> {
        let at = At::new(frame.source, expr);
        Ok(match expr {
            Expr::Name(name) => return self.name(name.id.as_str(), frame, at),
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                self.bytes(text.len())?;
                Value::str(text)
            }
            Expr::Call(call) => return self.eval_call(call, frame, at),
            Expr::Attribute(attribute) => {
                let value = self.eval(&attribute.value, frame)?;
                return self.attribute(&value, attribute.attr.as_str(), at);
            }
            Expr::NumberLiteral(literal) => match &literal.value {
                Number::Int(int) => match int.as_i64() {
                    Some(int) => Value::Int(int),
                    None => self.unknown(at, "an integer beyond 64 bits is not evaluated"),
                },
                Number::Float(float) => Value::Float(*float),
                Number::Complex { .. } => self.unknown(at, "complex numbers are not evaluated"),
            },
            Expr::BooleanLiteral(literal) => Value::Bool(literal.value),
            Expr::NoneLiteral(_) => Value::None,
            Expr::EllipsisLiteral(_) => Value::Ellipsis,
            Expr::List(list) => {
                let (items, open) = self.eval_elements(&list.elts, frame)?;
                self.open_list(items, open)
            }
            Expr::Tuple(tuple) => {
                let (items, open) = self.eval_elements(&tuple.elts, frame)?;
                match open {
                    Some(why) => Value::Unknown(why),
                    None => self.tuple(items),
                }
            }
            Expr::Set(set) => {
                let (items, open) = self.eval_elements(&set.elts, frame)?;
                self.set(items, open, at)
            }
            Expr::Dict(dict) => return self.eval_dict(dict, frame, at),
            Expr::FString(string) => return self.eval_fstring(string, frame),
            Expr::BinOp(binary) => {
                let left = self.eval(&binary.left, frame)?;
                let right = self.eval(&binary.right, frame)?;
                return self.binary(&left, binary.op, &right, at);
            }
            Expr::UnaryOp(unary) => {
                let operand = self.eval(&unary.operand, frame)?;
                match (unary.op, &operand) {
                    (UnaryOp::Not, _) => match self.truth(&operand, at) {
                        Ok(truth) => Value::Bool(!truth),
                        Err(why) => Value::Unknown(why),
                    },
                    (UnaryOp::USub, Value::Int(int)) => match int.checked_neg() {
                        Some(int) => Value::Int(int),
                        None => self.unknown(at, "an integer beyond 64 bits is not evaluated"),
                    },
                    (UnaryOp::USub, Value::Bool(value)) => Value::Int(-i64::from(*value)),
                    (UnaryOp::USub, Value::Float(float)) => Value::Float(-float),
                    (UnaryOp::UAdd, Value::Int(_) | Value::Float(_)) => operand,
                    (UnaryOp::Invert, Value::Int(int)) => Value::Int(!int),
                    _ => Value::Unknown(self.why(&operand, at)),
                }
            }
            Expr::BoolOp(operation) => {
                let stop_at = operation.op == BoolOp::Or;
                let mut value = Value::None;
                for (index, operand) in operation.values.iter().enumerate() {
                    value = self.eval(operand, frame)?;
                    if index + 1 == operation.values.len() {
                        break;
                    }
                    match self.truth(&value, At::new(frame.source, operand)) {
                        Ok(truth) if truth == stop_at => break,
                        Ok(_) => {}
                        Err(why) => {
                            for operand in &operation.values[index + 1..] {
                                self.poison_expr(operand, frame, &why);
                            }
                            return Ok(Value::Unknown(why));
                        }
                    }
                }
                value
            }
            Expr::Compare(compare) => return self.eval_compare(compare, frame, at),
            Expr::If(choice) => {
                let test = self.eval(&choice.test, frame)?;
                match self.truth(&test, At::new(frame.source, &*choice.test)) {
                    Ok(true) => return self.eval(&choice.body, frame),
                    Ok(false) => return self.eval(&choice.orelse, frame),
                    Err(why) => {
                        self.poison_expr(&choice.body, frame, &why);
                        self.poison_expr(&choice.orelse, frame, &why);
                        Value::Unknown(why)
                    }
                }
            }
            Expr::Named(named) => {
                let value = self.eval(&named.value, frame)?;
                if let Expr::Name(name) = &*named.target {
                    frame.scope.set_outside_comprehension(name.id.as_str(), value.clone());
                }
                value
            }
            Expr::Lambda(lambda) => return self.function(Code::Lambda(lambda), frame, None),
            Expr::ListComp(comp) => {
                let (items, open) = self.comprehend(&comp.generators, &comp.elt, frame)?;
                self.open_list(items, open)
            }
            Expr::Generator(comp) => {
                let (items, open) = self.comprehend(&comp.generators, &comp.elt, frame)?;
                self.iter(items, open)
            }
            Expr::SetComp(comp) => {
                let (items, open) = self.comprehend(&comp.generators, &comp.elt, frame)?;
                self.set(items, open, at)
            }
            Expr::DictComp(comp) => {
                let dict = self.dict(IndexMap::new(), None);
                let key = comp.key.as_deref();
                let open = self.rounds(&comp.generators, frame, &mut |interp, frame| {
                    let value = interp.eval(&comp.value, frame)?;
                    match key {
                        Some(key) => {
                            let key = interp.eval(key, frame)?;
                            interp.set_item(&dict, &key, value, at)
                        }
                        None => interp.update(&dict, &value, at),
                    }
                })?;
                if let Some(why) = open {
                    dict.make_open(&why);
                }
                dict
            }
            Expr::Subscript(subscript) => {
                let container = self.eval(&subscript.value, frame)?;
                let index = self.eval(&subscript.slice, frame)?;
                return self.item(&container, &index, at);
            }
            Expr::Slice(slice) => {
                let mut part = |part: &'a Option<Box<Expr>>| match part {
                    Some(part) => self.eval(part, frame),
                    None => Ok(Value::None),
                };
                let parts = [part(&slice.lower)?, part(&slice.upper)?, part(&slice.step)?];
                Value::Slice(Rc::new(parts))
            }
            Expr::Yield(expr) => {
                let value = match &expr.value {
                    Some(value) => self.eval(value, frame)?,
                    None => Value::None,
                };
                if let Some(yields) = &frame.yields {
                    self.room(1)?;
                    yields.items.borrow_mut().push(value);
                }
                Value::None
            }
            Expr::YieldFrom(expr) => {
                let value = self.eval(&expr.value, frame)?;
                let (items, open) = self.items(&value, at)?;
                if let Some(yields) = &frame.yields {
                    self.room(items.len())?;
                    yields.items.borrow_mut().extend(items);
                    if let Some(why) = open {
                        yields.open.borrow_mut().get_or_insert(why);
                    }
                }
                Value::None
            }
            Expr::Starred(starred) => return self.eval(&starred.value, frame),
            Expr::Await(_)
            | Expr::BytesLiteral(_)
            | Expr::TString(_)
            | Expr::IpyEscapeCommand(_) => {
                self.unknown(at, format!("`{}` is not evaluated", at.text()))
            }
        })
    }

    fn name(&mut self, name: &str, frame: &Frame<'a>, at: At<'a>) -> Eval<'a> {
        if let Some(value) = frame.scope.get(name) {
            return Ok(value);
        }
        if name.is_empty() {
            // The parser's placeholder for a name that is not typed yet.
            return Ok(Value::Unknown(Self::error_at(at, "the line is not finished")));
        }
        if super::names::is_builtin(name) {
            return Ok(Value::External(format!("builtins.{name}").into()));
        }
        if let Some(why) = frame.scope.any_open() {
            return Ok(Value::Unknown(why));
        }
        self.raise(
            at,
            "NameError",
            format!("`{name}` is not defined"),
            "Define or import it, or correct its spelling.",
        )
    }

    /// The values of list elements; starred elements are unpacked.
    pub(super) fn eval_elements(
        &mut self,
        elements: &'a [Expr],
        frame: &Frame<'a>,
    ) -> Result<Items<'a>, Stop<'a>> {
        self.bytes(elements.len() * ITEM_BYTES)?;
        let mut items = Vec::with_capacity(elements.len());
        let mut open = None;
        for element in elements {
            if let Expr::Starred(starred) = element {
                let value = self.eval(&starred.value, frame)?;
                let (more, why) = self.items(&value, At::new(frame.source, element))?;
                self.room(more.len())?;
                items.extend(more);
                open = open.or(why);
            } else {
                items.push(self.eval(element, frame)?);
            }
        }
        Ok((items, open))
    }

    fn eval_dict(&mut self, dict: &'a ExprDict, frame: &Frame<'a>, at: At<'a>) -> Eval<'a> {
        self.bytes(dict.items.len() * ENTRY_BYTES)?;
        let result = self.dict(IndexMap::with_capacity(dict.items.len()), None);
        for item in &dict.items {
            match &item.key {
                Some(key) => {
                    let key = self.eval(key, frame)?;
                    let value = self.eval(&item.value, frame)?;
                    self.set_item(&result, &key, value, at)?;
                }
                None => {
                    let value = self.eval(&item.value, frame)?;
                    self.update(&result, &value, At::new(frame.source, &item.value))?;
                }
            }
        }
        Ok(result)
    }

    fn eval_compare(
        &mut self,
        compare: &'a ExprCompare,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let mut left = self.eval(&compare.left, frame)?;
        for (op, right) in compare.ops.iter().zip(&compare.comparators) {
            let right = self.eval(right, frame)?;
            let negated = matches!(op, CmpOp::NotEq | CmpOp::NotIn | CmpOp::IsNot);
            match self.compare(&left, *op, &right, at) {
                Ok(holds) if holds == negated => return Ok(Value::Bool(false)),
                Ok(_) => left = right,
                Err(why) => return Ok(Value::Unknown(why)),
            }
        }
        Ok(Value::Bool(true))
    }

    fn eval_call(&mut self, call: &'a ExprCall, frame: &Frame<'a>, at: At<'a>) -> Eval<'a> {
        let callee = self.eval(&call.func, frame)?;
        let args = self.arguments(call, frame)?;
        if let Value::External(name) = &callee
            && matches!(&**name, "builtins.locals" | "builtins.globals" | "builtins.super")
        {
            return self.call_in_frame(name, args, frame, at);
        }
        if !matches!(callee, Value::Function(_) | Value::Bound(_)) {
            return self.call(&callee, args, at);
        }
        match self.compartment(at, |interp| interp.call(&callee, args, at))? {
            Ok(value) => Ok(value),
            Err(why) => {
                self.perhaps_called.clear();
                self.poison_call(call, frame, &why);
                Ok(Value::Unknown(why))
            }
        }
    }

    fn arguments(&mut self, call: &'a ExprCall, frame: &Frame<'a>) -> Result<Args<'a>, Stop<'a>> {
        let (positional, mut open) = self.eval_elements(&call.arguments.args, frame)?;
        let mut named = Vec::with_capacity(call.arguments.keywords.len());
        for keyword in &call.arguments.keywords {
            let at = At::new(frame.source, keyword);
            let value = self.eval(&keyword.value, frame)?;
            match (&keyword.arg, &value) {
                (Some(name), _) => named.push((Rc::from(name.as_str()), value)),
                (None, Value::Dict(dict)) => {
                    self.entry_room(dict.entries.borrow().len())?;
                    for (key, value) in dict.entries.borrow().values() {
                        if let Value::Str(key) = key {
                            named.push((key.clone(), value.clone()));
                        }
                    }
                    open = open.or_else(|| dict.open.borrow().clone());
                }
                (None, _) => open = open.or_else(|| Some(self.why(&value, at))),
            }
        }
        Ok(Args { positional, named, open, written: Some(call) })
    }

    fn comprehend(
        &mut self,
        generators: &'a [Comprehension],
        element: &'a Expr,
        frame: &Frame<'a>,
    ) -> Result<Items<'a>, Stop<'a>> {
        let mut items = Vec::new();
        let open = self.rounds(generators, frame, &mut |interp, frame| {
            items.push(interp.eval(element, frame)?);
            interp.bytes(2 * ITEM_BYTES)
        })?;
        Ok((items, open))
    }

    /// Runs `body` for each iteration of a comprehension. Returns the reason why there may be more
    /// iterations.
    fn rounds(
        &mut self,
        generators: &'a [Comprehension],
        frame: &Frame<'a>,
        body: &mut dyn FnMut(&mut Self, &Frame<'a>) -> Result<(), Stop<'a>>,
    ) -> Result<Option<Rc<Unknown>>, Stop<'a>> {
        let scope = self.scope(ScopeKind::Comprehension, Some(frame.scope.clone()));
        self.nested_rounds(generators, &frame.within(scope), body)
    }

    fn nested_rounds(
        &mut self,
        generators: &'a [Comprehension],
        frame: &Frame<'a>,
        body: &mut dyn FnMut(&mut Self, &Frame<'a>) -> Result<(), Stop<'a>>,
    ) -> Result<Option<Rc<Unknown>>, Stop<'a>> {
        let Some((first, rest)) = generators.split_first() else {
            body(self, frame)?;
            return Ok(None);
        };
        let iterable = self.eval(&first.iter, frame)?;
        let (items, mut open) = self.items(&iterable, At::new(frame.source, &first.iter))?;
        'rounds: for item in items {
            self.step()?;
            self.assign(&first.target, item, frame)?;
            for test in &first.ifs {
                let value = self.eval(test, frame)?;
                match self.truth(&value, At::new(frame.source, test)) {
                    Ok(true) => {}
                    Ok(false) => continue 'rounds,
                    Err(why) => {
                        open.get_or_insert(why);
                        continue 'rounds;
                    }
                }
            }
            let more = self.deeper(|interp| interp.nested_rounds(rest, frame, body))?;
            open = open.or(more);
        }
        Ok(open)
    }

    /// The items that iteration over `value` yields. An iterator is consumed.
    pub(super) fn items(&mut self, value: &Value<'a>, at: At<'a>) -> Result<Items<'a>, Stop<'a>> {
        self.charge_items(value)?;
        let items = match value {
            Value::List(list) => list.items.borrow().clone(),
            Value::Iter(list) => list.items.take(),
            Value::Tuple(items) => items.to_vec(),
            Value::Dict(dict) => {
                dict.entries.borrow().values().map(|(key, _)| key.clone()).collect()
            }
            Value::Set(set) => set.members.borrow().values().cloned().collect(),
            Value::Str(text) => text.chars().map(|c| Value::str(c.to_string())).collect(),
            Value::Range(start, stop, step) => return self.range_items(*start, *stop, *step),
            Value::Unknown(why) => return Ok((Vec::new(), Some(why.clone()))),
            Value::Class(class) if class.shape == Shape::Enum && class.decorated.is_none() => {
                self.enum_members(class).into_iter().map(Value::Instance).collect()
            }
            Value::Instance(object) if object.class.shape == Shape::Tuple => {
                match self.tuple_values(object) {
                    Some(items) => items,
                    None => return Ok((Vec::new(), Some(self.why(value, at)))),
                }
            }
            Value::Class(_) | Value::External(_) | Value::Instance(_) => {
                return Ok((Vec::new(), Some(self.why(value, at))));
            }
            other => {
                let text = format!("a `{}` can't be iterated over", other.type_name());
                let value = self.raise(at, "TypeError", text, "Give a list here.")?;
                return Ok((Vec::new(), Some(self.why(&value, at))));
            }
        };
        Ok((items, value.open()))
    }

    /// Charges the cost of the list that iteration over `value` creates, before it is created.
    fn charge_items(&self, value: &Value<'a>) -> Result<(), Stop<'a>> {
        match value {
            Value::List(list) => self.room(list.items.borrow().len()),
            Value::Tuple(items) => self.room(items.len()),
            Value::Dict(dict) => self.room(dict.entries.borrow().len()),
            Value::Set(set) => self.room(set.members.borrow().len()),
            // Each character becomes a string of its own.
            Value::Str(text) => self.room(2 * text.len()),
            Value::Iter(list) => self.elements(list.items.borrow().len()),
            _ => Ok(()),
        }
    }

    fn range_items(&mut self, start: i64, stop: i64, step: i64) -> Result<Items<'a>, Stop<'a>> {
        let count = range_len(start, stop, step);
        self.room(count)?;
        let mut items = Vec::with_capacity(count);
        items.extend((0..count).filter_map(|index| range_item(start, step, index)));
        Ok((items, None))
    }
}

/// The number of integers in a `range`.
pub(super) fn range_len(start: i64, stop: i64, step: i64) -> usize {
    let (from, to) = if step > 0 { (start, stop) } else { (stop, start) };
    let span = i128::from(to) - i128::from(from);
    let step = i128::from(step).unsigned_abs().max(1);
    let span = u128::try_from(span).unwrap_or(0);
    usize::try_from(span.div_ceil(step)).unwrap_or(usize::MAX)
}

/// The integer at `index` (counted from 0) of a `range`; `None` beyond 64 bits.
pub(super) fn range_item<'a>(start: i64, step: i64, index: usize) -> Option<Value<'a>> {
    let item = i128::from(start) + i128::from(step) * i128::try_from(index).ok()?;
    i64::try_from(item).ok().map(Value::Int)
}
