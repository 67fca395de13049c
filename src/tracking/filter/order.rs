//! Parser of `order_by` clauses: a field, then `ASC` or `DESC` (`SearchUtils._parse_order_by_string`).

use super::{Entity, Field, FilterError, fields, group, lexer};

/// A field to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: Field,
    /// Whether the smallest value comes first.
    pub ascending: bool,
}

/// Parses `order_by` clauses.
///
/// # Errors
/// When MLflow rejects one, or two sort by the same field.
pub fn parse_orders(entity: Entity, clauses: &[String]) -> Result<Vec<Order>, FilterError> {
    let mut orders: Vec<Order> = Vec::new();
    for clause in clauses {
        let order = parse_order(entity, clause)?;
        let is_again = orders.iter().any(|other| other.field == order.field);
        if is_again && !matches!(entity, Entity::LoggedModel | Entity::Experiment) {
            let message = format!("`order_by` contains duplicate fields: {}", clauses.join(", "));
            return Err(FilterError::new(message, 0));
        }
        orders.push(order);
    }
    Ok(orders)
}

fn parse_order(entity: Entity, text: &str) -> Result<Order, FilterError> {
    if entity == Entity::LoggedModel {
        return parse_plain(text);
    }
    let refused =
        || FilterError::new(format!("Invalid order_by clause '{text}'. Could not be parsed."), 0);
    let tokens = lexer::tokens(text);
    // sqlparse parses the clause as one identifier with nothing around it.
    let at = group::identifier(&tokens).filter(|at| *at == (0..text.len())).ok_or_else(refused)?;
    let words = split(&text[at]).ok_or_else(refused)?;
    let (name, ascending) = match words.as_slice() {
        [_] => (text.to_owned(), true),
        [name, order] => match order.to_lowercase().as_str() {
            "asc" => (name.clone(), true),
            "desc" => (name.clone(), false),
            _ => {
                let message = format!("Invalid ordering key in order_by clause '{text}'.");
                return Err(FilterError::new(message, text.len() - order.len()));
            }
        },
        _ => return Err(refused()),
    };
    let field = fields::field(entity, name.trim(), 0, true)?;
    let orders = match field {
        Field::Attribute(_) => true,
        Field::Metric(_) | Field::Param(_) | Field::Tag(_) => entity == Entity::Run,
        Field::Dataset(_) => false,
    };
    match orders {
        true => Ok(Order { field, ascending }),
        false => Err(FilterError::new(format!("Invalid order_by entity in '{text}'"), 0)),
    }
}

/// The order of logged models: MLflow gets it already split, so the name is used as it is.
fn parse_plain(text: &str) -> Result<Order, FilterError> {
    let (name, ascending) = match text.rsplit_once(' ') {
        Some((name, order)) if order.eq_ignore_ascii_case("asc") => (name, true),
        Some((name, order)) if order.eq_ignore_ascii_case("desc") => (name, false),
        _ => (text, true),
    };
    let refused = |message: String| Err(FilterError::new(message, 0));
    match name.split_once('.') {
        Some(("metrics", key)) => Ok(Order { field: Field::Metric(key.to_owned()), ascending }),
        Some(_) => {
            refused(format!("Invalid order by field name: {name}. Only metrics are supported."))
        }
        None => match fields::attribute(Entity::LoggedModel, name, true) {
            Some(attribute) => Ok(Order { field: Field::Attribute(attribute), ascending }),
            None => refused(format!("Invalid order by field name: {name}")),
        },
    }
}

/// Splits into words like a shell, with backticks as quotes (`shlex.split`).
fn split(text: &str) -> Option<Vec<String>> {
    shlex::split(&text.replace('`', "\""))
}
