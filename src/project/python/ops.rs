//! Operators: truth, equality, ordering and arithmetic.

use std::cmp::Ordering;
use std::rc::Rc;

use ruff_python_ast::{CmpOp, Operator};

use super::classes::same_object;
use super::interp::{Eval, Interp, MAX_TEXT};
use super::source::At;
use super::value::{Key, Unknown, Value};

/// The result of a comparison, or the reason why it is unknown.
type Known<T> = Result<T, Rc<Unknown>>;

impl<'a> Interp<'a> {
    /// Whether a condition is true.
    pub(super) fn truth(&self, value: &Value<'a>, at: At<'a>) -> Known<bool> {
        let (full, open) = match value {
            Value::None => (false, None),
            Value::Bool(value) => (*value, None),
            Value::Int(int) => (*int != 0, None),
            Value::Float(float) => (*float != 0.0, None),
            Value::Str(text) => (!text.is_empty(), None),
            Value::List(list) => (!list.items.borrow().is_empty(), value.open()),
            Value::Tuple(items) => (!items.is_empty(), None),
            Value::Dict(dict) => (!dict.entries.borrow().is_empty(), value.open()),
            Value::Set(set) => (!set.members.borrow().is_empty(), value.open()),
            Value::Range(start, stop, step) => {
                ((*step > 0 && start < stop) || (*step < 0 && start > stop), None)
            }
            Value::External(name) if name.as_ref() == "typing.TYPE_CHECKING" => (false, None),
            Value::External(name) if name.starts_with("builtins.") => (true, None),
            Value::External(_) => return Err(self.why(value, at)),
            Value::Instance(instance) => {
                let defines = |name| self.class_attribute(&instance.class, name).is_some();
                if defines("__bool__") || defines("__len__") {
                    return Err(self.because(at, format!("`{}` is not evaluated", at.text())));
                }
                (true, None)
            }
            Value::Unknown(why) => return Err(why.clone()),
            _ => (true, None),
        };
        match open {
            Some(why) if !full => Err(why),
            _ => Ok(full),
        }
    }

    /// One comparison. For negated operators, the returned result is already negated.
    pub(super) fn compare(
        &self,
        left: &Value<'a>,
        op: CmpOp,
        right: &Value<'a>,
        at: At<'a>,
    ) -> Known<bool> {
        match op {
            CmpOp::Is | CmpOp::IsNot => self.identical(left, right, at),
            CmpOp::In | CmpOp::NotIn => self.contains(right, left, at),
            CmpOp::Eq | CmpOp::NotEq => self.equal(left, right, at),
            CmpOp::Lt => self.order(left, right, at).map(Ordering::is_lt),
            CmpOp::LtE => self.order(left, right, at).map(Ordering::is_le),
            CmpOp::Gt => self.order(left, right, at).map(Ordering::is_gt),
            CmpOp::GtE => self.order(left, right, at).map(Ordering::is_ge),
        }
    }

