//! Columns of runs: choosing them, and their cells as text, CSV and JSON.

use color_eyre::eyre::{Result, bail};
use serde_json::Value as Json;

use crate::app::words::number_text;
use crate::cli::csv;
use crate::cli::tracked::{number, shown, when};
use crate::tracking::entities::Run;
use crate::tracking::filter::{Attribute, Cell, Entity, Field, Searched, field_of};
use crate::tracking::table;

/// The column of a name: a name as in filters, or the bare key of a metric, a param or a tag.
///
/// # Errors
/// If no run has it.
pub(super) fn named(runs: &[Run], name: &str) -> Result<Field> {
    match field_of(Entity::Run, name) {
        Ok(Field::Dataset(_)) => {
            bail!("Datasets have no column; `mlops-tui experiments datasets` lists them.")
        }
        Ok(field) => return Ok(field),
        Err(_) if runs.is_empty() => return Ok(Field::Metric(name.to_owned())),
        Err(_) => {}
    }
    let kinds = [Field::Metric, Field::Param, Field::Tag];
    let mut fields = kinds.into_iter().map(|kind| kind(name.to_owned()));
    let has = |field: &Field| runs.iter().any(|run| run.cell(field).is_some());
    match fields.find(has) {
        Some(field) => Ok(field),
        None => bail!("No run has a metric, param or tag `{name}`."),
    }
}

/// The titles of columns: the bare key if it is unique.
pub(super) fn titles(columns: &[Field]) -> Vec<String> {
    let short = |column: &Field| match column {
        Field::Metric(key) | Field::Param(key) | Field::Tag(key) => key.clone(),
        other => table::title(other),
    };
    let shorts: Vec<String> = columns.iter().map(short).collect();
    let title = |(column, short): (&Field, &String)| {
        let same = shorts.iter().filter(|other| *other == short).count();
        if same > 1 { table::title(column) } else { short.clone() }
    };
    columns.iter().zip(&shorts).map(title).collect()
}

/// Whether the values are numbers, which are aligned at the right.
pub(super) fn is_number(column: &Field) -> bool {
    matches!(column, Field::Metric(_))
}

fn is_time(column: &Field) -> bool {
    matches!(column, Field::Attribute(Attribute::Created | Attribute::Ended))
}

fn without_secret(column: &Field, value: &str) -> String {
    match column {
        Field::Param(key) | Field::Tag(key) => shown(key, value),
        _ => shown("", value),
    }
}

/// A value as text; empty if the run has none.
pub(super) fn text(run: &Run, column: &Field) -> String {
    match run.cell(column) {
        // Times are whole milliseconds, so nothing is lost.
        Some(Cell::Number(at)) if is_time(column) => when(Some(at as i64)),
        Some(Cell::Number(value)) => number_text(value),
        Some(Cell::Text(value)) => without_secret(column, value),
        None => String::new(),
    }
}

/// A value with all its digits, times in milliseconds; empty if the run has none.
pub(super) fn exact(run: &Run, column: &Field) -> String {
    match run.cell(column) {
        Some(Cell::Number(at)) if is_time(column) => (at as i64).to_string(),
        Some(Cell::Number(value)) => csv::exact(value),
        Some(Cell::Text(value)) => without_secret(column, value),
        None => String::new(),
    }
}

/// A value as JSON; null if the run has none.
pub(super) fn json(run: &Run, column: &Field) -> Json {
    match run.cell(column) {
        Some(Cell::Number(value)) => number(value),
        Some(Cell::Text(value)) => without_secret(column, value).into(),
        None => Json::Null,
    }
}
