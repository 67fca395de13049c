//! Evaluation of filters and orders without a database, as MLflow's file store does it
//! (`SearchUtils._does_run_match_clause`, `SearchUtils.sort`).

use std::cmp::Ordering;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use regex::RegexBuilder;

use super::super::goal::Goal;
use super::{Attribute, Comparator, Compare, DatasetField, Expr, Field, Order, Value};

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// A number, such as a metric or a time.
    Number(f64),
    /// A text, such as a param or a tag.
    Text(&'a str),
}

/// An entity that can be searched.
pub trait Searched {
    /// The value of a metric, param, tag or attribute, if the entity has one.
    fn cell(&self, field: &Field) -> Option<Cell<'_>>;

    /// Like [`Self::cell`]; `near` caches the index of the key in the previous entity, since most entities
    /// have the same keys.
    fn cell_near(&self, field: &Field, _near: &Near) -> Option<Cell<'_>> {
        self.cell(field)
    }

    /// The values of a property of all datasets that the entity has read.
    fn datasets(&self, _field: DatasetField) -> Vec<&str> {
        Vec::new()
    }

    /// All values of a metric, oldest first.
    fn history(&self, _metric: &str) -> Vec<f64> {
        Vec::new()
    }

    /// Start or creation time, in milliseconds.
    fn began(&self) -> Option<i64> {
        match self.cell(&Field::Attribute(Attribute::Created)) {
            Some(Cell::Number(at)) => Some(at as i64),
            _ => None,
        }
    }
}

/// The index where a key was last found in a sorted list. Trying this index first avoids most binary
/// searches, whose steps are slow because of cache misses.
#[derive(Debug, Default)]
pub struct Near(AtomicUsize);

impl Near {
    /// Looks up a key.
    pub fn find<'a, T>(&self, sorted: &'a [(String, T)], key: &str) -> Option<&'a T> {
        if let Some((name, value)) = sorted.get(self.0.load(Relaxed))
            && name == key
        {
            return Some(value);
        }
        let found = sorted.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
        self.0.store(found, Relaxed);
        Some(&sorted[found].1)
    }
}

/// A summary of a metric's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summary {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The mean.
    Mean,
}

/// Splits a key such as `rmse.min` or `rmse.best` into a metric's key and a summary of its history. The best
/// value is the smallest for names of losses and errors, else the largest.
pub fn summary(key: &str) -> Option<(&str, Summary)> {
    let (key, word) = key.rsplit_once('.')?;
    let summary = match word {
        "min" => Summary::Min,
        "max" => Summary::Max,
        "mean" => Summary::Mean,
        "best" => match Goal::of(key) {
            Some(Goal::Lowest) => Summary::Min,
            _ => Summary::Max,
        },
        _ => return None,
    };
    let plain = super::unquoted(key, &['\'', '"', '`']).unwrap_or(key);
    (!plain.is_empty()).then_some((plain, summary))
}

impl Summary {
    /// The summary of values, ignoring NaN.
    pub fn of(self, values: &[f64]) -> Option<f64> {
        let values = values.iter().copied().filter(|value| !value.is_nan());
        match self {
            Summary::Min => values.reduce(f64::min),
            Summary::Max => values.reduce(f64::max),
            Summary::Mean => {
                let (sum, count) =
                    values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
                (count > 0.0).then(|| sum / count)
            }
        }
    }
}

/// A filter prepared for many entities: its patterns are compiled.
pub struct Matcher {
    node: Node,
    now: i64,
}

enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Compare(Compare, Option<regex::Regex>, Near),
    Last(i64),
    Named(String),
}

impl Matcher {
    /// Prepares a filter; `now` is in milliseconds.
    pub fn new(expr: &Expr, now: i64) -> Self {
        Matcher { node: prepare(expr), now }
    }

    /// Whether an entity matches.
    pub fn accepts(&self, entity: &impl Searched) -> bool {
        self.holds(&self.node, entity)
    }

    fn holds(&self, node: &Node, entity: &impl Searched) -> bool {
        match node {
            Node::And(parts) => parts.iter().all(|part| self.holds(part, entity)),
            Node::Or(parts) => parts.iter().any(|part| self.holds(part, entity)),
            Node::Not(part) => !self.holds(part, entity),
            Node::Last(milliseconds) => {
                entity.began().is_some_and(|began| began >= self.now - milliseconds)
            }
            Node::Named(word) => match entity.cell(&Field::Attribute(Attribute::Name)) {
                Some(Cell::Text(name)) => is_like(name, word),
                _ => false,
            },
            Node::Compare(compare, pattern, near) => {
                compares(compare, pattern.as_ref(), near, entity)
            }
        }
    }
}

