//! `mlops-tui runs show`.

use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::reference::RunName;
use super::{clock, sign, to_json};
use crate::app::run::headline;
use crate::app::words::seconds_text;
use crate::app::words::{Tone, code_text, number_text, outcome_text, remote_text};
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::runs::history::{self, Bar, Timeline, Whole, timeline};
use crate::store::{DatasetRecord, Direction, NodeOutcome, Store, now};
use crate::text::secrets::without_marks;
use crate::text::{sanitize, size_text, width};

/// Show a run: who, how, code, nodes in time, datasets, failure.
///
/// Nodes on the critical path are marked with `*`: the run could not have been shorter than these nodes,
/// however many nodes ran at once.
///
/// Example: mlops-tui runs show last-failed
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A number, `last` or `last-failed`
    #[arg(default_value = "last")]
    run: RunName,
    /// Print the stored difference between the code and its commit, for `git apply`
    #[arg(long, conflicts_with = "json")]
    patch: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The width of the chart without a terminal, in cells.
const CHART: usize = 40;
/// The width of the other columns with gaps, in cells: glyph, mark, time (`12 min 34 s`).
const BESIDE: usize = 21;

pub(super) fn run(store: &mut Store, arguments: &Arguments) -> Result<ExitCode> {
    let id = arguments.run.find(store)?.0;
    let Some(whole) = history::whole(store, id)? else { bail!("There is no run {id}.") };
    if arguments.patch {
        return patch(&whole);
    }
    let now = now();
    let timeline = timeline(&whole.run, &whole.nodes, &whole.datasets, now);
    if arguments.json {
        return output::json(&whole_to_json(&whole, &timeline));
    }
    let reader = Reader::of_stdout();
    let mut out = head(&whole, reader, now);
    out += &failed(&whole, reader);
    out += &nodes(&timeline, reader);
    out += &datasets(&whole.datasets, reader);
    output::text(&out)
}

fn patch(whole: &Whole) -> Result<ExitCode> {
    let Some(diff) = &whole.diff else {
        match &whole.run.code {
            Some(code) if code.dirty => bail!("Only files that git does not track differed."),
            Some(_) => bail!("The code did not differ from its commit."),
            None => bail!("The version of the code was not kept: there was no git repository."),
        }
    };
    // Programs get the text unchanged; on a terminal control characters are replaced.
    if Reader::of_stdout().width.is_some() {
        let lines: String = without_marks(diff).lines().map(|line| sanitize(line) + "\n").collect();
        return output::text(&lines);
    }
    output::text(&without_marks(diff))
}

fn whole_to_json(whole: &Whole, timeline: &Timeline) -> Json {
    let json_text = |text: &Option<String>| -> Json {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
    };
    let datasets: Vec<Json> = whole
        .datasets
        .iter()
        .map(|dataset| {
            let mut json = json!(dataset);
            json["metrics"] = json_text(&dataset.metrics);
            json
        })
        .collect();
    let mut json = to_json(&whole.run);
    json["timeline"] = json!(timeline);
    json["datasets"] = Json::Array(datasets);
    json["failure"] = json!(whole.failure);
    let parameters =
        whole.parameters.as_ref().map(|parameters| without_marks(&parameters.to_string()));
    json["resolved_parameters"] = json_text(&parameters);
    json
}

fn head(whole: &Whole, reader: Reader, now: f64) -> String {
    let run = &whole.run;
    let (sign, tone) = sign(run.outcome);
    let (word, _) = outcome_text(run.outcome);
    let mut title = format!("{sign} {} {word}, {}", run.name(), seconds_text(run.seconds(now)));
    if run.pinned {
        title.push_str(", pinned");
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut field = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            rows.push(vec![(name.to_owned(), Tone::Dim), (text, Tone::Plain)]);
        }
    };
    field("note", run.note.clone());
    field("began", Some(clock(run.new.started_at, "%Y-%m-%d %H:%M:%S")));
    field("command", Some(run.new.command.clone()));
    let who: Vec<&str> =
        [&run.new.user, &run.new.host].into_iter().flatten().map(String::as_str).collect();
    let who = who.join("@");
    let asked = match (&run.new.why, who.is_empty()) {
        (Some(why), false) => Some(format!("{who}: {why}")),
        (Some(why), true) => Some(why.clone()),
        (None, _) => Some(who),
    };
    field("asked by", asked);
    field("on", run.new.remote.as_ref().map(remote_text));
    field("batch", run.new.batch.clone());
    field("env", run.new.env.clone());
    let version = |name: &str, version: &Option<String>| {
        version.as_ref().map(|version| format!("{name} {version}"))
    };
    let python = match (&run.python_version, &run.new.python) {
        (Some(version), Some(path)) => Some(format!("Python {version} ({path})")),
        (version, path) => version.clone().or_else(|| path.clone()),
    };
    let worker = run.new.worker.as_ref().map(|worker| format!("{worker} worker"));
    let with = [version("Kedro", &run.kedro_version), python, worker];
    field("with", Some(with.into_iter().flatten().collect::<Vec<_>>().join(" · ")));
    field("code", run.code.as_ref().map(|code| code_text(code, whole.diff.as_deref())));
    field("mlflow", run.mlflow_run.clone());
    let log = match run.log_lines {
        0 => None,
        1 => Some("1 line".to_owned()),
        lines => Some(format!("{lines} lines")),
    };
    field("log", log);
    let columns = [("", Align::Left), ("", Align::Left)];
    reader.paint(&reader.line(&title), tone) + "\n" + &lines(reader, &columns, &rows)
}

