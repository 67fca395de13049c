//! Classes with a generated constructor (dataclasses, named tuples, enumerations), and `super()`.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use ruff_python_ast::{Expr, Stmt};
use ruff_text_size::Ranged;

use super::call::Args;
use super::interp::{Eval, Frame, ITEM_BYTES, Interp, Stop};
use super::source::At;
use super::value::{Class, Instance, Shape, Value};
use crate::project::budget::STEP;
use crate::text::UserError;

/// Marks a value returned by `dataclasses.field`.
const FIELD: &str = "dataclasses.field";
/// Marks the result of `super()`: a partial of this name with the object and the class as
/// arguments.
const SUPER: &str = "builtins.super";
/// Marks the result of `enum.auto()`.
pub(super) const AUTO: &str = "enum.auto()";

/// A field of a dataclass or named tuple.
struct Field<'a> {
    name: &'a str,
    default: Option<Value<'a>>,
}

impl<'a> Interp<'a> {
    /// The shape that a class inherits from these bases.
    pub(super) fn shape(bases: &[Value<'a>]) -> Shape {
        let shape_of = |base: &Value<'a>| match base {
            Value::Class(class) => class.shape,
            Value::External(name) => match &**name {
                "typing.NamedTuple" => Shape::Tuple,
                "enum.Enum" | "enum.IntEnum" | "enum.StrEnum" => Shape::Enum,
                _ => Shape::Plain,
            },
            _ => Shape::Plain,
        };
        bases.iter().map(shape_of).find(|shape| *shape != Shape::Plain).unwrap_or(Shape::Plain)
    }

    /// Replaces the values bound in an enumeration's body with members.
    pub(super) fn make_members(&mut self, class: &Rc<Class<'a>>) {
        let mut last: i64 = 0;
        let names_own = class
            .bases
            .iter()
            .any(|base| matches!(base, Value::External(name) if &**name == "enum.StrEnum"));
        let mut members: Vec<Rc<Instance<'a>>> = Vec::new();
        for name in bound_names(class) {
            let Some(value) = class.namespace.own(name) else { continue };
            if self.budget.elements(STEP + 16 * members.len()).is_err() {
                return;
            }
            let value = match value {
                Value::External(auto) if &*auto == AUTO && names_own => {
                    Value::str(name.to_lowercase())
                }
                Value::External(auto) if &*auto == AUTO => Value::Int(last.saturating_add(1)),
                Value::Function(_) | Value::Partial(_) | Value::Class(_) => continue,
                value => value,
            };
            if let Value::Int(number) = value {
                last = number;
            }
            let text = Value::str(name);
            let attributes =
                [("name", &text), ("_name_", &text), ("value", &value), ("_value_", &value)];
            let attributes = attributes.map(|(name, value)| (Rc::from(name), value.clone())).into();
            let at = At::new(class.source, class.def);
            let twin = members.iter().find(|member| {
                let other = member.attributes.borrow().get("value").cloned();
                other.is_some_and(|other| matches!(self.equal(&other, &value, at), Ok(true)))
            });
            let member = twin.cloned().unwrap_or_else(|| {
                Rc::new(Instance {
                    class: class.clone(),
                    attributes: RefCell::new(attributes),
                    open: RefCell::new(None),
                })
            });
            members.push(member.clone());
            let member = self.keep(Value::Instance(member));
            class.namespace.set(name, member);
        }
    }

