//! `mlops-tui runs diff`.

use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Result, bail};
use serde_json::{Value as Json, json};

use super::reference::RunName;
use crate::app::details::Tone;
use crate::app::run::seconds_text;
use crate::cli::output;
use crate::cli::table::{Align, Cell, Reader, lines};
use crate::project::{Options, Reader as Project};
use crate::runs::history::compare::{Change, CodeChange, DatasetChange, NodeChange};
use crate::runs::history::{Comparison, Whole, compare, whole};
use crate::store::{CodeVersion, Direction, NodeOutcome, Store};
use crate::text::size_text;

/// Compare two runs: parameters, code, nodes, datasets.
///
/// What is the same in both is left out, but for the times of nodes. The exit code is 0 whether they
/// differ or not.
///
/// Example: mlops-tui runs diff 12 last
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The run to compare with
    first: RunName,
    /// The run that is compared
    #[arg(default_value = "last")]
    second: RunName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(root: &Path, store: &mut Store, arguments: &Arguments) -> Result<ExitCode> {
    let mut read = |name: RunName| -> Result<Whole> {
        let id = name.find(store)?.id;
        match whole(store, id)? {
            Some(whole) => Ok(whole),
            None => bail!("There is no run {id}."),
        }
    };
    let (first, second) = (read(arguments.first)?, read(arguments.second)?);
    let options = Options { env: second.run.new.env.clone(), ..Options::default() };
    let snapshot = Project::new(root).read(&options);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let compared = runtime.block_on(compare(root, Some(&snapshot), &first, &second));
    if arguments.json {
        return output::json(&json!(compared));
    }
    output::text(&describe(&compared, Reader::of_stdout()))
}

fn describe(compared: &Comparison, reader: Reader) -> String {
    let (first, second) = compared.runs;
    let mut out = format!("Run {first} and run {second}\n");
    let mut part = |title: &str, text: String| {
        if !text.is_empty() {
            out += &format!("\n{}\n{text}", reader.paint(title, Tone::Name));
        }
    };
    part("Asked for", changes(&compared.facts, reader));
    part("Overrides", changes(&compared.overrides, reader));
    match &compared.parameters {
        Some(parameters) => part("Parameters", changes(parameters, reader)),
        None => part("Parameters", "  They were not kept of both runs.\n".into()),
    }
    part("Code", code(&compared.code, reader));
    part("Nodes", nodes(&compared.nodes, reader));
    part("Datasets", datasets(&compared.datasets, reader));
    out
}

const PAIR: [(&str, Align); 4] =
    [("", Align::Left), ("", Align::Left), ("", Align::Left), ("", Align::Left)];

fn changes(changes: &[Change], reader: Reader) -> String {
    let rows: Vec<Vec<Cell>> = changes
        .iter()
        .map(|change| pair(&change.name, &value(&change.first), &value(&change.second)))
        .collect();
    lines(reader, &PAIR, &rows)
}

fn pair(name: &str, first: &str, second: &str) -> Vec<Cell> {
    vec![
        (format!("  {name}"), Tone::Plain),
        (first.to_owned(), Tone::Bad),
        ("→".to_owned(), Tone::Dim),
        (second.to_owned(), Tone::Good),
    ]
}

fn value(json: &Json) -> String {
    match json {
        Json::Null => "–".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.iter().all(Json::is_string) && !items.is_empty() => {
            items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")
        }
        other => other.to_string(),
    }
}

fn code(code: &CodeChange, reader: Reader) -> String {
    let version = |version: &Option<CodeVersion>| match version {
        None => "–".to_owned(),
        Some(version) => {
            let commit = version.commit.as_deref().unwrap_or("no commit");
            let commit = commit.get(..10).unwrap_or(commit);
            let branch = version.branch.as_ref().map(|branch| format!(" on {branch}"));
            let changed = if version.dirty { ", changed" } else { "" };
            format!("{commit}{}{changed}", branch.unwrap_or_default())
        }
    };
    let mut rows = Vec::new();
    if version(&code.first) != version(&code.second) {
        rows.push(pair("commit", &version(&code.first), &version(&code.second)));
    }
    let mut out = lines(reader, &PAIR, &rows);
    for file in &code.files {
        out += &reader.line(&format!("  {file}"));
        out.push('\n');
    }
    if let Some(why) = &code.incomplete {
        out += &reader.line(&format!("  Not all is known: {why}."));
        out.push('\n');
    }
    out
}

fn nodes(nodes: &[NodeChange], reader: Reader) -> String {
    let outcome = |outcome: Option<NodeOutcome>| match outcome {
        None => "–".to_owned(),
        Some(NodeOutcome::Succeeded) => String::new(),
        Some(outcome) => outcome.as_str().to_owned(),
    };
    let side = |of: Option<NodeOutcome>, seconds: Option<f64>| -> String {
        let time = seconds.map(seconds_text);
        [Some(outcome(of)), time]
            .into_iter()
            .flatten()
            .filter(|it| !it.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let rows: Vec<Vec<Cell>> = nodes
        .iter()
        .map(|node| {
            let tone = match node.outcomes {
                (Some(first), Some(second)) if first == second => Tone::Plain,
                (_, Some(NodeOutcome::Failed)) => Tone::Bad,
                _ => Tone::Warning,
            };
            let code = node.file.as_ref().map(|file| format!("code: {file}"));
            vec![
                (format!("  {}", node.node), tone),
                (side(node.outcomes.0, node.seconds.0), Tone::Plain),
                ("→".to_owned(), Tone::Dim),
                (side(node.outcomes.1, node.seconds.1), Tone::Plain),
                (faster(node.seconds), Tone::Dim),
                (code.unwrap_or_default(), Tone::Warning),
            ]
        })
        .collect();
    let left = ("", Align::Left);
    lines(
        reader,
        &[left, ("", Align::Right), left, ("", Align::Right), ("", Align::Right), left],
        &rows,
    )
}

/// How much longer it took: `+12 %`; nothing for what is no more than noise.
fn faster(seconds: (Option<f64>, Option<f64>)) -> String {
    match seconds {
        (Some(first), Some(second)) if (second - first).abs() > 0.1_f64.max(0.05 * first) => {
            format!("{:+.0} %", (second / first - 1.0) * 100.0)
        }
        _ => String::new(),
    }
}

fn datasets(datasets: &[DatasetChange], reader: Reader) -> String {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for dataset in datasets {
        let sizes = (dataset.bytes.0.map(size_text), dataset.bytes.1.map(size_text));
        let known = sizes.0.is_some() || sizes.1.is_some();
        if dataset.same == Some(true) || !known {
            continue;
        }
        let verb = if dataset.direction == Direction::Save { "saved" } else { "loaded" };
        let side = |size: Option<String>| size.unwrap_or_else(|| "–".to_owned());
        rows.push(pair(&format!("{} {verb}", dataset.dataset), &side(sizes.0), &side(sizes.1)));
        for metric in &dataset.metrics {
            let name = format!("  {}", metric.name);
            rows.push(pair(&name, &value(&metric.first), &value(&metric.second)));
        }
    }
    lines(reader, &PAIR, &rows)
}
