//! MLflow's filter language for runs, experiments, registered models, model versions and logged models.
//!
//! [`parse`] returns an [`Expr`] for everything that MLflow accepts, and rejects what MLflow rejects, except
//! for the extensions: `OR`, `NOT`, parentheses, `~` (a regular expression), a summary of a metric's history
//! (`metrics.rmse.min`), `last 7 days`, plain words. [`parse_orders`] parses `order_by` clauses.
//!
//! The rules are those of MLflow's `mlflow/utils/search_utils.py` and `search_logged_model_utils.py` (3.17)
//! with sqlparse 0.6, which MLflow uses to tokenize filters.

mod evaluate;
mod extended;
mod fields;
mod group;
mod lexer;
mod literal;
mod order;
mod write;

pub use evaluate::{Cell, Matcher, Near, Searched, Summary, compare_by, is_like, summary};
pub use fields::{Attribute, DatasetField};
pub use order::{Order, parse_orders};
pub use write::{write, write_order};

use std::ops::Range;

/// The kind of entity that a filter applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// Tracked runs.
    Run,
    /// Experiments.
    Experiment,
    /// Registered models.
    RegisteredModel,
    /// Versions of registered models.
    ModelVersion,
    /// Logged models (MLflow 3).
    LoggedModel,
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// All of these match; an empty list matches everything.
    And(Vec<Expr>),
    /// At least one of these matches.
    Or(Vec<Expr>),
    /// The inner filter does not match.
    Not(Box<Expr>),
    /// A single comparison.
    Compare(Compare),
    /// Started within this many milliseconds before now.
    Last(i64),
    /// The name contains the letters of this word in order.
    Named(String),
}

impl Default for Expr {
    /// A filter that matches everything.
    fn default() -> Self {
        Expr::And(Vec::new())
    }
}

/// A single comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    /// The field on the left side.
    pub field: Field,
    /// The comparator.
    pub comparator: Comparator,
    /// The value on the right side.
    pub value: Value,
}

/// A field of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The latest value of a metric.
    Metric(String),
    /// The value of a param.
    Param(String),
    /// The value of a tag.
    Tag(String),
    /// A property of the entity itself.
    Attribute(Attribute),
    /// A property of a dataset that the run has read.
    Dataset(DatasetField),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `LIKE`: `%` matches any text and `_` any character; case-sensitive.
    Like,
    /// `ILIKE`: like `LIKE`, but ignores case.
    ILike,
    /// `IN`.
    In,
    /// `NOT IN`.
    NotIn,
    /// `IS NULL`: the key is missing.
    IsNull,
    /// `IS NOT NULL`: the key exists.
    IsNotNull,
    /// `~`: a regular expression matches part of the value.
    Matches,
}

impl Comparator {
    /// Parses a comparator in any case, with single blanks.
    fn read(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "=" => Comparator::Equal,
            "!=" => Comparator::NotEqual,
            "<" => Comparator::Less,
            "<=" => Comparator::LessOrEqual,
            ">" => Comparator::Greater,
            ">=" => Comparator::GreaterOrEqual,
            "LIKE" => Comparator::Like,
            "ILIKE" => Comparator::ILike,
            "~" => Comparator::Matches,
            _ => return None,
        })
    }
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number in the range of `i64`.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// A quoted text.
    Text(String),
    /// The texts of a list.
    List(Vec<String>),
    /// No value, for `IS NULL` and `IS NOT NULL`.
    Nothing,
}

/// Why and where a filter is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The problem, in MLflow's words where MLflow has an error message.
    pub message: String,
    /// Byte offset of the problem in the filter.
    pub at: usize,
}

impl FilterError {
    fn new(message: impl Into<String>, at: usize) -> Self {
        FilterError { message: message.into(), at }
    }
}

/// Most tokens of a filter (`sqlparse.engine.grouping.MAX_GROUPING_TOKENS`).
const MOST_TOKENS: usize = 10_000;