    /// The members of an enumeration in definition order, without aliases.
    pub(super) fn enum_members(&self, class: &Rc<Class<'a>>) -> Vec<Rc<Instance<'a>>> {
        let mut members: Vec<Rc<Instance<'a>>> = Vec::new();
        let mut known = HashSet::new();
        if self.budget.bytes(class.def.body.len() * 2 * ITEM_BYTES).is_err() {
            return members;
        }
        for name in bound_names(class) {
            if let Some(Value::Instance(member)) = class.namespace.own(name)
                && Rc::ptr_eq(&member.class, class)
                && known.insert(Rc::as_ptr(&member))
            {
                members.push(member);
            }
        }
        members
    }

    /// `Enumeration(value)`: the member with that value.
    pub(super) fn member_of(
        &mut self,
        class: &Rc<Class<'a>>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let [Some(wanted)] = args.bind(["value"]) else { return Ok(self.not_evaluated(at)) };
        for member in self.enum_members(class) {
            let value = member.attributes.borrow().get("value").cloned().unwrap_or(Value::None);
            match self.equal(&value, &wanted, at) {
                Ok(true) => return Ok(Value::Instance(member)),
                Ok(false) => {}
                Err(why) => return Ok(Value::Unknown(why)),
            }
        }
        let text = format!("`{}` has no such value", class.def.name.as_str());
        self.raise(at, "ValueError", text, "Correct the value.")
    }

    /// Binds the arguments of a dataclass or named tuple to its fields.
    pub(super) fn fill_fields(
        &mut self,
        class: &Rc<Class<'a>>,
        object: &Rc<Instance<'a>>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        let value = Value::Instance(object.clone());
        let name = class.def.name.as_str();
        self.elements(fields_cost(class).saturating_mul(1 + args.named.len()))?;
        let fields = match fields(class) {
            Ok(fields) => fields,
            Err(reason) => {
                value.make_open(&self.because(at, reason.text));
                return Ok(());
            }
        };
        let mistake = |interp: &mut Self, text: String| {
            let unknown =
                interp.raise(at, "TypeError", text, "Give the arguments that it takes.")?;
            value.make_open(&interp.why(&unknown, at));
            Ok(())
        };
        let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
        if let Some(unexpected) = args.unexpected(&known) {
            return mistake(self, format!("`{name}` does not take `{unexpected}`"));
        }
        if args.positional.len() > fields.len() {
            return mistake(self, format!("`{name}` takes at most {} arguments", fields.len()));
        }
        for (index, field) in fields.iter().enumerate() {
            let given = args.positional.get(index).cloned().or_else(|| args.named(field.name));
            let filled = match (given, &args.open, &field.default) {
                (Some(given), _, _) => given,
                (None, Some(why), _) => Value::Unknown(why.clone()),
                (None, None, Some(default)) => self.field_default(default, at)?,
                (None, None, None) => {
                    return mistake(self, format!("`{name}` needs `{}`", field.name));
                }
            };
            object.attributes.borrow_mut().insert(field.name.into(), filled);
        }
        if let (Shape::Dataclass, Some(Value::Function(after))) =
            (class.shape, self.class_attribute(class, "__post_init__"))
        {
            if let Value::Unknown(why) =
                self.call_with(&Value::Function(after), vec![value.clone()], at)?
            {
                value.make_open(&why);
            }
        }
        Ok(())
    }

    fn field_default(&mut self, default: &Value<'a>, at: At<'a>) -> Eval<'a> {
        let Value::Partial(field) = default else { return Ok(default.clone()) };
        if !matches!(&field.func, Value::External(name) if &**name == FIELD) {
            return Ok(default.clone());
        }
        let given = |name: &str| {
            field
                .keywords
                .iter()
                .find(|(known, _)| &**known == name)
                .map(|(_, value)| value.clone())
        };
        match (given("default"), given("default_factory")) {
            (Some(value), _) => Ok(value),
            (None, Some(factory)) => self.call_with(&factory, Vec::new(), at),
            (None, None) => Ok(self.not_evaluated(at)),
        }
    }

    /// The values of a named tuple in the order of its fields.
    pub(super) fn tuple_values(&self, object: &Instance<'a>) -> Option<Vec<Value<'a>>> {
        if object.class.shape != Shape::Tuple || object.open.borrow().is_some() {
            return None;
        }
        self.budget.elements(fields_cost(&object.class)).ok()?;
        let fields = fields(&object.class).ok()?;
        let attributes = object.attributes.borrow();
        fields.iter().map(|field| attributes.get(field.name).cloned()).collect()
    }

    /// `super()` in a method: a marker with the object and the class whose bases are searched.
    pub(super) fn super_of(&mut self, frame: &Frame<'a>, at: At<'a>) -> Eval<'a> {
        let object = frame.scope.get("self").or_else(|| frame.scope.get("cls"));
        let own = match &object {
            Some(Value::Instance(instance)) => instance.class.clone(),
            Some(Value::Class(class)) => class.clone(),
            _ => return Ok(self.not_evaluated(at)),
        };
        let mut class = Some(own);
        while let Some(candidate) = class {
            let here = std::ptr::eq(candidate.source, at.source)
                && candidate.def.range().contains_range(at.range);
            let mut bases = candidate.bases.iter().filter_map(|base| match base {
                Value::Class(base) => Some(base.clone()),
                _ => None,
            });
            let (base, second) = (bases.next(), bases.next());
            if second.is_some() {
                // Python's resolution order for several bases is not implemented here.
                break;
            }
            if here {
                let args = vec![object.unwrap_or(Value::None), Value::Class(candidate.clone())];
                return self.partial(SUPER, args);
            }
            class = base;
        }
        Ok(self.not_evaluated(at))
    }

