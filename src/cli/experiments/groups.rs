//! Runs of `mlops-tui experiments search` in groups, with the spread of their metrics.

use std::collections::BTreeSet;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Map, Value as Json, json};

use crate::app::words::{Tone, number_text};
use crate::cli::csv;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::cli::tracked::{number, shown};
use crate::tracking::entities::{Results, Run};
use crate::tracking::filter::Field;
use crate::tracking::groups::{Group, Spread, all_but, by, seed, spread};

/// The output format of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Json,
    Csv,
}

impl Shape {
    pub(super) fn of(json: bool, csv: bool) -> Self {
        match (json, csv) {
            (true, _) => Shape::Json,
            (_, true) => Shape::Csv,
            _ => Shape::Text,
        }
    }
}

/// `columns` chooses the metrics; `None` means all.
pub(super) fn run(
    found: &Results<Run>,
    wanted: &[String],
    columns: &Option<Vec<Field>>,
    shape: Shape,
) -> Result<ExitCode> {
    let runs = &found.items;
    if runs.is_empty() && shape == Shape::Text {
        return output::text("No run matches.\n");
    }
    let (params, note) = params(runs, wanted)?;
    let groups = by(runs, &params);
    let metrics: Vec<&str> = match columns {
        Some(columns) => columns
            .iter()
            .filter_map(|column| match column {
                Field::Metric(key) => Some(key.as_str()),
                _ => None,
            })
            .collect(),
        None => {
            let keys = runs.iter().flat_map(|run| run.metrics.iter().map(|(key, _)| key.as_str()));
            keys.collect::<BTreeSet<&str>>().into_iter().collect()
        }
    };
    let summed: Vec<(&Group, Vec<(&str, Spread)>)> =
        groups.iter().map(|group| (group, spreads(runs, group, &metrics))).collect();
    match shape {
        Shape::Json => {
            let groups: Vec<Json> = summed
                .iter()
                .map(|(group, metrics)| to_json(runs, &params, group, metrics))
                .collect();
            output::json(&json!({
                "schema": 1, "by": params, "groups": groups, "truncated": found.truncated,
            }))
        }
        Shape::Csv => output::text(&to_csv(&params, &summed)),
        Shape::Text => {
            let mut text = describe(&params, &summed, Reader::of_stdout());
            if let Some(note) = note {
                text += &format!("{note}\n");
            }
            if found.truncated {
                text += "There are more runs; --limit sets how many are looked at.\n";
            }
            output::text(&text)
        }
    }
}

/// The params to group by, with a note for the user.
fn params(runs: &[Run], wanted: &[String]) -> Result<(Vec<String>, Option<String>)> {
    let has = |key: &str| runs.iter().any(|run| run.param(key).is_some());
    let known = |name: &str| -> Result<String> {
        let bare = name.strip_prefix("params.").unwrap_or(name);
        match [name, bare].into_iter().find(|name| has(name)) {
            Some(key) => Ok(key.to_owned()),
            None if runs.is_empty() => Ok(bare.to_owned()),
            None => bail!("No run has a param `{name}`."),
        }
    };
    if let [one] = wanted {
        let left_out = match one.strip_prefix("all-but:") {
            Some(param) => Some(known(param)?),
            None if one == "auto" && !runs.is_empty() => Some(match seed(runs) {
                Ok(param) => param,
                Err(found) if found.is_empty() => {
                    bail!(
                        "No param varies while all others are equal, so no runs repeat each other."
                    )
                }
                Err(found) => bail!(
                    "Several params vary while all others are equal: {}. `--group-by all-but:PARAM` \
                     says which one only repeats a run.",
                    found.join(", ")
                ),
            }),
            None => None,
        };
        if let Some(param) = left_out {
            let note = format!("Runs that differ in {param} alone are together.");
            return Ok((all_but(runs, &param), Some(crate::text::sanitize(&note))));
        }
        if one == "auto" {
            return Ok((Vec::new(), None));
        }
    }
    Ok((wanted.iter().map(|name| known(name)).collect::<Result<_>>()?, None))
}

