//! Runs as a table: columns, columns that differ, sorting by a column, and the tree of nested runs.

use std::collections::{BTreeSet, HashMap};

use super::entities::Run;
use super::filter::{Attribute, Cell, Field, Searched};

/// The columns of all metrics, params and tags of the runs, in this order, sorted by name. Tags of MLflow
/// itself (`mlflow.*`) are included only if `own_tags` is set.
pub fn columns(runs: &[Run], own_tags: bool) -> Vec<Field> {
    let (mut metrics, mut params, mut tags) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for run in runs {
        metrics.extend(run.metrics.iter().map(|(key, _)| key.as_str()));
        params.extend(run.params.iter().map(|(key, _)| key.as_str()));
        tags.extend(run.tags.iter().map(|(key, _)| key.as_str()));
    }
    let metrics = metrics.into_iter().map(|key| Field::Metric(key.to_owned()));
    let params = params.into_iter().map(|key| Field::Param(key.to_owned()));
    let tags = tags.into_iter().filter(|key| own_tags || !key.starts_with("mlflow."));
    let tags = tags.map(|key| Field::Tag(key.to_owned()));
    metrics.chain(params).chain(tags).collect()
}

/// The name of a column as in filters: `metrics.rmse`, `params.lr`, `tags.stage`, `status`.
pub fn title(column: &Field) -> String {
    match column {
        Field::Metric(key) => format!("metrics.{key}"),
        Field::Param(key) => format!("params.{key}"),
        Field::Tag(key) => format!("tags.{key}"),
        Field::Attribute(attribute) => match attribute {
            Attribute::Id | Attribute::RunId => "run_id",
            Attribute::ExperimentId => "experiment_id",
            Attribute::Name => "run_name",
            Attribute::Status => "status",
            Attribute::UserId => "user_id",
            Attribute::ArtifactUri => "artifact_uri",
            Attribute::Created => "start_time",
            Attribute::Ended => "end_time",
            Attribute::LifecycleStage => "lifecycle_stage",
            Attribute::Updated
            | Attribute::Version
            | Attribute::Source
            | Attribute::ModelType
            | Attribute::StatusMessage => "",
        }
        .to_owned(),
        Field::Dataset(_) => "dataset".to_owned(),
    }
}

/// Whether the runs differ in a column; a missing value is a value of its own. NaN equals NaN.
pub fn differs(runs: &[Run], column: &Field) -> bool {
    let same = |a: &Option<Cell<'_>>, b: &Option<Cell<'_>>| match (a, b) {
        (Some(Cell::Number(a)), Some(Cell::Number(b))) => a == b || (a.is_nan() && b.is_nan()),
        (a, b) => a == b,
    };
    let mut cells = runs.iter().map(|run| run.cell(column));
    let Some(first) = cells.next() else { return false };
    !cells.all(|cell| same(&first, &cell))
}

/// Sort keys of a column, so that sorting compares only integers.
#[derive(Debug, Clone, PartialEq)]
pub struct Keys {
    /// For each run, a number with the same order as the values.
    ranks: Vec<u64>,
}

/// The rank of a missing value.
const MISSING: u64 = u64::MAX;
/// The rank of NaN. The ranks of numbers are smaller, because these bits would be those of a NaN.
const NAN: u64 = u64::MAX - 1;

