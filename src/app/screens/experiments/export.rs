//! The table of tracked runs, and the values of their metrics, as text for other programs: what is shown, with all digits.

use super::columns::{Column, Source, What, name, took};
use super::table::Table;
use crate::text::csv::{Csv, exact};
use crate::text::sanitize;
use crate::tracking::entities::Point;
use crate::tracking::entities::Run;
use crate::tracking::filter::{Cell, Searched};

/// The table as comma-separated values. Texts that a spreadsheet would run as formulas begin with an apostrophe.
pub fn csv(source: &Source<'_>, table: &Table) -> String {
    let titles = ["run_id", "status"].into_iter().chain(keys(table));
    let mut csv = Csv::new(titles, true);
    for run in rows(source, table) {
        let own = [run.id.clone(), run.status.clone()];
        let cells = table.columns.iter().map(|column| no_formula(value(source, column, run)));
        csv.row(own.into_iter().chain(cells));
    }
    csv.text()
}

/// All values of metrics as comma-separated values: for each the run, the name of the metric, and its points.
pub fn values<'a>(curves: impl IntoIterator<Item = (&'a Run, &'a str, &'a [Point])>) -> String {
    let mut csv = Csv::new(["run_id", "run", "metric", "step", "timestamp", "value"], true);
    for (run, key, points) in curves {
        let own = [run.id.clone(), name(run), key.to_owned()].map(no_formula);
        for point in points {
            let numbers = [point.step.to_string(), point.timestamp.to_string(), exact(point.value)];
            csv.row(own.iter().chain(&numbers));
        }
    }
    csv.text()
}

/// A name for a new file of a metric: without what a file's name can't have, and not hidden.
pub fn file_name(metric: &str, ending: &str) -> String {
    const MOST: usize = 80;
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '=' | '+');
    let name = metric.chars().take(MOST).map(|c| if allowed(c) { c } else { '_' });
    let name: String = name.collect();
    match name.trim_start_matches(['.', '-']) {
        "" => format!("chart.{ending}"),
        name => format!("{name}.{ending}"),
    }
}

/// The table in Markdown.
pub fn markdown(source: &Source<'_>, table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let cell = |text: &str| sanitize(text).replace('|', "\\|");
    let mut text = line(keys(table).map(&cell).collect());
    let rule = |column: &Column| if column.numbers { "---:" } else { "---" };
    text += &format!("|{}|\n", table.columns.iter().map(rule).collect::<Vec<_>>().join("|"));
    for run in rows(source, table) {
        let cells = table.columns.iter().map(|column| cell(&value(source, column, run)));
        text += &line(cells.collect());
    }
    text
}

fn keys(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().map(|column| column.key.as_str())
}

fn rows<'a>(source: &Source<'a>, table: &'a Table) -> impl Iterator<Item = &'a Run> {
    let runs = &source.overview.runs;
    table.rows.iter().filter_map(move |row| runs.get(row.run))
}

/// The value of a cell, with all digits.
pub fn value(source: &Source<'_>, column: &Column, run: &Run) -> String {
    match &column.what {
        What::Name => name(run),
        What::Started => run
            .start_time
            .and_then(|at| jiff::Timestamp::from_millisecond(at).ok())
            .map(|at| at.to_string())
            .unwrap_or_default(),
        What::Took => took(run, source.now).map(exact).unwrap_or_default(),
        What::Experiment => source.overview.experiment(run).to_owned(),
        What::Field(field) => match run.cell(field) {
            Some(Cell::Number(number)) => exact(number),
            Some(Cell::Text(text)) => text.to_owned(),
            None => String::new(),
        },
    }
}

fn no_formula(text: String) -> String {
    let begins = text.starts_with(['=', '+', '-', '@']);
    if begins && text.parse::<f64>().is_err() { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::columns::Choices;
    use super::*;
    use crate::tracking::Overview;
    use crate::tracking::filter::Expr;

    #[test]
    fn values_are_written_with_all_digits_and_without_formulas() {
        let run = Run { id: "a".into(), name: "=cmd, x".into(), ..Run::default() };
        let point = |step, value| Point { step, timestamp: 1_700_000_000_123, value };
        let points = [point(-1, 0.1 + 0.2), point(2, f64::NAN), point(3, f64::NEG_INFINITY)];
        assert_eq!(
            values([(&run, "-1+1", &points[..]), (&run, "empty", &[])]),
            "run_id,run,metric,step,timestamp,value\n\
             a,\"'=cmd, x\",'-1+1,-1,1700000000123,0.30000000000000004\n\
             a,\"'=cmd, x\",'-1+1,2,1700000000123,NaN\n\
             a,\"'=cmd, x\",'-1+1,3,1700000000123,-inf\n"
        );
    }

    #[test]
    fn names_of_files_have_no_folders_and_no_control_characters() {
        for (metric, name) in [
            ("mae", "mae.svg"),
            ("val/loss@1 \x1b\"", "val_loss@1___.svg"),
            ("../../etc/passwd", "_.._etc_passwd.svg"),
            ("-rf", "rf.svg"),
            ("...", "chart.svg"),
            ("größe", "größe.svg"),
        ] {
            assert_eq!(file_name(metric, "svg"), name);
        }
        assert_eq!(file_name(&"x".repeat(999), "svg").len(), 84);
    }

    #[test]
    fn the_shown_table_is_written_with_all_digits_and_without_formulas() {
        let run = |id: &str, cmd: &str, mae: f64| Run {
            id: id.into(),
            name: format!("{id} | \x1b[31mred"),
            status: "FINISHED".into(),
            start_time: Some(0),
            params: vec![("cmd".into(), cmd.into())],
            metrics: vec![("mae".into(), mae)],
            ..Run::default()
        };
        let runs = vec![run("a", "=1+1,2", 0.123_456_789), run("b", "-1", f64::NAN)];
        let overview = Overview { runs, ..Overview::default() };
        let choices = Choices { hidden: ["took".to_owned()].into(), ..Choices::default() };
        let source = Source {
            overview: &overview,
            choices: &choices,
            groups: None,
            baseline: None,
            now: 0.0,
        };
        let mut table = Table::default();
        table.arrange(&source, &Expr::default(), &HashSet::new());
        assert_eq!(
            csv(&source, &table),
            "run_id,status,name,started,params.cmd,metrics.mae\n\
             a,FINISHED,a | red,1970-01-01T00:00:00Z,\"'=1+1,2\",0.123456789\n\
             b,FINISHED,b | red,1970-01-01T00:00:00Z,-1,NaN\n"
        );
        assert_eq!(
            markdown(&source, &table),
            "| name | started | params.cmd | metrics.mae |\n|---|---|---|---:|\n\
             | a \\| red | 1970-01-01T00:00:00Z | =1+1,2 | 0.123456789 |\n\
             | b \\| red | 1970-01-01T00:00:00Z | -1 | NaN |\n"
        );
    }
}
