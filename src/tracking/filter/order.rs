//! `order_by` clauses: a field, then `ASC` or `DESC` (`SearchUtils._parse_order_by_string`).

use super::{Entity, Field, FilterError, fields, group, lexer};

/// A field to order by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The field.
    pub field: Field,
    /// Smallest first.
    pub ascending: bool,
}

/// Reads one clause.
///
/// # Errors
/// When MLflow refuses it.
pub fn parse_order(entity: Entity, text: &str) -> Result<Order, FilterError> {
    let refused =
        || FilterError::new(format!("Invalid order_by clause '{text}'. Could not be parsed."), 0);
    let tokens = lexer::tokens(text);
    // The clause is one name to sqlparse, with nothing around it.
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
        Field::Metric(_) => matches!(entity, Entity::Run | Entity::LoggedModel),
        Field::Param(_) | Field::Tag(_) => entity == Entity::Run,
        Field::Dataset(_) => false,
    };
    match orders {
        true => Ok(Order { field, ascending }),
        false => Err(FilterError::new(format!("Invalid order_by entity in '{text}'"), 0)),
    }
}

/// Words as a shell splits them, with backticks as quotes (`shlex.split`).
fn split(text: &str) -> Option<Vec<String>> {
    shlex::split(&text.replace('`', "\""))
}