impl Keys {
    /// The keys of a column. Params and tags are sorted as numbers if all existing values are numbers, else
    /// as texts.
    pub fn of(runs: &[Run], column: &Field) -> Self {
        let cells = cells(runs, column);
        let number = |cell: &Option<Cell<'_>>| match cell {
            Some(Cell::Number(number)) => Some(rank(*number)),
            Some(Cell::Text(text)) => text.trim().parse().ok().map(rank),
            None => Some(MISSING),
        };
        let as_numbers: Option<Vec<u64>> = cells.iter().map(number).collect();
        if let Some(ranks) = as_numbers {
            return Keys { ranks };
        }
        let mut texts: Vec<(Option<&str>, usize)> =
            cells.iter().map(text).enumerate().map(|(index, text)| (text, index)).collect();
        texts.sort_unstable();
        let mut ranks = vec![MISSING; runs.len()];
        let mut at = 0;
        for (position, (text, index)) in texts.iter().enumerate() {
            if position > 0 && texts[position - 1].0 != *text {
                at += 1;
            }
            if text.is_some() {
                ranks[*index] = at;
            }
        }
        Keys { ranks }
    }

    /// The keys of numbers, one for each run.
    pub fn numbers(numbers: impl IntoIterator<Item = Option<f64>>) -> Self {
        let ranks = numbers.into_iter().map(|number| number.map_or(MISSING, rank)).collect();
        Keys { ranks }
    }

    /// The rank of a run's value for sorting in a direction: NaN and then missing values have the largest ranks in
    /// both.
    pub fn rank_in(&self, run: usize, descending: bool) -> u64 {
        let rank = self.ranks[run];
        if descending && rank < NAN { NAN - 1 - rank } else { rank }
    }

    /// The rank of a run's value: smaller ranks come first, equal values have equal ranks.
    pub fn rank(&self, run: usize) -> u64 {
        self.ranks[run]
    }

    /// Indices of the runs, sorted by this column. NaN and then missing values come last in both directions;
    /// ties keep their order.
    pub fn order(&self, descending: bool) -> Vec<usize> {
        let mut keyed: Vec<(u64, usize)> =
            (0..self.ranks.len()).map(|run| (self.rank_in(run, descending), run)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }
}

fn text<'a>(cell: &Option<Cell<'a>>) -> Option<&'a str> {
    match cell {
        Some(Cell::Text(text)) => Some(text),
        _ => None,
    }
}

/// The values of a column. Most runs have the same keys, so the index in the previous run is tried first.
fn cells<'a>(runs: &'a [Run], column: &Field) -> Vec<Option<Cell<'a>>> {
    let mut place = 0;
    let cells = runs.iter().map(|run| match column {
        Field::Metric(key) => find(&run.metrics, key, &mut place).map(|value| Cell::Number(*value)),
        Field::Param(key) => find(&run.params, key, &mut place).map(|value| Cell::Text(value)),
        Field::Tag(key) => find(&run.tags, key, &mut place).map(|value| Cell::Text(value)),
        other => run.cell(other),
    });
    cells.collect()
}

/// Looks up a key in a sorted list, trying the index `place` first.
fn find<'a, T>(sorted: &'a [(String, T)], key: &str, place: &mut usize) -> Option<&'a T> {
    if sorted.get(*place).is_none_or(|(name, _)| name != key) {
        *place = sorted.binary_search_by(|(name, _)| name.as_str().cmp(key)).ok()?;
    }
    Some(&sorted[*place].1)
}

/// Bits with the same order as the numbers; 0 and -0 are equal.
fn rank(number: f64) -> u64 {
    if number.is_nan() {
        return NAN;
    }
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// A row of the tree of nested runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index of the run.
    pub run: usize,
    /// Number of its ancestors in the table.
    pub depth: usize,
}