fn failed(whole: &Whole, reader: Reader) -> String {
    let run = &whole.run;
    let Some(failure) = &whole.failure else {
        return match &run.reason {
            Some(reason) => format!("\n{}\n", reader.paint(&reader.line(reason), Tone::Bad)),
            None => String::new(),
        };
    };
    let at = run.failed_node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
    let mut out = String::from("\n");
    out += &reader.paint(&reader.line(&format!("Failed: {at}{}", headline(failure))), Tone::Bad);
    if let Some(frame) = failure.project_frame() {
        out.push('\n');
        let place = format!("  at {}:{} in {}", frame.file, frame.line, frame.function);
        out += &reader.line(&place);
    }
    out + "\n"
}

fn nodes(timeline: &Timeline, reader: Reader) -> String {
    if timeline.bars.is_empty() {
        return String::new();
    }
    // The chart leaves out Python's start, which often takes longer than all nodes.
    let whole = (timeline.end - timeline.begun).max(1e-3);
    let title = format!(
        "Nodes: {} in {} after {} of starting · critical path (*) {}",
        timeline.bars.len(),
        seconds_text(timeline.end - timeline.begun),
        seconds_text(timeline.begun - timeline.start),
        seconds_text(timeline.critical_seconds),
    );
    let names = timeline.bars.iter().map(|bar| width(&sanitize(&bar.node))).max().unwrap_or(0);
    let room =
        reader.width.map_or(CHART, |width| width.saturating_sub(names + BESIDE).clamp(10, 80));
    let rows: Vec<Vec<Cell>> = timeline
        .bars
        .iter()
        .map(|bar| {
            let (sign, tone) = sign_of(bar.outcome);
            let time = match (bar.seconds(), bar.outcome) {
                (Some(seconds), _) => seconds_text(seconds),
                (None, NodeOutcome::Waiting) => "waiting".to_owned(),
                (None, _) => "not reached".to_owned(),
            };
            vec![
                (sign.to_owned(), tone),
                (if bar.critical { "*" } else { "" }.to_owned(), Tone::Warning),
                (bar.node.clone(), Tone::Plain),
                (time, if bar.start.is_some() { Tone::Plain } else { Tone::Dim }),
                (chart(bar, timeline.begun, whole, room), tone),
            ]
        })
        .collect();
    let columns = [
        ("", Align::Left),
        ("", Align::Left),
        ("", Align::Name),
        ("", Align::Right),
        ("", Align::Left),
    ];
    format!("\n{}\n", reader.paint(&reader.line(&title), Tone::Name))
        + &lines(reader, &columns, &rows)
}

/// A node's bar in a chart of `room` cells; bars on the critical path are solid.
fn chart(bar: &Bar, start: f64, whole: f64, room: usize) -> String {
    let (Some(begin), Some(end)) = (bar.start, bar.end) else { return String::new() };
    let cell = |at: f64| ((at - start) / whole * room as f64).clamp(0.0, room as f64);
    let first = (cell(begin) as usize).min(room - 1);
    let last = (cell(end).round() as usize).clamp(first + 1, room);
    let sign = if bar.critical { "█" } else { "▒" };
    " ".repeat(first) + &sign.repeat(last - first)
}

fn sign_of(outcome: NodeOutcome) -> (&'static str, Tone) {
    match outcome {
        NodeOutcome::Waiting => ("○", Tone::Dim),
        NodeOutcome::Running => ("●", Tone::Busy),
        NodeOutcome::Succeeded => ("✓", Tone::Good),
        NodeOutcome::Failed => ("✗", Tone::Bad),
        NodeOutcome::Stopped => ("◌", Tone::Warning),
    }
}

fn datasets(datasets: &[DatasetRecord], reader: Reader) -> String {
    // Memory datasets are left out, because they have neither size nor metrics.
    let saved = datasets
        .iter()
        .filter(|dataset| dataset.direction == Direction::Save && dataset.bytes.is_some());
    let rows: Vec<Vec<Cell>> = saved
        .map(|dataset| {
            let metrics = dataset
                .metrics
                .as_deref()
                .and_then(|text| serde_json::from_str::<serde_json::Map<String, Json>>(text).ok());
            let metrics = metrics.into_iter().flatten();
            let metrics: Vec<String> =
                metrics.take(4).map(|(name, value)| format!("{name} {}", metric(&value))).collect();
            vec![
                (dataset.dataset.clone(), Tone::Plain),
                (dataset.bytes.map(size_text).unwrap_or_default(), Tone::Plain),
                (seconds_text(dataset.seconds), Tone::Dim),
                (dataset.node.clone().unwrap_or_default(), Tone::Dim),
                (metrics.join(", "), Tone::Plain),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let columns = [
        ("", Align::Name),
        ("", Align::Right),
        ("", Align::Right),
        ("", Align::Name),
        ("", Align::Left),
    ];
    format!("\n{}\n", reader.paint("Saved", Tone::Name)) + &lines(reader, &columns, &rows)
}

/// A metric's value: four digits, or all digits of a whole number.
fn metric(value: &Json) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() => number_text(number),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stands_at_its_time_and_is_never_empty() {
        let bar = |begin: f64, end: f64, critical: bool| Bar {
            start: Some(begin),
            end: Some(end),
            critical,
            ..Bar::default()
        };
        assert_eq!(chart(&bar(10.0, 15.0, true), 10.0, 10.0, 10), "█████");
        assert_eq!(chart(&bar(15.0, 15.0, false), 10.0, 10.0, 10), "     ▒");
        assert_eq!(chart(&bar(20.0, 20.0, false), 10.0, 10.0, 10), "         ▒");
        assert_eq!(chart(&Bar::default(), 10.0, 10.0, 10), "");
    }
}
