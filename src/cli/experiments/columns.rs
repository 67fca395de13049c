//! Columns of runs: which ones are shown, and what stands in them for people, for CSV and for JSON.

use color_eyre::eyre::{Result, bail};
use serde_json::Value as Json;

use crate::app::words::number_text;
use crate::cli::csv;
use crate::cli::tracked::{number, shown, when};
use crate::tracking::entities::Run;
use crate::tracking::filter::{Attribute, Cell, Entity, Field, Searched, field_of};
use crate::tracking::table;

/// The column that a person names: as filters name it, or by the bare key of a metric, a param or a tag.
///
/// # Errors
/// When no run has it.
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

/// Titles of columns: the key alone where no other column has the same.
pub(super) fn titles(columns: &[Field]) -> Vec<String> {
    let short = |column: &Field| match column {
        Field::Metric(key) | Field::Param(key) | Field::Tag(key) => key.clone(),
        other => table::title(other),
    };
    let shorts: Vec<String> = columns.iter().map(short).collect();
    let title = |(column, short): (&Field, &String)| {
        let same = shorts.iter().filter(|it| *it == short).count();
        if same > 1 { table::title(column) } else { short.clone() }
    };
    columns.iter().zip(&shorts).map(title).collect()
}

/// Whether its values are numbers, which stand at the right.
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

/// A value for people; nothing where the run has none.
pub(super) fn text(run: &Run, column: &Field) -> String {
    match run.cell(column) {
        // Times were whole milliseconds.
        Some(Cell::Number(at)) if is_time(column) => when(Some(at as i64)),
        Some(Cell::Number(value)) => number_text(value),
        Some(Cell::Text(value)) => without_secret(column, value),
        None => String::new(),
    }
}

/// A value with all its digits; times in milliseconds; nothing where the run has none.
pub(super) fn exact(run: &Run, column: &Field) -> String {
    match run.cell(column) {
        Some(Cell::Number(at)) if is_time(column) => (at as i64).to_string(),
        Some(Cell::Number(value)) => csv::exact(value),
        Some(Cell::Text(value)) => without_secret(column, value),
        None => String::new(),
    }
}

/// A value as JSON; null where the run has none.
pub(super) fn json(run: &Run, column: &Field) -> Json {
    match run.cell(column) {
        Some(Cell::Number(value)) => number(value),
        Some(Cell::Text(value)) => without_secret(column, value).into(),
        None => Json::Null,
    }
}
