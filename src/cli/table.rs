//! Text tables: aligned columns, not wider than the terminal, in colour if the terminal supports it.

use std::io::IsTerminal;

use crate::app::words::Tone;
use crate::text::{sanitize, truncate, width};

/// The gap between columns, in cells.
const GAP: usize = 2;
/// The last column is narrowed first, down to this width.
const TEXT: usize = 16;
/// The smallest width of a column.
const NARROWEST: usize = 4;

/// The reader of the output: a terminal or a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reader {
    /// The columns of the terminal; `None` for a file or another program.
    pub width: Option<usize>,
    /// Whether the terminal shows colours.
    pub color: bool,
}

impl Reader {
    /// The reader of standard output.
    pub(super) fn of_stdout() -> Self {
        if !std::io::stdout().is_terminal() {
            return Reader::default();
        }
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width = crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
        Reader { width: width.filter(|width| *width > 0), color: !set("NO_COLOR") && !dumb }
    }

    /// Columns of the terminal, else those of `COLUMNS`, else 80.
    pub(super) fn columns(self) -> usize {
        let named = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
        self.width.or_else(named).unwrap_or(80)
    }

    /// A text in the colour of its tone.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Dim => "2",
            Tone::Name => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warning => "33",
            Tone::Busy => "36",
        };
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A line of untrusted text, without control characters and cut to the width of the terminal.
    pub(super) fn line(self, text: &str) -> String {
        let text = sanitize(text);
        match self.width {
            Some(width) => truncate(&text, width),
            None => text,
        }
    }
}

/// A cell: a text and its tone.
pub(super) type Cell = (String, Tone);

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The rows as lines, each with a newline; `columns` are titles and alignments. If all titles are empty, there is no
/// line of titles. If the columns don't fit, the last one is narrowed, then the widest ones.
pub(super) fn lines(reader: Reader, columns: &[(&str, Align)], rows: &[Vec<Cell>]) -> String {
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|(text, tone)| (sanitize(text), *tone)).collect())
        .collect();
    let mut widths: Vec<usize> = columns.iter().map(|(title, _)| width(title)).collect();
    for row in &rows {
        for (column, (text, _)) in row.iter().enumerate() {
            widths[column] = widths[column].max(width(text));
        }
    }
    let gaps = GAP * columns.len().saturating_sub(1);
    let room = reader.width.unwrap_or(usize::MAX);
    while widths.iter().sum::<usize>() + gaps > room {
        let last = widths.last_mut().filter(|width| **width > TEXT);
        let widest = match last {
            Some(last) => last,
            None => match widths.iter_mut().filter(|width| **width > NARROWEST).max() {
                Some(widest) => widest,
                None => break,
            },
        };
        *widest -= 1;
    }
    let mut out = String::new();
    let titles = columns.iter().map(|(title, _)| ((*title).to_owned(), Tone::Dim)).collect();
    let titled = columns.iter().any(|(title, _)| !title.is_empty());
    for row in titled.then_some(&titles).into_iter().chain(&rows) {
        let mut line = String::new();
        let mut blank = 0;
        for ((text, tone), (width_of, (_, align))) in row.iter().zip(widths.iter().zip(columns)) {
            let text = truncate(text, *width_of);
            let rest = width_of - width(&text).min(*width_of);
            let (before, after) = if *align == Align::Right { (rest, 0) } else { (0, rest) };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', blank + before));
                line.push_str(&reader.paint(&text, *tone));
                blank = after + GAP;
            } else {
                blank += rest + GAP;
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        let cell = |text: &str| (text.to_owned(), Tone::Plain);
        vec![
            vec![cell("1"), cell(""), cell("a long text that goes on")],
            vec![cell("200"), cell("表\x1b[31m"), cell("b")],
        ]
    }

    const COLUMNS: [(&str, Align); 3] =
        [("run", Align::Right), ("x", Align::Left), ("what", Align::Left)];

    #[test]
    fn columns_are_aligned_and_cut_to_the_terminal() {
        let all = lines(Reader::default(), &COLUMNS, &rows());
        assert_eq!(all, "run  x   what\n  1      a long text that goes on\n200  表  b\n");
        let narrow = Reader { width: Some(20), color: false };
        let cut = lines(narrow, &COLUMNS, &rows());
        assert_eq!(cut, "run  x   what\n  1      a long tex…\n200  表  b\n");
        let narrowest = Reader { width: Some(3), color: false };
        assert_eq!(lines(narrowest, &COLUMNS, &rows()).lines().count(), 3);
    }

    #[test]
    fn colours_are_for_terminals_that_have_them() {
        let cells = [vec![("bad".to_owned(), Tone::Bad)]];
        let reader = Reader { width: None, color: true };
        assert_eq!(lines(reader, &[("", Align::Left)], &cells), "\x1b[31mbad\x1b[0m\n");
    }
}
