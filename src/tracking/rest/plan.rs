//! Splits a filter into the part for the server, in MLflow's language, and the part that is evaluated here:
//! extensions, and texts that the language can't express.

use crate::tracking::filter::{
    Attribute, Comparator, Compare, Entity, Expr, Field, Order, Value, summary, write, write_order,
};

/// A filter in two parts; both must match.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// The part for the server.
    pub asked: String,
    /// The part evaluated here.
    pub rest: Expr,
}

/// Splits a filter; `now` is in milliseconds.
pub(super) fn plan(entity: Entity, filter: &Expr, orders: &[Order], now: i64) -> Plan {
    let mut parts = Vec::new();
    flatten(filter, &mut parts);
    let is_keyed =
        |field: &Field| matches!(field, Field::Metric(_) | Field::Param(_) | Field::Tag(_));
    // Servers before 3.17 fail if a filter on datasets is combined with metrics, params or tags.
    let asks_keys = orders.iter().any(|order| is_keyed(&order.field))
        || parts
            .iter()
            .any(|part| matches!(part, Expr::Compare(compare) if is_keyed(&compare.field)));
    let (mut asked, mut rest) = (Vec::new(), Vec::new());
    for part in parts {
        let written = match part {
            Expr::Compare(compare) if is_asked(entity, compare, asks_keys) => {
                write(entity, compare)
            }
            // Start within a duration before now.
            Expr::Last(milliseconds) => write(
                entity,
                &Compare {
                    field: Field::Attribute(Attribute::Created),
                    comparator: Comparator::GreaterOrEqual,
                    value: Value::Integer(now.saturating_sub(*milliseconds)),
                },
            ),
            _ => None,
        };
        match written {
            Some(text) => asked.push(text),
            None => rest.push(part.clone()),
        }
    }
    Plan { asked: asked.join(" AND "), rest: Expr::And(rest) }
}

fn flatten<'a>(filter: &'a Expr, parts: &mut Vec<&'a Expr>) {
    match filter {
        Expr::And(all) => all.iter().for_each(|part| flatten(part, parts)),
        part => parts.push(part),
    }
}

fn is_asked(entity: Entity, compare: &Compare, asks_keys: bool) -> bool {
    match &compare.field {
        Field::Dataset(_) => !asks_keys,
        // The key may name a summary of a metric's history, which servers do not support.
        Field::Metric(key) => entity != Entity::Run || summary(key).is_none(),
        _ => true,
    }
}

/// The clauses of an order. MLflow accepts no key that a clause can't express, so no entity has such a key.
pub(super) fn clauses(entity: Entity, orders: &[Order]) -> Vec<String> {
    orders.iter().filter_map(|order| write_order(entity, order)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::filter::parse;

    #[test]
    fn extensions_are_kept_from_the_server() {
        let asked = |filter: &str| {
            let plan = plan(Entity::Run, &parse(Entity::Run, filter).unwrap(), &[], 200_000_000);
            (plan.asked, plan.rest == Expr::default())
        };
        let all = |text: &str| (text.to_owned(), true);
        let part = |text: &str| (text.to_owned(), false);
        assert_eq!(asked(""), all(""));
        assert_eq!(
            asked("params.a = 'x' and status='FAILED'"),
            all("params.`a` = 'x' AND status = 'FAILED'")
        );
        assert_eq!(asked("params.a = 'x' and tags.b ~ 'y'"), part("params.`a` = 'x'"));
        assert_eq!(asked("params.a = 'x' or tags.b = 'y'"), part(""));
        assert_eq!(
            asked("metrics.a < 1 and last 2 days"),
            all("metrics.`a` < 1.0 AND start_time >= 27200000")
        );
        assert_eq!(asked("metrics.a.min < 1"), part(""));
        assert_eq!(asked("dataset.name = 'a'"), all("dataset.name = 'a'"));
        assert_eq!(asked("dataset.name = 'a' and params.b = 'c'"), part("params.`b` = 'c'"));
    }
}
