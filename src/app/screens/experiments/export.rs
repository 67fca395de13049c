//! The table of tracked runs as text for other programs: the rows and columns that are shown, with all digits.

use super::columns::{Column, Source, What, name, took};
use super::table::Table;
use crate::text::csv::{Csv, exact};
use crate::text::sanitize;
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

fn value(source: &Source<'_>, column: &Column, run: &Run) -> String {
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
