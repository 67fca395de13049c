//! Views of the table that a project shares, as `[tool.mlops-tui.views.NAME]` in `pyproject.toml` describes them. They
//! become the same [`View`]s as those that users save; `views` lists both.

use serde::Deserialize;

use super::columns::{Choices, Sort, View, What};
use super::filter;
use crate::tracking::filter::{Entity, Field, parse_orders};

/// A view that the project shares.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct ProjectView(pub View);

/// A view as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    #[serde(default)]
    filter: FilterText,
    /// The columns that are shown, in their order; without any, those whose values differ.
    #[serde(default)]
    columns: Vec<ColumnKey>,
    #[serde(default)]
    order_by: Vec<OrderBy>,
}

// Each text is checked as it is read, so that a mistake has the line of its setting.
#[derive(Default, Deserialize)]
#[serde(try_from = "String")]
struct FilterText(String);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ColumnKey(String);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct OrderBy(Sort);

impl TryFrom<String> for FilterText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match filter::parse(&text) {
            Ok(_) => Ok(FilterText(text)),
            Err(error) => Err(format!("`{text}`: {}", error.text.trim_end_matches('.'))),
        }
    }
}

impl TryFrom<String> for ColumnKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match sort(&text) {
            Some(Sort { column, descending: false }) => Ok(ColumnKey(column)),
            _ => Err(format!("`{text}` is no column; {NAMES}")),
        }
    }
}

impl TryFrom<String> for OrderBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        sort(&text).map(OrderBy).ok_or_else(|| {
            format!("`{text}` is no order: write a column, then ASC or DESC; {NAMES}")
        })
    }
}

/// The names of columns.
const NAMES: &str =
    "there are name, started, took, experiment, metrics.KEY, params.KEY and tags.KEY";

/// A column, then `ASC` or `DESC` if the text says so.
fn sort(text: &str) -> Option<Sort> {
    let (name, descending) = match text.rsplit_once(' ') {
        Some((name, word)) if word.eq_ignore_ascii_case("asc") => (name, false),
        Some((name, word)) if word.eq_ignore_ascii_case("desc") => (name, true),
        _ => (text, false),
    };
    let own = [What::Name, What::Started, What::Took, What::Experiment];
    let own = own.into_iter().map(|what| what.key()).find(|key| key == name.trim());
    let column = own.or_else(|| {
        let orders = parse_orders(Entity::Run, &[name.to_owned()]).ok()?;
        let field = orders.into_iter().next()?.field;
        let is_column = matches!(field, Field::Metric(_) | Field::Param(_) | Field::Tag(_));
        is_column.then(|| What::Field(field).key())
    })?;
    Some(Sort { column, descending })
}

impl TryFrom<Written> for ProjectView {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let order: Vec<String> = written.columns.into_iter().map(|column| column.0).collect();
        let sorts: Vec<Sort> = written.order_by.into_iter().map(|order| order.0).collect();
        let hidden =
            |sort: &&Sort| !order.contains(&sort.column) && sort.column != What::Name.key();
        if let Some(Sort { column, .. }) = sorts.iter().find(hidden).filter(|_| !order.is_empty()) {
            return Err(format!("`{column}` of `order-by` is not among the `columns`"));
        }
        let only = !order.is_empty();
        let table = Choices { order, only, sorts, ..Choices::default() };
        Ok(ProjectView(View { filter: written.filter.0, table }))
    }
}