    fn identical(&self, left: &Value<'a>, right: &Value<'a>, at: At<'a>) -> Known<bool> {
        for value in [left, right] {
            if let Value::Unknown(why) = value {
                return Err(why.clone());
            }
        }
        match (left, right) {
            (Value::External(a), Value::External(b)) if a == b => Ok(true),
            (Value::External(name), _) | (_, Value::External(name))
                if !name.starts_with("builtins.") =>
            {
                Err(self.why(&Value::External(name.clone()), at))
            }
            (Value::None, Value::None) => Ok(true),
            (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
            (Value::List(a), Value::List(b)) => Ok(Rc::ptr_eq(a, b)),
            (Value::Dict(a), Value::Dict(b)) => Ok(Rc::ptr_eq(a, b)),
            (Value::Set(a), Value::Set(b)) => Ok(Rc::ptr_eq(a, b)),
            (Value::Instance(a), Value::Instance(b)) => Ok(Rc::ptr_eq(a, b)),
            _ => match (left.key(self.budget), right.key(self.budget)) {
                (Some(a), Some(b)) => Ok(a == b && left.type_name() == right.type_name()),
                _ => Ok(false),
            },
        }
    }

    /// The result of `left == right`.
    pub(super) fn equal(&self, left: &Value<'a>, right: &Value<'a>, at: At<'a>) -> Known<bool> {
        self.afford(2, at)?;
        for value in [left, right] {
            if let Some(why) = value.open() {
                return Err(why);
            }
        }
        match (left, right) {
            (Value::List(a), Value::List(b)) => {
                self.all_equal(&a.items.borrow(), &b.items.borrow(), at)
            }
            (Value::Tuple(a), Value::Tuple(b)) => self.all_equal(a, b, at),
            (Value::Dict(a), Value::Dict(b)) => {
                let (a, b) = (a.entries.borrow(), b.entries.borrow());
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (key, (_, value)) in a.iter() {
                    self.afford(8, at)?;
                    match b.get(key) {
                        Some((_, other))
                            if self.look_into(at, || self.equal(value, other, at))? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Value::Set(a), Value::Set(b)) => {
                let (a, b) = (a.members.borrow(), b.members.borrow());
                self.afford(8 * a.len(), at)?;
                Ok(a.len() == b.len() && a.keys().all(|key| b.contains_key(key)))
            }
            (Value::Str(a), Value::Str(b)) => Ok(a.len() == b.len() && {
                self.afford(a.len() / 64, at)?;
                a == b
            }),
            (Value::Float(float), _) | (_, Value::Float(float)) if float.is_nan() => Ok(false),
            (Value::External(a), Value::External(b)) if a == b => Ok(true),
            (Value::External(name), _) | (_, Value::External(name))
                if !name.starts_with("builtins.") =>
            {
                Err(self.why(&Value::External(name.clone()), at))
            }
            (Value::Instance(a), Value::Instance(b)) if same_object(a, b).is_some() => {
                Ok(same_object(a, b) == Some(true))
            }
            (Value::Instance(_), _) | (_, Value::Instance(_)) => {
                Err(self.because(at, format!("`{}` is not evaluated", at.text())))
            }
            _ => match (left.key(self.budget), right.key(self.budget)) {
                (Some(a), Some(b)) => Ok(a == b),
                _ => Ok(false),
            },
        }
    }

    fn all_equal(&self, a: &[Value<'a>], b: &[Value<'a>], at: At<'a>) -> Known<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b) {
            if !self.look_into(at, || self.equal(a, b, at))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn contains(&self, container: &Value<'a>, item: &Value<'a>, at: At<'a>) -> Known<bool> {
        if let Value::Unknown(why) = item {
            return Err(why.clone());
        }
        let found = match container {
            Value::Str(text) => match item {
                Value::Str(part) => {
                    self.afford(text.len() / 16, at)?;
                    Ok(text.contains(&**part))
                }
                _ => Ok(false),
            },
            Value::Dict(dict) => match item.key(self.budget) {
                Some(key) => Ok(dict.entries.borrow().contains_key(&key)),
                None => Err(self.why(item, at)),
            },
            Value::Set(set) => match item.key(self.budget) {
                Some(key) => Ok(set.members.borrow().contains_key(&key)),
                None => Err(self.why(item, at)),
            },
            Value::List(list) | Value::Iter(list) => self.any_equal(&list.items.borrow(), item, at),
            Value::Tuple(items) => self.any_equal(items, item, at),
            Value::Range(start, stop, step) => match item {
                Value::Int(int) => Ok(if *step > 0 {
                    int >= start && int < stop && is_step(*start, *int, *step)
                } else {
                    int <= start && int > stop && is_step(*start, *int, *step)
                }),
                _ => Ok(false),
            },
            other => Err(self.why(other, at)),
        };
        match (found, container.open()) {
            (Ok(false), Some(why)) => Err(why),
            (found, _) => found,
        }
    }

    fn any_equal(&self, items: &[Value<'a>], item: &Value<'a>, at: At<'a>) -> Known<bool> {
        let mut doubt = None;
        for candidate in items {
            match self.equal(candidate, item, at) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(why) if self.budget.is_spent() => return Err(why),
                Err(why) => doubt = Some(why),
            }
        }
        doubt.map_or(Ok(false), Err)
    }

    /// The ordering of two values.
    pub(super) fn order(&self, left: &Value<'a>, right: &Value<'a>, at: At<'a>) -> Known<Ordering> {
        self.afford(2, at)?;
        for value in [left, right] {
            if let Some(why) = value.open() {
                return Err(why);
            }
        }
        let unordered = || self.because(at, format!("`{}` is not evaluated", at.text()));
        match (left, right) {
            (Value::Str(a), Value::Str(b)) => {
                self.afford(a.len().min(b.len()) / 64, at)?;
                Ok(a.cmp(b))
            }
            (Value::Tuple(a), Value::Tuple(b)) => self.order_all(a, b, at),
            (Value::List(a), Value::List(b)) => {
                self.order_all(&a.items.borrow(), &b.items.borrow(), at)
            }
            (Value::Node(a), Value::Node(b)) => {
                self.afford(a.name.len().min(b.name.len()) / 64, at)?;
                Ok(a.name.cmp(&b.name))
            }
            (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
            _ => match (number(left), number(right)) {
                (Some(a), Some(b)) => a.partial_cmp(&b).ok_or_else(unordered),
                _ => Err(unordered()),
            },
        }
    }

    fn order_all(&self, a: &[Value<'a>], b: &[Value<'a>], at: At<'a>) -> Known<Ordering> {
        for (a, b) in a.iter().zip(b) {
            if !self.look_into(at, || self.equal(a, b, at))? {
                return self.look_into(at, || self.order(a, b, at));
            }
        }
        Ok(a.len().cmp(&b.len()))
    }

    /// The result of `left op right`.
    pub(super) fn binary(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        use Operator as Op;
        for value in [left, right] {
            if let Value::Unknown(_) = value {
                return Ok(self.partly_known(left, op, right, value));
            }
        }
        match (left, op, right) {
            (Value::Pipeline(_), _, _) | (_, _, Value::Pipeline(_)) => {
                self.combine(left, op, right, at)
            }
            (Value::Path(_), Op::Div, _) | (_, Op::Div, Value::Path(_)) => {
                self.path(&[left.clone(), right.clone()], at)
            }
            (Value::Str(a), Op::Add, Value::Str(b)) => {
                self.text_of(a.len() + b.len(), at, || format!("{a}{b}"))
            }
            (Value::Str(text), Op::Mod, _) => self.percent(text, right, at),
            (Value::List(_), Op::Add, Value::List(_))
            | (Value::Tuple(_), Op::Add, Value::Tuple(_)) => {
                let (mut items, open) = self.items(left, at)?;
                let (more, also_open) = self.items(right, at)?;
                items.extend(more);
                match left {
                    Value::Tuple(_) => Ok(self.tuple(items)),
                    _ => Ok(self.open_list(items, open.or(also_open))),
                }
            }
            (Value::Str(_) | Value::List(_) | Value::Tuple(_), Op::Mult, Value::Int(times)) => {
                self.repeat(left, *times, at)
            }
            (Value::Int(times), Op::Mult, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => {
                self.repeat(right, *times, at)
            }
            (Value::Dict(a), Op::BitOr, Value::Dict(_)) => {
                self.entry_room(a.entries.borrow().len())?;
                let merged = self.dict(a.entries.borrow().clone(), left.open());
                self.update(&merged, right, at)?;
                Ok(merged)
            }
            (Value::Set(a), Op::BitOr | Op::BitAnd | Op::Sub | Op::BitXor, Value::Set(b)) => {
                // The members, and the resulting set.
                let count = a.members.borrow().len() + b.members.borrow().len();
                self.room(count)?;
                let (a, b) = (a.members.borrow(), b.members.borrow());
                let in_both = |key: &Key| a.contains_key(key) && b.contains_key(key);
                let members: Vec<_> = (a.iter().chain(b.iter()))
                    .filter(|(key, _)| match op {
                        Op::BitOr => true,
                        Op::BitAnd => in_both(key),
                        Op::Sub => !b.contains_key(*key),
                        _ => !in_both(key),
                    })
                    .map(|(_, value)| value.clone())
                    .collect();
                drop((a, b));
                let open = left.open().or_else(|| right.open());
                Ok(self.set(members, open, at))
            }
            (Value::External(_), Op::BitOr, _) | (_, Op::BitOr, Value::External(_)) => {
                Ok(self.unknown(at, "a union of types is not evaluated"))
            }
            _ => match arithmetic(left, op, right) {
                Some(value) => Ok(value),
                None if op_divides(op) && matches!(right, Value::Int(0)) => self.raise(
                    at,
                    "ZeroDivisionError",
                    format!("`{}` divides by zero", at.text()),
                    "Check the divisor.",
                ),
                None => Ok(self.not_evaluated(at)),
            },
        }
    }

    /// An operation with one unknown operand: lists, sets and pipelines stay partly known.
    fn partly_known(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        unknown: &Value<'a>,
    ) -> Value<'a> {
        let known = if matches!(left, Value::Unknown(_)) { right } else { left };
        let Value::Unknown(why) = unknown else { return unknown.clone() };
        let paid = match known {
            Value::List(list) => self.room(list.items.borrow().len()),
            Value::Dict(dict) => self.entry_room(dict.entries.borrow().len()),
            Value::Pipeline(pipeline) => self.room(pipeline.nodes.len()),
            _ => Ok(()),
        };
        if paid.is_err() {
            return unknown.clone();
        }
        match (known, op) {
            (Value::List(list), Operator::Add) => {
                let items = list.items.borrow().clone();
                self.open_list(items, Some(why.clone()))
            }
            (Value::Dict(dict), Operator::BitOr) if matches!(right, Value::Dict(_)) => {
                let entries = dict.entries.borrow().clone();
                self.dict(entries, Some(why.clone()))
            }
            (Value::Pipeline(pipeline), Operator::Add | Operator::BitOr) => {
                self.pipeline_with_more(pipeline, why)
            }
            _ => unknown.clone(),
        }
    }

    fn repeat(&mut self, value: &Value<'a>, times: i64, at: At<'a>) -> Eval<'a> {
        let times = usize::try_from(times).unwrap_or(0);
        if let Value::Str(text) = value {
            return self.text_of(text.len().saturating_mul(times), at, || text.repeat(times));
        }
        let (items, open) = self.items(value, at)?;
        let count = items.len().saturating_mul(times);
        self.room(count)?;
        let repeated: Vec<_> = items.iter().cycle().take(count).cloned().collect();
        Ok(match value {
            Value::Tuple(_) => self.tuple(repeated),
            _ => self.open_list(repeated, open),
        })
    }

    /// A string of at most `len` bytes, built by `make` only if it stays within the limits.
    pub(super) fn text_of(
        &self,
        len: usize,
        at: At<'a>,
        make: impl FnOnce() -> String,
    ) -> Eval<'a> {
        if len > MAX_TEXT {
            return Ok(self.unknown(at, "the text is too long"));
        }
        self.bytes(2 * len)?;
        Ok(Value::str(make()))
    }

    /// A string whose bytes were charged while it was built.
    pub(super) fn text(&self, text: String, at: At<'a>) -> Eval<'a> {
        if text.len() > MAX_TEXT {
            return Ok(self.unknown(at, "the text is too long"));
        }
        self.bytes(text.len())?;
        Ok(Value::str(text))
    }
}

/// Whether a range from `start` in steps of `step` hits `value`.
fn is_step(start: i64, value: i64, step: i64) -> bool {
    (i128::from(value) - i128::from(start)) % i128::from(step) == 0
}

fn op_divides(op: Operator) -> bool {
    matches!(op, Operator::Div | Operator::FloorDiv | Operator::Mod)
}

/// A number as a float, for comparisons of integers with floats.
#[expect(clippy::cast_precision_loss, reason = "Python compares such numbers exactly; near enough")]
pub(super) fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(int) => Some(*int as f64),
        Value::Float(float) => Some(*float),
        _ => None,
    }
}

fn integer(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(int) => Some(*int),
        _ => None,
    }
}

/// Arithmetic on numbers; `None` if the result is not evaluated.
fn arithmetic<'a>(left: &Value<'a>, op: Operator, right: &Value<'a>) -> Option<Value<'a>> {
    use Operator as Op;
    if let (Some(a), Some(b)) = (integer(left), integer(right)) {
        let int = match op {
            Op::Add => a.checked_add(b),
            Op::Sub => a.checked_sub(b),
            Op::Mult => a.checked_mul(b),
            Op::FloorDiv => {
                let (quotient, rest) = (a.checked_div(b)?, a.checked_rem(b)?);
                let below = rest != 0 && (rest < 0) != (b < 0);
                quotient.checked_sub(i64::from(below))
            }
            Op::Mod => {
                if b == 0 {
                    return None;
                }
                // The only overflow, the smallest integer divided by -1, has no remainder.
                let rest = a.wrapping_rem(b);
                let below = rest != 0 && (rest < 0) != (b < 0);
                if below { rest.checked_add(b) } else { Some(rest) }
            }
            Op::Pow => a.checked_pow(u32::try_from(b).ok()?),
            Op::BitAnd => Some(a & b),
            Op::BitOr => Some(a | b),
            Op::BitXor => Some(a ^ b),
            Op::LShift => {
                u32::try_from(b).ok().filter(|b| *b < 63).and_then(|b| a.checked_mul(1_i64 << b))
            }
            Op::RShift => u32::try_from(b).ok().map(|b| a >> b.min(63)),
            Op::Div if b != 0 => return Some(Value::Float(number(left)? / number(right)?)),
            Op::Div | Op::MatMult => None,
        };
        return int.map(Value::Int);
    }
    let (a, b) = (number(left)?, number(right)?);
    let float = match op {
        Op::Add => a + b,
        Op::Sub => a - b,
        Op::Mult => a * b,
        Op::Div if b != 0.0 => a / b,
        Op::FloorDiv if b != 0.0 => (a / b).floor(),
        Op::Mod if b != 0.0 => a - b * (a / b).floor(),
        Op::Pow => a.powf(b),
        _ => return None,
    };
    Some(Value::Float(float))
}
