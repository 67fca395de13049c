//! Tracked runs in words: the details of one, and what differs between several.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{SYSTEM, name, seconds, took};
use super::page::CurvesPage;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone, number_text, pairs, seconds_text, when};
use crate::project::python::highlight::Token;
use crate::tracking::curve::{Axis, Scale};
use crate::tracking::entities::{ModelMetric, Run};
use crate::tracking::{Belongings, Overview};

/// Tags of MLflow that say where a run comes from, with their labels.
const TAGS: [(&str, &str); 5] = [
    ("mlflow.note.content", "note"),
    ("mlflow.source.name", "source"),
    ("mlflow.source.git.commit", "commit"),
    ("mlflow.user", "user"),
    ("mlflow.parentRunId", "parent"),
];

/// The details of a run.
pub(super) fn run(
    overview: &Overview,
    run: &Run,
    belongings: Option<&Belongings>,
    now: f64,
) -> Details {
    let mut lines = vec![Line::Title(run.name.clone())];
    let tone = match run.status.as_str() {
        "FINISHED" => Tone::Good,
        "RUNNING" => Tone::Busy,
        "FAILED" => Tone::Bad,
        _ => Tone::Warning,
    };
    lines.push(Line::Field("state", run.status.to_lowercase(), tone));
    lines.push(Line::Field("in", overview.experiment(run).to_owned(), Tone::Plain));
    if let Some(at) = run.start_time {
        lines.push(Line::Field("when", when(now, seconds(at)), Tone::Plain));
    }
    if let Some(took) = took(run, now) {
        lines.push(Line::Field("time", seconds_text(took), Tone::Plain));
    }
    for (tag, label) in TAGS {
        if let Some(value) = run.tag(tag).filter(|value| !value.is_empty()) {
            lines.push(Line::Field(label, value.to_owned(), Tone::Plain));
        }
    }
    lines.push(Line::Field("id", run.id.clone(), Tone::Dim));
    let (system, metrics): (Vec<_>, Vec<_>) =
        run.metrics.iter().partition(|(key, _)| key.starts_with(SYSTEM));
    let metrics = metrics.iter().map(|(key, value)| (key, value.to_string()));
    pairs(&mut lines, "Metrics", metrics.collect());
    let params = run.params.iter().map(|(key, value)| (key, value.clone()));
    pairs(&mut lines, "Params", params.collect());
    models(&mut lines, belongings);
    // Some stores tell the datasets with the run, others only when they are asked for them.
    let read = belongings.map_or(&[][..], |belongings| &belongings.datasets);
    let datasets = if run.datasets.is_empty() { read } else { &run.datasets };
    let datasets = datasets.iter().map(|dataset| {
        let context = dataset.context().map(|context| format!("{context} · "));
        (&dataset.name, context.unwrap_or_default() + &dataset.digest)
    });
    pairs(&mut lines, "Datasets", datasets.collect());
    let tags = run.tags.iter().filter(|(key, _)| !key.starts_with("mlflow."));
    pairs(&mut lines, "Tags", tags.map(|(key, value)| (key, value.clone())).collect());
    // The title says what the beginning of the keys would repeat.
    let system: Vec<(String, String)> = system
        .into_iter()
        .map(|(key, value)| (key[SYSTEM.len()..].to_owned(), number_text(*value)))
        .collect();
    let system = system.iter().map(|(key, value)| (key, value.clone()));
    pairs(&mut lines, "System metrics", system.collect());
    Details { lines, place: None, name: run.id.clone() }
}

/// The logged models by step, each with its metrics below.
fn models(lines: &mut Vec<Line>, belongings: Option<&Belongings>) {
    let models = belongings.map_or(&[][..], |belongings| &belongings.models);
    if models.is_empty() {
        return;
    }
    lines.push(Line::Blank);
    lines.push(Line::Text("Logged models".into(), Tone::Dim));
    for (step, model) in models {
        lines.push(Line::Text(format!("step {step} · {}", model.name), Tone::Name));
        // A metric that was logged several times counts with its last value.
        let mut metrics: BTreeMap<&str, &ModelMetric> = BTreeMap::new();
        for metric in &model.metrics {
            let last = metrics.entry(&metric.key).or_insert(metric);
            if (metric.step, metric.timestamp) >= (last.step, last.timestamp) {
                *last = metric;
            }
        }
        lines.extend(metrics.into_iter().map(|(key, metric)| Line::Config {
            depth: 1,
            key: key.to_owned(),
            value: number_text(metric.value),
            token: Token::Plain,
            origin: None,
        }));
    }
}

/// What differs between runs: params first, then metrics, with the value of each run.
pub(super) fn runs(runs: &[&Run]) -> Details {
    let mut lines = vec![Line::Title(format!("{} runs", runs.len()))];
    for (number, run) in (1..).zip(runs) {
        lines.push(Line::Text(format!("{number} {}", name(run)), Tone::Name));
    }
    let params: BTreeSet<&String> =
        runs.iter().flat_map(|run| run.params.iter().map(|(key, _)| key)).collect();
    let metrics: BTreeSet<&String> =
        runs.iter().flat_map(|run| run.metrics.iter().map(|(key, _)| key)).collect();
    let of_param = |key: &&String, run: &&Run| run.param(key).unwrap_or("-").to_owned();
    let of_metric =
        |key: &&String, run: &&Run| run.metric(key).map_or_else(|| "-".to_owned(), number_text);
    differing(&mut lines, "Params that differ", params, runs, of_param);
    differing(&mut lines, "Metrics that differ", metrics, runs, of_metric);
    let name = runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>().join(" ");
    Details { lines, place: None, name }
}

fn differing(
    lines: &mut Vec<Line>,
    title: &str,
    keys: BTreeSet<&String>,
    runs: &[&Run],
    value: impl Fn(&&String, &&Run) -> String,
) {
    let rows = keys.iter().filter_map(|key| {
        let values: Vec<String> = runs.iter().map(|run| value(key, run)).collect();
        let differs = values.windows(2).any(|two| two[0] != two[1]);
        differs.then(|| (*key, values.join("  ")))
    });
    pairs(lines, title, rows.collect());
}

/// The title over the charts of a page: the runs, and what the charts show.
pub(super) fn page_title(shared: &Shared, page: &CurvesPage) -> String {
    let runs: Vec<&Run> =
        shared.tracked().map(|overview| page.found(overview).collect()).unwrap_or_default();
    let mut parts = vec![match runs.as_slice() {
        [run] => name(run),
        runs => format!("{} runs", runs.len()),
    }];
    parts.push(
        match page.view.axis {
            Axis::Step => "over steps",
            Axis::Time => "over time",
            Axis::Relative => "over time since the start",
        }
        .into(),
    );
    if page.view.scale == Scale::Logarithmic {
        parts.push("log".into());
    }
    if page.view.smoothing > 0.0 {
        parts.push(format!("smoothed {}", page.view.smoothing));
    }
    if !page.filter.is_empty() {
        parts.push(format!("{} of metrics like {}", page.charts.len(), page.filter));
    }
    parts.join(" · ")
}
