//! Comma-separated values as RFC 4180 has them, with line ends of one character.

use std::io::IsTerminal;

use serde_json::Value as Json;

use crate::text::sanitize;

/// Objects as lines, a column for each of these keys; what is no plain value is written as JSON.
pub(super) fn of_objects(columns: &[&str], objects: &[Json]) -> String {
    let mut csv = Csv::new(columns);
    for object in objects {
        csv.row(columns.iter().map(|column| match &object[*column] {
            Json::Null => String::new(),
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }));
    }
    csv.text()
}

/// Lines of comma-separated cells that are written to standard output.
#[derive(Debug)]
pub(super) struct Csv {
    text: String,
    /// Whether a terminal reads the cells, so that they have to be harmless; else they stay as they are.
    harmless: bool,
}

impl Csv {
    /// Begins with a line of titles.
    pub(super) fn new<T: AsRef<str>>(titles: impl IntoIterator<Item = T>) -> Self {
        let mut csv = Csv { text: String::new(), harmless: std::io::stdout().is_terminal() };
        csv.row(titles);
        csv
    }

    /// Adds a line.
    pub(super) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            match self.harmless {
                true => self.cell(&sanitize(cell.as_ref())),
                false => self.cell(cell.as_ref()),
            }
        }
        self.text.push('\n');
    }

    fn cell(&mut self, cell: &str) {
        if !cell.contains([',', '"', '\n', '\r']) {
            self.text.push_str(cell);
            return;
        }
        self.text.push('"');
        self.text.push_str(&cell.replace('"', "\"\""));
        self.text.push('"');
    }

    /// All lines.
    pub(super) fn text(self) -> String {
        self.text
    }
}

/// A number with all its digits, as Python and pandas read it.
pub(super) fn exact(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        let mut csv = Csv { text: String::new(), harmless: false };
        csv.row(["plain", "a,b", "say \"x\"", "two\nlines", "", "\x1b[31m"]);
        assert_eq!(csv.text(), "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",,\x1b[31m\n");
        let mut csv = Csv { text: String::new(), harmless: true };
        csv.row(["two\nlines", "\x1b[31mred"]);
        assert_eq!(csv.text(), "two␊lines,red\n");
        assert_eq!([1.0, 1e300, f64::NAN].map(exact), ["1.0", "1e300", "NaN"]);
    }
}
