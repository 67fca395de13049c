//! How large configuration values are: what a copy of one is charged, and how deep it is nested.

use crate::project::budget::Spent;
use crate::project::{Budget, Located, Value};

/// Deeper nesting than any configuration has; it keeps recursion over values safe.
pub(super) const DEEPEST: usize = 100;

/// What one value takes without those in it.
pub(super) fn of_one(located: &Located) -> usize {
    size_of::<Located>() + of_text(&located.value)
}

fn of_text(value: &Value) -> usize {
    // What an entry takes beside its key and its value.
    const ENTRY: usize = 48;
    // A mapping makes room for more entries than it has.
    const MAP: usize = 3 * size_of::<Located>();
    match value {
        Value::Str(text) | Value::BigInt(text) | Value::Unknown(text) => text.len(),
        Value::Map(map) => MAP + map.keys().map(|key| key.len() + ENTRY).sum::<usize>(),
        _ => 0,
    }
}

/// Charges a copy of `value` with all that is in it.
///
/// # Errors
/// [`Spent`] as soon as the budget does not pay for the rest.
pub(in crate::project) fn charge(value: &Value, budget: &Budget) -> Result<(), Spent> {
    budget.bytes(size_of::<Located>() + of_text(value))?;
    match value {
        Value::List(items) => items.iter().try_for_each(|item| charge(&item.value, budget)),
        Value::Map(map) => map.values().try_for_each(|item| charge(&item.value, budget)),
        _ => Ok(()),
    }
}

/// How many lists and mappings lie within one another in `value`.
pub(super) fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::List(items) => items.iter().map(|item| depth(&item.value)).max(),
        Value::Map(map) => map.values().map(|item| depth(&item.value)).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// How many values there are in `value`, itself among them.
pub(in crate::project) fn count(value: &Value) -> usize {
    1 + match value {
        Value::List(items) => items.iter().map(|item| count(&item.value)).sum(),
        Value::Map(map) => map.values().map(|item| count(&item.value)).sum(),
        _ => 0,
    }
}
