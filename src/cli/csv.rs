//! Comma-separated values on standard output.

use std::io::IsTerminal;

use serde_json::Value as Json;

use crate::text::csv::Csv;
pub(super) use crate::text::csv::exact;

/// A table for standard output; on a terminal control characters are replaced.
pub(super) fn table<T: AsRef<str>>(titles: impl IntoIterator<Item = T>) -> Csv {
    Csv::new(titles, std::io::stdout().is_terminal())
}

/// Objects as lines, with a column for each of these keys. Lists and objects are written as JSON.
pub(super) fn of_objects(columns: &[&str], objects: &[Json]) -> String {
    let mut csv = table(columns);
    for object in objects {
        csv.row(columns.iter().map(|column| match &object[*column] {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    csv.text()
}
