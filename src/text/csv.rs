//! Comma-separated values (RFC 4180); written with `\n` as line end, read with any separator.

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

/// The rows of a table, cell by cell. An open quote ends with the text.
pub fn rows(text: &str, separator: char) -> impl Iterator<Item = Vec<String>> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        chars.peek()?;
        let (mut row, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    cell.push('"');
                }
                '"' if quoted || cell.is_empty() => quoted = !quoted,
                c if quoted => cell.push(c),
                '\n' => break,
                '\r' if chars.peek() == Some(&'\n') => {}
                c if c == separator => row.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        row.push(cell);
        Some(row)
    })
}

/// A number with all its digits, in a form that Python and pandas parse.
pub fn exact(number: f64) -> String {
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_and_lines_together() {
        for (text, separator, cells) in [
            ("a,b\r\n1,\n", ',', vec![vec!["a", "b"], vec!["1", ""]]),
            ("\"a,\"\"b\"\"\nc\",d", ',', vec![vec!["a,\"b\"\nc", "d"]]),
            ("a\t5\" pipe\n\n", '\t', vec![vec!["a", "5\" pipe"], vec![""]]),
            ("\"open,\nnever closed", ',', vec![vec!["open,\nnever closed"]]),
            ("", ',', vec![]),
        ] {
            assert_eq!(rows(text, separator).collect::<Vec<_>>(), cells, "{text:?}");
        }
    }

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