    /// `super().name`; `None` if `value` is not a `super()` marker.
    pub(super) fn super_attribute(
        &mut self,
        value: &Value<'a>,
        name: &str,
        at: At<'a>,
    ) -> Option<Eval<'a>> {
        let Value::Partial(partial) = value else { return None };
        let (Value::External(marker_name), [object, Value::Class(class)]) =
            (&partial.func, &partial.args[..])
        else {
            return None;
        };
        if &**marker_name != SUPER {
            return None;
        }
        let base = class.bases.iter().find_map(|base| match base {
            Value::Class(base) => Some(base.clone()),
            _ => None,
        });
        let found = base.as_ref().and_then(|base| self.class_attribute(base, name));
        Some(Ok(match (found, object) {
            (Some(Value::Function(function)), Value::Instance(_)) => {
                Value::Bound(Rc::new((object.clone(), function)))
            }
            (Some(Value::Partial(marker)), _) => {
                let (kind, inner) = match (&marker.func, marker.args.first()) {
                    (Value::External(kind), Some(inner)) => (kind.clone(), inner.clone()),
                    _ => return Some(Ok(self.not_evaluated(at))),
                };
                match (&*kind, inner, object) {
                    ("builtins.property", getter, Value::Instance(_)) => {
                        return Some(self.call_with(&getter, vec![object.clone()], at));
                    }
                    ("builtins.staticmethod", function, _) => function,
                    ("builtins.classmethod", Value::Function(function), Value::Class(_)) => {
                        Value::Bound(Rc::new((object.clone(), function)))
                    }
                    _ => self.not_evaluated(at),
                }
            }
            (None, _) if name == "__init__" && self.outside_base(class).is_none() => {
                Value::External("builtins.object.__init__".into())
            }
            _ => self.not_evaluated(at),
        }))
    }
}

/// The public names that the body of a class binds by assignment, in order.
fn bound_names<'a>(class: &Class<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    class.def.body.iter().filter_map(|stmt| match stmt {
        Stmt::Assign(assign) => match &assign.targets[..] {
            [Expr::Name(name)] if !name.id.as_str().starts_with('_') => Some(name.id.as_str()),
            _ => None,
        },
        _ => None,
    })
}

/// The cost of calling [`fields`], in elements.
fn fields_cost(class: &Class<'_>) -> usize {
    let count: usize = class.lineage().into_iter().map(|class| class.def.body.len()).sum();
    count + count.saturating_mul(count) / 8
}

/// The fields of a dataclass or named tuple, inherited ones first; or the reason why they are
/// unknown.
fn fields<'a>(class: &Class<'a>) -> Result<Vec<Field<'a>>, UserError> {
    let mut all: Vec<Field<'a>> = Vec::new();
    let mut bases = class.bases.iter().filter_map(|base| match base {
        Value::Class(base) if base.shape != Shape::Plain => Some(base),
        _ => None,
    });
    if let Some(base) = bases.next() {
        all = fields(base)?;
    }
    let name = class.def.name.as_str();
    if bases.next().is_some() {
        return Err(format!("`{name}` has several bases with fields").into());
    }
    // A subclass of a class with fields adds its own fields only if it is itself decorated as a
    // dataclass.
    let inherits =
        matches!(class.bases.first(), Some(Value::Class(base)) if base.shape != Shape::Plain);
    if inherits && class.def.decorator_list.is_empty() {
        return Ok(all);
    }
    for stmt in &class.def.body {
        let Stmt::AnnAssign(assign) = stmt else { continue };
        let Expr::Name(target) = &*assign.target else { continue };
        let annotation = &class.source.text[assign.annotation.range()];
        if annotation.contains("ClassVar") {
            continue;
        }
        let default = assign.value.as_ref().and_then(|_| class.namespace.own(target.id.as_str()));
        let unusual = annotation.contains("InitVar") || annotation.contains("KW_ONLY");
        let by_field = matches!(&default, Some(Value::Partial(field))
            if field.keywords.iter().any(|(name, _)| matches!(&**name, "init" | "kw_only")));
        if unusual || by_field {
            return Err(format!("the fields of `{name}` are not evaluated").into());
        }
        // A field made by `field()` without a default is a required argument.
        let default = default.filter(|default| match default {
            Value::Partial(field) => {
                !matches!(&field.func, Value::External(name) if &**name == FIELD)
                    || field.keywords.iter().any(|(name, _)| name.starts_with("default"))
            }
            _ => true,
        });
        let field = Field { name: target.id.as_str(), default };
        match all.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => all.push(field),
        }
    }
    Ok(all)
}

/// Whether two objects are equal; `None` if code of their class may decide it.
pub(super) fn same_object<'a>(left: &Instance<'a>, right: &Instance<'a>) -> Option<bool> {
    if std::ptr::eq(left, right) {
        return Some(true);
    }
    (left.class.shape == Shape::Enum && Rc::ptr_eq(&left.class, &right.class)).then_some(false)
}
