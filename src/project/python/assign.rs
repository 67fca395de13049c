//! Assignment: `target = value`, unpacking, augmented assignment and `del`.

use ruff_python_ast::{Expr, StmtAugAssign};

use super::interp::{Frame, Interp, Stop};
use super::source::At;
use super::value::Value;

impl<'a> Interp<'a> {
    /// Binds `value` to a name, an attribute, an item, or unpacks it into several targets.
    pub(super) fn assign(
        &mut self,
        target: &'a Expr,
        value: Value<'a>,
        frame: &Frame<'a>,
    ) -> Result<(), Stop<'a>> {
        let at = At::new(frame.source, target);
        match target {
            Expr::Name(name) => {
                if !name.id.as_str().is_empty() {
                    self.bytes(name.id.as_str().len())?;
                    frame.scope.set(name.id.as_str(), value);
                }
            }
            Expr::Tuple(tuple) => self.unpack(&tuple.elts, &value, frame, at)?,
            Expr::List(list) => self.unpack(&list.elts, &value, frame, at)?,
            Expr::Starred(starred) => self.assign(&starred.value, value, frame)?,
            Expr::Subscript(subscript) => {
                let container = self.eval(&subscript.value, frame)?;
                let index = self.eval(&subscript.slice, frame)?;
                self.set_item(&container, &index, value, at)?;
            }
            Expr::Attribute(attribute) => {
                let object = self.eval(&attribute.value, frame)?;
                self.set_attribute(&object, attribute.attr.as_str(), value);
            }
            _ => {}
        }
        Ok(())
    }

    fn unpack(
        &mut self,
        targets: &'a [Expr],
        value: &Value<'a>,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Result<(), Stop<'a>> {
        let (items, open) = self.items(value, at)?;
        let star = targets.iter().position(Expr::is_starred_expr);
        let fits = match star {
            None => items.len() == targets.len(),
            Some(_) => items.len() + 1 >= targets.len(),
        };
        if open.is_some() || !fits {
            let unknown = match open {
                Some(why) => Value::Unknown(why),
                None => {
                    let text = format!("{} values can't be bound to `{}`", items.len(), at.text());
                    self.raise(at, "ValueError", text, "Give as many names as values.")?
                }
            };
            for target in targets {
                self.assign(target, unknown.clone(), frame)?;
            }
            return Ok(());
        }
        let star = star.unwrap_or(targets.len());
        let after = targets.len().saturating_sub(star + 1);
        let rest_end = items.len() - after;
        for (target, item) in targets[..star].iter().zip(&items) {
            self.assign(target, item.clone(), frame)?;
        }
        if let Some(target) = targets.get(star) {
            self.room(rest_end - star)?;
            let rest = self.list(items[star..rest_end].to_vec());
            self.assign(target, rest, frame)?;
            for (target, item) in targets[star + 1..].iter().zip(&items[rest_end..]) {
                self.assign(target, item.clone(), frame)?;
            }
        }
        Ok(())
    }

    /// `target += value`; lists, dictionaries and sets are changed in place.
    pub(super) fn exec_aug_assign(
        &mut self,
        stmt: &'a StmtAugAssign,
        frame: &Frame<'a>,
    ) -> Result<(), Stop<'a>> {
        use ruff_python_ast::Operator as Op;
        let at = At::new(frame.source, stmt);
        let old = self.eval(&stmt.target, frame)?;
        let value = self.eval(&stmt.value, frame)?;
        match (&old, stmt.op) {
            (Value::List(_), Op::Add) => {
                self.extend(&old, &value, at)?;
                self.assign(&stmt.target, old, frame)
            }
            (Value::Dict(_), Op::BitOr) | (Value::Set(_), Op::BitOr) => {
                self.update(&old, &value, at)?;
                self.assign(&stmt.target, old, frame)
            }
            _ => {
                let result = self.binary(&old, stmt.op, &value, at)?;
                self.assign(&stmt.target, result, frame)
            }
        }
    }

    /// Executes `del target` for one target.
    pub(super) fn delete(&mut self, target: &'a Expr, frame: &Frame<'a>) -> Result<(), Stop<'a>> {
        let at = At::new(frame.source, target);
        match target {
            Expr::Name(name) => frame.scope.delete(name.id.as_str()),
            Expr::Tuple(tuple) => {
                for target in &tuple.elts {
                    self.delete(target, frame)?;
                }
            }
            Expr::Subscript(subscript) => {
                let container = self.eval(&subscript.value, frame)?;
                let index = self.eval(&subscript.slice, frame)?;
                self.delete_item(&container, &index, at)?;
            }
            _ => {}
        }
        Ok(())
    }
}
