//! Sorting: `sorted`, `list.sort`, `max` and `min`.

use std::rc::Rc;

use super::call::Args;
use super::interp::{Eval, Interp, Stop};
use super::source::At;
use super::value::{Unknown, Value};

impl<'a> Interp<'a> {
    /// `max` and `min` of items that are all known.
    pub(super) fn extreme(
        &mut self,
        name: &str,
        items: Vec<Value<'a>>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        if items.is_empty() {
            return match args.named("default") {
                Some(default) => Ok(default),
                None => {
                    let text = format!("`{}` has nothing to choose from", at.text());
                    self.raise(at, "ValueError", text, "Give a `default`.")
                }
            };
        }
        Ok(match self.sort(items, args, at)? {
            Err(why) => Value::Unknown(why),
            Ok(items) if name == "max" => {
                // Of equal values `max` returns the first; the stable sort puts it before the
                // others.
                let last = items.last().cloned().unwrap_or(Value::None);
                let first =
                    items.iter().find(|item| matches!(self.equal(item, &last, at), Ok(true)));
                first.cloned().unwrap_or(last)
            }
            Ok(items) => items.first().cloned().unwrap_or(Value::None),
        })
    }

    /// Sorts by the `key` and `reverse` arguments; the inner error is the reason why sorting
    /// failed.
    pub(super) fn sort(
        &mut self,
        items: Vec<Value<'a>>,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Result<Result<Vec<Value<'a>>, Rc<Unknown>>, Stop<'a>> {
        let key = args.named("key").filter(|key| !matches!(key, Value::None));
        let reverse = match args.named("reverse").map(|reverse| self.truth(&reverse, at)) {
            None => false,
            Some(Ok(reverse)) => reverse,
            Some(Err(why)) => return Ok(Err(why)),
        };
        self.room(items.len().saturating_mul(4))?;
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            let by = match &key {
                Some(key) => self.call_with(key, vec![item.clone()], at)?,
                None => item.clone(),
            };
            keyed.push((by, item));
        }
        if reverse {
            keyed.reverse();
        }
        let sorted = merge_sort(keyed, |(a, _), (b, _)| Ok(self.order(a, b, at)?.is_gt()));
        Ok(sorted.map(|mut keyed| {
            if reverse {
                keyed.reverse();
            }
            keyed.into_iter().map(|(_, item)| item).collect()
        }))
    }
}

/// A stable merge sort. `after` returns whether one item belongs after another. Inconsistent
/// answers still give some order; the first error of `after` ends the sort.
fn merge_sort<T, E>(
    mut items: Vec<T>,
    after: impl Fn(&T, &T) -> Result<bool, E>,
) -> Result<Vec<T>, E> {
    let mut width = 1;
    while width < items.len() {
        let mut merged = Vec::with_capacity(items.len());
        let mut rest = items.into_iter().peekable();
        while rest.peek().is_some() {
            let left: Vec<T> = rest.by_ref().take(width).collect();
            let right: Vec<T> = rest.by_ref().take(width).collect();
            let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let next = if after(a, b)? { right.next() } else { left.next() };
                merged.extend(next);
            }
            merged.extend(left.chain(right));
        }
        items = merged;
        width *= 2;
    }
    Ok(items)
}