/// Parses a filter.
///
/// # Errors
/// When MLflow rejects the filter and it uses no extension.
pub fn parse(entity: Entity, text: &str) -> Result<Expr, FilterError> {
    if text.is_empty() {
        return Ok(Expr::And(Vec::new()));
    }
    let tokens = lexer::tokens(text);
    if tokens.is_empty() && entity == Entity::RegisteredModel {
        return Ok(Expr::default());
    }
    if tokens.is_empty() {
        return Err(FilterError::new(format!("Invalid filter '{text}'. Could not be parsed."), 0));
    }
    if tokens.len() > MOST_TOKENS {
        let at = tokens[MOST_TOKENS].at.start;
        return Err(FilterError::new(
            format!("Maximum number of tokens exceeded ({MOST_TOKENS})."),
            at,
        ));
    }
    let refused = match mlflow(entity, text, &tokens) {
        Ok(expr) => return Ok(expr),
        Err(refused) => refused,
    };
    extended::parse(entity, text, &tokens).unwrap_or(Err(refused))
}

/// Parses the name of a field, such as `metrics.rmse`.
///
/// # Errors
/// When MLflow has no such field.
pub fn field_of(entity: Entity, name: &str) -> Result<Field, FilterError> {
    fields::field(entity, name, 0, false)
}

/// Parses a filter exactly like MLflow.
fn mlflow(entity: Entity, text: &str, tokens: &[lexer::Token]) -> Result<Expr, FilterError> {
    let comparisons = group::comparisons(entity, text, tokens)?;
    let parts: Result<Vec<Expr>, FilterError> = comparisons
        .iter()
        .map(|comparison| fields::compare(entity, text, comparison).map(Expr::Compare))
        .collect();
    parts.map(Expr::And)
}

/// The text without the quotes around it; `None` if it is not quoted.
fn unquoted<'a>(text: &'a str, quotes: &[char]) -> Option<&'a str> {
    let quote = text.chars().next().filter(|first| quotes.contains(first))?;
    text.strip_prefix(quote)?.strip_suffix(quote)
}

/// A slice of the text.
fn slice<'a>(text: &'a str, at: &Range<usize>) -> &'a str {
    &text[at.clone()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> (String, usize) {
        let error = parse(Entity::Run, text).unwrap_err();
        (error.message, error.at)
    }

    #[test]
    fn an_error_points_at_the_wrong_part() {
        for (text, message, at) in [
            (
                "metrics.a > 1 foo.bar",
                "Invalid clause(s) in filter string: 'metrics.a > 1 foo.bar'",
                14,
            ),
            ("metrics.a > 'x'", "Expected numeric value type for metric. Found 'x'", 12),
            (
                "params.a = 1",
                "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1",
                11,
            ),
            ("params.a > 'x'", "Invalid comparator '>'", 9),
            (
                "foo.bar = 1",
                "Invalid entity type 'foo'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
                0,
            ),
            ("metrics.a > 1 OR", "A comparison is missing", 16),
            ("(metrics.a > 1", "A `)` is missing", 14),
            ("params.a ~ '['", "Invalid pattern: unclosed character class", 11),
            ("metrics.a ~ '1'", "`~` compares texts, and this is a number", 0),
            (" ", "Invalid filter ' '. Could not be parsed.", 0),
        ] {
            assert_eq!(refusal(text), (message.to_owned(), at), "{text}");
        }
    }

    #[test]
    fn extensions_combine_what_mlflow_compares() {
        let compare = |text| parse(Entity::Run, text).unwrap();
        let one = |text| match compare(text) {
            Expr::And(mut parts) => parts.remove(0),
            other => other,
        };
        let (a, b) = (one("metrics.a > 1"), one("params.b = 'x'"));
        assert_eq!(
            compare("metrics.a > 1 OR NOT (params.b = 'x' AND last 2 days)"),
            Expr::Or(vec![
                a.clone(),
                Expr::Not(Box::new(Expr::And(vec![b.clone(), Expr::Last(172_800_000)]))),
            ])
        );
        assert_eq!(
            compare("metrics.a > 1 and ridge best"),
            Expr::And(vec![
                a,
                Expr::And(vec![Expr::Named("ridge".into()), Expr::Named("best".into())])
            ])
        );
        let matches = compare("tags.`x y` ~ '^a|b$' or params.b = 'x'");
        let pattern = Compare {
            field: Field::Tag("x y".into()),
            comparator: Comparator::Matches,
            value: Value::Text("^a|b$".into()),
        };
        assert_eq!(matches, Expr::Or(vec![Expr::Compare(pattern), b]));
        for refused in ["status", "metrics.a", "a.b", "1", "last 7 fortnights", "a = ", "is null"] {
            assert!(parse(Entity::Run, refused).is_err(), "{refused}");
        }
        assert!(parse(Entity::Run, &"(".repeat(100)).is_err());
    }
}