/// The spread of each metric that a run of the group has.
fn spreads<'a>(runs: &[Run], group: &Group, metrics: &[&'a str]) -> Vec<(&'a str, Spread)> {
    let of = |key: &&'a str| {
        let spread = spread(group.runs.iter().filter_map(|run| runs[*run].metric(key)));
        (spread.count + spread.nan > 0).then_some((*key, spread))
    };
    metrics.iter().filter_map(of).collect()
}

fn to_json(runs: &[Run], params: &[String], group: &Group, metrics: &[(&str, Spread)]) -> Json {
    let of = |value: Option<f64>| value.map_or(Json::Null, number);
    let value = |(param, value): (&String, &Option<String>)| {
        let value = value.as_deref().map(|value| shown(param, value));
        (param.clone(), value.into())
    };
    let metric = |(key, spread): &(&str, Spread)| {
        let figures = json!({
            "count": spread.count, "nan": spread.nan, "mean": of(spread.mean),
            "std": of(spread.deviation), "min": of(spread.min), "max": of(spread.max),
        });
        ((*key).to_owned(), figures)
    };
    json!({
        "params": params.iter().zip(&group.values).map(value).collect::<Map<String, Json>>(),
        "runs": group.runs.iter().map(|run| runs[*run].id.as_str()).collect::<Vec<&str>>(),
        "metrics": metrics.iter().map(metric).collect::<Map<String, Json>>(),
    })
}

/// The values of a group, without secrets.
fn values(params: &[String], group: &Group) -> Vec<String> {
    let value = |(param, value): (&String, &Option<String>)| {
        value.as_deref().map(|value| shown(param, value)).unwrap_or_default()
    };
    params.iter().zip(&group.values).map(value).collect()
}

fn to_csv(params: &[String], groups: &[(&Group, Vec<(&str, Spread)>)]) -> String {
    let figures = ["runs", "metric", "count", "nan", "mean", "std", "min", "max"];
    let titles = params.iter().map(|param| format!("params.{param}"));
    let mut csv = csv::table(titles.chain(figures.map(str::to_owned)));
    let exact = |value: Option<f64>| value.map(csv::exact).unwrap_or_default();
    for (group, metrics) in groups {
        for (key, spread) in metrics {
            let figures = [
                group.runs.len().to_string(),
                (*key).to_owned(),
                spread.count.to_string(),
                spread.nan.to_string(),
                exact(spread.mean),
                exact(spread.deviation),
                exact(spread.min),
                exact(spread.max),
            ];
            csv.row(values(params, group).into_iter().chain(figures));
        }
    }
    csv.text()
}

fn describe(params: &[String], groups: &[(&Group, Vec<(&str, Spread)>)], reader: Reader) -> String {
    let mut columns: Vec<(&str, Align)> =
        params.iter().map(|param| (param.as_str(), Align::Name)).collect();
    columns.extend([("runs", Align::Right), ("metric", Align::Name)]);
    columns.extend(["count", "mean", "std", "min", "max"].map(|title| (title, Align::Right)));
    let has_nan =
        groups.iter().any(|(_, metrics)| metrics.iter().any(|(_, spread)| spread.nan > 0));
    if has_nan {
        columns.push(("NaN", Align::Right));
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let plain = |text: String| (text, Tone::Plain);
    let figure = |value: Option<f64>| plain(value.map(number_text).unwrap_or_default());
    for (group, metrics) in groups {
        let mut start: Vec<Cell> =
            values(params, group).into_iter().map(|value| (value, Tone::Name)).collect();
        start.push((group.runs.len().to_string(), Tone::Dim));
        if metrics.is_empty() {
            rows.push(start.clone());
        }
        for (key, spread) in metrics {
            let mut row = start.clone();
            // Only the first line of a group shows the values.
            start.iter_mut().for_each(|cell| cell.0.clear());
            row.push(plain((*key).to_owned()));
            row.push((spread.count.to_string(), Tone::Dim));
            row.extend([spread.mean, spread.deviation, spread.min, spread.max].map(figure));
            if has_nan {
                let nan = if spread.nan > 0 { spread.nan.to_string() } else { String::new() };
                row.push((nan, Tone::Warning));
            }
            rows.push(row);
        }
    }
    lines(reader, &columns, &rows)
}
