//! Comma-separated values (RFC 4180), but with `\n` as line end.

use super::sanitize;

/// A table of comma-separated values.
#[derive(Debug)]
pub struct Csv {
    text: String,
    /// Whether control characters are replaced.
    harmless: bool,
}

impl Csv {
    /// Creates a table with a line of titles. `harmless` says whether control characters are replaced.
    pub fn new<T: AsRef<str>>(titles: impl IntoIterator<Item = T>, harmless: bool) -> Self {
        let mut csv = Csv { text: String::new(), harmless };
        csv.row(titles);
        csv
    }

    /// Adds a line.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
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

    /// The whole text.
    pub fn text(self) -> String {
        self.text
    }
}

/// A number with all its digits, in a form that Python and pandas parse.
pub fn exact(number: f64) -> String {
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