/// Whether a name contains the letters of a word in order (not necessarily adjacent), ignoring case.
pub fn is_like(name: &str, word: &str) -> bool {
    let mut name = name.chars().flat_map(char::to_lowercase);
    word.chars().flat_map(char::to_lowercase).all(|letter| name.any(|other| other == letter))
}

fn prepare(expr: &Expr) -> Node {
    let all = |parts: &[Expr]| parts.iter().map(prepare).collect();
    match expr {
        Expr::And(parts) => Node::And(all(parts)),
        Expr::Or(parts) => Node::Or(all(parts)),
        Expr::Not(part) => Node::Not(Box::new(prepare(part))),
        Expr::Last(milliseconds) => Node::Last(*milliseconds),
        Expr::Named(word) => Node::Named(word.clone()),
        Expr::Compare(compare) => Node::Compare(compare.clone(), pattern(compare), Near::default()),
    }
}

/// The regular expression of a comparison by pattern. `%` and `_` do not match line ends
/// (`_convert_like_pattern_to_regex`).
fn pattern(compare: &Compare) -> Option<regex::Regex> {
    let Value::Text(text) = &compare.value else { return None };
    let like = || {
        let escaped = regex::escape(text).replace('%', ".*").replace('_', ".");
        // MLflow does not anchor the pattern where it ends in `%`, so more lines may follow.
        let end = if text.ends_with('%') { "" } else { r"\n?\z" };
        format!(r"\A{escaped}{end}")
    };
    let (pattern, ignores_case) = match compare.comparator {
        Comparator::Like => (like(), false),
        Comparator::ILike => (like(), true),
        Comparator::Matches => (text.clone(), false),
        _ => return None,
    };
    RegexBuilder::new(&pattern).case_insensitive(ignores_case).build().ok()
}

fn compares(
    compare: &Compare,
    pattern: Option<&regex::Regex>,
    near: &Near,
    entity: &impl Searched,
) -> bool {
    if let Field::Dataset(field) = &compare.field {
        let values = entity.datasets(*field);
        return values.iter().any(|value| holds(compare, pattern, &Cell::Text(value)));
    }
    let cell = entity.cell_near(&compare.field, near);
    match compare.comparator {
        Comparator::IsNull => return cell.is_none(),
        Comparator::IsNotNull => return cell.is_some(),
        _ => {}
    }
    if let (Field::Metric(key), None) = (&compare.field, &cell) {
        let summed = summary(key).and_then(|(key, summary)| summary.of(&entity.history(key)));
        return summed.is_some_and(|value| holds(compare, pattern, &Cell::Number(value)));
    }
    cell.is_some_and(|cell| holds(compare, pattern, &cell))
}

fn holds(compare: &Compare, pattern: Option<&regex::Regex>, cell: &Cell<'_>) -> bool {
    use Comparator::*;
    match (cell, &compare.value) {
        (Cell::Number(left), Value::Number(_) | Value::Integer(_)) => {
            let right = match compare.value {
                Value::Integer(right) => right as f64,
                Value::Number(right) => right,
                _ => return false,
            };
            match compare.comparator {
                Equal => *left == right,
                NotEqual => *left != right,
                Less => *left < right,
                LessOrEqual => *left <= right,
                Greater => *left > right,
                GreaterOrEqual => *left >= right,
                _ => false,
            }
        }
        (Cell::Text(left), Value::Text(right)) => match compare.comparator {
            Equal => left == right,
            NotEqual => left != right,
            Like | ILike | Matches => pattern.is_some_and(|pattern| pattern.is_match(left)),
            _ => false,
        },
        (Cell::Text(left), Value::List(list)) => {
            (compare.comparator == In) == list.iter().any(|item| item == left)
        }
        _ => false,
    }
}

/// The order of two entities by the clauses: values, then NaN, then missing ones, in both directions.
pub fn compare_by<T: Searched>(orders: &[Order], a: &T, b: &T) -> Ordering {
    let one = |order: &Order| {
        let (a, b) = (a.cell(&order.field), b.cell(&order.field));
        let rank = |cell: &Option<Cell<'_>>| match cell {
            None => 2,
            Some(Cell::Number(value)) if value.is_nan() => 1,
            Some(_) => 0,
        };
        let by_value = || match (&a, &b) {
            (Some(Cell::Number(a)), Some(Cell::Number(b))) => a.partial_cmp(b),
            (Some(Cell::Text(a)), Some(Cell::Text(b))) => Some(a.cmp(b)),
            _ => None,
        };
        rank(&a).cmp(&rank(&b)).then_with(|| {
            let ordering = by_value().unwrap_or(Ordering::Equal);
            if order.ascending { ordering } else { ordering.reverse() }
        })
    };
    orders.iter().map(one).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}
