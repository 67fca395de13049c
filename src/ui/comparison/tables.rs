//! The tables of the page: runs with what differs, equal params, notes and commits.

use super::{NAME, Page, element};
use crate::app::screens::experiments::columns::{Column, What, name, took};
use crate::app::screens::experiments::export;
use crate::app::words::seconds_text;
use crate::text::markup::{cut, escaped};
use crate::tracking::Goal;
use crate::tracking::entities::Run;

/// Most cells of params and metrics in the table of runs.
const CELLS: usize = 12_000;
/// Characters that all these cells may have.
const CHARACTERS: usize = 300_000;
/// The least and the most characters of a param's value.
const VALUE: (usize, usize) = (16, 160);
/// Most equal params.
const EQUAL: usize = 200;
/// Characters that all notes may have.
const NOTES: usize = 100_000;
/// The least and the most characters of a note.
const NOTE: (usize, usize) = (400, 4_000);

impl Page<'_> {
    /// Writes the table of runs.
    pub(super) fn runs(&self, out: &mut String) {
        let runs = self.run_list();
        let several = runs.windows(2).any(|two| two[0].experiment_id != two[1].experiment_id);
        let (differing, _) = self.params();
        let metrics: Vec<&Column> = self.metrics().map(|(column, _)| column).collect();
        // Metrics come first where there is no room for all.
        let most = CELLS / runs.len().max(1);
        let shown_metrics = metrics.len().min(most);
        let shown_params = differing.len().min(most - shown_metrics);
        let columns: Vec<&Column> =
            differing[..shown_params].iter().chain(&metrics[..shown_metrics]).copied().collect();
        let cells = (columns.len() * runs.len()).max(1);
        let most = (CHARACTERS / cells).clamp(VALUE.0, VALUE.1);
        *out += "<section>\n<h2>Runs</h2>\n<div class=\"wide\">\n<table>\n<thead>\n<tr><th scope=\"col\" class=\"t\">run</th>\
                 <th scope=\"col\" class=\"t\">status</th><th scope=\"col\">started</th><th scope=\"col\">took</th>";
        if several {
            *out += &head("experiment", None, "t");
        }
        for column in &columns {
            *out += &head(&key(column), column.goal, if column.numbers { "" } else { "t" });
        }
        *out += "</tr>\n</thead>\n<tbody>\n";
        for (index, run) in runs.iter().enumerate() {
            self.row(out, index, run, several, &columns, most);
        }
        *out += "</tbody>\n</table>\n</div>\n";
        let (params, metrics) = (differing.len() - shown_params, metrics.len() - shown_metrics);
        for (count, what) in [(params, "params that differ"), (metrics, "metrics")] {
            if count > 0 {
                *out += &format!("<p class=\"left\">{count} more {what} have no room here.</p>\n");
            }
        }
        *out += "</section>\n";
    }

    fn row(
        &self,
        out: &mut String,
        index: usize,
        run: &Run,
        several: bool,
        columns: &[&Column],
        most: usize,
    ) {
        let started = run.start_time.map(time).unwrap_or_default();
        let took = took(run, self.source.now).map(seconds_text).unwrap_or_default();
        *out += &format!(
            "<tr><th scope=\"row\">{}</th><td class=\"t\">{}</td><td>{started}</td><td>{took}</td>",
            cut(&name(run), NAME),
            status(run),
        );
        if several {
            let experiment = cut(self.source.overview.experiment(run), NAME);
            *out += &format!("<td class=\"t\">{experiment}</td>");
        }
        for column in columns {
            *out += &self.cell(column, index, run, most);
        }
        *out += "</tr>\n";
    }

    /// A value; a metric that is rounded has all its digits as a title.
    fn cell(&self, column: &Column, index: usize, run: &Run, most: usize) -> String {
        let text = column.text(&self.source, run);
        if column.metric().is_none() {
            let class = if column.numbers { "" } else { " class=\"t\"" };
            return format!("<td{class}>{}</td>", cut(&text, most));
        }
        let exact = export::value(&self.source, column, run);
        let is_whole = exact == text || text.parse::<f64>().ok() == exact.parse().ok();
        let title = if is_whole { String::new() } else { format!(" title=\"{exact}\"") };
        match column.best.contains(&index) {
            true => format!("<td class=\"best\"{title}>★ {text}</td>"),
            false => format!("<td{title}>{text}</td>"),
        }
    }

    /// The columns of params that differ, and of those that are equal.
    fn params(&self) -> (Vec<&Column>, Vec<&Column>) {
        let runs = self.run_list();
        let differs = |column: &&Column| match &column.what {
            What::Field(field) => crate::tracking::table::differs(runs, field),
            _ => false,
        };
        self.columns.iter().filter(|column| column.param().is_some()).partition(differs)
    }

    /// Writes the params that all runs have with the same value.
    pub(super) fn equal_params(&self, out: &mut String) {
        let (_, equal) = self.params();
        let Some(run) = self.run_list().first().filter(|_| !equal.is_empty()) else { return };
        *out += "<section>\n<h2>Equal params</h2>\n<dl>\n";
        for column in equal.iter().take(EQUAL) {
            let value = column.text(&self.source, run);
            *out +=
                &format!("<dt>{}</dt><dd>{}</dd>\n", cut(&key(column), NAME), cut(&value, VALUE.1));
        }
        *out += "</dl>\n";
        if let Some(more) = equal.len().checked_sub(EQUAL).filter(|more| *more > 0) {
            *out += &format!("<p class=\"left\">{more} more have no room here.</p>\n");
        }
        *out += "</section>\n";
    }

    /// Writes the id, the commit and the note of each run.
    pub(super) fn notes(&self, out: &mut String) {
        let runs = self.run_list();
        let most = (NOTES / runs.len().max(1)).clamp(NOTE.0, NOTE.1);
        *out += "<section>\n<h2>Notes and commits</h2>\n<div class=\"wide\">\n<table>\n<thead>\n<tr>\
                 <th scope=\"col\" class=\"t\">run</th><th scope=\"col\" class=\"t\">id</th>\
                 <th scope=\"col\" class=\"t\">commit</th><th scope=\"col\" class=\"t\">note</th></tr>\n</thead>\n<tbody>\n";
        for run in runs {
            let tag = |key: &str| run.tag(key).unwrap_or_default();
            *out += &format!(
                "<tr><th scope=\"row\">{}</th><td class=\"t\"><code>{}</code></td><td class=\"t\"><code>{}</code></td>\
                 <td class=\"note\">{}</td></tr>\n",
                cut(&name(run), NAME),
                cut(&run.id, NAME),
                cut(tag("mlflow.source.git.commit"), NAME),
                note(tag("mlflow.note.content"), most),
            );
        }
        *out += "</tbody>\n</table>\n</div>\n</section>\n";
    }
}

