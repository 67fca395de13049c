//! Size of configuration values: the cost of a copy, and the depth of nesting.

use crate::project::budget::Spent;
use crate::project::{Budget, Located, Value};

/// Deeper nesting is refused, which keeps recursion over values safe; no configuration needs it.
pub(super) const DEEPEST: usize = 100;

/// The bytes of one value without the values in it.
pub(super) fn of_one(located: &Located) -> usize {
    size_of::<Located>() + of_text(&located.value)
}

fn of_text(value: &Value) -> usize {
    // The bytes of an entry beside its key and its value.
    const ENTRY: usize = 48;
    // A mapping reserves room for more entries than it has.
    const MAP: usize = 3 * size_of::<Located>();
    match value {
        Value::Str(text) | Value::BigInt(text) | Value::Unknown(text) => text.len(),
        Value::Map(map) => MAP + map.keys().map(|key| key.len() + ENTRY).sum::<usize>(),
        _ => 0,
    }
}

/// Charges for a copy of `value` with everything in it.
///
/// # Errors
/// [`Spent`] as soon as the budget does not cover the rest.
pub(in crate::project) fn charge(value: &Value, budget: &Budget) -> Result<(), Spent> {
    budget.bytes(size_of::<Located>() + of_text(value))?;
    match value {
        Value::List(items) => items.iter().try_for_each(|item| charge(&item.value, budget)),
        Value::Map(map) => map.values().try_for_each(|item| charge(&item.value, budget)),
        _ => Ok(()),
    }
}

/// The nesting depth of lists and mappings in `value`.
pub(super) fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::List(items) => items.iter().map(|item| depth(&item.value)).max(),
        Value::Map(map) => map.values().map(|item| depth(&item.value)).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// The number of values in `value`, including itself.
pub(in crate::project) fn count(value: &Value) -> usize {
    1 + match value {
        Value::List(items) => items.iter().map(|item| count(&item.value)).sum(),
        Value::Map(map) => map.values().map(|item| count(&item.value)).sum(),
        _ => 0,
    }
}
