//! Writes filters and orders as text for a tracking server. A text is returned only if [`super::parse`] reads
//! the same filter from it, so the server interprets it as intended.

use super::fields::name_of;
use super::{
    Comparator, Compare, DatasetField, Entity, Expr, Field, Order, Value, parse, parse_orders,
};

/// A comparison in MLflow's language; `None` if the language can't express it.
pub fn write(entity: Entity, compare: &Compare) -> Option<String> {
    let field = field(entity, &compare.field, false)?;
    let sign = match compare.comparator {
        Comparator::Equal => "=",
        Comparator::NotEqual => "!=",
        Comparator::Less => "<",
        Comparator::LessOrEqual => "<=",
        Comparator::Greater => ">",
        Comparator::GreaterOrEqual => ">=",
        Comparator::Like => "LIKE",
        Comparator::ILike => "ILIKE",
        Comparator::In => "IN",
        Comparator::NotIn => "NOT IN",
        Comparator::IsNull => "IS NULL",
        Comparator::IsNotNull => "IS NOT NULL",
        Comparator::Matches => return None,
    };
    let text = match &compare.value {
        Value::Nothing => format!("{field} {sign}"),
        Value::Integer(integer) => format!("{field} {sign} {integer}"),
        Value::Number(number) => format!("{field} {sign} {}", decimal(*number)?),
        Value::Text(text) => format!("{field} {sign} {}", quoted(text)?),
        Value::List(texts) => {
            let texts: Option<Vec<String>> =
                texts.iter().map(|text| quoted(&text.replace('\\', r"\\"))).collect();
            format!("{field} {sign} ({})", texts?.join(", "))
        }
    };
    let meant = Expr::And(vec![Expr::Compare(compare.clone())]);
    (parse(entity, &text).as_ref() == Ok(&meant)).then_some(text)
}

/// An order as an `order_by` clause; `None` if no clause expresses it.
pub fn write_order(entity: Entity, order: &Order) -> Option<String> {
    let direction = if order.ascending { "ASC" } else { "DESC" };
    let text = format!("{} {direction}", field(entity, &order.field, true)?);
    let same = parse_orders(entity, std::slice::from_ref(&text))
        .is_ok_and(|orders| orders == [order.clone()]);
    same.then_some(text)
}

fn field(entity: Entity, field: &Field, ordering: bool) -> Option<String> {
    let keyed = |kind: &str, key: &str| match entity {
        // Orders of logged models have no quotes around keys.
        Entity::LoggedModel if ordering => format!("{kind}.{key}"),
        _ => format!("{kind}.`{key}`"),
    };
    Some(match field {
        Field::Metric(key) => keyed("metrics", key),
        Field::Param(key) => keyed("params", key),
        Field::Tag(key) => keyed("tags", key),
        Field::Attribute(attribute) => name_of(entity, *attribute, ordering)?.to_owned(),
        Field::Dataset(DatasetField::Name) => "dataset.name".to_owned(),
        Field::Dataset(DatasetField::Digest) => "dataset.digest".to_owned(),
        Field::Dataset(DatasetField::Context) => "dataset.context".to_owned(),
    })
}

fn decimal(number: f64) -> Option<String> {
    match number {
        _ if number.is_nan() => None,
        f64::INFINITY => Some("1e400".to_owned()),
        f64::NEG_INFINITY => Some("-1e400".to_owned()),
        _ => Some(format!("{number:?}")),
    }
}

/// A text in quotes of the kind that does not occur in it.
fn quoted(text: &str) -> Option<String> {
    let quote = ['\'', '"'].into_iter().find(|quote| !text.contains(*quote))?;
    Some(format!("{quote}{text}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_filter_parses_to_the_same() {
        for (filter, written) in [
            ("metrics.rmse < 1e-3", Some("metrics.`rmse` < 0.001")),
            ("metrics.a >= 1e400", Some("metrics.`a` >= 1e400")),
            ("params.'a b' = \"it's\"", Some("params.`a b` = \"it's\"")),
            ("tag.x ilike '%\\%'", Some("tags.`x` ILIKE '%\\%'")),
            ("created > 5", Some("start_time > 5")),
            ("Run Name = 'x'", None),
            ("attributes.`Run Name` = 'x'", Some("run_name = 'x'")),
            ("dataset.name in ('a', \"b'\")", Some("dataset.name IN ('a', \"b'\")")),
            ("params.a is not null", Some("params.`a` IS NOT NULL")),
            ("params.a ~ 'x'", None),
        ] {
            let Ok(Expr::And(parts)) = parse(Entity::Run, filter) else { continue };
            let [Expr::Compare(compare)] = parts.as_slice() else { continue };
            assert_eq!(write(Entity::Run, compare).as_deref(), written, "{filter}");
        }
        let compare = |text: &str| Compare {
            field: Field::Tag("x".to_owned()),
            comparator: Comparator::Equal,
            value: Value::Text(text.to_owned()),
        };
        assert_eq!(write(Entity::Run, &compare("'\"")), None);
    }

    #[test]
    fn orders_are_written() {
        for (entity, clause, written) in [
            (Entity::Run, "metrics.'a b' desc", "metrics.`a b` DESC"),
            (Entity::Run, "Created", "start_time ASC"),
            (Entity::Experiment, "last_update_time DESC", "last_update_time DESC"),
            (Entity::LoggedModel, "metrics.a b DESC", "metrics.a b DESC"),
            (Entity::ModelVersion, "version_number", "version_number ASC"),
        ] {
            let orders = parse_orders(entity, &[clause.to_owned()]).unwrap();
            assert_eq!(write_order(entity, &orders[0]).as_deref(), Some(written));
        }
    }
}
