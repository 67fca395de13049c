//! The columns of the list in which runs differ: overridden parameters, and metrics.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::app::words::number_text;
use crate::runs::RunRequest;
use crate::runs::history::request;
use crate::store::RunRecord;
use crate::text::secrets::without_marks;
use crate::text::{short_names, truncate, truncate_middle, width};

/// The largest width of a column, in cells.
const WIDEST: usize = 14;
/// Between columns, in cells.
const GAP: usize = 2;
/// Most columns where the room is unlimited.
const MOST: usize = 12;

/// What differs between the runs of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The columns, those that differ most first; parameters and metrics take turns.
    pub ranked: Vec<Column>,
    /// Short names of all overridden parameters.
    names: HashMap<String, String>,
}

/// A parameter or metric in which runs differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its full name.
    pub key: String,
    /// Its short name.
    pub title: String,
    /// Whether it is a metric, not a parameter.
    pub metric: bool,
    /// Whether all values are numbers.
    pub numbers: bool,
    /// The value of each run; empty where a run has none.
    pub values: Vec<String>,
    /// Its width, in cells.
    pub width: usize,
}

/// The values of each name, by the index of the run.
type Values = BTreeMap<String, Vec<Option<String>>>;

impl Columns {
    /// The columns of these runs.
    pub fn of(runs: &[RunRecord]) -> Columns {
        let mut params = Values::new();
        let mut metrics: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
        for (index, run) in runs.iter().enumerate() {
            for (key, text) in request(run).params {
                let values = params.entry(key).or_insert_with(|| vec![None; runs.len()]);
                values[index] = Some(text);
            }
            for (key, value) in &run.metrics {
                let values = metrics.entry(key.clone()).or_insert_with(|| vec![None; runs.len()]);
                values[index] = Some(*value);
            }
        }
        let metrics = distinct(metrics);
        let metrics = metrics.into_iter().map(|(key, values)| (key, figures(&values))).collect();
        let names = short_names(params.keys());
        let mut params = ranked(params, runs, false).into_iter();
        let mut metrics = ranked(metrics, runs, true).into_iter();
        let mut columns = Vec::new();
        loop {
            let before = columns.len();
            columns.extend(params.next());
            columns.extend(metrics.next());
            if columns.len() == before {
                break;
            }
        }
        Columns { ranked: columns, names }
    }

    /// The columns that fit into `room` cells, with a gap before each: parameters first, then metrics.
    pub fn fitting(&self, room: usize) -> Vec<&Column> {
        let mut left = room;
        let mut fitting: Vec<&Column> = (self.ranked.iter())
            .filter(|column| {
                let needed = column.width + GAP;
                let fits = needed <= left;
                left -= if fits { needed } else { 0 };
                fits
            })
            .take(MOST)
            .collect();
        fitting.sort_by_key(|column| column.metric);
        fitting
    }

    /// The options of a run as short text, without what the columns show; `pipeline` if one of them is the pipeline.
    pub fn rest(&self, run: &RunRecord, shown: &[&Column], pipeline: bool) -> String {
        let Ok(request) = serde_json::from_str::<RunRequest>(&run.new.request) else {
            let command = &run.new.command;
            return command.strip_prefix("kedro run").unwrap_or(command).trim().to_owned();
        };
        let mut parts = Vec::new();
        for (key, text) in &request.params {
            if !shown.iter().any(|column| !column.metric && column.key == *key) {
                let name = self.names.get(key).unwrap_or(key);
                parts.push(format!("{name}={}", without_marks(text)));
            }
        }
        let mut others = RunRequest { params: Default::default(), ..request };
        if pipeline {
            (others.pipeline, others.pipelines) = (None, Vec::new());
        }
        let command = others.to_command();
        let options = command.strip_prefix("kedro run").unwrap_or(&command).trim();
        parts.extend(Some(options.to_owned()).filter(|options| !options.is_empty()));
        parts.join(" ")
    }
}

/// The columns in which the runs differ, first those with the most values within one grid, then those with the most
/// values at all.
fn ranked(values: Values, runs: &[RunRecord], metric: bool) -> Vec<Column> {
    let mut batches: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        if let Some(batch) = &run.new.batch {
            batches.entry(batch).or_default().push(index);
        }
    }
    let mut differing: Vec<_> = values
        .into_iter()
        .filter_map(|(key, values)| {
            let all = values.iter().collect::<HashSet<_>>().len();
            let of_batch = |batch: &Vec<usize>| {
                batch.iter().map(|index| &values[*index]).collect::<HashSet<_>>().len()
            };
            let in_batch = batches.values().map(of_batch).max().unwrap_or(0);
            let known = values.iter().flatten().count();
            (all > 1).then_some(((Reverse(in_batch), Reverse(all), Reverse(known)), key, values))
        })
        .collect();
    differing.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    let titles = short_names(differing.iter().map(|(_, key, _)| key));
    let column = |(_, key, values): (_, String, Vec<Option<String>>)| {
        let numbers = values.iter().flatten().all(|text| text.parse::<f64>().is_ok());
        let values: Vec<String> = values
            .into_iter()
            .map(|text| truncate(&without_marks(&text.unwrap_or_default()), WIDEST))
            .collect();
        let title = truncate_middle(titles.get(&key).unwrap_or(&key), WIDEST);
        let widest = values.iter().map(|text| width(text)).max().unwrap_or(0);
        let width = widest.max(width(&title));
        Column { key, title, metric, numbers, values, width }
    };
    differing.into_iter().map(column).collect()
}