/// The runs in this order, each below its parent (`mlflow.parentRunId`). A run whose parent is not in the
/// table is a root; in a cycle of parents, the first run in the order is.
pub fn tree(runs: &[Run], order: &[usize]) -> Vec<Row> {
    let by_id: HashMap<&str, usize> =
        order.iter().map(|index| (runs[*index].id.as_str(), *index)).collect();
    let parent = |index: usize| runs[index].parent().and_then(|parent| by_id.get(parent).copied());
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    for index in order {
        if let Some(parent) = parent(*index) {
            children.entry(parent).or_default().push(*index);
        }
    }
    let mut placed = vec![false; runs.len()];
    let mut rows = Vec::with_capacity(order.len());
    let mut grow = |root: usize, placed: &mut Vec<bool>| {
        let mut open = vec![Row { run: root, depth: 0 }];
        while let Some(row) = open.pop() {
            if std::mem::replace(&mut placed[row.run], true) {
                continue;
            }
            rows.push(row);
            let below = children.get(&row.run).into_iter().flatten().rev();
            open.extend(below.map(|child| Row { run: *child, depth: row.depth + 1 }));
        }
    };
    // Runs in a cycle are not below any root, so they are placed last, each cycle starting with its first run
    // in the order.
    let roots = order.iter().filter(|index| parent(**index).is_none());
    roots.for_each(|root| grow(*root, &mut placed));
    for index in order {
        if !placed[*index] {
            grow(*index, &mut placed);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(id: &str, param: Option<&str>, metric: Option<f64>) -> Run {
        Run {
            id: id.to_owned(),
            params: param.map(|param| ("p".to_owned(), param.to_owned())).into_iter().collect(),
            metrics: metric.map(|metric| ("m".to_owned(), metric)).into_iter().collect(),
            ..Run::default()
        }
    }

    fn child(id: &str, parent: &str) -> Run {
        let tags = vec![("mlflow.parentRunId".to_owned(), parent.to_owned())];
        Run { id: id.to_owned(), tags, ..Run::default() }
    }

    fn by_param(values: &[Option<&str>], descending: bool) -> Vec<usize> {
        let runs: Vec<Run> = values.iter().map(|value| run("", *value, None)).collect();
        Keys::of(&runs, &Field::Param("p".to_owned())).order(descending)
    }

    #[test]
    fn nan_and_missing_values_are_last_in_both_directions() {
        let values =
            [None, Some(f64::NAN), Some(2.0), Some(f64::NEG_INFINITY), Some(-0.0), Some(0.0)];
        let runs: Vec<Run> = values.iter().map(|value| run("", None, *value)).collect();
        let keys = Keys::of(&runs, &Field::Metric("m".to_owned()));
        assert_eq!(keys.order(false), [3, 4, 5, 2, 1, 0]);
        assert_eq!(keys.order(true), [2, 4, 5, 3, 1, 0]);
    }

    #[test]
    fn params_are_numbers_where_all_are() {
        let numbers = [Some("10"), Some("9"), None, Some("1e-3"), Some("nan")];
        assert_eq!(by_param(&numbers, false), [3, 1, 0, 4, 2]);
        assert_eq!(by_param(&numbers, true), [0, 1, 3, 4, 2]);
        let texts = [Some("10"), Some("9"), None, Some("None"), Some("10")];
        assert_eq!(by_param(&texts, false), [0, 4, 1, 3, 2]);
        assert_eq!(by_param(&texts, true), [3, 1, 0, 4, 2]);
    }

    #[test]
    fn only_columns_with_different_values_differ() {
        let runs = [run("a", Some("1"), Some(f64::NAN)), run("b", None, Some(f64::NAN))];
        let columns = columns(&runs, false);
        assert_eq!(columns.iter().map(title).collect::<Vec<_>>(), ["metrics.m", "params.p"]);
        assert!(!differs(&runs, &columns[0]) && differs(&runs, &columns[1]));
        assert!(!differs(&[], &columns[0]));
    }

    fn drawn(runs: &[Run]) -> String {
        let order: Vec<usize> = (0..runs.len()).collect();
        let rows = tree(runs, &order);
        rows.iter().map(|row| format!("{}{} ", "-".repeat(row.depth), runs[row.run].id)).collect()
    }

    #[test]
    fn runs_are_below_their_parent() {
        let runs = [child("b", "a"), run("a", None, None), child("d", "b"), child("c", "a")];
        assert_eq!(drawn(&runs), "a -b --d -c ");
        assert_eq!(drawn(&[child("a", "gone"), child("b", "b"), child("c", "b")]), "a b -c ");
        assert_eq!(drawn(&[child("a", "b"), child("b", "a"), child("c", "a")]), "a -b -c ");
    }

    proptest! {
        #[test]
        fn no_run_is_lost_or_doubled(parents in proptest::collection::vec(0_usize..25, 0..20)) {
            let run = |(id, parent): (usize, &usize)| child(&id.to_string(), &parent.to_string());
            let runs: Vec<Run> = parents.iter().enumerate().map(run).collect();
            let order: Vec<usize> = (0..runs.len()).rev().collect();
            let mut rows: Vec<usize> = tree(&runs, &order).iter().map(|row| row.run).collect();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..runs.len()).collect::<Vec<_>>());
        }

        #[test]
        fn numbers_are_in_order(values in proptest::collection::vec(any::<f64>(), 0..50)) {
            let runs: Vec<Run> = values.iter().map(|value| run("", None, Some(*value))).collect();
            let keys = Keys::of(&runs, &Field::Metric("m".to_owned()));
            let sorted = |descending| -> Vec<f64> {
                let order = keys.order(descending).into_iter();
                order.map(|index| values[index]).filter(|value| !value.is_nan()).collect()
            };
            prop_assert!(sorted(false).is_sorted());
            prop_assert!(sorted(true).is_sorted_by(|a, b| a >= b));
        }
    }
}