/// A note keeps its lines.
fn note(text: &str, most: usize) -> String {
    let is_long = text.chars().nth(most).is_some();
    let kept: String = text.chars().take(most).collect();
    let lines: Vec<String> = kept.lines().map(escaped).collect();
    lines.join("\n") + if is_long { "…" } else { "" }
}

/// The name of a param or metric.
fn key(column: &Column) -> String {
    let key = column.key.split_once('.').map_or(column.key.as_str(), |(_, key)| key);
    key.to_owned()
}

/// A title; that of a metric says which values are best.
fn head(title: &str, goal: Option<Goal>, class: &str) -> String {
    let goal = match goal {
        Some(Goal::Lowest) => element("small", "", "↓ lowest is best"),
        Some(Goal::Highest) => element("small", "", "↑ highest is best"),
        None => String::new(),
    };
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<th scope=\"col\"{class}>{}{goal}</th>", cut(title, NAME))
}

/// The status with a sign.
fn status(run: &Run) -> String {
    let sign = match run.status.as_str() {
        "FINISHED" => "✓",
        "RUNNING" => "●",
        "FAILED" => "✗",
        "KILLED" => "■",
        _ => "·",
    };
    format!("{sign} {}", cut(&run.status.to_lowercase(), NAME))
}

/// A time in UTC, because the page may be read anywhere.
pub(super) fn time(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds);
    time.map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default()
}