/// The metrics without those that have the same values under a longer name: MLflow and a dataset often tell the same.
pub(super) fn distinct<V: PartialEq>(metrics: BTreeMap<String, V>) -> BTreeMap<String, V> {
    let mut metrics: Vec<(String, V)> = metrics.into_iter().collect();
    metrics.sort_by_key(|(name, _)| name.len());
    let mut found: Vec<(String, V)> = Vec::new();
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    for (name, values) in metrics {
        if !found.iter().any(|(other, same)| *same == values && last(other) == last(&name)) {
            found.push((name, values));
        }
    }
    found.into_iter().collect()
}

/// Numbers with four digits each, or with all digits if four do not tell them apart.
fn figures(values: &[Option<f64>]) -> Vec<Option<String>> {
    let texts = |text: fn(f64) -> String| -> Vec<Option<String>> {
        values.iter().map(|value| value.map(text)).collect()
    };
    let count = |texts: &[Option<String>]| texts.iter().collect::<BTreeSet<_>>().len();
    let whole = values.iter().flatten().all(|value| value.fract() == 0.0 && value.abs() < 1e9);
    let (short, long) = (texts(number_text), texts(|value| value.to_string()));
    if whole || count(&short) < count(&long) { long } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{NewRun, run_id};

    fn run(
        id: i64,
        batch: Option<&str>,
        params: &[(&str, &str)],
        metrics: &[(&str, f64)],
    ) -> RunRecord {
        let request = RunRequest {
            params: params.iter().map(|(key, text)| ((*key).into(), (*text).into())).collect(),
            slice: crate::dag::Slice { tags: vec!["fast".into()], ..Default::default() },
            pipeline: Some("ds".into()),
            ..RunRequest::default()
        };
        let new = NewRun {
            batch: batch.map(str::to_owned),
            request: serde_json::to_string(&request).unwrap(),
            ..NewRun::default()
        };
        let metrics = metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        RunRecord { metrics, ..RunRecord::begun(Some(run_id(id)), new) }
    }

    fn shown(columns: &[&Column]) -> Vec<String> {
        columns
            .iter()
            .map(|column| format!("{}: {}", column.title, column.values.join(" ")))
            .collect()
    }

    #[test]
    fn parameters_and_metrics_that_differ_are_columns_with_short_names() {
        let run = |id, trees: &str, error| {
            let params = [("forest.model.n_estimators", trees), ("forest.model.seed", "7")];
            run(id, Some("grid 1"), &params, &[("metrics.mae", error), ("metrics.rows", 100.0)])
        };
        let runs = [run(1, "10", 0.25), run(2, "20", 0.125)];
        let columns = Columns::of(&runs);
        let all = columns.fitting(100);
        assert_eq!(shown(&all), ["n_estimators: 10 20", "mae: 0.2500 0.1250"]);
        assert_eq!(columns.rest(&runs[0], &all, false), "seed=7 --pipeline=ds --tags=fast");
        assert_eq!(columns.rest(&runs[0], &[], true), "n_estimators=10 seed=7 --tags=fast");
        assert_eq!(shown(&columns.fitting(9)), ["mae: 0.2500 0.1250"]);
        assert_eq!(Columns::of(&runs[..1]).ranked, []);
    }

    #[test]
    fn a_metric_under_several_names_is_one_column() {
        let run =
            |id, error| run(id, None, &[], &[("forest.mae", error), ("scores.forest.mae", error)]);
        let columns = Columns::of(&[run(1, 1.5), run(2, 2.5)]);
        let keys: Vec<_> = columns.ranked.iter().map(|column| column.key.as_str()).collect();
        assert_eq!(keys, ["forest.mae"]);
    }

    #[test]
    fn what_differs_within_a_grid_comes_first() {
        let runs = [
            run(1, None, &[("a", "1")], &[]),
            run(2, None, &[("a", "2")], &[]),
            run(3, None, &[("a", "3")], &[]),
            run(4, Some("grid 1"), &[("b.lr", "0.1"), ("c.lr", "1")], &[]),
            run(5, Some("grid 1"), &[("b.lr", "0.2"), ("c.lr", "1")], &[]),
        ];
        let columns = Columns::of(&runs);
        let titles: Vec<_> = columns.ranked.iter().map(|column| column.title.as_str()).collect();
        assert_eq!(titles, ["b.lr", "a", "c.lr"]);
    }

    #[test]
    fn long_names_lose_their_middle_and_close_numbers_keep_their_digits() {
        let run =
            |id, error| run(id, None, &[("a_parameter_with_a_long_name", "x")], &[("mae", error)]);
        let runs = [run(1, 0.98761), run(2, 0.98764), self::run(3, None, &[], &[("n", 3.0)])];
        let columns = Columns::of(&runs);
        assert_eq!(
            shown(&columns.fitting(100)),
            ["a_param…g_name: x x ", "mae: 0.98761 0.98764 ", "n:   3"]
        );
    }
}
